// A tile for weights' gradients of few features, all of whose columns lie in one vector:
//
//   C[R*L x n] (+)= sum over s, k of A_s(i, k) B_s(k, j), n <= a vector's lanes
//   A_s(r * L + l, k) = a[a_offset[s] + r * a_run + l + k * a_step]    R runs of L neighbours
//   B_s(k, j)         = b[b_offset[s] + k * ldb + j]                   read to a whole vector's end
//   C(i, j)           = c[i * c_row + j]
//
// Neighbours need no address each, and dy is read where it lies.
#pragma once

#include "cpu/vec.h"

namespace hb::HB_ISA {

template <class T>
struct StripTile {
    const T *a, *b;
    int64_t a_run, a_step, ldb;
    const int64_t *a_offset, *b_offset;
    int64_t batch, depth;
    T* c;
    int64_t c_row;
    bool accumulate;
};

inline constexpr int kStripRows = 13;  // with a vector of B and an element of A: 15 registers

template <class T>
using StripTileFn = void (*)(const StripTile<T>&, int n);

template <class T>
struct StripTileTable {
    StripTileFn<T> fn[kStripRows][kStripRows];  // [runs - 1][length - 1], up to kStripRows rows
};
extern const StripTileTable<float> strip_tiles_f32;
extern const StripTileTable<double> strip_tiles_f64;

namespace {

template <class T>
HB_INLINE StripTileFn<T> strip_tile_fn(int64_t runs, int64_t length) {
    if constexpr (sizeof(T) == 4)
        return strip_tiles_f32.fn[runs - 1][length - 1];
    else
        return strip_tiles_f64.fn[runs - 1][length - 1];
}

}  // namespace
}  // namespace hb::HB_ISA
