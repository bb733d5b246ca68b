// The microkernels behind tall_tile.h. There are more rows than address registers, so two steps of
// k share each address.
#include "cpu/tall_tile.h"

namespace hb::HB_ISA {
namespace {

template <class T, int M>
void tile(const Tile<T>& t, int n) {
    using V = Vec<T>;
    using v = typename V::type;
    constexpr int64_t panel = kPanel<T>;
    v acc[M];
#pragma GCC unroll 16
    for (int i = 0; i < M; ++i) acc[i] = v{};
    const int64_t step = t.a_step * int64_t(sizeof(T)), depth = t.depth;
    for (int64_t s = 0; s < t.batch; ++s) {
        const char* a = (const char*)(t.a + t.a_offset[s]);
        const T* b = t.b + t.b_offset[s];
        const char* row[M];
#pragma GCC unroll 16
        for (int i = 0; i < M; ++i) row[i] = a + t.a_rows[i] * int64_t(sizeof(T));
        int64_t k = 0, at = 0;
        for (; k + 2 <= depth; k += 2, at += 2 * step, b += 2 * panel) {
            const v b0 = V::load(b), b1 = V::load(b + panel);
#pragma GCC unroll 16
            for (int i = 0; i < M; ++i) {
                const char* here = row[i] + at;
                acc[i] += V::splat(*(const T*)here) * b0;
                acc[i] += V::splat(*(const T*)(here + step)) * b1;
            }
        }
        if (k < depth) {
            const v b0 = V::load(b);
#pragma GCC unroll 16
            for (int i = 0; i < M; ++i) acc[i] += V::splat(*(const T*)(row[i] + at)) * b0;
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < M; ++i) {
        T* c = t.c + t.c_rows[i];
        if (t.accumulate) acc[i] += V::load(c, n);
        V::store(c, acc[i], n);
    }
}

template <class T, int M>
constexpr void fill(TallTileTable<T>& table) {
    table.fn[M - 1] = tile<T, M>;
    if constexpr (M > 1) fill<T, M - 1>(table);
}

template <class T>
constexpr TallTileTable<T> make_table() {
    TallTileTable<T> table{};
    fill<T, kTallRows>(table);
    return table;
}

}  // namespace

constinit const TallTileTable<float> tall_tiles_f32 = make_table<float>();
constinit const TallTileTable<double> tall_tiles_f64 = make_table<double>();

}  // namespace hb::HB_ISA
