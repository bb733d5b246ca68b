// Reductions: tasks are fixed parts of the array, so the bits do not depend on the threads.
// Rows are summed in blocks (4 vectors of partial sums, blocks joined in double); columns 4 rows at
// a time.
#include "kernels/reduce.h"

#include "cpu/rows.h"

namespace hb::HB_ISA {
namespace {

constexpr int64_t kBlock = 2048;

template <class T>
struct Wide {
    using type = T;
};  // in which block results are joined
template <>
struct Wide<float> {
    using type = double;
};

inline int64_t offset_at(const ReduceDims& d, int64_t index) {
    if (d.ndim == 1) return index * d.strides[0];
    int64_t offset = 0;
    for (int i = d.ndim - 1; i >= 0; --i) {
        offset += index % d.dims[i] * d.strides[i];
        index /= d.dims[i];
    }
    return offset;
}

// Divisions take longer than short rows: most reductions have one part.
struct Cell {
    int64_t index;
    int part;
};
inline Cell cell_of(int64_t task, int64_t parts) {
    return parts == 1 ? Cell{task, 0} : Cell{task / parts, int(task % parts)};
}
inline Range part_of(int64_t n, int part, int64_t parts) {
    return parts == 1 ? Range{0, n} : split(n, part, int(parts));
}

template <class Op, class T>
void rows(const void* args, int thread, int threads) {
    const ReduceArgs& p = *static_cast<const ReduceArgs*>(args);
    using W = typename Wide<T>::type;
    const Range tasks = split(p.outer.count * p.parts, thread, threads);
    for (int64_t task = tasks.begin; task < tasks.end; ++task) {
        const Cell cell = cell_of(task, p.parts);
        const T* x = static_cast<const T*>(p.x) + offset_at(p.outer, cell.index);
        const bool one_row = p.rows.count == 1;
        const Range r = one_row ? Range{0, 1} : part_of(p.rows.count, cell.part, p.parts);
        const Range columns = one_row ? part_of(p.inner, cell.part, p.parts) : Range{0, p.inner};
        W total = Op::template identity<T>;
        for (int64_t row = r.begin; row < r.end; ++row) {
            const T* from = x + offset_at(p.rows, row);
            for (int64_t i = columns.begin; i < columns.end; i += kBlock) {
                const int64_t n = columns.end - i < kBlock ? columns.end - i : kBlock;
                total = Op::template join_one<W>(total, reduce_block<Op, T>(from + i, n));
            }
        }
        static_cast<T*>(p.y)[task] = T(total);
    }
}

// acc (n) joined with `count` rows.
template <class Op, class T, int count>
HB_INLINE void join_rows(T* acc, const T* const (&from)[count], int64_t n) {
    using V = Vec<T>;
    const auto step = [&](typename V::type a, int64_t i, auto&& load) {
        if constexpr (count == 4)
            return Op::template join<T>(
                a,
                Op::template join<T>(Op::template join<T>(load(from[0] + i), load(from[1] + i)),
                                     Op::template join<T>(load(from[2] + i), load(from[3] + i))));
        else
            return Op::template join<T>(a, load(from[0] + i));
    };
    int64_t i = 0;
    for (; i + V::lanes <= n; i += V::lanes)
        V::store(acc + i, step(V::load(acc + i), i, [](const T* p) { return V::load(p); }));
    const int64_t rest = n - i;
    if (rest)
        V::store(acc + i,
                 step(V::load(acc + i, rest), i, [=](const T* p) { return V::load(p, rest); }),
                 rest);
}

template <class Op, class T>
void columns(const void* args, int thread, int threads) {
    const ReduceArgs& p = *static_cast<const ReduceArgs*>(args);
    const int64_t width = p.inner * p.fold;
    const int64_t blocks = (width + kReduceColumns - 1) / kReduceColumns;
    const Range tasks = split(p.outer.count * p.parts * blocks, thread, threads);
    for (int64_t task = tasks.begin; task < tasks.end; ++task) {
        const int64_t block = task % blocks, cell = task / blocks;
        const T* x = static_cast<const T*>(p.x) + offset_at(p.outer, cell / p.parts) +
                     block * kReduceColumns;
        const int64_t rest = width - block * kReduceColumns;
        const int64_t n = rest < kReduceColumns ? rest : kReduceColumns;
        const Range r = split(p.rows.count, int(cell % p.parts), int(p.parts));

        alignas(64) T acc[kReduceColumns];
        for (int64_t i = 0; i < n; ++i) acc[i] = Op::template identity<T>;
        const int64_t step = p.inner;  // of a folded row: `fold` rows in one
        int64_t row = r.begin;
        if (p.fold > 1) {
            for (; row + p.fold <= r.end; row += p.fold) {
                const T* const from[1] = {x + row * step};
                join_rows<Op, T>(acc, from, n);
            }
            for (; row < r.end; ++row) {
                const T* const from[1] = {x + row * step};
                join_rows<Op, T>(acc, from, p.inner);
            }
            for (int64_t k = 1; k < p.fold; ++k) {
                const T* const from[1] = {acc + k * p.inner};
                join_rows<Op, T>(acc, from, p.inner);
            }
        } else {
            for (; row + 4 <= r.end; row += 4) {
                const T* const from[4] = {
                    x + offset_at(p.rows, row), x + offset_at(p.rows, row + 1),
                    x + offset_at(p.rows, row + 2), x + offset_at(p.rows, row + 3)};
                join_rows<Op, T>(acc, from, n);
            }
            for (; row < r.end; ++row) {
                const T* const from[1] = {x + offset_at(p.rows, row)};
                join_rows<Op, T>(acc, from, n);
            }
        }
        T* y = static_cast<T*>(p.y) + cell * p.inner + block * kReduceColumns;
        const int64_t kept = p.fold > 1 ? p.inner : n;
        for (int64_t i = 0; i < kept; ++i) y[i] = acc[i];
    }
}

// True if a comes before b: larger (or smaller), or the first NaN.
template <class T>
HB_INLINE bool beats(T a, T b, bool largest) {
    return (largest ? a > b : a < b) || (a != a && b == b);
}

// Where `value` (perhaps NaN), which is there, comes first.
template <class T>
int64_t find_first(const T* x, T value, int64_t n) {
    using V = Vec<T>;
    const auto want = V::splat(value);
    int64_t i = 0;
    for (; i + V::lanes < n; i += V::lanes) {
        const auto v = V::load(x + i);
        if (V::any(value == value ? v == want : v != v)) break;
    }
    while (i + 1 < n && !(x[i] == value || (value != value && x[i] != x[i]))) ++i;
    return i;
}

template <class T>
void arg_reduce(const void* args, int thread, int threads) {
    const ArgReduceArgs& p = *static_cast<const ArgReduceArgs*>(args);
    constexpr int64_t kColumns = 256;
    const int64_t blocks = (p.inner + kColumns - 1) / kColumns;
    const Range tasks = split(p.outer * blocks, thread, threads);
    for (int64_t task = tasks.begin; task < tasks.end; ++task) {
        const int64_t first = task % blocks * kColumns;
        const int64_t width = p.inner - first < kColumns ? p.inner - first : kColumns;
        const T* x = static_cast<const T*>(p.x) + task / blocks * p.n * p.inner + first;
        int32_t* y = p.y + task / blocks * p.inner + first;
        if (p.inner == 1) {  // the extreme first, then where it is
            const T best = p.largest ? reduce_block<Max, T>(x, p.n) : reduce_block<Min, T>(x, p.n);
            *y = int32_t(find_first<T>(x, best, p.n));
            continue;
        }
        T best[kColumns];
        for (int64_t c = 0; c < width; ++c) best[c] = x[c], y[c] = 0;
        for (int64_t i = 1; i < p.n; ++i) {
            x += p.inner;
            for (int64_t c = 0; c < width; ++c) {
                const bool better = beats(x[c], best[c], p.largest);
                best[c] = better ? x[c] : best[c];
                y[c] = better ? int32_t(i) : y[c];
            }
        }
    }
}

template <class T>
void scan(const void* args, int thread, int threads) {
    const ScanArgs& p = *static_cast<const ScanArgs*>(args);
    using W = typename Wide<T>::type;
    constexpr int64_t kColumns = 256;
    const int64_t blocks = (p.inner + kColumns - 1) / kColumns;
    const Range tasks = split(p.outer * blocks, thread, threads);
    for (int64_t task = tasks.begin; task < tasks.end; ++task) {
        const int64_t first = task % blocks * kColumns;
        const int64_t width = p.inner - first < kColumns ? p.inner - first : kColumns;
        const int64_t start = task / blocks * p.n * p.inner + first;
        W acc[kColumns];
        for (int64_t c = 0; c < width; ++c) acc[c] = p.product ? W(1) : W(0);
        for (int64_t k = 0; k < p.n; ++k) {
            const int64_t at = start + (p.reverse ? p.n - 1 - k : k) * p.inner;
            const T* x = static_cast<const T*>(p.x) + at;
            T* y = static_cast<T*>(p.y) + at;
            for (int64_t c = 0; c < width; ++c) {
                const W before = acc[c];
                acc[c] = p.product ? before * W(x[c]) : before + W(x[c]);
                y[c] = T(p.exclusive ? before : acc[c]);
            }
        }
    }
}

}  // namespace

#define HB_NUMBERS(f, Op) \
    {f<Op, float>, f<Op, double>, f<Op, int32_t>, f<Op, int64_t>, nullptr, nullptr}
#define HB_ORDERED(f, Op) \
    {f<Op, float>, f<Op, double>, f<Op, int32_t>, f<Op, int64_t>, f<Op, uint8_t>, f<Op, uint8_t>}
extern const ReduceKernels reduce_kernels = {
    {HB_NUMBERS(rows, Sum), HB_NUMBERS(rows, Prod), HB_ORDERED(rows, Max), HB_ORDERED(rows, Min)},
    {HB_NUMBERS(columns, Sum), HB_NUMBERS(columns, Prod), HB_ORDERED(columns, Max),
     HB_ORDERED(columns, Min)},
    {arg_reduce<float>, arg_reduce<double>, arg_reduce<int32_t>, arg_reduce<int64_t>,
     arg_reduce<uint8_t>, arg_reduce<uint8_t>},
    {scan<float>, scan<double>, scan<int32_t>, scan<int64_t>, nullptr, nullptr},
};

}  // namespace hb::HB_ISA
