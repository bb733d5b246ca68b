// What attention and its gradient share: products of blocks, and what stands between a product and
// its exponential (bias, mask, dropout).
#pragma once

#include "cpu/gemm_pack.h"
#include "cpu/philox.h"
#include "cpu/rows.h"
#include "cpu/vmath.h"
#include "kernels/attention.h"

namespace hb::HB_ISA {
namespace {

template <class T>
inline constexpr T kHidden =
    T(sizeof(T) == 4 ? -0.7 * 3.40282346638528859812e38 : -0.7 * 1.79769313486231570815e308);

// The even cut of n rows into blocks of at most `most`, whole tiles where it can be.
struct RowBlocks {
    int64_t n, size, count;
    RowBlocks(int64_t rows, int64_t most) : n(rows) {
        const int64_t blocks = (rows + most - 1) / most;
        size = blocks ? ((rows + blocks - 1) / blocks + kTileRows - 1) / kTileRows * kTileRows : 1;
        if (size > most) size = most;
        count = (rows + size - 1) / size;
    }
    HB_INLINE int64_t rows(int64_t block) const {
        const int64_t left = n - block * size;
        return left < size ? left : size;
    }
};

// C (m,n) = (C +) A (m,k) B (k,n), A at strides (a_row, a_col) or, where a_row is 0, in the tiles
// of pack_rows(), B in panels `b_panel` apart. limit(first, size) may cut a tile of rows short:
// only `columns`, only k in [begin, end).
struct Limit {
    int64_t columns, end, begin = 0;
};
template <class T>
struct Product {
    const T* a;
    int64_t a_row, a_col;
    const T* b;
    int64_t b_row, b_panel;  // rows of a panel lie b_row apart
    T* c;
    int64_t c_row;
    bool accumulate;
};
template <class T, class F>
HB_INLINE void multiply(const Product<T>& p, int64_t m, int64_t n, F limit) {
    constexpr int64_t panel = kPanel<T>;
    const TileRows tiles(m);
    const int64_t zero = 0;
    const bool packed = p.a_row == 0;  // then a_col is k, and no limit cuts k
    Tile<T> t{};
    int64_t a_rows[kTileRows], c_rows[kTileRows];
    for (int64_t i = 0; i < kTileRows; ++i) a_rows[i] = i * p.a_row, c_rows[i] = i * p.c_row;
    t.a_rows = a_rows, t.c_rows = c_rows;
    t.a_step = p.a_col, t.ldb = p.b_row;
    t.a_offset = t.b_offset = &zero;
    t.batch = 1;
    t.accumulate = p.accumulate;
    for (int64_t j = 0; j < n; j += panel) {
        const T* b = p.b + j / panel * p.b_panel;
        const int columns = int(n - j < panel ? n - j : panel);
        for (int64_t i = 0; i < tiles.count; ++i) {
            const int64_t first = tiles.begin(i);
            const Limit most = limit(first, tiles.size(i));
            if (most.columns <= j) continue;
            t.depth = most.end - most.begin;
            t.a = p.a + (packed ? first * p.a_col : first * p.a_row + most.begin * p.a_col);
            t.b = b + most.begin * p.b_row;
            t.c = p.c + first * p.c_row + j;
            tile_fn<T>(tiles.size(i), columns, packed)(t, columns);
        }
    }
}
template <class T>
HB_INLINE void multiply(const Product<T>& p, int64_t m, int64_t n, int64_t k) {
    multiply(p, m, n, [&](int64_t, int64_t) { return Limit{n, k}; });
}

// (k,n) at strides (row, col) into panels, which lie kPanel * k apart.
template <class T>
void pack(T* to, const T* from, int64_t row, int64_t col, int64_t k, int64_t n) {
    for (int64_t j = 0; j < n; j += kPanel<T>)
        pack_panel(to + j * k, from + j * col, row, col, k, n - j < kPanel<T> ? n - j : kPanel<T>);
}

// (m,k) at strides (row, col) into tiles for multiply(); up to a vector more is written.
template <class T>
void pack_rows(T* to, const T* from, int64_t row, int64_t col, int64_t m, int64_t k) {
    const TileRows tiles(m);
    for (int64_t i = 0; i < tiles.count; ++i)
        pack_tile<T>(to + tiles.begin(i) * k, from + tiles.begin(i) * row, row, col, tiles.size(i),
                     k);
}

// to (rows, n), rows `to_row` apart, = from * factor
template <class T>
void scale_rows(T* to, int64_t to_row, const T* from, int64_t from_row, int64_t rows, int64_t n,
                T factor) {
    using V = Vec<T>;
    for (int64_t i = 0; i < rows; ++i)
        for_vectors<T>(n, [&](int64_t j, int64_t lanes) {
            V::store(to + i * to_row + j,
                     V::load(from + i * from_row + j, lanes) * V::splat(factor), lanes);
        });
}

template <class T>
struct Attend {
    using V = Vec<T>;
    using X = typename V::type;
    using M = typename V::mask;

