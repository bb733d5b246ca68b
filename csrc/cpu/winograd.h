// Winograd's tiles of inputs: what the products of F(2x2, 3x3) and of its gradient F(3x3, 2x2)
// share. Both meet at the points 0, 1, -1 and infinity, so B is the same.
#pragma once

#include "cpu/gemm_tile.h"
#include "cpu/rows.h"
#include "kernels/winograd.h"

namespace hb::HB_ISA {
namespace {

// Tiles read a few bytes of many rows, which the hardware does not foresee.
constexpr int64_t kPixelsAhead = 8;

// B' on one side: differences and sums of four numbers.
template <class V>
HB_INLINE void spread(const V (&d)[4], V (&t)[4]) {
    t[0] = d[0] - d[2];
    t[1] = d[1] + d[2];
    t[2] = d[2] - d[1];
    t[3] = d[1] - d[3];
}

// B' d B of the tile whose first input is at row h, column w of the image; zeros outside of it.
// Element (r, s) of the channels goes to to[(4 r + s) * to_stride].
inline void load_tile(const WinogradShape& a, const float* image, int64_t h, int64_t w,
                      const float* zeros, float* to, int64_t to_stride) {
    using V = Vec<float>;
    using v = V::type;
    const float* at[4][4];
    for (int r = 0; r < 4; ++r)
        for (int s = 0; s < 4; ++s) {
            const int64_t y = h + r, x = w + s;
            const bool inside = y >= 0 && y < a.in_h && x >= 0 && x < a.in_w;
            at[r][s] = inside ? image + (y * a.in_w + x) * a.channels : zeros;
        }
    for_vectors<float>(a.channels, [&](int64_t c, int64_t lanes) {
        v half[4][4];
#pragma GCC unroll 4
        for (int s = 0; s < 4; ++s) {
            const v d[4] = {V::load(at[0][s] + c, lanes), V::load(at[1][s] + c, lanes),
                            V::load(at[2][s] + c, lanes), V::load(at[3][s] + c, lanes)};
            v t[4];
            spread(d, t);
            if (s >= 2) {  // the columns that the tile before did not read
#pragma GCC unroll 4
                for (int r = 0; r < 4; ++r)
                    __builtin_prefetch(at[r][s] + c + kPixelsAhead * a.channels);
            }
#pragma GCC unroll 4
            for (int r = 0; r < 4; ++r) half[r][s] = t[r];
        }
#pragma GCC unroll 4
        for (int r = 0; r < 4; ++r) {
            v t[4];
            spread(half[r], t);
#pragma GCC unroll 4
            for (int s = 0; s < 4; ++s) V::store(to + (r * 4 + s) * to_stride + c, t[s], lanes);
        }
    });
}

// Where tile `index` of all images is: its image and first output.
struct TilePlace {
    int64_t image, h, w;
    HB_INLINE TilePlace(const WinogradShape& a, int64_t index) {
        const int64_t across = (a.out_w + 1) / 2, down = (a.out_h + 1) / 2;
        w = index % across * 2;
        h = index / across % down * 2;
        image = index / across / down;
    }
};

}  // namespace
}  // namespace hb::HB_ISA
