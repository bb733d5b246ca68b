// The one building block: C[m x n] = (C +) sum over s of A_s B_s, m <= kTileRows, n <= kPanel<T>.
//
//   A_s(i, k) = a[a_offset[s] + a_rows[i] + k * a_step]     rows anywhere, so tiles may span image
//                                                           rows
//   B_s(k, j) = b[b_offset[s] + k * ldb + j]                a packed panel (ldb = kPanel) or plain
//                                                           rows
//   C(i, j)   = c[c_rows[i] + j]
//
// A packed tile has A_s(i, k) = a[a_offset[s] + k * m + i] and a packed B; a_rows, a_step and ldb
// are not read.
// then the epilogue while C is in registers. An element is the same sum in the same order whatever
// tile it falls into, so threads may cut M and N anywhere; only the blocks of K show in the bits.
// Batch-reduce form: Georganas et al., arXiv 1906.06440.
#pragma once

#include "cpu/finish_tile.h"

namespace hb::HB_ISA {

// Lines of memory that are read next: `lines` of them, `step` bytes apart. A packed tile asks for
// one every kWantedSteps steps, so that they do not get in the way of what it reads itself.
struct Wanted {
    const char* at;
    int64_t step, lines;
};
inline constexpr int64_t kWantedSteps = 8;

template <class T>
struct Tile {
    const T* a;
    const int64_t* a_rows;
    int64_t a_step;
    const T* b;
    int64_t ldb;
    const int64_t *a_offset, *b_offset;
    int64_t batch, depth;
    T* c;
    const int64_t* c_rows;
    bool accumulate;
    bool past_caches;  // C, whose rows are whole vectors on their boundaries
    Finish<T> finish;  // its features and elements from c on
    Wanted wanted;     // asked for by a packed tile
};

inline constexpr int kTileRows = 6;
#if defined(__AVX512F__) || defined(__aarch64__)
inline constexpr int kTileVecs = 4;  // 32 registers
#else
inline constexpr int kTileVecs = 2;  // 16 registers
#endif

template <class T>
using TileFn = void (*)(const Tile<T>&, int n);

template <class T>
struct TileTable {
    // [rows - 1][vectors - 1][packed][last vector is partial]
    TileFn<T> fn[kTileRows][kTileVecs][2][2];
};
extern const TileTable<float> tiles_f32;
extern const TileTable<double> tiles_f64;

namespace {

template <class T>
inline constexpr int kPanel = kTileVecs * Vec<T>::lanes;

template <class T>
HB_INLINE const TileTable<T>& tile_table() {
    if constexpr (sizeof(T) == 4)
        return tiles_f32;
    else
        return tiles_f64;
}

template <class T>
HB_INLINE TileFn<T> tile_fn(int m, int n, bool packed = false) {
    constexpr int lanes = Vec<T>::lanes;
    return tile_table<T>().fn[m - 1][(n + lanes - 1) / lanes - 1][packed][n % lanes != 0];
}

// Cuts m rows evenly into the fewest tiles: 8 rows are 4 + 4, not 6 + 2.
struct TileRows {
    int64_t rows, count;
    int64_t least, larger;  // rows that each tile has, and how many tiles have one more
    HB_INLINE explicit TileRows(int64_t m)
        : rows(m),
          count((m + kTileRows - 1) / kTileRows),
          least(count ? m / count : 0),
          larger(count ? m % count : 0) {}
    HB_INLINE int64_t begin(int64_t i) const { return i * least + (i < larger ? i : larger); }
    HB_INLINE int size(int64_t i) const { return int(begin(i + 1) - begin(i)); }
};

}  // namespace
}  // namespace hb::HB_ISA
