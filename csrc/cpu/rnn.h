// What recurrent kernels share: rows that take part in a step, their product with a panel of
// weights, and the functions of gates.
#pragma once

#include "cpu/gemm_tile.h"
#include "cpu/rows.h"
#include "cpu/vmath.h"
#include "kernels/rnn.h"

namespace hb::HB_ISA {
namespace {

inline constexpr int64_t kRnnDepth = 256;  // of a K block: its panel stays in L1

// Rows of a block, by number.
struct RnnRows {
    int64_t count = 0;
    int64_t row[kRnnRows];
    HB_INLINE void add(int64_t i) { row[count++] = i; }
};

// Those of [first, last) that are, and are not, masked in step t of `steps`.
HB_INLINE void rnn_rows(const bool* mask, int64_t steps, int64_t t, int64_t first, int64_t last,
                        RnnRows* on, RnnRows* off) {
    for (int64_t i = first; i < last; ++i) {
        if (!mask || mask[i * steps + t])
            on->add(i);
        else
            off->add(i);
    }
}

// Asks for part i of `parts` of what begins at `from`.
template <class T>
HB_INLINE void rnn_fetch(const T* from, int64_t count, int64_t i, int64_t parts) {
    constexpr int64_t line = 64 / sizeof(T);
    const int64_t lines = count / line;
    for (int64_t at = lines * i / parts; at < lines * (i + 1) / parts; ++at)
        __builtin_prefetch(from + at * line, 0, 2);
}

// Asks for what a row has of a panel, to be read or written.
template <int write, class T>
HB_INLINE void rnn_fetch_panel(const T* from, int64_t count = kPanel<T>) {
    constexpr int64_t line = 64 / sizeof(T);
#pragma GCC unroll 16
    for (int64_t at = 0; at < count; at += line) __builtin_prefetch(from + at, write, 2);
}

// The panels of the task after that of `group` panels from j on: those that follow, or the first
// ones, in the next step.
struct RnnAhead {
    bool next_step;
    Range panels;
    HB_INLINE RnnAhead(const Range& all, int64_t j, int64_t group)
        : next_step(j + group >= all.end) {
        panels.begin = next_step ? all.begin : j + group;
        panels.end = panels.begin + group < all.end ? panels.begin + group : all.end;
    }
};

// What the gates of a task read and write is far away: the tiles of the products of the task before
// are time enough to fetch it row by row. fetch(row) asks for that of one row.
template <class Fetch>
struct RnnFetchRows {
    const RnnRows& rows;
    int64_t panels;  // of weights, in all products of the task
    Fetch fetch;
    int64_t done = 0, asked = 0;

