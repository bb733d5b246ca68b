// The microkernels behind gemm_tile.h, one for each tile shape: accumulators stay in registers,
// each step of k loads the row of B once and splats one element of every row of A. A packed tile
// has those elements side by side, so all addresses of some steps are constants apart.
#include "cpu/gemm_tile.h"

namespace hb::HB_ISA {
namespace {

template <class T, int M, int NV, bool Partial, bool Packed>
void tile(const Tile<T>& t, int n) {
    using V = Vec<T>;
    using v = typename V::type;
    constexpr int lanes = V::lanes;
    const int last = n - (NV - 1) * lanes;
    const auto load = [last](const T* p, int j) __attribute__((always_inline)) {
        return Partial && j == NV - 1 ? (v)arch::load_lanes<T, v>(p + j * lanes, last)
                                      : (v)V::load(p + j * lanes);
    };
    v acc[M][NV];
#pragma GCC unroll 8
    for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
        for (int j = 0; j < NV; ++j) acc[i][j] = v{};

    if (t.accumulate) {
#pragma GCC unroll 8
        for (int i = 0; i < M; ++i) __builtin_prefetch(t.c + t.c_rows[i], 1);
    }
    const int64_t a_step = t.a_step * int64_t(sizeof(T)), ldb = t.ldb, depth = t.depth;
    for (int64_t s = 0; s < t.batch; ++s) {
        const T* a = t.a + t.a_offset[s];
        const T* b = t.b + t.b_offset[s];
        if constexpr (Packed) {
            const auto step = [&]() __attribute__((always_inline)) {
                v bv[NV];
#pragma GCC unroll 4
                for (int j = 0; j < NV; ++j) bv[j] = V::load(b + j * lanes);
#pragma GCC unroll 8
                for (int i = 0; i < M; ++i) {
                    const v x = V::splat(a[i]);
#pragma GCC unroll 4
                    for (int j = 0; j < NV; ++j) acc[i][j] += x * bv[j];
                }
                a += M;
                b += kPanel<T>;
            };
            int64_t k = 0;
            const char* wanted = t.wanted.at;
            for (int64_t l = 0; l < t.wanted.lines && k + kWantedSteps <= depth; ++l) {
                __builtin_prefetch(wanted, 0, 2);
                wanted += t.wanted.step;
#pragma GCC unroll 8
                for (int64_t q = 0; q < kWantedSteps; ++q) step();
                k += kWantedSteps;
            }
#pragma GCC unroll 8
            for (; k < depth; ++k) step();
            continue;
        }
        const char* row[M];  // bytes: GCC makes a second, worse loop for steps of one element
#pragma GCC unroll 8
        for (int i = 0; i < M; ++i) row[i] = (const char*)(a + t.a_rows[i]);
        int64_t at = 0;
#pragma GCC unroll 2
        for (int64_t k = 0; k < depth; ++k) {
            v bv[NV];
#pragma GCC unroll 4
            for (int j = 0; j < NV; ++j) bv[j] = load(b, j);
#pragma GCC unroll 8
            for (int i = 0; i < M; ++i) {
                const v x = V::splat(*(const T*)(row[i] + at));
#pragma GCC unroll 4
                for (int j = 0; j < NV; ++j) acc[i][j] += x * bv[j];
            }
            at += a_step;
            b += ldb;
        }
    }

    if (t.accumulate) {
#pragma GCC unroll 8
        for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
            for (int j = 0; j < NV; ++j) acc[i][j] += load(t.c + t.c_rows[i], j);
    }
    const auto row = [&](int i) __attribute__((always_inline)) { return t.c_rows[i]; };
    finish_tile<T, M, NV, Partial>(acc, t.finish, t.c, row, last, t.past_caches);
}

template <class T, int M, int NV>
constexpr void fill(TileTable<T>& table) {
    auto& fn = table.fn[M - 1][NV - 1];
    fn[0][0] = tile<T, M, NV, false, false>;
    fn[0][1] = tile<T, M, NV, true, false>;
    fn[1][0] = tile<T, M, NV, false, true>;
    fn[1][1] = tile<T, M, NV, true, true>;
    if constexpr (NV > 1)
        fill<T, M, NV - 1>(table);
    else if constexpr (M > 1)
        fill<T, M - 1, kTileVecs>(table);
}

template <class T>
constexpr TileTable<T> make_table() {
    TileTable<T> table{};
    fill<T, kTileRows, kTileVecs>(table);
    return table;
}

}  // namespace

constinit const TileTable<float> tiles_f32 = make_table<float>();
constinit const TileTable<double> tiles_f64 = make_table<double>();

}  // namespace hb::HB_ISA
