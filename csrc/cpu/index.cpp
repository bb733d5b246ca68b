// Reading and adding by index. Threads share the rows of what is written. Where several updates
// meet in one place, its owner alone walks all indices in their order, so sums do not depend on the
// number of threads.
#include "kernels/index.h"

#include "cpu/copy_run.h"
#include "cpu/sort.h"

namespace hb::HB_ISA {
namespace {

// Keeps the report of the lowest position; -1 there marks a report being written.
void report(ErrorSlot* error, int64_t position, int64_t value) {
    ++position;
    int64_t seen = __atomic_load_n(&error->position, __ATOMIC_ACQUIRE);
    while (seen == -1 || seen == 0 || seen > position) {
        if (seen != -1 && __atomic_compare_exchange_n(&error->position, &seen, int64_t(-1), false,
                                                      __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
            error->value = value;
            __atomic_store_n(&error->position, position, __ATOMIC_RELEASE);
            return;
        }
        seen = __atomic_load_n(&error->position, __ATOMIC_ACQUIRE);
    }
}

// The row that index[i] names, or -1.
template <class I>
inline int64_t row_of(const IndexArgs& a, int64_t i) {
    const int64_t given = int64_t(static_cast<const I*>(a.index)[i]);
    const int64_t row = given < 0 && a.from_end ? given + a.n : given;
    if (row >= 0 && row < a.n) [[likely]]
        return row;
    report(a.error, i, given);
    return -1;
}

template <class T, class I>
void gather_elements(const IndexArgs& a, Range share) {
    const T* x = static_cast<const T*>(a.x);
    T* y = static_cast<T*>(a.y);
    int64_t i = share.begin % a.m, base = share.begin / a.m * a.n;
    for (int64_t r = share.begin; r < share.end; ++r) {
        const int64_t row = row_of<I>(a, i);
        y[r] = row < 0 ? T(0) : x[base + row];
        if (++i == a.m) i = 0, base += a.n;
    }
}

template <class T, class I>
void gather_rows(const IndexArgs& a, Range share) {
    if (a.inner == 1) return gather_elements<T, I>(a, share);
    const int64_t bytes = a.inner * int64_t(sizeof(T));
    const char* x = static_cast<const char*>(a.x);
    char* y = static_cast<char*>(a.y);
    int64_t i = share.begin % a.m, base = share.begin / a.m * a.n;
    for (int64_t r = share.begin; r < share.end; ++r) {
        const int64_t row = row_of<I>(a, i);
        if (row < 0)
            __builtin_memset(y + r * bytes, 0, size_t(bytes));
        else if (bytes >= 8)
            copy_run(y + r * bytes, x + (base + row) * bytes, bytes);
        else
            __builtin_memcpy(y + r * bytes, x + (base + row) * bytes, size_t(bytes));
        if (++i == a.m) i = 0, base += a.n;
    }
}

template <class T, class I>
void take_rows(const IndexArgs& a, Range share) {
    const T* x = static_cast<const T*>(a.x);
    T* y = static_cast<T*>(a.y);
    for (int64_t r = share.begin; r < share.end; ++r) {
        const T* base = x + r / a.m * a.n * a.inner;
        for (int64_t i = 0; i < a.inner; ++i) {
            const int64_t row = row_of<I>(a, r * a.inner + i);
            y[r * a.inner + i] = row < 0 ? T(0) : base[row * a.inner + i];
        }
    }
}

// Dispatch over the size of an element and the dtype of the indices.
template <class T, template <class, class> class F>
void by_index(const IndexArgs& a, Range share) {
    if (a.index_dtype == DType::i32)
        F<T, int32_t>::run(a, share);
    else if (a.index_dtype == DType::i64)
        F<T, int64_t>::run(a, share);
    else
        F<T, uint8_t>::run(a, share);
}

template <template <class, class> class F>
void by_size(const void* pod, int thread, int threads) {
    const auto& a = *static_cast<const IndexArgs*>(pod);
    const Range share = split(a.outer * a.m, thread, threads);
    if (share.begin == share.end) return;
    const int64_t size = size_of(a.dtype);
    if (size == 4)
        by_index<uint32_t, F>(a, share);
    else if (size == 8)
        by_index<uint64_t, F>(a, share);
    else if (size == 2)
        by_index<uint16_t, F>(a, share);
    else
        by_index<uint8_t, F>(a, share);
}

template <class T, class I>
struct Gather {
    static void run(const IndexArgs& a, Range share) { gather_rows<T, I>(a, share); }
};
template <class T, class I>
struct Take {
    static void run(const IndexArgs& a, Range share) { take_rows<T, I>(a, share); }
};

// Rows [rows) and columns [cols) of one outer slice of y.
template <class T, class I>
void scatter_slice(const IndexArgs& a, int64_t outer, Range rows, Range cols) {
    T* y = static_cast<T*>(a.y) + outer * a.n * a.inner;
    const T* x = static_cast<const T*>(a.x) + outer * a.m * a.inner;
    const int64_t width = cols.end - cols.begin;
    for (int64_t r = rows.begin; r < rows.end; ++r)
        __builtin_memset(y + r * a.inner + cols.begin, 0, size_t(width) * sizeof(T));
    for (int64_t i = 0; i < a.m; ++i) {
        const int64_t row = row_of<I>(a, i);
        if (row < rows.begin || row >= rows.end) continue;
        T* d = y + row * a.inner + cols.begin;
        const T* s = x + i * a.inner + cols.begin;
#pragma GCC ivdep
        for (int64_t c = 0; c < width; ++c) d[c] += s[c];
    }
}

template <class T, class I>
struct Scatter {
    static void run(const IndexArgs& a, int thread, int threads) {
        constexpr int64_t kLine = 64 / int64_t(sizeof(T));
        if (a.outer >= threads) {
            const Range share = split(a.outer, thread, threads);
            for (int64_t o = share.begin; o < share.end; ++o)
                scatter_slice<T, I>(a, o, {0, a.n}, {0, a.inner});
            return;
        }
        Range rows{0, a.n}, cols{0, a.inner};
        if (a.inner >= 4 * kLine * threads) {  // wide rows: whole cache lines of each
            const Range lines = split((a.inner + kLine - 1) / kLine, thread, threads);
            cols = {lines.begin * kLine, lines.end * kLine < a.inner ? lines.end * kLine : a.inner};
        } else {
            rows = split(a.n, thread, threads);
        }
        for (int64_t o = 0; o < a.outer; ++o) scatter_slice<T, I>(a, o, rows, cols);
    }
};

template <class T, class I>
struct Put {
    static void run(const IndexArgs& a, int thread, int threads) {
        const bool by_outer = a.outer >= threads;
        const Range outer = by_outer ? split(a.outer, thread, threads) : Range{0, a.outer};
        const Range cols = by_outer ? Range{0, a.inner} : split(a.inner, thread, threads);
        for (int64_t o = outer.begin; o < outer.end; ++o) {
            T* y = static_cast<T*>(a.y) + o * a.n * a.inner;
            for (int64_t r = 0; r < a.n; ++r)
                for (int64_t c = cols.begin; c < cols.end; ++c) y[r * a.inner + c] = T(0);
            for (int64_t i = o * a.m; i < (o + 1) * a.m; ++i)
                for (int64_t c = cols.begin; c < cols.end; ++c) {
                    const int64_t row = row_of<I>(a, i * a.inner + c);
                    if (row >= 0)
                        y[row * a.inner + c] += static_cast<const T*>(a.x)[i * a.inner + c];
                }
        }
    }
};

template <class T, template <class, class> class F>
void add_by_index(const IndexArgs& a, int thread, int threads) {
    if (a.index_dtype == DType::i32)
        F<T, int32_t>::run(a, thread, threads);
    else if (a.index_dtype == DType::i64)
        F<T, int64_t>::run(a, thread, threads);
    else
        F<T, uint8_t>::run(a, thread, threads);
}

template <template <class, class> class F>
void by_dtype(const void* pod, int thread, int threads) {
    const auto& a = *static_cast<const IndexArgs*>(pod);
    switch (a.dtype) {
        case DType::f32:
            return add_by_index<float, F>(a, thread, threads);
        case DType::f64:
            return add_by_index<double, F>(a, thread, threads);
        case DType::i32:
            return add_by_index<int32_t, F>(a, thread, threads);
        case DType::i64:
            return add_by_index<int64_t, F>(a, thread, threads);
        default:
            return add_by_index<uint8_t, F>(a, thread, threads);
    }
}

// NaN lies after every number, as sort puts it.
template <class T>
inline bool before(T a, T b) {
    return a < b || (b != b && a == a);
}

template <class T>
void search(const SearchArgs& a, Range share) {
    const T* sorted = static_cast<const T*>(a.sorted);
    const T* x = static_cast<const T*>(a.x);
    for (int64_t i = share.begin; i < share.end; ++i) {
        int64_t low = 0, count = a.n;
        while (count > 0) {
            const int64_t half = count / 2;
            const T middle = sorted[low + half];
            const bool right = a.right ? !before(x[i], middle) : before(middle, x[i]);
            low = right ? low + half + 1 : low;
            count = right ? count - half - 1 : half;
        }
        a.y[i] = int32_t(low);
    }
}

void searchsorted(const void* pod, int thread, int threads) {
    const auto& a = *static_cast<const SearchArgs*>(pod);
    const Range share = split(a.m, thread, threads);
    switch (a.dtype) {
        case DType::f32:
            return search<float>(a, share);
        case DType::f64:
            return search<double>(a, share);
        case DType::i32:
            return search<int32_t>(a, share);
        case DType::i64:
            return search<int64_t>(a, share);
        default:
            return search<uint8_t>(a, share);
    }
}

}  // namespace

extern const IndexKernels index_kernels = {
    by_size<Gather>, by_dtype<Scatter>, by_size<Take>, by_dtype<Put>, sort, searchsorted};

}  // namespace hb::HB_ISA