    // After each of the `tiles` of each panel and block of K.
    HB_INLINE void some(int64_t tiles, int64_t blocks) {
        const int64_t end = ++done * rows.count / (panels * tiles * blocks);
        for (; asked < end && asked < rows.count; ++asked) fetch(rows.row[asked]);
    }
    HB_INLINE void all() {
        for (; asked < rows.count; ++asked) fetch(rows.row[asked]);
    }
};

// c (count, n) = a[rows] (count, k) b + bias, for one panel b of n <= kPanel columns. `next`, or
// null, is the panel after it, which is far away.
template <class T, class Fetch>
void rnn_panel(T* c, int64_t c_stride, const RnnRows& rows, const T* a, int64_t a_stride,
               const T* b, int64_t n, int64_t k, const T* bias, const T* next, Fetch& fetch) {
    if (rows.count == 0) return;
    const int64_t blocks = (k + kRnnDepth - 1) / kRnnDepth;
    const TileRows tiles(rows.count);
    const int64_t zero = 0;
    int64_t a_rows[kRnnRows], c_rows[kRnnRows];
    for (int64_t i = 0; i < rows.count; ++i) {
        a_rows[i] = rows.row[i] * a_stride;
        c_rows[i] = i * c_stride;
    }
    Tile<T> t{};
    t.a_step = 1;
    t.ldb = kPanel<T>;
    t.a_offset = t.b_offset = &zero;
    t.batch = 1;
    t.c = c;
    for (int64_t first = 0; first < k; first += kRnnDepth) {
        t.depth = k - first < kRnnDepth ? k - first : kRnnDepth;
        t.a = a + first;
        t.b = b + first * kPanel<T>;
        t.accumulate = first > 0;
        t.finish.bias = first + t.depth == k ? bias : nullptr;
        for (int64_t i = 0; i < tiles.count; ++i) {
            t.a_rows = a_rows + tiles.begin(i);
            t.c_rows = c_rows + tiles.begin(i);
            tile_fn<T>(tiles.size(i), int(n))(t, int(n));
            if (next) rnn_fetch(next + first * kPanel<T>, t.depth * kPanel<T>, i, tiles.count);
            fetch.some(tiles.count, blocks);
        }
    }
}

inline constexpr int64_t kRnnFew = 2;     // rows whose tiles are too small for one panel
inline constexpr int64_t kRnnPanels = 4;  // at once, for them

// Whole panels p: c[p] (M, kPanel) = a[rows] (M, k) b[p] + bias[p], the same sums as rnn_panel's.
template <class T, int M, int N>
void rnn_few_rows(T* const* c, int64_t c_stride, const RnnRows& rows, const T* a, int64_t a_stride,
                  const T* const* b, int64_t k, const T* const* bias, const int64_t* columns) {
    using V = Vec<T>;
    using X = typename V::type;
    constexpr int64_t lanes = V::lanes;
    for (int64_t first = 0; first < k; first += kRnnDepth) {
        const int64_t end = first + kRnnDepth < k ? first + kRnnDepth : k;
        X sum[M][N][kTileVecs] = {};
        for (int64_t at = first; at < end; ++at)
#pragma GCC unroll 2
            for (int i = 0; i < M; ++i) {
                const X x = V::splat(a[rows.row[i] * a_stride + at]);
#pragma GCC unroll 4
                for (int p = 0; p < N; ++p)
#pragma GCC unroll 4
                    for (int v = 0; v < kTileVecs; ++v)
                        sum[i][p][v] += x * V::load(b[p] + at * kPanel<T> + v * lanes);
            }
#pragma GCC unroll 2
        for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
            for (int p = 0; p < N; ++p)
#pragma GCC unroll 4
                for (int v = 0; v < kTileVecs; ++v) {
                    T* to = c[p] + i * c_stride + v * lanes;
                    const int64_t left = columns[p] - v * lanes;
                    if (first > 0) sum[i][p][v] += V::load(to);
                    if (end == k && bias[p] && left > 0)
                        sum[i][p][v] += V::load(bias[p] + v * lanes, left);
                    V::store(to, sum[i][p][v]);
                }
    }
}

// Panels that share their rows of a, where the rows are few.
template <class T>
struct RnnFew {
    T* c[kRnnPanels];
    const T *b[kRnnPanels], *bias[kRnnPanels];
    int64_t columns[kRnnPanels], count = 0;

