// A taller tile of gemm_tile.h where all columns lie in one vector: 6 sums would leave the
// multipliers waiting for one another. Rows, K and what C gets are those of Tile; B is a panel.
#pragma once

#include "cpu/gemm_tile.h"

namespace hb::HB_ISA {

inline constexpr int kTallRows = 13;  // with a vector of B and an element of A: 15 registers

template <class T>
struct TallTileTable {
    TileFn<T> fn[kTallRows];  // [rows - 1]
};
extern const TallTileTable<float> tall_tiles_f32;
extern const TallTileTable<double> tall_tiles_f64;

namespace {

template <class T>
HB_INLINE TileFn<T> tall_tile_fn(int m) {
    if constexpr (sizeof(T) == 4)
        return tall_tiles_f32.fn[m - 1];
    else
        return tall_tiles_f64.fn[m - 1];
}

}  // namespace
}  // namespace hb::HB_ISA
