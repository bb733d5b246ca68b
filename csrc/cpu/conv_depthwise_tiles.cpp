// Depthwise convolution of 3x3 taps, and the gradient of its input, at strides of 1 or 2: a tile is
// a few outputs by a panel of channels, and each of its inputs is loaded once. Panels go by in the
// order of memory, so that reads and writes are runs as long as all channels. Weights are packed
// into (panel, tap, channel). Tiles at an edge look at each input and each output for itself. Bound
// by L2 and memory: 4 (stride 1), 7.5 (stride 2) or 1 (gradient at stride 2) inputs are read from
// L2 for an output. Threads share rows of tiles.
#include "cpu/conv_window.h"
#include "cpu/finish_tile.h"

namespace hb::HB_ISA {
namespace {

constexpr int kTaps = 3;  // each way

// Which tap an output and an input of a tile meet at, along either axis; -1: none.
template <int Stride, int Rows, int Cols>
struct Forward {
    static constexpr int out_rows = Rows, out_cols = Cols;
    static constexpr int in_rows = (Rows - 1) * Stride + kTaps;
    static constexpr int in_cols = (Cols - 1) * Stride + kTaps;
    static constexpr int tap(int out, int in) {
        const int tap = in - out * Stride;
        return tap >= 0 && tap < kTaps ? tap : -1;
    }
};
// Inputs are dy, two neighbours each way; outputs a pair of dx: the first meets both, at the last
// tap and at the first.
struct Backward {
    static constexpr int out_rows = 2, out_cols = 2, in_rows = 2, in_cols = 2;
    static constexpr int tap(int out, int in) { return out == 0 ? 2 - 2 * in : in == 1 ? 1 : -1; }
};

// A tile's inputs and outputs at channel 0. At an edge each for itself: zeros in the place of
// inputs that there are not, and where outputs that there are not may go.
template <class T, class G>
struct Place {
    const T* x;
    T* y;
    int64_t pixel, x_row, y_row;
    const T* at[G::in_rows][G::in_cols];
    int64_t to[G::out_rows * G::out_cols];  // from y on
    bool there[G::out_rows * G::out_cols];
};

// NV vectors of channels; if Partial, the last of them has `last` channels.
template <class T, class G, int NV, bool Edge, bool Partial>
HB_INLINE void tile(const DepthwiseTilesArgs& a, const Place<T, G>& here, const T* w, int64_t c,
                    int last) {
    using V = Vec<T>;
    using v = typename V::type;
    constexpr int cols = G::out_cols, lanes = V::lanes;
    v sum[G::out_rows * cols][NV] = {};
#pragma GCC unroll 8
    for (int i = 0; i < G::in_rows; ++i)
#pragma GCC unroll 8
        for (int q = 0; q < G::in_cols; ++q) {
            const T* from = (Edge ? here.at[i][q] : here.x + i * here.x_row + q * here.pixel) + c;
#pragma GCC unroll 4
            for (int j = 0; j < NV; ++j) {
                const v x = Partial && j == NV - 1
                                ? (v)arch::load_lanes<T, v>(from + j * lanes, last)
                                : (v)V::load(from + j * lanes);
#pragma GCC unroll 8
                for (int r = 0; r < G::out_rows; ++r)
#pragma GCC unroll 8
                    for (int p = 0; p < cols; ++p) {
                        const int row = G::tap(r, i), col = G::tap(p, q);
                        if (row < 0 || col < 0) continue;
                        sum[r * cols + p][j] +=
                            V::load(w + (row * kTaps + col) * kPanel<T> + j * lanes) * x;
                    }
            }
        }
    T* y = here.y + c;
    const Finish<T> finish(a.epilogue, c, y - (T*)a.y);
    const auto row = [&](int i) __attribute__((always_inline)) {
        return Edge ? here.to[i] : i / cols * here.y_row + i % cols * here.pixel;
    };
    if (!Edge || !finish.other) {
        finish_tile<T, G::out_rows * cols, NV, Partial>(sum, finish, y, row, last);
        return;
    }
    for (int i = 0; i < G::out_rows * cols; ++i)
        for (int j = 0; here.there[i] && j < NV; ++j) {
            const int64_t f = j * lanes, n = Partial && j == NV - 1 ? last : lanes;
            V::store(y + row(i) + f, finish(sum[i][j], f, row(i) + f, n), n);
        }
}

template <class T, class G, bool Edge>
void all_channels(const DepthwiseTilesArgs& a, const Place<T, G>& here) {
    constexpr int64_t lanes = Vec<T>::lanes, taps = kTaps * kTaps;
    const T* w = (const T*)a.w;
    int64_t c = 0;
    for (; c + kPanel<T> <= a.channels; c += kPanel<T>)
        tile<T, G, kTileVecs, Edge, false>(a, here, w + c * taps, c, 0);
    w += c * taps;
    for (; c + lanes <= a.channels; c += lanes, w += lanes)
        tile<T, G, 1, Edge, false>(a, here, w, c, 0);
    if (c < a.channels) tile<T, G, 1, Edge, true>(a, here, w, c, int(a.channels - c));
}

template <class T, class G>
void edge(const DepthwiseTilesArgs& a, Place<T, G>& here, const T* image, int64_t in_row,
          int64_t in_col, int64_t out_row, int64_t out_col, T* zeros, T* nowhere) {
    const DepthwiseAxis &rows = a.rows, &cols = a.cols;
    const auto inside = [](int64_t i, int64_t n) { return i >= 0 && i < n; };
    for (int i = 0; i < G::in_rows; ++i)
        for (int q = 0; q < G::in_cols; ++q) {
            const int64_t row = in_row + i, col = in_col + q;
            const bool there = inside(row, rows.in) && inside(col, cols.in);
            here.at[i][q] = there ? image + row * here.x_row + col * here.pixel : zeros;
        }
    for (int i = 0; i < G::out_rows * G::out_cols; ++i) {
        const int64_t row = i / G::out_cols, col = i % G::out_cols;
        here.there[i] = inside(out_row + row, rows.out) && inside(out_col + col, cols.out);
        here.to[i] = here.there[i] ? row * here.y_row + col * here.pixel : nowhere - here.y;
    }
    all_channels<T, G, true>(a, here);
}

template <class T, class G>
void tiles(const DepthwiseTilesArgs& a, int thread, int threads) {
    const DepthwiseAxis &rows = a.rows, &cols = a.cols;
    const Range range = split(a.images * rows.tiles, thread, threads);
    Scratch scratch{a.scratch + thread * a.scratch_stride};
    T *zeros = scratch.take<T>(a.channels), *nowhere = scratch.take<T>(a.channels);
    if (range.begin < range.end) __builtin_memset(zeros, 0, size_t(a.channels) * sizeof(T));
    Place<T, G> here;
    here.pixel = a.channels;
    here.x_row = cols.in * a.channels, here.y_row = cols.out * a.channels;
    for (int64_t u = range.begin; u < range.end; ++u) {
        const int64_t image = u / rows.tiles, r = u % rows.tiles;
        const T* x = (const T*)a.x + image * rows.in * here.x_row;
        T* y = (T*)a.y + image * rows.out * here.y_row;
        const int64_t in_row = rows.in_first + r * rows.in_step;
        const int64_t out_row = rows.out_first + r * G::out_rows;
        const bool whole = in_row >= 0 && in_row + G::in_rows <= rows.in && out_row >= 0 &&
                           out_row + G::out_rows <= rows.out;
        for (int64_t t = 0; t < cols.tiles; ++t) {
            const int64_t in_col = cols.in_first + t * cols.in_step;
            const int64_t out_col = cols.out_first + t * G::out_cols;
            here.y = y + out_row * here.y_row + out_col * here.pixel;
            if (whole && in_col >= 0 && in_col + G::in_cols <= cols.in && out_col >= 0 &&
                out_col + G::out_cols <= cols.out) {
                here.x = x + in_row * here.x_row + in_col * here.pixel;
                all_channels<T, G, false>(a, here);
            } else {
                edge(a, here, x, in_row, in_col, out_row, out_col, zeros, nowhere);
            }
        }
    }
}

template <class T>
void run(const void* args, int thread, int threads) {
    const DepthwiseTilesArgs& a = *static_cast<const DepthwiseTilesArgs*>(args);
    const int64_t rows = a.rows.outputs, cols = a.cols.outputs;
    if (a.backward)
        tiles<T, Backward>(a, thread, threads);
    else if (a.rows.stride == 2)
        tiles<T, Forward<2, 2, 1>>(a, thread, threads);
    else if (rows == 2)
        tiles<T, Forward<1, 2, 2>>(a, thread, threads);
    else if (cols == 1)
        tiles<T, Forward<1, 4, 1>>(a, thread, threads);
    else
        tiles<T, Forward<1, 4, 2>>(a, thread, threads);
}

}  // namespace

void depthwise_tiles_float(const void* args, int thread, int threads) {
    run<float>(args, thread, threads);
}
void depthwise_tiles_double(const void* args, int thread, int threads) {
    run<double>(args, thread, threads);
}

}  // namespace hb::HB_ISA
