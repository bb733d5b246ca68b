// Packing A into tiles and B (k,n) into panels of kPanel columns, so that the tile's loads are
// contiguous.
#pragma once

#include "cpu/gemm_tile.h"

namespace hb::HB_ISA {
namespace {

// In registers, by swapping ever larger blocks: log2(lanes) rounds of shuffles.
template <class T>
HB_INLINE void transpose_block(typename Vec<T>::type (&x)[Vec<T>::lanes]) {
    constexpr int lanes = Vec<T>::lanes;
#if defined(__clang__)
    T t[lanes][lanes];
    for (int i = 0; i < lanes; ++i)
        for (int j = 0; j < lanes; ++j) t[j][i] = x[i][j];
    for (int i = 0; i < lanes; ++i) x[i] = Vec<T>::load(t[i]);
#else
    using mask = typename Vec<T>::mask;
#pragma GCC unroll 8
    for (int w = 1; w < lanes; w *= 2) {
        mask low{}, high{};
#pragma GCC unroll 16
        for (int l = 0; l < lanes; ++l) {
            low[l] = l & w ? l - w + lanes : l;
            high[l] = l & w ? l + lanes : l + w;
        }
#pragma GCC unroll 16
        for (int i = 0; i < lanes; ++i) {
            if (i & w) continue;
            const auto a = x[i], b = x[i + w];
            x[i] = __builtin_shuffle(a, b, low);
            x[i + w] = __builtin_shuffle(a, b, high);
        }
    }
#endif
}

// dst (k, m) = the transpose of src (m, k) at strides (row, col), m <= kTileRows. Whole vectors are
// stored one after the other, so what they write past a step is written over by the next, and up to
// a vector past the end is lost. The rows after these are fetched: their tile is often next.
template <class T>
void pack_tile(T* dst, const T* src, int64_t row, int64_t col, int64_t m, int64_t k) {
    using V = Vec<T>;
    constexpr int64_t lanes = V::lanes, groups = (kTileRows + lanes - 1) / lanes;
    int64_t done = 0;
    if (col == 1) {
        for (; done + lanes <= k; done += lanes) {
            for (int64_t i = m; i < 2 * m; ++i) __builtin_prefetch(src + i * row + done, 0, 3);
            typename V::type x[groups][lanes];
            for (int64_t g = 0; g < groups; ++g) {
#pragma GCC unroll 16
                for (int64_t i = 0; i < lanes; ++i)
                    x[g][i] =
                        g * lanes + i < m ? V::load(src + (g * lanes + i) * row + done) : V::zero();
                transpose_block<T>(x[g]);
            }
#pragma GCC unroll 16
            for (int64_t l = 0; l < lanes; ++l)
                for (int64_t g = 0; g * lanes < m; ++g)
                    V::store(dst + (done + l) * m + g * lanes, x[g][l]);
        }
    } else if (row == 1 && col >= groups * lanes) {  // what is read past a row is in the next
        for (; done + 1 < k; ++done)
            for (int64_t g = 0; g * lanes < m; ++g)
                V::store(dst + done * m + g * lanes, V::load(src + done * col + g * lanes));
    }
    for (; done < k; ++done)
        for (int64_t i = 0; i < m; ++i) dst[done * m + i] = src[i * row + done * col];
}

// dst (k, kPanel) = src (k, n) at strides (row, col), n <= kPanel, zeros past n.
template <class T>
void pack_panel(T* dst, const T* src, int64_t row, int64_t col, int64_t k, int64_t n) {
    using V = Vec<T>;
    constexpr int64_t lanes = V::lanes, panel = kPanel<T>;
    if (col == 1) {
        for (int64_t i = 0; i < k; ++i)
            for (int64_t j = 0; j < panel; j += lanes) {
                const int64_t left = n - j;
                V::store(dst + i * panel + j,
                         left > 0 ? V::load(src + i * row + j, left) : V::zero());
            }
        return;
    }
    int64_t done = 0;
    if (row == 1) {
        for (; done + lanes <= k; done += lanes)
            for (int64_t j = 0; j < panel; j += lanes) {
                typename V::type x[lanes];
                for (int64_t c = 0; c < lanes; ++c)
                    x[c] = j + c < n ? V::load(src + (j + c) * col + done) : V::zero();
                transpose_block<T>(x);
                for (int64_t c = 0; c < lanes; ++c) V::store(dst + (done + c) * panel + j, x[c]);
            }
    }
    for (int64_t i = done; i < k; ++i)
        for (int64_t j = 0; j < panel; ++j)
            dst[i * panel + j] = j < n ? src[i * row + j * col] : T(0);
}

// All panels of src (k, n), `step` elements for each of their columns apart in dst. Rows are read
// in runs as long as they come, for memory gives those faster, and others fetched ahead.
template <class T>
void pack_panels(T* dst, int64_t step, const T* src, int64_t row, int64_t col, int64_t k,
                 int64_t n) {
    using V = Vec<T>;
    constexpr int64_t panel = kPanel<T>, ahead = 8, line = 64 / int64_t(sizeof(T));
    if (col != 1) {
        for (int64_t j = 0; j < n; j += panel)
            pack_panel<T>(dst + j * step, src + j * col, row, col, k,
                          n - j < panel ? n - j : panel);
        return;
    }
    const int64_t whole = n / panel * panel;
    for (int64_t i = 0; i < k; ++i) {
        const T* from = src + i * row;
        if (i + ahead < k)
            for (int64_t j = 0; j < n; j += line) __builtin_prefetch(from + ahead * row + j, 0, 3);
        for (int64_t j = 0; j < whole; j += panel)
#pragma GCC unroll 4
            for (int64_t l = 0; l < panel; l += V::lanes)
                V::store(dst + j * step + i * panel + l, V::load(from + j + l));
    }
    if (whole < n) pack_panel<T>(dst + whole * step, src + whole, row, col, k, n - whole);
}

}  // namespace
}  // namespace hb::HB_ISA
