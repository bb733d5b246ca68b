// Sizes of blocks of products over rows, and the fetching of what they read next.
#pragma once

#include "cpu/gemm_tile.h"

namespace hb::HB_ISA {
namespace {

inline constexpr int64_t kOuterDepth = 256;  // of a block of K
inline constexpr int64_t kOuterTiles = 48;   // of a block of M, at most
inline constexpr int64_t kOuterPanels = 4;   // of B, copied together
inline constexpr int64_t kOuterPad = 16;     // between copied tiles: no multiple of 4 KB
inline constexpr int64_t kOuterTile = kOuterDepth * kTileRows + kOuterPad;
template <class T>
inline constexpr int64_t kOuterPanel = kOuterDepth * kPanel<T>;

// `count` elements from `from` on (null: none), asked for into L2 in `parts` parts.
template <class T>
struct Fetch {
    const char* at;
    int64_t left, each;
    HB_INLINE Fetch(const T* from, int64_t count, int64_t parts)
        : at((const char*)from),
          left(from ? count * int64_t(sizeof(T)) / 64 : 0),
          each(left / parts + 1) {}
    HB_INLINE void some() {
        for (int64_t i = 0; i < each && left > 0; ++i, --left, at += 64)
            __builtin_prefetch(at, 0, 2);
    }
};

}  // namespace
}  // namespace hb::HB_ISA
