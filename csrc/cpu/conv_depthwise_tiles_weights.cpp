// The gradient of the weights of a depthwise convolution of 3x3 taps, in tiles: a panel of channels
// of a few outputs and of the inputs that they share, nine sums in registers. The sums lie in
// panels (panel, tap, channel) between tiles. Bound by L2 and memory, as conv_depthwise_tiles.cpp.
// Threads share partial sums.
#include "cpu/conv_depthwise_tiles.h"

namespace hb::HB_ISA {
namespace {

// One vector of channels, `left` of them if Partial. Where a tile is at an edge, here.to leads to
// zeros for outputs that there are not.
template <class T, class G, bool Edge, bool Partial>
HB_INLINE void tile(const Place<T, G>& here, T* dw, int64_t c, int left) {
    using V = Vec<T>;
    using v = typename V::type;
    constexpr int taps = kTaps * kTaps, cols = G::out_cols;
    const auto load = [left](const T* p) __attribute__((always_inline)) {
        return Partial ? (v)arch::load_lanes<T, v>(p, left) : (v)V::load(p);
    };
    v sum[taps], dy[G::out_rows * cols];
#pragma GCC unroll 9
    for (int t = 0; t < taps; ++t) sum[t] = V::load(dw + t * kPanel<T>);
#pragma GCC unroll 8
    for (int i = 0; i < G::out_rows * cols; ++i)
        dy[i] =
            load(here.y + c + (Edge ? here.to[i] : i / cols * here.y_row + i % cols * here.pixel));
#pragma GCC unroll 9
    for (int i = 0; i < G::in_rows; ++i)
#pragma GCC unroll 9
        for (int q = 0; q < G::in_cols; ++q) {
            const v x = load((Edge ? here.at[i][q] : here.x + i * here.x_row + q * here.pixel) + c);
#pragma GCC unroll 8
            for (int r = 0; r < G::out_rows; ++r)
#pragma GCC unroll 8
                for (int p = 0; p < cols; ++p) {
                    const int row = G::tap(r, i), col = G::tap(p, q);
                    if (row < 0 || col < 0) continue;
                    sum[row * kTaps + col] += dy[r * cols + p] * x;
                }
        }
#pragma GCC unroll 9
    for (int t = 0; t < taps; ++t) V::store(dw + t * kPanel<T>, sum[t]);
}

template <class T, class G, bool Edge>
void all_channels(const Place<T, G>& here, int64_t channels, T* dw) {
    constexpr int64_t lanes = Vec<T>::lanes, taps = kTaps * kTaps;
    int64_t c = 0;
    for (; c + kPanel<T> <= channels; c += kPanel<T>)
        for (int64_t j = 0; j < kPanel<T>; j += lanes)
            tile<T, G, Edge, false>(here, dw + c * taps + j, c + j, 0);
    dw += c * taps;
    for (; c + lanes <= channels; c += lanes, dw += lanes) tile<T, G, Edge, false>(here, dw, c, 0);
    if (c < channels) tile<T, G, Edge, true>(here, dw, c, int(channels - c));
}

template <class T, class G>
void sums(const DepthwiseTilesWeightsArgs& a, int thread, int threads) {
    constexpr int64_t panel = kPanel<T>, taps = kTaps * kTaps;
    const int64_t channels = a.tiles.channels, panels = (channels + panel - 1) / panel;
    const Range mine = split(a.partials, thread, threads);
    if (mine.begin == mine.end) return;
    Scratch scratch{a.scratch + thread * a.scratch_stride};
    T *zeros = scratch.take<T>(channels), *sum = scratch.take<T>(panels * taps * panel);
    __builtin_memset(zeros, 0, size_t(channels) * sizeof(T));
    for (int64_t partial = mine.begin; partial < mine.end; ++partial) {
        __builtin_memset(sum, 0, size_t(panels * taps * panel) * sizeof(T));
        walk<T, G>(
            a.tiles, split(a.tiles.images * a.tiles.rows.tiles, int(partial), int(a.partials)),
            zeros, zeros,
            [&](const Place<T, G>& here) { all_channels<T, G, false>(here, channels, sum); },
            [&](const Place<T, G>& here) { all_channels<T, G, true>(here, channels, sum); });
        T* dw = (T*)a.dw + partial * taps * channels;
        for (int64_t t = 0; t < taps; ++t)
            for (int64_t c = 0; c < channels; ++c)
                dw[t * channels + c] = sum[(c / panel * taps + t) * panel + c % panel];
    }
}

template <class T>
void run(const void* args, int thread, int threads) {
    const auto& a = *static_cast<const DepthwiseTilesWeightsArgs*>(args);
    const bool tall = a.tiles.rows.outputs == 4;
    if (a.tiles.rows.stride == 2)
        (tall ? sums<T, Forward<2, 4, 1>> : sums<T, Forward<2, 2, 1>>)(a, thread, threads);
    else
        (tall ? sums<T, Forward<1, 4, 1>> : sums<T, Forward<1, 2, 2>>)(a, thread, threads);
}

}  // namespace

void depthwise_tiles_weights_float(const void* args, int thread, int threads) {
    run<float>(args, thread, threads);
}
void depthwise_tiles_weights_double(const void* args, int thread, int threads) {
    run<double>(args, thread, threads);
}

}  // namespace hb::HB_ISA
