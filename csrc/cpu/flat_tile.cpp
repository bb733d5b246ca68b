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

    const int last = n - (NV - 1) * lanes;
    const auto load = [last](const T* p, int j) __attribute__((always_inline)) {
        return Partial && j == NV - 1 ? (v)arch::load_lanes<T, v>(p + j * lanes, last)
                                      : (v)V::load(p + j * lanes);
    };
    const Finish<T>& finish = t.finish;
    if (finish.bias) {
#pragma GCC unroll 4
        for (int j = 0; j < NV; ++j) {
            const v bias = load(finish.bias, j);
#pragma GCC unroll 12
            for (int i = 0; i < M; ++i) acc[i][j] += bias;
        }
    }
    if (finish.scale) {
#pragma GCC unroll 4
        for (int j = 0; j < NV; ++j) {
            const v scale = load(finish.scale, j);
#pragma GCC unroll 12
            for (int i = 0; i < M; ++i) acc[i][j] = rounded(acc[i][j] * scale);
        }
    }
    if (finish.shift) {
#pragma GCC unroll 4
        for (int j = 0; j < NV; ++j) {
            const v shift = load(finish.shift, j);
#pragma GCC unroll 12
            for (int i = 0; i < M; ++i) acc[i][j] += shift;
        }
    }
    if (finish.other) {
        const T* other = finish.other;
#pragma GCC unroll 12
        for (int i = 0; i < M; ++i, other += t.c_row)
#pragma GCC unroll 4
            for (int j = 0; j < NV; ++j) acc[i][j] += load(other, j);
    }
    if (finish.relu) {
#pragma GCC unroll 12
        for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
            for (int j = 0; j < NV; ++j) acc[i][j] = V::max(acc[i][j], v{});
    }
    T* c = t.c;
#pragma GCC unroll 12
    for (int i = 0; i < M; ++i, c += t.c_row) {
#pragma GCC unroll 4
        for (int j = 0; j < NV; ++j) {
            if (Partial && j == NV - 1)
                arch::store_lanes<T, v>(c + j * lanes, acc[i][j], last);
            else
                V::store(c + j * lanes, acc[i][j]);
        }
    }
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
