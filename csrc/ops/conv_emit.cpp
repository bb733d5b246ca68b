// How convolutions are computed: as products, correlations or depthwise, and in chunks of which
// size.
#include <algorithm>
#include <numeric>

#include "kernels/gemm.h"
#include "ops/conv.h"
#include "ops/linear.h"
#include "ops/winograd.h"

namespace hb {

namespace {
constexpr int64_t kWindowBytes = 128 * 1024;    // of x that a chunk's outputs are computed from
constexpr int64_t kMostPixels = 2048;           // of a chunk
constexpr int64_t kLineBytes = 64;              // of a cache, and of depthwise channels at once
constexpr int64_t kDepthwiseBytes = 24 * 1024;  // of such a window
constexpr int64_t kFarDepthwise = 2048;         // bytes from one pixel to the next
constexpr int64_t kPackShare = 500;  // packed weights are kept where packing takes over 1/500
constexpr int64_t kSpreadBytes = 24 * 1024;     // of the products that a row is gathered from
constexpr int64_t kSpreadPixels = 24;           // of dy that meet the weights at once
constexpr int64_t kFlatDepth = 256;             // of sums over taps and channels in one loop
constexpr int64_t kFlatPixels = 8;              // of a row, or tiles would be too short
constexpr int64_t kTiledChannels = 16;          // fill tiles
constexpr int64_t kBlockBytes = 512;            // of the channels whose windows are summed at once
constexpr int64_t kPanelsBytes = 96 * 1024;     // of panels of dy that are copied at once
constexpr int64_t kFewPixels = 48;  // chunks are not cut below that to feed more threads

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Largest chunks whose window stays in L2, then evened out.
void choose_chunk(ConvWindow& w, size_t size, int64_t most_pixels) {
    const int64_t rows = std::max<int64_t>(1, w.dim[1].out),
                  cols = std::max<int64_t>(1, w.dim[2].out);
    const auto fits = [&](int64_t r, int64_t c) {
        w.rows = r, w.cols = c;
        return conv_window_elements(w, w.c) * int64_t(size) <= kWindowBytes && r * c <= most_pixels;
    };
    int64_t c = cols, r = 1;
    while (c > 8 && !fits(1, c)) c = ceil_div(c, 2);
    while (r < rows && c == cols && fits(r + 1, c)) ++r;
    w.cols = ceil_div(cols, ceil_div(cols, c));
    w.rows = ceil_div(rows, ceil_div(rows, r));
}

// Pixels so far from one another would push their neighbours out of L1.
bool gathers_lines(const ConvWindow& w, size_t size) {
    return w.channels * int64_t(size) >= kFarDepthwise;
}

// Chunks whose window, a cache line of channels a pixel, stays in L1: as square as they can be, for
// then the halo is smallest. The kernel does one line of channels of a chunk after the other.
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

// Offsets of taps; a line of each tap's weights and a window, where lines are gathered.
int64_t depthwise_scratch_bytes(const ConvWindow& w) {
    const int64_t offsets = ceil_div(conv_taps(w) * 8, 64) * 64;
    if (w.in_place) return 6 * offsets;
    return 2 * offsets + conv_taps(w) * kLineBytes + conv_window_elements(w, kLineBytes);
}

// More and smaller chunks, if that lets all threads work. Only where chunks do not show in the
// bits.
void feed_threads(ConvWindow& w, int64_t panels, int threads) {
    const auto tasks = [&] {
        return w.groups * w.images * w.dim[0].out * ceil_div(w.dim[1].out, w.rows) *
               ceil_div(w.dim[2].out, w.cols) * std::min<int64_t>(panels, 4);
    };
    while (threads > 1 && tasks() < 4 * threads && w.rows * w.cols >= 2 * kFewPixels)
        (w.rows > 1 ? w.rows : w.cols) = ceil_div(w.rows > 1 ? w.rows : w.cols, 2);
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

// Scratch of a thread: offsets, `extra` elements, windows; each piece rounded up to cache lines.
int64_t scratch_bytes(const ConvWindow& w, int64_t offsets, int64_t extra, int64_t windows,
                      size_t size) {
    const int64_t window = w.in_place ? 0 : conv_window_elements(w, w.c);
    return ceil_div(offsets * 8 + (window * windows + extra) * int64_t(size), 64) * 64 + 8 * 64;
}

struct Correlation {
    ConvWindow window;
    const void *x, *w, *bias;
    void* y;
    int64_t features, f;
    bool relu, depthwise, invariant;             // invariant: w, as Emit::invariant()
    int64_t tap_stride, group_stride, row, col;  // of w
    int64_t flops;
};

ConvPackArgs pack_args(const Correlation& s, void* packed) {
    const ConvWindow& w = s.window;
    return {s.w,
            packed,
            {w.dim[0], w.dim[1], w.dim[2]},
            w.groups,
            w.c,
            s.f,
            s.tap_stride,
            s.group_stride,
            s.row,
            s.col};
}

void emit_correlation(Emit& e, DType dtype, Correlation s) {
    ConvWindow& w = s.window;
    for (const ConvDim& d : w.dim)
        if (d.out <= 0) return;
    if (w.images == 0 || s.features == 0) return;
    const ConvKernels& kernels = *e.kernels.conv;
    const bool f32 = dtype == DType::f32;
    if (f32 && winograd_pays(w, s.f, s.flops)) {
        emit_winograd(e, w, s.f, pack_args(s, nullptr), s.x, s.bias, s.y, s.relu, s.invariant);
        return;
    }
    const size_t size = dtype_size(dtype);
    const int64_t taps = conv_taps(w), nr = f32 ? kernels.nr_f32 : kernels.nr_f64;
    const int64_t panels = ceil_div(s.f, nr);
    choose_window(w);
    if (s.depthwise) w.in_place = !gathers_lines(w, size) || taps < 6 || w.dim[2].stride > 1;
    if (s.depthwise && !w.in_place) {
        choose_depthwise_chunk(w);
    } else {
        choose_chunk(w, size, kMostPixels);
        feed_threads(w, s.depthwise ? 1 : panels, e.threads);
    }

    const bool flat = !s.depthwise && taps * w.c <= kFlatDepth && w.cols >= kFlatPixels;
    ConvArgs args{w, s.x, s.w, s.bias, s.y, s.features, s.f, s.relu, flat, nullptr, 0};
    args.scratch_stride =
        s.depthwise
            ? depthwise_scratch_bytes(w)
            : scratch_bytes(w, flat ? taps * w.c : 2 * taps + 2 * w.rows * w.cols, 0, 1, size);
    args.scratch = static_cast<char*>(e.workspace(size_t(args.scratch_stride) * size_t(e.threads)));
    if (s.depthwise) {
        e.run(f32 ? kernels.depthwise_f32 : kernels.depthwise_f64, args, 4 * s.flops);
        return;
    }
    const int64_t packed = w.groups * panels * nr * taps * w.c;
    const bool once = s.invariant && 4 * packed * kPackShare > s.flops;
    args.w = e.prepared(size_t(packed) * size, once);
    if (packed > 0)
        e.prepare(f32 ? kernels.pack_f32 : kernels.pack_f64,
                  pack_args(s, const_cast<void*>(args.w)), 4 * packed, once);
    e.run(f32 ? kernels.run_f32 : kernels.run_f64, args, s.flops);
}

// Dimension i of the gradient of x at inputs phase, phase + stride, ...: the taps that meet them,
// in the order in which they walk through dy.
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
// Columns of the products that a row of dx is gathered from.
int64_t spread_columns(const ConvShape& s, int64_t nr) {
    return ceil_div(s.kernel[2] * s.channels, nr) * nr;
}

// Whether few channels of dx are better gathered from products that have a column for each tap and
// channel. Costs in multiply-adds of whole vectors; those of a correlation whose tile is one vector
// wide count twice, as measured, and so does a number that is gathered four times.
bool spread_pays(const Emit& e, DType dtype, const ConvShape& s) {
    if (s.groups != 1) return false;
    const ConvKernels& kernels = *e.kernels.conv;
    const bool f32 = dtype == DType::f32;
    const int64_t nr = f32 ? kernels.nr_f32 : kernels.nr_f64, lanes = nr / kernels.panel_vectors;
    const int64_t columns = ceil_div(s.kernel[2] * s.channels, lanes) * lanes;
    if (s.out[2] * spread_columns(s, nr) * int64_t(dtype_size(dtype)) > kSpreadBytes) return false;
    if (f32 && s.stride[1] * s.stride[2] == 1) {
        ConvWindow w = forward_window(s);
        for (int i = 0; i < 3; ++i) w.dim[i] = data_phase(s, i, 0);
        w.channels = w.c = s.features;
        if (winograd_pays(w, s.channels, s.flops())) return false;
    }
    const double rows = double(s.out[0] * s.out[1] * s.kernel[0] * s.kernel[1]);
    const double gathered = double(s.in[0] * s.in[1] * s.out[2] * s.kernel[2]);
    const double spread = rows * double(s.out[2] * s.features * columns) +
                          4 * gathered * double(ceil_div(s.channels, lanes) * lanes);
    const double vectors = double(ceil_div(s.channels, lanes));
    double taps = 1;  // that meet a pixel of dx
    for (int i = 0; i < 3; ++i) taps *= double(s.kernel[i]) / double(s.stride[i]);
    const double direct = double(s.in[0] * s.in[1] * s.in[2]) * taps * double(s.features) *
                          double(lanes) * (vectors == 1 ? 2 : vectors);
    return spread < 0.9 * direct;
}

void emit_spread(Emit& e, DType dtype, const ConvShape& s, const void* dy, const void* w,
                 void* dx) {
    if (s.n * s.in[0] * s.in[1] * s.in[2] * s.channels == 0) return;
    const ConvKernels& kernels = *e.kernels.conv;
    const bool f32 = dtype == DType::f32;
    const int64_t nr = f32 ? kernels.nr_f32 : kernels.nr_f64, size = int64_t(dtype_size(dtype));
    const int64_t columns = spread_columns(s, nr), rows = s.kernel[0] * s.kernel[1];
    ConvSpreadArgs args{};
    for (int i = 0; i < 3; ++i)
        args.dim[i] = {s.in[i], s.out[i], s.kernel[i], s.stride[i], s.low[i], s.dilation[i]};
    args.images = s.n;
    args.channels = s.channels;
    args.features = s.features;
    args.together = std::clamp<int64_t>(kSpreadPixels / std::max<int64_t>(1, s.out[2]), 1, s.n);
    const int64_t pixels = args.together * s.out[2], offsets = rows + pixels + s.in[2];
    args.scratch_stride = ceil_div((pixels * columns + nr) * size + 16 * offsets, 64) * 64 + 6 * 64;
    args.scratch = static_cast<char*>(e.workspace(size_t(args.scratch_stride) * size_t(e.threads)));
    const int64_t packed = rows * s.features * columns;
    void* panels = e.workspace(size_t(packed * size));
    ConvPackArgs pack{w, panels, {}, 1, s.features, s.kernel[2] * s.channels, 0, 0, 1, s.features};
    pack.tap_stride = pack.f * s.features;
    for (int i = 0; i < 3; ++i) {
        pack.dim[i] = {};
        pack.dim[i].taps = pack.dim[i].w_size = i < 2 ? s.kernel[i] : 1;
        pack.dim[i].w_step = 1;
    }
    args.dy = dy;
    args.w = panels;
    args.dx = dx;
    if (packed > 0) e.run(f32 ? kernels.pack_f32 : kernels.pack_f64, pack, 4 * packed);
    e.run(f32 ? kernels.spread_f32 : kernels.spread_f64, args, s.flops());
}
}  // namespace

bool ConvShape::pointwise() const {
    if (groups != 1) return false;
    for (int i = 0; i < 3; ++i)
        if (kernel[i] != 1 || stride[i] != 1 || low[i] != 0 || in[i] != out[i]) return false;
    return true;
}

void emit_conv(Emit& e, DType dtype, const ConvShape& s, const void* x, const void* w,
               const void* bias, void* y, bool relu) {
    if (s.pointwise()) {
        emit_product(e, {.dtype = dtype,
                         .a = x,
                         .b = w,
                         .bias = bias,
                         .c = y,
                         .m = s.n * s.in[0] * s.in[1] * s.in[2],
                         .n = s.features,
                         .k = s.channels,
                         .a_row = s.channels,
                         .a_col = 1,
                         .b_row = s.features,
                         .b_col = 1,
                         .relu = relu,
                         .b_invariant = e.invariant(1)});
        return;
    }
    emit_correlation(e, dtype,
                     {.window = forward_window(s),
                      .x = x,
                      .w = w,
                      .bias = bias,
                      .y = y,
                      .features = s.features,
                      .f = s.f(),
                      .relu = relu,
                      .depthwise = s.depthwise(),
                      .invariant = e.invariant(1),
                      .tap_stride = s.c() * s.features,
                      .group_stride = s.f(),
                      .row = s.features,
                      .col = 1,
                      .flops = s.flops()});
}

void emit_conv_data(Emit& e, DType dtype, const ConvShape& s, const void* dy, const void* w,
                    void* dx) {
    if (s.pointwise()) {
        emit_product(e, {.dtype = dtype,
                         .a = dy,
                         .b = w,
                         .c = dx,
                         .m = s.n * s.in[0] * s.in[1] * s.in[2],
                         .n = s.channels,
                         .k = s.features,
                         .a_row = s.features,
                         .a_col = 1,
                         .b_row = 1,
                         .b_col = s.features,
                         .b_invariant = e.invariant(1)});
        return;
    }
    if (spread_pays(e, dtype, s)) {
        emit_spread(e, dtype, s, dy, w, dx);
        return;
    }
    const int64_t phases = s.stride[0] * s.stride[1] * s.stride[2];
    for (int64_t p = 0; p < phases; ++p) {
        ConvWindow window = forward_window(s);
        window.dim[0] = data_phase(s, 0, p / s.stride[2] / s.stride[1]);
        window.dim[1] = data_phase(s, 1, p / s.stride[2] % s.stride[1]);
        window.dim[2] = data_phase(s, 2, p % s.stride[2]);
        window.channels = s.features;
        window.c = s.depthwise() ? s.features : s.f();
        emit_correlation(e, dtype,
                         {.window = window,
                          .x = dy,
                          .w = w,
                          .bias = nullptr,
                          .y = dx,
                          .features = s.channels,
                          .f = s.c(),
                          .relu = false,
                          .depthwise = s.depthwise(),
                          .invariant = e.invariant(1),
                          .tap_stride = s.c() * s.features,
                          .group_stride = s.f(),
                          .row = 1,
                          .col = s.features,
                          .flops = s.flops() / phases});
    }
}

void emit_conv_weights(Emit& e, DType dtype, ConvShape s, const void* x, const void* dy, void* dw) {
    const ConvKernels& kernels = *e.kernels.conv;
    const GemmKernels& gemm = *e.kernels.gemm;
    const bool f32 = dtype == DType::f32, depthwise = s.depthwise();
    const size_t size = dtype_size(dtype);
    const int64_t volume = s.taps() * s.c() * s.features;
    if (volume == 0) return;
    if (s.pointwise()) {  // all pixels are one long row
        s.in[2] = s.out[2] = s.n * s.in[0] * s.in[1] * s.in[2];
        s.n = s.in[0] = s.in[1] = s.out[0] = s.out[1] = 1;
    }
    ConvWindow w = forward_window(s);
    if (f32 && winograd_pays(w, s.features, s.flops())) {
        emit_winograd_weights(e, w, s.features, x, dy, dw);
        return;
    }
    const int64_t nr = f32 ? kernels.nr_f32 : kernels.nr_f64;
    choose_window(w);
    // Blocks of channels whose windows hold enough pixels, where channels fill tiles.
    const int64_t blocks = ceil_div(s.c() * int64_t(size), kBlockBytes);
    const bool blocked = !depthwise && s.c() >= kTiledChannels;
    const int64_t block = blocked ? ceil_div(s.c(), blocks) : 0;
    if (blocked) w.in_place = false, w.c = block;
    const int64_t panel_bytes = (blocked ? 16 : 24) * 1024;
    const int64_t most_pixels = std::max<int64_t>(128, panel_bytes / (nr * int64_t(size)));
    if (depthwise) w.in_place = !gathers_lines(w, size);
    if (depthwise && !w.in_place)
        choose_depthwise_chunk(w);
    else
        choose_chunk(w, size, most_pixels);

    // Enough partial sums for many threads, as long as they are small; a number that depends on
    // shapes only.
    const int64_t panels = depthwise ? 1 : ceil_div(s.f(), nr) * w.groups;
    const int64_t chunks = std::max<int64_t>(
        1, s.n * s.out[0] * ceil_div(s.out[1], w.rows) * ceil_div(s.out[2], w.cols));
    int64_t partials = std::clamp<int64_t>((int64_t{4} << 20) / (volume * int64_t(size)), 1, 16);
    partials = std::min(std::max(partials, ceil_div(8, panels)), chunks);
    // Small images: several at once, or reading and writing dw would take longer than the sums.
    int64_t together = 1;
    if (!depthwise && w.cols == s.out[2]) {
        const int64_t fit =
            w.in_place ? chunks : kWindowBytes / (conv_window_elements(w, w.c) * int64_t(size));
        together =
            std::clamp<int64_t>(most_pixels / (w.rows * w.cols), 1, std::max<int64_t>(1, fit));
        together = std::min(together, ceil_div(chunks, partials));
    }

    void* sums = partials == 1 ? dw : e.workspace(size_t(partials * volume) * size);
    const int64_t panel_pixels = w.rows * w.cols * together * nr * int64_t(size);
    const int64_t at_once =
        std::clamp<int64_t>(kPanelsBytes / panel_pixels, 1, ceil_div(s.f(), nr));
    const int64_t window =
        blocked ? conv_blocked_elements(w, together, block, nr / kernels.panel_vectors) : 0;
    w.c = s.depthwise() ? s.channels : s.c();
    ConvWeightsArgs args{w,        x,        dy,      sums,  s.features, depthwise ? 1 : s.f(),
                         partials, together, at_once, block, nullptr,    0};
    const int64_t rows = blocked ? 0 : conv_weights_rows(w);
    args.scratch_stride = depthwise
                              ? depthwise_scratch_bytes(w)
                              : scratch_bytes(w, 2 * rows + 3 * w.rows * together,
                                              w.rows * w.cols * nr * together * at_once + window,
                                              blocked ? 0 : together, size);
    args.scratch = static_cast<char*>(e.workspace(size_t(args.scratch_stride) * size_t(e.threads)));
    if (depthwise)
        e.run(f32 ? kernels.depthwise_weights_f32 : kernels.depthwise_weights_f64, args,
              4 * s.flops());
    else
        e.run(f32 ? kernels.weights_f32 : kernels.weights_f64, args, s.flops());
    if (partials == 1) return;
    const SumPartialsArgs sum{sums, nullptr, dw, volume, partials, 1, false};
    e.run(f32 ? gemm.sum_f32 : gemm.sum_f64, sum, partials * volume);
}

}  // namespace hb
