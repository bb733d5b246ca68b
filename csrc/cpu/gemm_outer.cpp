// c (m,n) = sum over listed rows i of a[i]^T b[i], a (k,m), b (k,n): the gradient of a layer's
// weights, where a row is a sample and k is long. Both are copied block by block, A into tiles
// whose elements lie in the order in which they are read: in place each step of a tile would meet
// another cache line. Shares: a grid over tiles of m and panels of n. Blocks of K show in the bits,
// so they are counted in listed rows, the same for all shares. flops: 2 m n a row; bytes: A once a
// block of N, B once a block of M's share, C once a block of K.
#include "cpu/gemm_outer.h"

#include "cpu/grid.h"
#include "cpu/rows.h"
#include "kernels/gemm_rows.h"

namespace hb::HB_ISA {
namespace {

// Of a share, which copies the rows and columns that it has in common with others once more.
constexpr double kShareFlops = 1 << 29;

template <class T, int M>
HB_INLINE void copy_few(T* to, const T* from) {
    __builtin_memcpy(to, from, M * sizeof(T));
}

template <class T>
struct Outer {
    using V = Vec<T>;
    static constexpr int64_t panel = kPanel<T>;

    const OuterArgs& p;
    const TileRows tiles;
    T *a_copy, *b_copy;

    HB_INLINE int64_t row(int64_t k) const { return p.rows ? p.rows[1 + k] : k; }

    // Rows are copied kRun at a time: long runs are read, and written too.
    static constexpr int64_t kRun = 16;

    // Tiles [first, end) of rows [k, k + depth), each (depth, size of the tile).
    void copy_a(int64_t k, int64_t depth, int64_t first, int64_t end) const {
        const int64_t begin = tiles.begin(first), columns = tiles.begin(end) - begin;
        const T* from[kRun];
        for (int64_t i = 0; i < depth; i += kRun) {
            const int64_t run = depth - i < kRun ? depth - i : kRun;
            for (int64_t q = 0; q < run; ++q) {
                from[q] = static_cast<const T*>(p.a) + row(k + i + q) * p.m + begin;
                if (i + kRun + q < depth)
                    fetch(static_cast<const T*>(p.a) + row(k + i + kRun + q) * p.m + begin,
                          columns);
            }
            int64_t at = 0;
            for (int64_t t = first; t < end; ++t) {
                const int size = tiles.size(t);
                T* to = a_copy + (t - first) * kOuterTile + i * size;
                if (size == kTileRows)
                    for (int64_t q = 0; q < run; ++q)
                        copy_few<T, kTileRows>(to + q * kTileRows, from[q] + at);
                else if (size == kTileRows - 1)
                    for (int64_t q = 0; q < run; ++q)
                        copy_few<T, kTileRows - 1>(to + q * (kTileRows - 1), from[q] + at);
                else
                    for (int64_t q = 0; q < run; ++q)
                        for (int l = 0; l < size; ++l) to[q * size + l] = from[q][at + l];
                at += size;
            }
        }
    }
    static HB_INLINE void fetch(const T* from, int64_t n) {
        for (int64_t l = 0; l < n; l += 64 / int64_t(sizeof(T))) __builtin_prefetch(from + l);
    }

    // Element (i, j) of B.
    HB_INLINE const T* source(int64_t i, int64_t j) const {
        return static_cast<const T*>(p.b) + i * p.n + j;
    }

    // A block of K at some panels of B, which are copied together: a row of B is another page.
    struct Job {
        int64_t k, depth, j, panels;
    };

