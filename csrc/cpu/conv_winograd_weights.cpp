// The gradient of 3x3 weights in Winograd's tiles, F(3x3, 2x2): nine taps of a tile from 16
// multiplications instead of 36.
//   V = B' d B  of a tile of x,  W = G dy G'  of the 2x2 outputs
//   M_j (C, F) = sum over tiles of V_j' W_j      16 products
//   dw = A' M A                                  once
// Each partial sum of M owns a fixed range of tiles, and a second kernel adds them up before the
// last transform: the bits do not depend on the number of threads.
#include "cpu/grid.h"
#include "cpu/winograd.h"

namespace hb::HB_ISA {
namespace {

using V = Vec<float>;
using v = V::type;
constexpr int64_t kNr = kPanel<float>;

// G on one side of two outputs.
HB_INLINE void spread_outputs(v a, v b, v (&t)[4]) {
    const v half = V::splat(0.5f);
    t[0] = a;
    t[1] = half * (a + b);
    t[2] = half * (a - b);
    t[3] = b;
}

// W of one tile at a panel of features, `n` of them; rows x cols of its outputs are in the image.
void load_outputs(const WinogradShape& a, const float* dy, int64_t rows, int64_t cols, int64_t n,
                  const float* zeros, float* to, int64_t to_stride) {
    const float* at[2][2];
    for (int r = 0; r < 2; ++r)
        for (int s = 0; s < 2; ++s)
            at[r][s] = r < rows && s < cols ? dy + (r * a.out_w + s) * a.features : zeros;
#pragma GCC unroll 4
    for (int64_t f = 0; f < kNr; f += V::lanes) {
        const int64_t left = n - f;
        v half[4][2], d[2][2];
        for (int r = 0; r < 2; ++r)
            for (int s = 0; s < 2; ++s) {
                d[r][s] = left > 0 ? V::load(at[r][s] + f, left) : V::zero();
                __builtin_prefetch(at[r][s] + f + kPixelsAhead * a.features);
            }
#pragma GCC unroll 2
        for (int s = 0; s < 2; ++s) {
            v t[4];
            spread_outputs(d[0][s], d[1][s], t);
            for (int r = 0; r < 4; ++r) half[r][s] = t[r];
        }
#pragma GCC unroll 4
        for (int r = 0; r < 4; ++r) {
            v t[4];
            spread_outputs(half[r][0], half[r][1], t);
#pragma GCC unroll 4
            for (int s = 0; s < 4; ++s) V::store(to + (r * 4 + s) * to_stride + f, t[s]);
        }
    }
}

void run(const void* args, int thread, int threads) {
    const WinogradWeightsArgs& a = *static_cast<const WinogradWeightsArgs*>(args);
    const WinogradShape& s = a.shape;
    const int64_t total = winograd_tiles(s), panels = (s.features + kNr - 1) / kNr;
    const double tiles_each = double(total) / double(a.partials);
    const Grid mine = grid(a.partials, panels,
                           {.flops = 32 * tiles_each * double(s.channels * kNr),
                            .row_bytes = 16 * tiles_each * double(s.channels),
                            .col_bytes = 0},
                           thread, threads);
    if (mine.cols.begin == mine.cols.end) return;
    const int64_t p0 = mine.cols.begin, mine_panels = mine.cols.end - p0;
    const WinogradScratch sizes = winograd_scratch(s, a.tiles, mine_panels, kNr);
    float* vs = (float*)(a.scratch + thread * a.scratch_stride);
    float* ws = vs + 16 * sizes.v_stride;
    float* zeros = ws + 16 * sizes.m_stride;
    const int64_t widest = s.channels > kNr ? s.channels : kNr;
    for (int64_t c = 0; c < widest; ++c) zeros[c] = 0;
    int64_t a_rows[kTileRows], c_rows[kTileRows];
    for (int i = 0; i < kTileRows; ++i) a_rows[i] = i, c_rows[i] = i * panels * kNr;

    const TileRows rows(s.channels);
    const int64_t zero = 0, m_size = s.channels * panels * kNr;
    Tile<float> t{};
    t.a_rows = a_rows;
    t.c_rows = c_rows;
    t.a_step = sizes.v_row;
    t.ldb = kNr;
    t.a_offset = t.b_offset = &zero;
    t.batch = 1;
    for (int64_t partial = mine.rows.begin; partial < mine.rows.end; ++partial) {
        float* m = (float*)a.m + partial * 16 * m_size;
        const Range range = split(total, int(partial), int(a.partials));
        t.accumulate = false;
        for (int64_t first = range.begin; first < range.end; first += a.tiles) {
            const int64_t count = range.end - first < a.tiles ? range.end - first : a.tiles;
            for (int64_t i = 0; i < count; ++i) {
                const TilePlace at(s, first + i);
                const float* image = (const float*)a.x + at.image * s.in_h * s.in_w * s.channels;
                load_tile(s, image, at.h + s.first_h, at.w + s.first_w, zeros, vs + i * sizes.v_row,
                          sizes.v_stride);
                const float* dy = (const float*)a.dy +
                                  ((at.image * s.out_h + at.h) * s.out_w + at.w) * s.features +
                                  p0 * kNr;
                for (int64_t p = 0; p < mine_panels; ++p)
                    load_outputs(s, dy + p * kNr, s.out_h - at.h, s.out_w - at.w,
                                 s.features - (p0 + p) * kNr, zeros, ws + (p * a.tiles + i) * kNr,
                                 sizes.m_stride);
            }
            t.depth = count;
            for (int64_t j = 0; j < 16; ++j)
                for (int64_t p = 0; p < mine_panels; ++p) {
                    t.b = ws + j * sizes.m_stride + p * a.tiles * kNr;
                    for (int64_t i = 0; i < rows.count; ++i) {
                        t.a = vs + j * sizes.v_stride + rows.begin(i);
                        t.c = m + j * m_size + rows.begin(i) * panels * kNr + (p0 + p) * kNr;
                        tile_fn<float>(rows.size(i), kNr)(t, kNr);
                    }
                }
            t.accumulate = true;
        }
    }
}

// A' on one side of four numbers.
HB_INLINE void gather_taps(const v (&m)[4], v (&t)[3]) {
    const v sum = m[1] + m[2];
    t[0] = m[0] + sum;
    t[1] = m[1] - m[2];
    t[2] = sum - m[3];
}

// dw (3,3,C,F) = A' (sum of the partials of M) A
void finish(const void* args, int thread, int threads) {
    const WinogradWeightsArgs& a = *static_cast<const WinogradWeightsArgs*>(args);
    const WinogradShape& s = a.shape;
    const int64_t row = (s.features + kNr - 1) / kNr * kNr, m_size = s.channels * row;
    const Range range = split(s.channels, thread, threads);
    for (int64_t c = range.begin; c < range.end; ++c)
        for_vectors<float>(s.features, [&](int64_t f, int64_t lanes) {
            const float* m = (const float*)a.m + c * row + f;
            v half[3][4];
#pragma GCC unroll 4
            for (int k = 0; k < 4; ++k) {
                v sum[4];
#pragma GCC unroll 4
                for (int r = 0; r < 4; ++r) {
                    sum[r] = V::load(m + (r * 4 + k) * m_size);
                    for (int64_t p = 1; p < a.partials; ++p)
                        sum[r] += V::load(m + (p * 16 + r * 4 + k) * m_size);
                }
                v t[3];
                gather_taps(sum, t);
                for (int r = 0; r < 3; ++r) half[r][k] = t[r];
            }
            float* dw = (float*)a.dw + c * s.features + f;
            for (int r = 0; r < 3; ++r) {
                v t[3];
                gather_taps(half[r], t);
                for (int k = 0; k < 3; ++k)
                    V::store(dw + (r * 3 + k) * s.channels * s.features, t[k], lanes);
            }
        });
}

}  // namespace

void winograd_weights_run(const void* args, int thread, int threads) { run(args, thread, threads); }
void winograd_weights_finish(const void* args, int thread, int threads) {
    finish(args, thread, threads);
}

}  // namespace hb::HB_ISA
