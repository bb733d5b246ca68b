// A tile for short sums: C[m x n] = sum over k < depth of A(i, k) B(k, j), then the epilogue.
//
//   A(i, k) = a[i * a_row + a_at[k]]     rows equally far apart, k anywhere: taps and channels of
//                                        a convolution in one loop
//   B(k, j) = b[k * kPanel + j]
//   C(i, j) = c[i * c_row + j]
//
// Fewer columns leave registers for more rows: one vector of them takes 12, so that there are
// enough independent sums. An element is the same sum in the same order whatever tile it falls in.
#pragma once

#include "cpu/gemm_tile.h"

namespace hb::HB_ISA {

template <class T>
struct FlatTile {
    const T* a;
    int64_t a_row;  // in bytes, as a_at
    const int64_t* a_at;
    const T* b;
    int64_t depth;
    T* c;
    int64_t c_row;
    bool past_caches;  // C, whose rows are whole vectors on their boundaries
    Finish<T> finish;  // its features and elements from c on
};

template <class T>
using FlatTileFn = void (*)(const FlatTile<T>&, int n);

inline constexpr int kFlatRows = 12;

// Rows of a tile that is `vectors` wide.
inline constexpr int flat_rows(int vectors) {
    return kTileVecs == 2 ? kFlatRows / vectors : vectors <= 2 ? 12 : vectors == 3 ? 8 : 6;
}

template <class T>
struct FlatTileTable {
    FlatTileFn<T> fn[kFlatRows][kTileVecs][2];  // [rows - 1][vectors - 1][last one is partial]
};
extern const FlatTileTable<float> flat_tiles_f32;
extern const FlatTileTable<double> flat_tiles_f64;

namespace {

template <class T>
HB_INLINE FlatTileFn<T> flat_tile_fn(int m, int n) {
    constexpr int lanes = Vec<T>::lanes;
    const int vectors = (n + lanes - 1) / lanes, partial = n % lanes != 0;
    if constexpr (sizeof(T) == 4)
        return flat_tiles_f32.fn[m - 1][vectors - 1][partial];
    else
        return flat_tiles_f64.fn[m - 1][vectors - 1][partial];
}

}  // namespace
}  // namespace hb::HB_ISA
