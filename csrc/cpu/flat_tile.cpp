// The microkernels behind flat_tile.h, one for each shape. Rows are reached from every fourth of
// them by multiples of one step, or there would be more addresses than registers.
#include "cpu/flat_tile.h"

namespace hb::HB_ISA {
namespace {

template <class T, int M, int NV, bool Partial>
void tile(const FlatTile<T>& t, int n) {
    using V = Vec<T>;
    using v = typename V::type;
    constexpr int lanes = V::lanes, panel = kPanel<T>;
    v acc[M][NV];
#pragma GCC unroll 12
    for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
        for (int j = 0; j < NV; ++j) acc[i][j] = v{};

    const int64_t step = t.a_row, step3 = 3 * step, depth = t.depth;
    const int64_t* at = t.a_at;
    const char* base = (const char*)t.a;
    const T* b = t.b;
    for (int64_t k = 0; k < depth; ++k, b += panel) {
        const char* row = base + at[k];
        v bv[NV];
#pragma GCC unroll 4
        for (int j = 0; j < NV; ++j) bv[j] = V::load(b + j * lanes);
#pragma GCC unroll 12
        for (int i = 0; i < M; ++i) {
            if (i && i % 4 == 0) {
                row += 4 * step;
                asm("" : "+r"(row));  // an address of its own, not one more sum to keep
            }
            const v x = V::splat(*(const T*)(row + (i % 4 == 3 ? step3 : i % 4 * step)));
#pragma GCC unroll 4
            for (int j = 0; j < NV; ++j) acc[i][j] += x * bv[j];
        }
    }

    const auto row = [&](int i) __attribute__((always_inline)) { return i * t.c_row; };
    finish_tile<T, M, NV, Partial>(acc, t.finish, t.c, row, n - (NV - 1) * lanes, t.past_caches);
}

template <class T, int M, int NV>
constexpr void fill(FlatTileTable<T>& table) {
    if constexpr (M <= flat_rows(NV)) {
        table.fn[M - 1][NV - 1][0] = tile<T, M, NV, false>;
        table.fn[M - 1][NV - 1][1] = tile<T, M, NV, true>;
    }
    if constexpr (NV > 1)
        fill<T, M, NV - 1>(table);
    else if constexpr (M > 1)
        fill<T, M - 1, kTileVecs>(table);
}

template <class T>
constexpr FlatTileTable<T> make_table() {
    FlatTileTable<T> table{};
    fill<T, kFlatRows, kTileVecs>(table);
    return table;
}

}  // namespace

constinit const FlatTileTable<float> flat_tiles_f32 = make_table<float>();
constinit const FlatTileTable<double> flat_tiles_f64 = make_table<double>();

}  // namespace hb::HB_ISA