    // Rows [i0, i1) of a job's panels (depth, panel), zeros past n.
    void copy_b(T* to, const Job& job, int64_t i0, int64_t i1) const {
        for (int64_t i = i0; i < i1; ++i) {
            const T* from = source(row(job.k + i), job.j * panel);
            for (int64_t q = 0; q < job.panels; ++q, from += panel) {
                const int64_t n = p.n - (job.j + q) * panel;
                T* at = to + q * kOuterPanel<T> + i * panel;
                if (n >= panel) {
#pragma GCC unroll 4
                    for (int64_t l = 0; l < panel; l += V::lanes)
                        V::store(at + l, V::load(from + l));
                } else {
                    for (int64_t l = 0; l < panel; ++l) at[l] = l < n ? from[l] : T(0);
                }
            }
        }
    }

    // The sums of a copied panel's rows.
    void add_sums(const T* from, const Job& job, int64_t j) const {
        T* to = static_cast<T*>(p.sums) + j * panel;
        const int64_t n = p.n - j * panel;
        for (int64_t l = 0; l < panel && l < n; l += V::lanes) {
            typename V::type sum[4] = {};
            int64_t i = 0;
            for (; i + 4 <= job.depth; i += 4)
#pragma GCC unroll 4
                for (int64_t q = 0; q < 4; ++q) sum[q] += V::load(from + (i + q) * panel + l);
            for (; i < job.depth; ++i) sum[0] += V::load(from + i * panel + l);
            auto all = (sum[0] + sum[1]) + (sum[2] + sum[3]);
            if (job.k > 0) all += V::load(to + l, n - l);
            V::store(to + l, all, n - l);
        }
    }

    // Asks for part i of `parts` of a job's rows, which are copied two tiles later.
    HB_INLINE void fetch_b(const Job& job, int64_t i, int64_t parts) const {
        for (int64_t q = job.depth * i / parts; q < job.depth * (i + 1) / parts; ++q)
            fetch(source(row(job.k + q), job.j * panel), job.panels * panel);
    }

    // What tile `call` of `calls` wants of the next block of A, columns [begin, end) of `depth`
    // rows from k on: lines above one another.
    Wanted wanted_a(int64_t k, int64_t depth, int64_t begin, int64_t end, int64_t call,
                    int64_t calls) const {
        if (p.rows || depth <= 0) return {};
        const int64_t size = sizeof(T), across = ((end - begin) * size + 63) / 64;
        const int64_t from = across * depth * call / calls,
                      to = across * depth * (call + 1) / calls;
        const int64_t line = from / depth, i = from % depth;
        return {(const char*)p.a + ((k + i) * p.m + begin) * size + line * 64, p.m * size,
                to - from < depth - i ? to - from : depth - i};
    }

    // Which job follows which. Where no row is listed one of none makes C zeros.
    struct Order {
        Range cols;
        int64_t count;
        HB_INLINE Job at(int64_t k, int64_t j) const {
            return {k, count - k < kOuterDepth ? count - k : kOuterDepth, j,
                    cols.end - j < kOuterPanels ? cols.end - j : kOuterPanels};
        }
        HB_INLINE Job after(const Job& job) const {
            return job.j + job.panels < cols.end ? at(job.k, job.j + job.panels)
                                                 : at(job.k + kOuterDepth, cols.begin);
        }
    };