    const AttentionArgs& p;
    const bool cuts;   // places behind the diagonal take no part at all
    const bool plain;  // scores need nothing but the scale

    explicit Attend(const AttentionArgs& args)
        : p(args), cuts(args.causal && !args.mask), plain(!args.mask && !args.bias) {}

    // Keys of [first, first + n) that row t may see; all of them where a mask decides.
    HB_INLINE int64_t visible(int64_t t, int64_t first, int64_t n) const {
        if (!cuts) return n;
        const int64_t seen = t + 1 - first;
        return seen < 0 ? 0 : seen < n ? seen : n;
    }

    static HB_INLINE M mask_lanes(const bool* from, int64_t lanes) {
        typedef uint8_t Bytes __attribute__((vector_size(V::lanes)));
        uint8_t some[V::lanes] = {};
        __builtin_memcpy(some, from, size_t(lanes < V::lanes ? lanes : V::lanes));
        Bytes bytes;
        __builtin_memcpy(&bytes, some, sizeof bytes);
        return __builtin_convertvector(bytes, M) != M{};
    }

    // Bias and mask of row (b, h, t), keys [first, first + n).
    void adjust(T* score, int64_t b, int64_t h, int64_t t, int64_t first, int64_t n) const {
        if (p.bias) {
            const int64_t* at = p.bias_strides;
            const T* bias = static_cast<const T*>(p.bias) + b * at[0] + h * at[1] + t * at[2];
            for_vectors<T>(n, [&](int64_t j, int64_t lanes) {
                const X add = at[3] ? V::load(bias + first + j, lanes) : V::splat(*bias);
                V::store(score + j, V::load(score + j, lanes) + add, lanes);
            });
        }
        if (p.mask) {
            const int64_t* at = p.mask_strides;
            const bool* mask = p.mask + b * at[0] + h * at[1] + t * at[2];
            const X hidden = V::splat(kHidden<T>);
            const int64_t seen = p.causal ? t + 1 - first : n;
            for_vectors<T>(n, [&](int64_t j, int64_t lanes) {
                M keep = at[3] ? mask_lanes(mask + first + j, lanes) : (*mask ? ~M{} : M{});
                if (seen - j < lanes) keep &= V::first(seen - j < 0 ? 0 : seen - j);
                V::store(score + j, V::select(keep, V::load(score + j, lanes), hidden), lanes);
            });
        }
    }

    // f(j, lanes, factor): 0 where the probability is dropped, keep_scale where it stays.
    template <class F>
    HB_INLINE void for_kept(int64_t b, int64_t h, int64_t t, int64_t first, int64_t n, F f) const {
        const int64_t at = ((b * p.h + h) * p.t + t) * p.s + first;
        alignas(64) uint32_t words[4 * kPhiloxTile];
        philox_tile(p.seed, at / 4, words, (at % 4 + n + 3) / 4);
        alignas(64) T factor[kAttentionKeys];
        const uint32_t* word = words + at % 4;
        const int32_t threshold = int32_t(p.threshold);
        for (int64_t j = 0; j < n; ++j)
            factor[j] = int32_t(word[j] >> 8) >= threshold ? T(p.keep_scale) : T(0);
        for_vectors<T>(n,
                       [&](int64_t j, int64_t lanes) { f(j, lanes, V::load(factor + j, lanes)); });
    }
};

}  // namespace
}  // namespace hb::HB_ISA
