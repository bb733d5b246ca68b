// Depthwise convolution, one filter a channel: x (N,D,H,W,C)  w (KD,KH,KW,1,C)  y (N,OD,OH,OW,C).
// Vectors run along the channels; a tile is 4 pixels by 2 vectors, so each weight is loaded once
// for 4 pixels. Bound by memory. Threads share chunks of outputs (for the weights' gradient:
// vectors and partial sums).
#include "cpu/conv_window.h"

namespace hb::HB_ISA {
namespace {

constexpr int kPixels = 4;

struct Taps {
    int64_t count;
    const int64_t *x, *w;  // offsets in the window and in the weights
};

// The taps' offsets; w_first and w_step may walk through the weights backwards.
template <class T>
Taps place_taps(const ConvWindow& w, const Window<T>& view, Scratch& scratch) {
    const ConvDim* d = w.dim;
    const int64_t count = conv_taps(w);
    int64_t* in_x = scratch.take<int64_t>(count);
    int64_t* in_w = scratch.take<int64_t>(count);
    for (int64_t t = 0; t < count; ++t) {
        const int64_t k[3] = {t / d[2].taps / d[1].taps, t / d[2].taps % d[1].taps, t % d[2].taps};
        in_x[t] =
            k[0] * view.slice + k[1] * d[1].dilation * view.row + k[2] * d[2].dilation * view.pixel;
        int64_t tap = 0;
        for (int i = 0; i < 3; ++i) tap = tap * d[i].w_size + d[i].w_first + k[i] * d[i].w_step;
        in_w[t] = tap * w.channels;
    }
    return {count, in_x, in_w};
}

// Pixels [0, P) at channels [c, c + NV vectors), the last vector partial.
template <class T, int P, int NV>
HB_INLINE void pixels(const ConvArgs& a, const Taps& taps, const T* x, int64_t x_step, T* y,
                      int64_t y_step, int64_t c, int64_t left) {
    using V = Vec<T>;
    using v = typename V::type;
    const T* w = (const T*)a.w + c;
    const T* at[P];
#pragma GCC unroll 4
    for (int p = 0; p < P; ++p) at[p] = x + p * x_step;
    v sum[P][NV] = {};
    for (const int64_t *tx = taps.x, *tw = taps.w, *end = tx + taps.count; tx < end; ++tx, ++tw) {
        const int64_t offset =
            *tx * int64_t(sizeof(T));  // bytes: else GCC adds up indices in the loop
        const T* tap = w + *tw;
        v weight[NV];
#pragma GCC unroll 2
        for (int j = 0; j < NV; ++j) weight[j] = V::load(tap + j * V::lanes, left - j * V::lanes);
#pragma GCC unroll 4
        for (int p = 0; p < P; ++p) {
            const T* here = (const T*)((const char*)at[p] + offset);
#pragma GCC unroll 2
            for (int j = 0; j < NV; ++j)
                sum[p][j] += weight[j] * V::load(here + j * V::lanes, left - j * V::lanes);
        }
    }
    if (a.bias) {
#pragma GCC unroll 2
        for (int j = 0; j < NV; ++j) {
            const v bias = V::load((const T*)a.bias + c + j * V::lanes, left - j * V::lanes);
#pragma GCC unroll 4
            for (int p = 0; p < P; ++p) sum[p][j] += bias;
        }
    }
    if (a.relu) {
#pragma GCC unroll 4
        for (int p = 0; p < P; ++p)
#pragma GCC unroll 2
            for (int j = 0; j < NV; ++j) sum[p][j] = V::max(sum[p][j], v{});
    }
#pragma GCC unroll 4
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 2
        for (int j = 0; j < NV; ++j)
            V::store(y + p * y_step + j * V::lanes, sum[p][j], left - j * V::lanes);
}

template <class T, int P>
void strip(const ConvArgs& a, const Taps& taps, const T* x, int64_t x_step, T* y, int64_t y_step) {
    constexpr int64_t lanes = Vec<T>::lanes;
    const int64_t channels = a.window.channels;
    int64_t c = 0;
    for (; c + 2 * lanes <= channels; c += 2 * lanes)
        pixels<T, P, 2>(a, taps, x + c, x_step, y + c, y_step, c, 2 * lanes);
    for (; c < channels; c += lanes)
        pixels<T, P, 1>(a, taps, x + c, x_step, y + c, y_step, c, channels - c);
}

template <class T>
void depthwise(const void* args, int thread, int threads) {
    const ConvArgs& a = *static_cast<const ConvArgs*>(args);
    const ConvWindow& w = a.window;
    const ConvDim* d = w.dim;
    const Chunks chunks(w);
    const Range range = split(chunks.count, thread, threads);
    Scratch scratch{a.scratch + thread * a.scratch_stride};
    const Taps taps = place_taps(w, window_shape<T>(w), scratch);
    T* buffer = w.in_place ? nullptr : scratch.take<T>(conv_window_elements(w, w.channels));
    for (int64_t u = range.begin; u < range.end; ++u) {
        const Chunk chunk = chunks.at(w, u);
        const Window<T> view = load_window<T>(w, (const T*)a.x, chunk, buffer);
        const int64_t z = chunk.image * d[0].y_size + d[0].y_first + chunk.depth * d[0].y_step;
        const int64_t x_step = d[2].stride * view.pixel, y_step = d[2].y_step * w.channels;
        for (int64_t r = 0; r < chunk.rows; ++r) {
            const int64_t row = z * d[1].y_size + d[1].y_first + (chunk.row + r) * d[1].y_step;
            const T* x = view.data + r * d[1].stride * view.row;
            T* y =
                (T*)a.y + (row * d[2].y_size + d[2].y_first + chunk.col * d[2].y_step) * w.channels;
            int64_t i = 0;
            for (; i + kPixels <= chunk.cols; i += kPixels)
                strip<T, kPixels>(a, taps, x + i * x_step, x_step, y + i * y_step, y_step);
            for (; i < chunk.cols; ++i)
                strip<T, 1>(a, taps, x + i * x_step, x_step, y + i * y_step, y_step);
        }
    }
}

// dw of taps [first, first + N) at one vector of channels (+)= a chunk's sum.
template <class T, int N>
HB_INLINE void sum_taps(const ConvWeightsArgs& a, const Taps& taps, const Chunk& chunk,
                        const Window<T>& view, int64_t first, int64_t c, int64_t left, T* dw,
                        bool begins) {
    using V = Vec<T>;
    using v = typename V::type;
    const ConvWindow& w = a.window;
    const ConvDim* d = w.dim;
    const int64_t x_step = d[2].stride * view.pixel * int64_t(sizeof(T));
    v sum[N] = {};
    for (int64_t r = 0; r < chunk.rows; ++r) {
        const int64_t row = (chunk.image * d[0].out + chunk.depth) * d[1].out + chunk.row + r;
        const T* dy = (const T*)a.dy + (row * d[2].out + chunk.col) * w.channels + c;
        const T* x = view.data + r * d[1].stride * view.row + c;
        const T* at[N];
#pragma GCC unroll 9
        for (int n = 0; n < N; ++n) at[n] = x + taps.x[first + n];
        int64_t step = 0;
        for (int64_t i = 0; i < chunk.cols; ++i, dy += w.channels, step += x_step) {
            const v g = V::load(dy, left);
#pragma GCC unroll 9
            for (int n = 0; n < N; ++n)
                sum[n] += g * V::load((const T*)((const char*)at[n] + step), left);
        }
    }
#pragma GCC unroll 9
    for (int n = 0; n < N; ++n) {
        T* out = dw + taps.w[first + n] + c;
        V::store(out, begins ? sum[n] : sum[n] + V::load(out, left), left);
    }
}

template <class T>
HB_INLINE void all_taps(const ConvWeightsArgs& a, const Taps& taps, const Chunk& chunk,
                        const Window<T>& view, int64_t c, int64_t left, T* dw, bool begins) {
    constexpr int group = 9;
    int64_t t = 0;
    for (; t + group <= taps.count; t += group)
        sum_taps<T, group>(a, taps, chunk, view, t, c, left, dw, begins);
    for (; t + 3 <= taps.count; t += 3)
        sum_taps<T, 3>(a, taps, chunk, view, t, c, left, dw, begins);
    for (; t < taps.count; ++t) sum_taps<T, 1>(a, taps, chunk, view, t, c, left, dw, begins);
}

template <class T>
void depthwise_weights(const void* args, int thread, int threads) {
    const ConvWeightsArgs& a = *static_cast<const ConvWeightsArgs*>(args);
    const ConvWindow& w = a.window;
    constexpr int64_t lanes = Vec<T>::lanes;
    const Chunks chunks(w);
    const Grid mine = grid(a.partials, (w.channels + lanes - 1) / lanes,
                           {.flops = 1, .row_bytes = 0, .col_bytes = 0}, thread, threads);
    Scratch scratch{a.scratch + thread * a.scratch_stride};
    const Taps taps = place_taps(w, window_shape<T>(w), scratch);
    T* buffer = w.in_place ? nullptr : scratch.take<T>(conv_window_elements(w, w.channels));
    for (int64_t partial = mine.rows.begin; partial < mine.rows.end; ++partial) {
        T* dw = (T*)a.dw + partial * taps.count * w.channels;
        const Range range = split(chunks.count, int(partial), int(a.partials));
        for (int64_t u = range.begin; u < range.end; ++u) {
            const Chunk chunk = chunks.at(w, u);
            const Window<T> view = load_window<T>(w, (const T*)a.x, chunk, buffer);
            const bool begins = u == range.begin;
            for (int64_t v = mine.cols.begin; v < mine.cols.end; ++v) {
                const int64_t c = v * lanes, left = w.channels - c;
                if (left >= lanes)
                    all_taps(a, taps, chunk, view, c, lanes, dw, begins);
                else
                    all_taps(a, taps, chunk, view, c, left, dw, begins);
            }
        }
        if (range.begin < range.end) continue;
        for (int64_t t = 0; t < taps.count; ++t)
            for (int64_t v = mine.cols.begin; v < mine.cols.end; ++v)
                Vec<T>::store(dw + taps.w[t] + v * lanes, Vec<T>::zero(), w.channels - v * lanes);
    }
}

}  // namespace

void depthwise_float(const void* args, int thread, int threads) {
    depthwise<float>(args, thread, threads);
}
void depthwise_double(const void* args, int thread, int threads) {
    depthwise<double>(args, thread, threads);
}
void depthwise_weights_float(const void* args, int thread, int threads) {
    depthwise_weights<float>(args, thread, threads);
}
void depthwise_weights_double(const void* args, int thread, int threads) {
    depthwise_weights<double>(args, thread, threads);
}

}  // namespace hb::HB_ISA
