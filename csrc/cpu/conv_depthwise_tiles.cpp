// Depthwise convolution of 3x3 taps, and the gradient of its input, at strides of 1 or 2: a tile is
// a few outputs by a panel of channels, and each of its inputs is loaded once. Panels go by in the
// order of memory, so that reads and writes are runs as long as all channels. Weights are packed
// into (panel, tap, channel). Bound by L2 and memory: an output reads 4 or 4.5 inputs (strides of
// 1), 7.5 (of 2) or 1 (the gradient at strides of 2), most of them from L1 or L2. Threads share
// rows of tiles.
#include "cpu/conv_depthwise_tiles.h"

#include "cpu/finish_tile.h"

namespace hb::HB_ISA {
namespace {

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
    const Finish<T> finish(a.epilogue, c, y - (T*)a.tiles.y);
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
    for (; c + kPanel<T> <= a.tiles.channels; c += kPanel<T>)
        tile<T, G, kTileVecs, Edge, false>(a, here, w + c * taps, c, 0);
    w += c * taps;
    for (; c + lanes <= a.tiles.channels; c += lanes, w += lanes)
        tile<T, G, 1, Edge, false>(a, here, w, c, 0);
    if (c < a.tiles.channels) tile<T, G, 1, Edge, true>(a, here, w, c, int(a.tiles.channels - c));
}

template <class T, class G>
void tiles(const DepthwiseTilesArgs& a, int thread, int threads) {
    const Range range = split(a.tiles.images * a.tiles.rows.tiles, thread, threads);
    if (range.begin == range.end) return;
    Scratch scratch{a.scratch + thread * a.scratch_stride};
    T *zeros = scratch.take<T>(a.tiles.channels), *nowhere = scratch.take<T>(a.tiles.channels);
    __builtin_memset(zeros, 0, size_t(a.tiles.channels) * sizeof(T));
    walk<T, G>(
        a.tiles, range, zeros, nowhere,
        [&](const Place<T, G>& here) { all_channels<T, G, false>(a, here); },
        [&](const Place<T, G>& here) { all_channels<T, G, true>(a, here); });
}

template <class T>
void run(const void* args, int thread, int threads) {
    const DepthwiseTilesArgs& a = *static_cast<const DepthwiseTilesArgs*>(args);
    if (a.backward)
        tiles<T, Backward>(a, thread, threads);
    else if (a.tiles.rows.stride == 2)
        tiles<T, Forward<2, 2, 1>>(a, thread, threads);
    else if (a.tiles.rows.outputs == 2)
        tiles<T, Forward<1, 2, 2>>(a, thread, threads);
    else
        tiles<T, Forward<1, 4, 1>>(a, thread, threads);
}

}  // namespace

void depthwise_tiles_float(const void* args, int thread, int threads) {
    run<float>(args, thread, threads);
}
void depthwise_tiles_double(const void* args, int thread, int threads) {
    run<double>(args, thread, threads);
}

}  // namespace hb::HB_ISA
