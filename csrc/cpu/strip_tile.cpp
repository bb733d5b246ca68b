// The microkernels behind strip_tile.h, one for each shape of up to kStripRows rows.
#include "cpu/strip_tile.h"

namespace hb::HB_ISA {
namespace {

template <class T, int R, int L>
void tile(const StripTile<T>& t, int n) {
    using V = Vec<T>;
    using v = typename V::type;
    v acc[R][L];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
        for (int l = 0; l < L; ++l) acc[r][l] = v{};
    const int64_t step = t.a_step, run = t.a_run, ldb = t.ldb, depth = t.depth;
    for (int64_t s = 0; s < t.batch; ++s) {
        const T* b = t.b + t.b_offset[s];
        const T* a[R];
#pragma GCC unroll 16
        for (int r = 0; r < R; ++r) a[r] = t.a + t.a_offset[s] + r * run;
#pragma GCC unroll 2
        for (int64_t k = 0; k < depth; ++k, b += ldb) {
            const v y = V::load(b);
#pragma GCC unroll 16
            for (int r = 0; r < R; ++r) {
#pragma GCC unroll 16
                for (int l = 0; l < L; ++l) acc[r][l] += V::splat(a[r][l]) * y;
                a[r] += step;
            }
        }
    }
    T* c = t.c;
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
        for (int l = 0; l < L; ++l, c += t.c_row) {
            if (t.accumulate) acc[r][l] += V::load(c, n);
            V::store(c, acc[r][l], n);
        }
}

template <class T, int R, int L>
constexpr void fill(StripTileTable<T>& table) {
    table.fn[R - 1][L - 1] = tile<T, R, L>;
    if constexpr (R > 1)
        fill<T, R - 1, L>(table);
    else if constexpr (L > 1)
        fill<T, kStripRows / (L - 1), L - 1>(table);
}

template <class T>
constexpr StripTileTable<T> make_table() {
    StripTileTable<T> table{};
    fill<T, 1, kStripRows>(table);
    return table;
}

}  // namespace

constinit const StripTileTable<float> strip_tiles_f32 = make_table<float>();
constinit const StripTileTable<double> strip_tiles_f64 = make_table<double>();

}  // namespace hb::HB_ISA
