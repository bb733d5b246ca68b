// Depthwise convolution straight from x, for few channels, strides and few taps (the others:
// conv_depthwise.cpp): rows and columns at the edges leave taps out. Vectors run along the
// channels; a tile is 4 pixels by 2 vectors, so each weight is loaded once for 4 pixels. Bound by
// memory. Threads share chunks of outputs (for the weights' gradient: vectors and partial sums).
#include "cpu/conv_window.h"

namespace hb::HB_ISA {
namespace {

constexpr int kPixels = 4;
constexpr int64_t kChannels = 128;  // a block whose weights and pixels stay in L1

// Taps that meet x: offsets in x and in the weights, and columns.
struct Taps {
    int64_t count;
    int64_t *x, *w, *column;

    Taps(int64_t most, Scratch& scratch)
        : count(0),
          x(scratch.take<int64_t>(most)),
          w(scratch.take<int64_t>(most)),
          column(scratch.take<int64_t>(most)) {}
};

// The taps of a row of outputs; offsets in x are those of output 0, from the image's first element.
// The weights may be walked through backwards.
void row_taps(const ConvWindow& w, int64_t depth, int64_t row, Taps& taps) {
    const ConvDim* d = w.dim;
    taps.count = 0;
    for (int64_t i = 0; i < d[0].taps; ++i) {
        const int64_t z = d[0].first + depth * d[0].stride + i * d[0].dilation;
        if (z < 0 || z >= d[0].in) continue;
        for (int64_t j = 0; j < d[1].taps; ++j) {
            const int64_t y = d[1].first + row * d[1].stride + j * d[1].dilation;
            if (y < 0 || y >= d[1].in) continue;
            const int64_t tap =
                (d[0].w_first + i * d[0].w_step) * d[1].w_size + d[1].w_first + j * d[1].w_step;
            for (int64_t k = 0; k < d[2].taps; ++k) {
                const int64_t column = d[2].first + k * d[2].dilation;
                taps.column[taps.count] = column;
                taps.x[taps.count] = ((z * d[1].in + y) * d[2].in + column) * w.channels;
                taps.w[taps.count++] =
                    (tap * d[2].w_size + d[2].w_first + k * d[2].w_step) * w.channels;
            }
        }
    }
}

// Those of one output of the row that lie inside of x.
void column_taps(const Taps& all, int64_t at, int64_t in, Taps& taps) {
    taps.count = 0;
    for (int64_t t = 0; t < all.count; ++t) {
        if (all.column[t] + at < 0 || all.column[t] + at >= in) continue;
        taps.x[taps.count] = all.x[t];
        taps.w[taps.count++] = all.w[t];
    }
}

// Outputs of [begin, end) whose taps all lie inside of a row of x.
Range inner_columns(const ConvDim& d, int64_t begin, int64_t end) {
    const int64_t reach = d.first + (d.taps > 0 ? d.taps - 1 : 0) * d.dilation;
    int64_t low = d.first < 0 ? (-d.first + d.stride - 1) / d.stride : 0;
    int64_t high = d.in - 1 - reach < 0 ? 0 : (d.in - 1 - reach) / d.stride + 1;
    low = low < begin ? begin : low > end ? end : low;
    high = high > end ? end : high < low ? low : high;
    return {low, high};
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
#pragma GCC unroll 4
        for (int j = 0; j < NV; ++j) weight[j] = V::load(tap + j * V::lanes, left - j * V::lanes);
#pragma GCC unroll 4
        for (int p = 0; p < P; ++p) {
            const T* here = (const T*)((const char*)at[p] + offset);
#pragma GCC unroll 4
            for (int j = 0; j < NV; ++j)
                sum[p][j] += weight[j] * V::load(here + j * V::lanes, left - j * V::lanes);
        }
    }
    const Finish<T> finish(a.epilogue, c, y - (T*)a.y);
#pragma GCC unroll 4
    for (int p = 0; p < P; ++p)
#pragma GCC unroll 4
        for (int j = 0; j < NV; ++j) {
            const int64_t f = j * V::lanes, i = p * y_step + f;
            V::store(y + i, finish(sum[p][j], f, i, left - f), left - f);
        }
}

// P neighbouring pixels, channels [c, end).
template <class T, int P>
void strip(const ConvArgs& a, const Taps& taps, const T* x, int64_t x_step, T* y, int64_t y_step,
           int64_t c, int64_t end) {
    constexpr int64_t lanes = Vec<T>::lanes;
    constexpr int NV = P == 1 ? 4 : 2;  // enough sums to hide the latency
    for (; c + NV * lanes <= end; c += NV * lanes)
        pixels<T, P, NV>(a, taps, x + c, x_step, y + c, y_step, c, NV * lanes);
    for (; c < end; c += lanes) pixels<T, P, 1>(a, taps, x + c, x_step, y + c, y_step, c, end - c);
}

// Outputs [begin, end) of a row; x and y at its output 0.
template <class T>
void row_of_outputs(const ConvArgs& a, const Taps& taps, Taps& some, const T* x, T* y,
                    int64_t begin, int64_t end) {
    const ConvWindow& w = a.window;
    const ConvDim& d = w.dim[2];
    const int64_t x_step = d.stride * w.channels, y_step = d.y_step * w.channels;
    const Range inner = inner_columns(d, begin, end);
    for (int64_t c = 0; c < w.channels; c += kChannels) {
        const int64_t last = w.channels - c < kChannels ? w.channels : c + kChannels;
        int64_t i = inner.begin;
        for (; i + kPixels <= inner.end; i += kPixels)
            strip<T, kPixels>(a, taps, x + i * x_step, x_step, y + i * y_step, y_step, c, last);
        for (; i < inner.end; ++i)
            strip<T, 1>(a, taps, x + i * x_step, x_step, y + i * y_step, y_step, c, last);
    }
    for (int64_t i = begin; i < end; ++i) {
        if (i == inner.begin) i = inner.end;
        if (i == end) break;
        column_taps(taps, i * d.stride, d.in, some);
        strip<T, 1>(a, some, x + i * x_step, x_step, y + i * y_step, y_step, 0, w.channels);
    }
}

template <class T>
void depthwise(const void* args, int thread, int threads) {
    const ConvArgs& a = *static_cast<const ConvArgs*>(args);
    const ConvWindow& w = a.window;
    const ConvDim* d = w.dim;
    const Chunks chunks(w);
    const Range range = split(chunks.count, thread, threads);
    Scratch scratch{a.scratch + thread * a.scratch_stride};
    Taps taps(conv_taps(w), scratch), some(conv_taps(w), scratch);
    for (int64_t u = range.begin; u < range.end; ++u) {
        const Chunk chunk = chunks.at(w, u);
        const T* image = (const T*)a.x + chunk.image * d[0].in * d[1].in * d[2].in * w.channels;
        const int64_t z = chunk.image * d[0].y_size + d[0].y_first + chunk.depth * d[0].y_step;
        for (int64_t r = 0; r < chunk.rows; ++r) {
            row_taps(w, chunk.depth, chunk.row + r, taps);
            const int64_t row = z * d[1].y_size + d[1].y_first + (chunk.row + r) * d[1].y_step;
            T* y = (T*)a.y + (row * d[2].y_size + d[2].y_first) * w.channels;
            row_of_outputs(a, taps, some, image, y, chunk.col, chunk.col + chunk.cols);
        }
    }
}

// Rows of outputs that meet the same taps, columns [begin, end) of them; x and dy at output 0 of
// the first.
template <class T>
struct Block {
    const T *x, *dy;
    int64_t rows, begin, end;
    Range inner;
};

// dw of taps [first, first + N) at one vector of channels += the sum over a block.
template <class T, int N>
HB_INLINE void sum_taps(const ConvWindow& w, const Taps& taps, const Block<T>& block, int64_t first,
                        int64_t c, int64_t left, T* dw) {
    using V = Vec<T>;
    using v = typename V::type;
    const ConvDim* d = w.dim;
    const T outside[V::lanes] = {};
    const int64_t x_step = d[2].stride * w.channels, size = int64_t(sizeof(T));
    const T* at[N];
    v sum[N];
#pragma GCC unroll 9
    for (int n = 0; n < N; ++n) {
        at[n] = block.x + c + taps.x[first + n];
        sum[n] = V::load(dw + taps.w[first + n] + c, left);
    }
    const T* dy = block.dy + c;
    const auto edge = [&](int64_t i) {
        const v g = V::load(dy + i * w.channels, left);
#pragma GCC unroll 9
        for (int n = 0; n < N; ++n) {
            const bool inside =
                uint64_t(taps.column[first + n] + i * d[2].stride) < uint64_t(d[2].in);
            sum[n] += g * V::load(inside ? at[n] + i * x_step : outside, left);
        }
    };
    for (int64_t r = 0; r < block.rows; ++r) {
        for (int64_t i = block.begin; i < block.inner.begin; ++i) edge(i);
        const T* here = dy + block.inner.begin * w.channels;
        int64_t step = block.inner.begin * x_step * size;  // bytes: one index for all taps
        for (int64_t i = block.inner.begin; i < block.inner.end;
             ++i, here += w.channels, step += x_step * size) {
            const v g = V::load(here, left);
#pragma GCC unroll 9
            for (int n = 0; n < N; ++n)
                sum[n] += g * V::load((const T*)((const char*)at[n] + step), left);
        }
        for (int64_t i = block.inner.end; i < block.end; ++i) edge(i);
        dy += d[2].out * w.channels;
#pragma GCC unroll 9
        for (int n = 0; n < N; ++n) at[n] += d[1].stride * d[2].in * w.channels;
    }
#pragma GCC unroll 9
    for (int n = 0; n < N; ++n) V::store(dw + taps.w[first + n] + c, sum[n], left);
}

template <class T>
HB_INLINE void all_taps(const ConvWindow& w, const Taps& taps, const Block<T>& block, int64_t c,
                        int64_t left, T* dw) {
    int64_t t = 0;
    for (; t + 9 <= taps.count; t += 9) sum_taps<T, 9>(w, taps, block, t, c, left, dw);
    for (; t + 3 <= taps.count; t += 3) sum_taps<T, 3>(w, taps, block, t, c, left, dw);
    for (; t < taps.count; ++t) sum_taps<T, 1>(w, taps, block, t, c, left, dw);
}

template <class T>
void depthwise_weights(const void* args, int thread, int threads) {
    const ConvWeightsArgs& a = *static_cast<const ConvWeightsArgs*>(args);
    const ConvWindow& w = a.window;
    const ConvDim* d = w.dim;
    constexpr int64_t lanes = Vec<T>::lanes;
    const Chunks chunks(w);
    const Grid mine = grid(a.partials, (w.channels + lanes - 1) / lanes,
                           {.flops = 1, .row_bytes = 0, .col_bytes = 0}, thread, threads);
    Scratch scratch{a.scratch + thread * a.scratch_stride};
    Taps taps(conv_taps(w), scratch);
    for (int64_t partial = mine.rows.begin; partial < mine.rows.end; ++partial) {
        T* dw = (T*)a.dw + partial * conv_taps(w) * w.channels;
        for (int64_t t = 0; t < conv_taps(w); ++t)
            for (int64_t v = mine.cols.begin; v < mine.cols.end; ++v)
                Vec<T>::store(dw + t * w.channels + v * lanes, Vec<T>::zero(),
                              w.channels - v * lanes);
        const Range range = split(chunks.count, int(partial), int(a.partials));
        for (int64_t u = range.begin; u < range.end; ++u) {
            const Chunk chunk = chunks.at(w, u);
            const int64_t z = chunk.image * d[0].out + chunk.depth, last = chunk.row + chunk.rows;
            const Range inner = inner_columns(d[1], chunk.row, last);
            const T* image = (const T*)a.x + chunk.image * d[0].in * d[1].in * d[2].in * w.channels;
            Block<T> block{image,
                           nullptr,
                           1,
                           chunk.col,
                           chunk.col + chunk.cols,
                           inner_columns(d[2], chunk.col, chunk.col + chunk.cols)};
            for (int64_t r = chunk.row; r < last; r += block.rows) {
                block.rows = r == inner.begin && inner.end > r ? inner.end - r : 1;
                block.dy = (const T*)a.dy + (z * d[1].out + r) * d[2].out * w.channels;
                row_taps(w, chunk.depth, r, taps);
                for (int64_t v = mine.cols.begin; v < mine.cols.end; ++v) {
                    const int64_t c = v * lanes, left = w.channels - c;
                    if (left >= lanes)
                        all_taps(w, taps, block, c, lanes, dw);
                    else
                        all_taps(w, taps, block, c, left, dw);
                }
            }
        }
    }
}

}  // namespace

void depthwise_direct_float(const void* args, int thread, int threads) {
    depthwise<float>(args, thread, threads);
}
void depthwise_direct_double(const void* args, int thread, int threads) {
    depthwise<double>(args, thread, threads);
}
void depthwise_weights_direct_float(const void* args, int thread, int threads) {
    depthwise_weights<float>(args, thread, threads);
}
void depthwise_weights_direct_double(const void* args, int thread, int threads) {
    depthwise_weights<double>(args, thread, threads);
}

}  // namespace hb::HB_ISA
