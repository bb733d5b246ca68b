// What recurrent kernels share: the product of a block of states with packed weights.
#pragma once

#include "cpu/gemm_tile.h"
#include "cpu/rows.h"
#include "cpu/vmath.h"
#include "kernels/rnn.h"

namespace hb::HB_ISA {
namespace {

inline constexpr int64_t kRnnDepth = 256;  // of a K block: its panel stays in L1

// The rows of `dst` at rnn_stride.
template <class T>
struct RnnBlock {
    T* data;
    int64_t stride;
    HB_INLINE T* row(int64_t i) const { return data + i * stride; }
};

template <class T>
struct RnnScratch {
    T* at;
    RnnBlock<T> take(int64_t columns) {
        const RnnBlock<T> block{at, rnn_stride(columns)};
        at += kRnnRows * block.stride;
        return block;
    }
};

// c (rows,n) = (c +) a (rows,k) b + bias, b in panels `panel_stride` elements apart.
template <class T>
void rnn_product(const RnnBlock<T>& c, const RnnBlock<T>& a, const T* b, int64_t panel_stride,
                 int64_t rows, int64_t n, int64_t k, bool accumulate, const T* bias) {
    constexpr int64_t panel = kPanel<T>;
    const TileRows tiles(rows);
    const int64_t zero = 0;
    int64_t a_rows[kRnnRows], c_rows[kRnnRows];
    for (int64_t i = 0; i < rows; ++i) {
        a_rows[i] = i * a.stride;
        c_rows[i] = i * c.stride;
    }
    Tile<T> t{};
    t.a_step = 1;
    t.ldb = panel;
    t.a_offset = t.b_offset = &zero;
    t.batch = 1;
    for (int64_t j = 0; j < n; j += panel) {
        const int columns = int(n - j < panel ? n - j : panel);
        for (int64_t first = 0; first < k; first += kRnnDepth) {
            t.depth = k - first < kRnnDepth ? k - first : kRnnDepth;
            t.a = a.data + first;
            t.b = b + j / panel * panel_stride + first * panel;
            t.c = c.data + j;
            t.accumulate = accumulate || first > 0;
            t.bias = bias && first + t.depth == k ? bias + j : nullptr;
            for (int64_t i = 0; i < tiles.count; ++i) {
                t.a_rows = a_rows + tiles.begin(i);
                t.c_rows = c_rows + tiles.begin(i);
                tile_fn<T>(tiles.size(i), columns)(t, columns);
            }
        }
    }
}

template <class T>
HB_INLINE void copy_row(T* to, const T* from, int64_t n) {
    for_vectors<T>(n, [&](int64_t i, int64_t lanes) {
        Vec<T>::store(to + i, Vec<T>::load(from + i, lanes), lanes);
    });
}

// to = a * b, or a where b is null
template <class T>
HB_INLINE void multiply_row(T* to, const T* a, const T* b, int64_t n) {
    for_vectors<T>(n, [&](int64_t i, int64_t lanes) {
        const auto x = Vec<T>::load(a + i, lanes);
        Vec<T>::store(to + i, b ? x * Vec<T>::load(b + i, lanes) : x, lanes);
    });
}

template <class T>
HB_INLINE void zero_row(T* to, int64_t n) {
    for_vectors<T>(n,
                   [&](int64_t i, int64_t lanes) { Vec<T>::store(to + i, Vec<T>::zero(), lanes); });
}

// Gates may stop at the smallest normal number: a cheaper exponential than that of the op.
template <class T>
HB_INLINE typename Vec<T>::type gate(typename Vec<T>::type x) {
    using V = Vec<T>;
    const auto e = Math<T>::exp_negative(-V::abs(x)), one = V::splat(T(1));
    return V::select(x < V::zero(), e, one) / (one + e);
}

}  // namespace
}  // namespace hb::HB_ISA
