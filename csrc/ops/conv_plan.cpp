#include "ops/conv_plan.h"

#include <algorithm>
#include <numeric>

namespace hb {

namespace {
constexpr int64_t kLineBytes = 64;              // of a cache, and of depthwise channels at once
constexpr int64_t kDepthwiseBytes = 24 * 1024;  // of such a window
constexpr int64_t kFarDepthwise = 2048;         // bytes from one pixel to the next
}  // namespace

void choose_chunk(ConvWindow& w, size_t size, int64_t most_pixels, int64_t window_bytes) {
    const int64_t rows = std::max<int64_t>(1, w.dim[1].out),
                  cols = std::max<int64_t>(1, w.dim[2].out);
    const auto fits = [&](int64_t r, int64_t c) {
        w.rows = r, w.cols = c;
        return conv_window_elements(w, w.c) * int64_t(size) <= window_bytes && r * c <= most_pixels;
    };
    int64_t c = cols, r = 1;
    while (c > 8 && !fits(1, c)) c = ceil_div(c, 2);
    while (r < rows && c == cols && fits(r + 1, c)) ++r;
    w.cols = ceil_div(cols, ceil_div(cols, c));
    w.rows = ceil_div(rows, ceil_div(rows, r));
}

bool gathers_lines(const ConvWindow& w, size_t size) {
    return w.channels * int64_t(size) >= kFarDepthwise;
}

void choose_depthwise_chunk(ConvWindow& w) {
    const int64_t rows = std::max<int64_t>(1, w.dim[1].out),
                  cols = std::max<int64_t>(1, w.dim[2].out);
    const auto fits = [&] { return conv_window_elements(w, kLineBytes) <= kDepthwiseBytes; };
    w.rows = rows, w.cols = cols;
    while (!fits() && (w.rows > 1 || w.cols > 1))
        (w.rows > w.cols ? w.rows : w.cols) = ceil_div(w.rows > w.cols ? w.rows : w.cols, 2);
    const auto even = [](int64_t all, int64_t part) { return ceil_div(all, ceil_div(all, part)); };
    while (w.rows < rows) {
        const int64_t before = w.rows++;
        if (fits()) continue;
        w.rows = before;
        break;
    }
    w.rows = even(rows, w.rows), w.cols = even(cols, w.cols);
}

int64_t depthwise_scratch_bytes(const ConvWindow& w) {
    const int64_t offsets = ceil_div(conv_taps(w) * 8, 64) * 64;
    if (w.in_place) return 6 * offsets;
    return 2 * offsets + conv_taps(w) * kLineBytes + conv_window_elements(w, kLineBytes);
}

void choose_window(ConvWindow& w) {
    const ConvDim* d = w.dim;
    bool inside = true, empty = false;
    for (int i = 0; i < 3; ++i) {
        empty |= d[i].taps == 0;
        inside &=
            d[i].first >= 0 &&
            d[i].first + (d[i].out - 1) * d[i].stride + (d[i].taps - 1) * d[i].dilation < d[i].in;
    }
    w.merge_taps = d[2].taps == 1 || d[2].dilation == 1;
    w.in_place = empty || (inside && (d[2].taps == 1 || !w.merge_taps || w.c == w.channels));
}

int64_t scratch_bytes(const ConvWindow& w, int64_t offsets, int64_t extra, int64_t windows,
                      size_t size) {
    const int64_t window = w.in_place ? 0 : conv_window_elements(w, w.c);
    return ceil_div(offsets * 8 + (window * windows + extra) * int64_t(size), 64) * 64 + 8 * 64;
}

ConvDim data_phase(const ConvShape& s, int i, int64_t phase) {
    const int64_t stride = s.stride[i], dilation = s.dilation[i];
    const int64_t step = stride / std::gcd(stride, dilation);
    ConvDim d{.in = s.out[i],
              .out = phase < s.in[i] ? (s.in[i] - phase - 1) / stride + 1 : 0,
              .taps = 0,
              .first = 0,
              .dilation = step * dilation / stride,
              .stride = 1,
              .y_size = s.in[i],
              .y_first = phase,
              .y_step = stride,
              .w_size = s.kernel[i],
              .w_first = 0,
              .w_step = -step};
    for (int64_t k = 0; k < s.kernel[i]; ++k) {
        const int64_t at = phase + s.low[i] - k * dilation;
        if (at % stride != 0) continue;
        ++d.taps;
        d.first = at / stride;
        d.w_first = k;
    }
    return d;
}

ConvWindow forward_window(const ConvShape& s) {
    ConvWindow w{};
    for (int i = 0; i < 3; ++i)
        w.dim[i] = {.in = s.in[i],
                    .out = s.out[i],
                    .taps = s.kernel[i],
                    .first = -s.low[i],
                    .dilation = s.dilation[i],
                    .stride = s.stride[i],
                    .y_size = s.out[i],
                    .y_first = 0,
                    .y_step = 1,
                    .w_size = s.kernel[i],
                    .w_first = 0,
                    .w_step = 1};
    w.images = s.n;
    w.groups = s.depthwise() ? 1 : s.groups;
    w.channels = s.channels;
    w.c = s.depthwise() ? s.channels : s.c();
    return w;
}

}  // namespace hb
