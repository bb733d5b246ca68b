// Depthwise convolution, one filter a channel: x (N,D,H,W,C)  w (KD,KH,KW,1,C)  y (N,OD,OH,OW,C).
// What is left by conv_depthwise_tiles.cpp, and where windows are not in place (those:
// conv_depthwise_direct.cpp): a cache line of channels of a chunk's window, with its halo of zeros,
// is gathered into L1 (pixels that lie a power of two apart would push one another out of it), and
// all outputs of the chunk at these channels are computed from there: tiles of pixels by the line's
// vectors. Bound by memory. Threads share chunks of outputs (for the weights' gradient: lines of
// channels and partial sums).
#include "cpu/conv_window.h"
#include "cpu/stream.h"

namespace hb::HB_ISA {
namespace {

constexpr int kVectors = 64 / kVecBytes;         // of a line
constexpr int kPixels = kVectors == 4 ? 2 : 4;   // of a tile
constexpr int kTapsAtOnce = kVectors == 4   ? 3  // sums that registers hold, by kVectors
                            : kVectors == 2 ? 5
                                            : 9;
template <class T>
constexpr int64_t kLine = 64 / int64_t(sizeof(T));

// Offsets of the taps in the window and in the weights, which may be walked through backwards.
struct Taps {
    int64_t count;
    const int64_t *x, *w;
};

Taps place_taps(const ConvWindow& w, int64_t line, Scratch& scratch) {
    const ConvDim* d = w.dim;
    const int64_t count = conv_taps(w);
    const int64_t row = conv_span(d[2], w.cols) * line, slice = conv_span(d[1], w.rows) * row;
    int64_t* in_x = scratch.take<int64_t>(count);
    int64_t* in_w = scratch.take<int64_t>(count);
    for (int64_t t = 0; t < count; ++t) {
        const int64_t k[3] = {t / d[2].taps / d[1].taps, t / d[2].taps % d[1].taps, t % d[2].taps};
        in_x[t] = k[0] * slice + k[1] * d[1].dilation * row + k[2] * d[2].dilation * line;
        int64_t tap = 0;
        for (int i = 0; i < 3; ++i) tap = tap * d[i].w_size + d[i].w_first + k[i] * d[i].w_step;
        in_w[t] = tap * w.channels;
    }
    return {count, in_x, in_w};
}

template <class T>
HB_INLINE void copy_line(T* to, const T* from, int64_t channels) {
    using V = Vec<T>;
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j)
        V::store(to + j * V::lanes, V::load(from + j * V::lanes, channels - j * V::lanes));
}

// Channels [c, c + channels) of a chunk's window, a line a pixel. The line behind is asked for.
template <class T>
void gather(const ConvWindow& w, const T* x, const Chunk& chunk, int64_t c, int64_t channels,
            T* buffer) {
    constexpr int64_t line = kLine<T>;
    const ConvDim* d = w.dim;
    const T* image = x + chunk.image * d[0].in * d[1].in * d[2].in * w.channels + c;
    const int64_t z0 = d[0].first + chunk.depth * d[0].stride;
    const int64_t y0 = d[1].first + chunk.row * d[1].stride;
    const int64_t x0 = d[2].first + chunk.col * d[2].stride;
    const int64_t rows = conv_span(d[1], chunk.rows), cols = conv_span(d[2], chunk.cols);
    const int64_t row = conv_span(d[2], w.cols) * line, slice = conv_span(d[1], w.rows) * row;
    int64_t left = x0 < 0 ? -x0 : 0, right = x0 + cols > d[2].in ? x0 + cols - d[2].in : 0;
    if (left > cols) left = cols;
    if (right > cols - left) right = cols - left;
    for (int64_t t = 0; t < d[0].taps; ++t) {
        const int64_t z = z0 + t * d[0].dilation;
        for (int64_t r = 0; r < rows; ++r) {
            const int64_t y = y0 + r;
            T* to = buffer + t * slice + r * row;
            if (z < 0 || z >= d[0].in || y < 0 || y >= d[1].in) {
                __builtin_memset(to, 0, size_t(cols) * 64);
                continue;
            }
            const T* from = image + ((z * d[1].in + y) * d[2].in + x0 + left) * w.channels;
            __builtin_memset(to, 0, size_t(left) * 64);
            to += left * line;
            for (int64_t i = left; i < cols - right; ++i, to += line, from += w.channels) {
                fetch_early(from + line);
                if (channels >= line)
                    copy_line(to, from, line);
                else
                    copy_line(to, from, channels);
            }
            __builtin_memset(to, 0, size_t(right) * 64);
        }
    }
}

// The first n lanes of vector j of a line that has `channels`.
template <class T>
HB_INLINE void store_line(T* y, int j, typename Vec<T>::type v, int64_t channels) {
    constexpr int64_t lanes = Vec<T>::lanes;
    if (channels - j * lanes > 0) Vec<T>::store(y + j * lanes, v, channels - j * lanes);
}

// P outputs of a row from lines of x and of weights in L1.
template <class T, int P>
HB_INLINE void pixels(const ConvArgs& a, const Taps& taps, const T* x, int64_t x_step,
                      const T* weights, T* y, int64_t y_step, int64_t c, int64_t channels) {
    using V = Vec<T>;
    using v = typename V::type;
    const T* at[P];
#pragma GCC unroll 4
    for (int p = 0; p < P; ++p) at[p] = x + p * x_step;
    v sum[P][kVectors] = {};
    for (const int64_t *tx = taps.x, *end = tx + taps.count; tx < end; ++tx, weights += kLine<T>) {
        const int64_t offset = *tx * int64_t(sizeof(T));  // bytes: else GCC adds up indices
        v weight[kVectors];
#pragma GCC unroll 4
        for (int j = 0; j < kVectors; ++j) weight[j] = V::load(weights + j * V::lanes);
#pragma GCC unroll 4
        for (int p = 0; p < P; ++p) {
            const T* here = (const T*)((const char*)at[p] + offset);
#pragma GCC unroll 4
            for (int j = 0; j < kVectors; ++j)
                sum[p][j] += weight[j] * V::load(here + j * V::lanes);
        }
    }
    const Finish<T> finish(a.epilogue, c, y - (T*)a.y);
#pragma GCC unroll 4
    for (int j = 0; j < kVectors; ++j) {
        const int64_t f = j * V::lanes, left = channels - f;
        if (left <= 0) break;
#pragma GCC unroll 4
        for (int p = 0; p < P; ++p)
            V::store(y + p * y_step + f, finish(sum[p][j], f, p * y_step + f, left), left);
    }
}

// All outputs of a chunk at a line of channels.
template <class T>
HB_INLINE void chunk_of_outputs(const ConvArgs& a, const Taps& taps, const Chunk& chunk,
                                const T* window, const T* weights, int64_t c, int64_t channels) {
    const ConvWindow& w = a.window;
    const ConvDim* d = w.dim;
    const int64_t row = conv_span(d[2], w.cols) * kLine<T>, x_step = d[2].stride * kLine<T>;
    const int64_t y_step = d[2].y_step * w.channels;
    const int64_t z = chunk.image * d[0].y_size + d[0].y_first + chunk.depth * d[0].y_step;
    for (int64_t r = 0; r < chunk.rows; ++r) {
        const int64_t at = z * d[1].y_size + d[1].y_first + (chunk.row + r) * d[1].y_step;
        const T* x = window + r * d[1].stride * row;
        T* y =
            (T*)a.y + (at * d[2].y_size + d[2].y_first + chunk.col * d[2].y_step) * w.channels + c;
        int64_t i = 0;
        for (; i + kPixels <= chunk.cols; i += kPixels)
            pixels<T, kPixels>(a, taps, x + i * x_step, x_step, weights, y + i * y_step, y_step, c,
                               channels);
        for (; i + 2 <= chunk.cols; i += 2)
            pixels<T, 2>(a, taps, x + i * x_step, x_step, weights, y + i * y_step, y_step, c,
                         channels);
        for (; i < chunk.cols; ++i)
            pixels<T, 1>(a, taps, x + i * x_step, x_step, weights, y + i * y_step, y_step, c,
                         channels);
    }
}

template <class T>
void depthwise(const void* args, int thread, int threads) {
    constexpr int64_t line = kLine<T>;
    const ConvArgs& a = *static_cast<const ConvArgs*>(args);
    const ConvWindow& w = a.window;
    const Chunks chunks(w);
    const int64_t lines = (w.channels + line - 1) / line;
    const Range range = split(chunks.count * lines, thread, threads);
    Scratch scratch{a.scratch + thread * a.scratch_stride};
    const Taps taps = place_taps(w, line, scratch);
    T* weights = scratch.take<T>(taps.count * line);
    T* buffer = scratch.take<T>(conv_window_elements(w, line));
    for (int64_t u = range.begin; u < range.end; ++u) {
        const Chunk chunk = chunks.at(w, u / lines);
        const int64_t c = u % lines * line, channels = w.channels - c;
        for (int64_t t = 0; t < taps.count; ++t)
            copy_line(weights + t * line, (const T*)a.w + taps.w[t] + c, channels);
        gather(w, (const T*)a.x, chunk, c, channels, buffer);
        if (channels >= line)
            chunk_of_outputs(a, taps, chunk, buffer, weights, c, line);
        else
            chunk_of_outputs(a, taps, chunk, buffer, weights, c, channels);
    }
}

// dw of taps [first, first + N) at a line of channels += the sum over a chunk.
template <class T, int N>
HB_INLINE void sum_taps(const ConvWeightsArgs& a, const Taps& taps, const Chunk& chunk,
                        const T* window, int64_t first, int64_t c, int64_t channels, T* dw) {
    using V = Vec<T>;
    using v = typename V::type;
    const ConvWindow& w = a.window;
    const ConvDim* d = w.dim;
    const int64_t row = conv_span(d[2], w.cols) * kLine<T>;
    const int64_t x_step = d[2].stride * 64;  // bytes
    v sum[N][kVectors] = {};
    for (int64_t r = 0; r < chunk.rows; ++r) {
        const int64_t y = (chunk.image * d[0].out + chunk.depth) * d[1].out + chunk.row + r;
        const T* dy = (const T*)a.dy + (y * d[2].out + chunk.col) * w.channels + c;
        const T* at[N];
#pragma GCC unroll 9
        for (int n = 0; n < N; ++n) at[n] = window + r * d[1].stride * row + taps.x[first + n];
        int64_t step = 0;
        for (int64_t i = 0; i < chunk.cols; ++i, dy += w.channels, step += x_step) {
            v g[kVectors];
#pragma GCC unroll 4
            for (int j = 0; j < kVectors; ++j)
                g[j] = V::load(dy + j * V::lanes, channels - j * V::lanes);
#pragma GCC unroll 9
            for (int n = 0; n < N; ++n) {
                const T* here = (const T*)((const char*)at[n] + step);
#pragma GCC unroll 4
                for (int j = 0; j < kVectors; ++j) sum[n][j] += g[j] * V::load(here + j * V::lanes);
            }
        }
    }
#pragma GCC unroll 9
    for (int n = 0; n < N; ++n)
#pragma GCC unroll 4
        for (int j = 0; j < kVectors; ++j) {
            T* out = dw + taps.w[first + n] + c;
            if (channels - j * V::lanes <= 0) continue;
            const v before = V::load(out + j * V::lanes, channels - j * V::lanes);
            store_line(out, j, before + sum[n][j], channels);
        }
}

template <class T>
HB_INLINE void all_taps(const ConvWeightsArgs& a, const Taps& taps, const Chunk& chunk,
                        const T* window, int64_t c, int64_t channels, T* dw) {
    int64_t t = 0;
    for (; t + kTapsAtOnce <= taps.count; t += kTapsAtOnce)
        sum_taps<T, kTapsAtOnce>(a, taps, chunk, window, t, c, channels, dw);
    if constexpr (kTapsAtOnce > 4)
        for (; t + 4 <= taps.count; t += 4)
            sum_taps<T, 4>(a, taps, chunk, window, t, c, channels, dw);
    for (; t < taps.count; ++t) sum_taps<T, 1>(a, taps, chunk, window, t, c, channels, dw);
}

template <class T>
void depthwise_weights(const void* args, int thread, int threads) {
    constexpr int64_t line = kLine<T>;
    const ConvWeightsArgs& a = *static_cast<const ConvWeightsArgs*>(args);
    const ConvWindow& w = a.window;
    const Chunks chunks(w);
    const Grid mine = grid(a.partials, (w.channels + line - 1) / line,
                           {.flops = 1, .row_bytes = 0, .col_bytes = 0}, thread, threads);
    Scratch scratch{a.scratch + thread * a.scratch_stride};
    const Taps taps = place_taps(w, line, scratch);
    T* buffer = scratch.take<T>(conv_window_elements(w, line));
    for (int64_t partial = mine.rows.begin; partial < mine.rows.end; ++partial) {
        T* dw = (T*)a.dw + partial * taps.count * w.channels;
        const int64_t begin = mine.cols.begin * line;
        const int64_t end = mine.cols.end * line < w.channels ? mine.cols.end * line : w.channels;
        for (int64_t t = 0; t < taps.count; ++t)
            for (int64_t c = begin; c < end; ++c) dw[t * w.channels + c] = T(0);
        const Range range = split(chunks.count, int(partial), int(a.partials));
        for (int64_t u = range.begin; u < range.end; ++u) {
            const Chunk chunk = chunks.at(w, u);
            for (int64_t c = begin; c < end; c += line) {
                gather(w, (const T*)a.x, chunk, c, end - c, buffer);
                if (end - c >= line)
                    all_taps(a, taps, chunk, buffer, c, line, dw);
                else
                    all_taps(a, taps, chunk, buffer, c, end - c, dw);
            }
        }
    }
}

}  // namespace

// conv_depthwise_direct.cpp
void depthwise_direct_float(const void*, int, int);
void depthwise_direct_double(const void*, int, int);
void depthwise_weights_direct_float(const void*, int, int);
void depthwise_weights_direct_double(const void*, int, int);

void depthwise_float(const void* args, int thread, int threads) {
    const bool direct = static_cast<const ConvArgs*>(args)->window.in_place;
    (direct ? depthwise_direct_float : depthwise<float>)(args, thread, threads);
}
void depthwise_double(const void* args, int thread, int threads) {
    const bool direct = static_cast<const ConvArgs*>(args)->window.in_place;
    (direct ? depthwise_direct_double : depthwise<double>)(args, thread, threads);
}
void depthwise_weights_float(const void* args, int thread, int threads) {
    const bool direct = static_cast<const ConvWeightsArgs*>(args)->window.in_place;
    (direct ? depthwise_weights_direct_float : depthwise_weights<float>)(args, thread, threads);
}
void depthwise_weights_double(const void* args, int thread, int threads) {
    const bool direct = static_cast<const ConvWeightsArgs*>(args)->window.in_place;
    (direct ? depthwise_weights_direct_double : depthwise_weights<double>)(args, thread, threads);
}

}  // namespace hb::HB_ISA
