// Winograd's F(2x2, 3x3): two by two outputs from four by four inputs with 16 multiplications
// instead of 36 (Lavin and Gray, arXiv 1509.09308), at the accuracy of the direct sum.
//   V = B' d B   for each tile of x      (16, tiles, C)
//   M = V_j U_j  16 products             (16, tiles, F)      U = G w G', once per call
//   y = A' M A   then the epilogue
// A share takes blocks of tiles: V of a block stays in L2, M of a few panels of features at a time.
#include "cpu/gemm_pack.h"
#include "cpu/winograd.h"
#include "kernels/conv.h"

namespace hb::HB_ISA {
namespace {

using V = Vec<float>;
using v = V::type;
constexpr int64_t kNr = kPanel<float>, kLanes = V::lanes;

// G on one side of three taps.
HB_INLINE void spread_taps(const v (&w)[3], v (&t)[4]) {
    const v half = V::splat(0.5f), ends = w[0] + w[2];
    t[0] = w[0];
    t[1] = half * (ends + w[1]);
    t[2] = half * (ends - w[1]);
    t[3] = w[2];
}

// The weights' panels: (16, panels, C, kNr), of taps read through the strides of `args`.
void pack(const void* args, int thread, int threads) {
    const ConvPackArgs& p = *static_cast<const ConvPackArgs*>(args);
    constexpr int64_t rows = 32;
    const ConvDim &dh = p.dim[1], &dw = p.dim[2];
    const int64_t panels = (p.f + kNr - 1) / kNr, blocks = (p.c + rows - 1) / rows;
    const int64_t u_stride = panels * p.c * kNr;
    const Range range = split(panels * blocks, thread, threads);
    alignas(64) float taps[9][rows * kNr];
    for (int64_t unit = range.begin; unit < range.end; ++unit) {
        const int64_t j = unit / blocks * kNr, c = unit % blocks * rows;
        const int64_t depth = p.c - c < rows ? p.c - c : rows, n = p.f - j < kNr ? p.f - j : kNr;
        for (int t = 0; t < 9; ++t) {
            const int64_t kh = dh.w_first + t / 3 * dh.w_step, kw = dw.w_first + t % 3 * dw.w_step;
            const float* src =
                (const float*)p.w + (kh * dw.w_size + kw) * p.tap_stride + c * p.row + j * p.col;
            pack_panel<float>(taps[t], src, p.row, p.col, depth, n);
        }
        float* u = (float*)p.packed + j * p.c + c * kNr;
        for (int64_t i = 0; i < depth * kNr; i += kLanes) {
            v half[4][3];
            for (int k = 0; k < 3; ++k) {
                const v w[3] = {V::load(taps[k] + i), V::load(taps[3 + k] + i),
                                V::load(taps[6 + k] + i)};
                v t[4];
                spread_taps(w, t);
                for (int r = 0; r < 4; ++r) half[r][k] = t[r];
            }
            for (int r = 0; r < 4; ++r) {
                v t[4];
                spread_taps(half[r], t);
                for (int s = 0; s < 4; ++s) V::store(u + (r * 4 + s) * u_stride + i, t[s]);
            }
        }
    }
}

// The outputs of one tile, `n` features from `y` on; rows x cols of them are in the image.
void store_tile(const WinogradArgs& a, const float* m, int64_t m_stride, const Finish<float> finish,
                float* y, int64_t rows, int64_t cols, int64_t n) {
    for_vectors<float>(n, [&](int64_t f, int64_t lanes) {
        v half[2][4];
#pragma GCC unroll 4
        for (int s = 0; s < 4; ++s) {
            const float* from = m + s * m_stride + f;
            const v x0 = V::load(from), x1 = V::load(from + 4 * m_stride),
                    x2 = V::load(from + 8 * m_stride), x3 = V::load(from + 12 * m_stride);
            half[0][s] = x0 + x1 + x2;
            half[1][s] = x1 - x2 - x3;
        }
#pragma GCC unroll 2
        for (int r = 0; r < 2; ++r) {
            v out[2] = {half[r][0] + half[r][1] + half[r][2], half[r][1] - half[r][2] - half[r][3]};
#pragma GCC unroll 2
            for (int s = 0; s < 2; ++s) {
                if (r >= rows || s >= cols) continue;
                const int64_t at = (r * a.shape.out_w + s) * a.shape.features + f;
                V::store(y + at, finish(out[s], f, at, lanes), lanes);
            }
        }
    });
}

void run(const void* args, int thread, int threads) {
    const WinogradArgs& a = *static_cast<const WinogradArgs*>(args);
    const WinogradShape& s = a.shape;
    const int64_t total = winograd_tiles(s), panels = (s.features + kNr - 1) / kNr;
    const WinogradScratch sizes = winograd_scratch(s, a.tiles, a.panels, kNr);
    float* vs = (float*)(a.scratch + thread * a.scratch_stride);
    float* ms = vs + 16 * sizes.v_stride;
    float* zeros = ms + 16 * sizes.m_stride;
    for (int64_t c = 0; c < s.channels; ++c) zeros[c] = 0;
    const int64_t m_row = a.panels * kNr, zero = 0;
    int64_t a_rows[kTileRows], c_rows[kTileRows];
    for (int i = 0; i < kTileRows; ++i) a_rows[i] = i * sizes.v_row, c_rows[i] = i * m_row;

    Tile<float> t{};
    t.a_rows = a_rows;
    t.c_rows = c_rows;
    t.a_step = 1;
    t.ldb = kNr;
    t.a_offset = t.b_offset = &zero;
    t.batch = 1;
    t.depth = s.channels;
    const Range range = split((total + a.tiles - 1) / a.tiles, thread, threads);
    for (int64_t block = range.begin; block < range.end; ++block) {
        const int64_t first = block * a.tiles;
        const int64_t count = total - first < a.tiles ? total - first : a.tiles;
        const TileRows tiles(count);
        for (int64_t i = 0; i < count; ++i) {
            const TilePlace at(s, first + i);
            load_tile(s, (const float*)a.x + at.image * s.in_h * s.in_w * s.channels,
                      at.h + s.first_h, at.w + s.first_w, zeros, vs + i * sizes.v_row,
                      sizes.v_stride);
        }
        for (int64_t p0 = 0; p0 < panels; p0 += a.panels) {
            const int64_t p1 = p0 + a.panels < panels ? p0 + a.panels : panels;
            for (int64_t j = 0; j < 16; ++j)
                for (int64_t p = p0; p < p1; ++p) {
                    t.b = (const float*)a.u + (j * panels + p) * s.channels * kNr;
                    for (int64_t i = 0; i < tiles.count; ++i) {
                        t.a = vs + j * sizes.v_stride + tiles.begin(i) * sizes.v_row;
                        t.c = ms + j * sizes.m_stride + tiles.begin(i) * m_row + (p - p0) * kNr;
                        tile_fn<float>(tiles.size(i), kNr)(t, kNr);
                    }
                }
            const int64_t f = p0 * kNr, n = (p1 * kNr < s.features ? p1 * kNr : s.features) - f;
            for (int64_t i = 0; i < count; ++i) {
                const TilePlace at(s, first + i);
                const int64_t pixel = (at.image * s.out_h + at.h) * s.out_w + at.w;
                store_tile(a, ms + i * m_row, sizes.m_stride,
                           Finish<float>(a.epilogue, f, pixel * s.features + f),
                           (float*)a.y + pixel * s.features + f, s.out_h - at.h, s.out_w - at.w, n);
            }
        }
    }
}

}  // namespace

void winograd_pack(const void* args, int thread, int threads) { pack(args, thread, threads); }
void winograd_run(const void* args, int thread, int threads) { run(args, thread, threads); }

}  // namespace hb::HB_ISA