    HB_INLINE void add(T* to, const T* weights, const T* plus, int64_t n) {
        c[count] = to, b[count] = weights, bias[count] = plus, columns[count++] = n;
    }
    void run(int64_t c_stride, const RnnRows& rows, const T* a, int64_t a_stride, int64_t k) {
        const auto go = [&]<int M, int N>(int64_t p) {
            rnn_few_rows<T, M, N>(c + p, c_stride, rows, a, a_stride, b + p, k, bias + p,
                                  columns + p);
        };
        if (rows.count == 1) {
            if (count == 4) return go.template operator()<1, 4>(0);
            if (count == 3) return go.template operator()<1, 3>(0);
            return count == 2 ? go.template operator()<1, 2>(0) : go.template operator()<1, 1>(0);
        }
        for (int64_t p = 0; rows.count == 2 && p < count; p += 2)
            p + 1 < count ? go.template operator()<2, 2>(p) : go.template operator()<2, 1>(p);
    }
};

template <class T>
HB_INLINE void copy_row(T* to, const T* from, int64_t n) {
    for_vectors<T>(n, [&](int64_t i, int64_t lanes) {
        Vec<T>::store(to + i, Vec<T>::load(from + i, lanes), lanes);
    });
}

template <class T>
HB_INLINE void zero_row(T* to, int64_t n) {
    for_vectors<T>(n,
                   [&](int64_t i, int64_t lanes) { Vec<T>::store(to + i, Vec<T>::zero(), lanes); });
}

// f.operator()<N>(j, lanes) for N vectors from j on, of a panel of `columns` units.
template <class T, class F>
HB_INLINE void rnn_vectors(int64_t columns, F f) {
    if (columns == kPanel<T>) return f.template operator()<kTileVecs>(0, int64_t(Vec<T>::lanes));
    for_vectors<T>(columns, [&](int64_t j, int64_t lanes) __attribute__((always_inline)) {
        f.template operator()<1>(j, lanes);
    });
}

template <class T>
HB_INLINE typename Vec<T>::type gate(typename Vec<T>::type x) {
    typename Vec<T>::type y[1] = {x};
    Math<T>::template gates<0>(y);
    return y[0];
}

template <class T>
HB_INLINE typename Vec<T>::type gate_tanh(typename Vec<T>::type x) {
    return Math<T>::tanh_unsigned_zero(x);
}

// Phases on this share's blocks of rows, or on its slice of the units.
template <class Rows, class Args>
void rnn_run(Rows& rows, const RnnPhases<Args>& phases, int thread, int threads) {
    const int64_t n = phases.args->n, block = phases.block, blocks = (n + block - 1) / block;
    const int64_t panels = (phases.args->u + Rows::P - 1) / Rows::P;
    const auto last = [&](int64_t b) { return (b + 1) * block < n ? (b + 1) * block : n; };
    if (phases.by_columns) {
        const Range own = split(panels, thread, threads);
        rows.far = true;
        for (int64_t phase = phases.begin; phase < phases.end; ++phase) {
            if (blocks == 1) {
                rows.run(phase, 0, n, own);
                continue;
            }
            for (int64_t j = own.begin; j < own.end; ++j)
                for (int64_t b = 0; b < blocks; ++b)
                    rows.run(phase, b * block, last(b), {j, j + 1});
        }
        return;
    }
    const Range own = split(blocks, thread, threads);
    for (int64_t b = own.begin; b < own.end; ++b)
        for (int64_t phase = phases.begin; phase < phases.end; ++phase)
            rows.run(phase, b * block, last(b), {0, panels});
}

template <class Fn, class T>
void rnn_dispatch(RnnCell cell, const void* args, int thread, int threads) {
    switch (cell) {
        case kLstm:
            return Fn::template call<kLstm, T>(args, thread, threads);
        case kGruAfter:
            return Fn::template call<kGruAfter, T>(args, thread, threads);
        case kGruBefore:
            return Fn::template call<kGruBefore, T>(args, thread, threads);
        case kRnnTanh:
            return Fn::template call<kRnnTanh, T>(args, thread, threads);
        default:
            return Fn::template call<kRnnRelu, T>(args, thread, threads);
    }
}

template <class Fn, class Args, class T>
void rnn_any(const void* args, int thread, int threads) {
    rnn_dispatch<Fn, T>(static_cast<const Args*>(args)->cell, args, thread, threads);
}

template <class Fn, class Args, class T>
void rnn_phases_any(const void* args, int thread, int threads) {
    rnn_dispatch<Fn, T>(static_cast<const RnnPhases<Args>*>(args)->args->cell, args, thread,
                        threads);
}

}  // namespace
}  // namespace hb::HB_ISA