    // Tiles [first, end) at a job's panels, while those of the next one are copied between them,
    // and what is copied later is fetched.
    void multiply(const Job& job, const Order& order, const T* b, T* to, int64_t first,
                  int64_t end) const {
        const int64_t zero = 0, count = end - first, parts = job.panels * count;
        const Job next = order.after(job), second = order.after(next),
                  below = order.at(job.k + kOuterDepth, 0);
        const int64_t sweep = (order.cols.end - order.cols.begin) * count;
        int64_t c_rows[kTileRows];
        for (int64_t i = 0; i < kTileRows; ++i) c_rows[i] = i * p.n;
        Tile<T> t{};
        t.c_rows = c_rows;
        t.a_offset = t.b_offset = &zero;
        t.batch = 1;
        t.depth = job.depth;
        t.accumulate = job.k > 0;
        for (int64_t at = 0; at < parts; ++at) {
            const int64_t i = at % count, j = job.j + at / count;
            const int m = tiles.size(first + i);
            const int n = int(p.n - j * panel < panel ? p.n - j * panel : panel);
            t.a = a_copy + i * kOuterTile;
            t.b = b + at / count * kOuterPanel<T>;
            t.c = static_cast<T*>(p.c) + tiles.begin(first + i) * p.n + j * panel;
            if (next.depth > 0) {
                copy_b(to, next, next.depth * at / parts, next.depth * (at + 1) / parts);
                const bool soon = at + 2 < parts;
                const int64_t ahead = soon ? at + 2 : (at + 2 - parts) % parts;
                const T* c = static_cast<const T*>(p.c) + tiles.begin(first + ahead % count) * p.n +
                             ((soon ? job.j : next.j) + ahead / count) * panel;
                for (int r = 0; r < m; ++r) __builtin_prefetch(c + r * p.n, 1, 2);
                const Job& then = soon ? next : second;
                if (then.depth > 0) fetch_b(then, ahead, parts);
                t.wanted = wanted_a(below.k, below.depth, tiles.begin(first), tiles.begin(end),
                                    (job.j - order.cols.begin) * count + at, sweep);
            }
            tile_fn<T>(m, n, true)(t, n);
        }
    }

    void run(const Range& rows, const Range& cols, int64_t count) const {
        const int blocks = int((rows.end - rows.begin + kOuterTiles - 1) / kOuterTiles);
        const Order order{cols, count};
        for (int b = 0; b < blocks; ++b) {
            const Range part = split(rows.end - rows.begin, b, blocks);
            const int64_t first = rows.begin + part.begin, end = rows.begin + part.end;
            T *now = b_copy, *other = b_copy + kOuterPanels * kOuterPanel<T>;
            Job job = order.at(0, cols.begin);
            copy_b(now, job, 0, job.depth);
            for (bool done = false; !done;) {
                if (job.j == cols.begin) copy_a(job.k, job.depth, first, end);
                for (int64_t q = 0; p.sums && first == 0 && q < job.panels; ++q)
                    add_sums(now + q * kOuterPanel<T>, job, job.j + q);
                multiply(job, order, now, other, first, end);
                job = order.after(job);
                done = job.k > 0 && job.depth <= 0;
                T* swap = now;
                now = other, other = swap;
            }
        }
    }
};

template <class T>
void outer(const void* args, int thread, int threads) {
    const OuterArgs& p = *static_cast<const OuterArgs*>(args);
    constexpr double size = sizeof(T);
    const int64_t count = p.rows ? p.rows[0] : p.k;
    const double depth = double(count), flops = 2 * depth * double(p.m) * double(p.n);
    for (int merged = 1; merged < 4 && threads % 2 == 0 && flops < kShareFlops * threads;
         merged *= 2) {
        if (thread % 2) return;
        thread /= 2, threads /= 2;
    }
    const TileRows tiles(p.m);
    const Grid mine = grid(tiles.count, (p.n + kPanel<T> - 1) / kPanel<T>,
                           {.flops = 2 * depth * double(kTileRows * kPanel<T>),
                            .row_bytes = 2 * depth * double(kTileRows) * size,
                            .col_bytes = depth * double(kPanel<T>) * size},
                           thread, threads);
    T* scratch = reinterpret_cast<T*>(p.scratch + thread * p.scratch_stride);
    if (mine.rows.begin < mine.rows.end && mine.cols.begin < mine.cols.end)
        Outer<T>{p, tiles, scratch + 2 * kOuterPanels * kOuterPanel<T>, scratch}.run(
            mine.rows, mine.cols, count);
}

}  // namespace

void gemm_outer_float(const void* args, int thread, int threads) {
    outer<float>(args, thread, threads);
}
void gemm_outer_double(const void* args, int thread, int threads) {
    outer<double>(args, thread, threads);
}

}  // namespace hb::HB_ISA
