// Strided copies. A panel is (rows, cols) elements; whichever way it lies in memory decides the
// loop:
//   cols contiguous on both sides   runs of bytes
//   cols contiguous in dst only, rows contiguous in src   8x8 (4x4) tiles transposed in registers
//   one source element for all cols   splat
//   anything else   element by element, the longer side innermost
// Bytes: one read and one write of each element. Threads share blocks of panels.
#include "kernels/layout.h"

#include "cpu/copy_run.h"

namespace hb::HB_ISA {
namespace {

struct Panel {
    int64_t rows, cols, dst_row, dst_col, src_row, src_col;
};

template <class U>
inline void copy_rows(U* d, const U* s, const Panel& p) {
    const int64_t bytes = p.cols * int64_t(sizeof(U));
    for (int64_t r = 0; r < p.rows; ++r)
        copy_run(reinterpret_cast<char*>(d + r * p.dst_row),
                 reinterpret_cast<const char*>(s + r * p.src_row), bytes);
}

template <class U>
inline void splat_rows(U* d, const U* s, const Panel& p) {
    for (int64_t r = 0; r < p.rows; ++r) {
        const U value = s[r * p.src_row];
        U* row = d + r * p.dst_row;
        for (int64_t c = 0; c < p.cols; ++c) row[c] = value;
    }
}

template <class U>
inline void copy_elements(U* d, const U* s, const Panel& p) {
    if (p.cols >= p.rows) {
        for (int64_t r = 0; r < p.rows; ++r)
            for (int64_t c = 0; c < p.cols; ++c)
                d[r * p.dst_row + c * p.dst_col] = s[r * p.src_row + c * p.src_col];
    } else {
        for (int64_t c = 0; c < p.cols; ++c)
            for (int64_t r = 0; r < p.rows; ++r)
                d[r * p.dst_row + c * p.dst_col] = s[r * p.src_row + c * p.src_col];
    }
}

typedef uint32_t V8 __attribute__((vector_size(32), aligned(4)));
typedef uint64_t V4 __attribute__((vector_size(32), aligned(8)));

// d[i][j] = s[j][i] for an 8x8 tile of 4-byte elements.
inline void transpose_tile(uint32_t* d, int64_t dst_row, const uint32_t* s, int64_t src_col) {
    V8 a[8], b[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) a[i] = *reinterpret_cast<const V8*>(s + i * src_col);
#pragma GCC unroll 4
    for (int i = 0; i < 8; i += 2) {
        b[i] = __builtin_shufflevector(a[i], a[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
        b[i + 1] = __builtin_shufflevector(a[i], a[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 8; i += 4) {
        a[i] = __builtin_shufflevector(b[i], b[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
        a[i + 1] = __builtin_shufflevector(b[i], b[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        a[i + 2] = __builtin_shufflevector(b[i + 1], b[i + 3], 0, 1, 8, 9, 4, 5, 12, 13);
        a[i + 3] = __builtin_shufflevector(b[i + 1], b[i + 3], 2, 3, 10, 11, 6, 7, 14, 15);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
        *reinterpret_cast<V8*>(d + i * dst_row) =
            __builtin_shufflevector(a[i], a[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        *reinterpret_cast<V8*>(d + (i + 4) * dst_row) =
            __builtin_shufflevector(a[i], a[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

// The same for 4x4 tiles of 8-byte elements.
inline void transpose_tile(uint64_t* d, int64_t dst_row, const uint64_t* s, int64_t src_col) {
    V4 a[4], b[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) a[i] = *reinterpret_cast<const V4*>(s + i * src_col);
#pragma GCC unroll 2
    for (int i = 0; i < 4; i += 2) {
        b[i] = __builtin_shufflevector(a[i], a[i + 1], 0, 4, 2, 6);
        b[i + 1] = __builtin_shufflevector(a[i], a[i + 1], 1, 5, 3, 7);
    }
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
        *reinterpret_cast<V4*>(d + i * dst_row) =
            __builtin_shufflevector(b[i], b[i + 2], 0, 1, 4, 5);
        *reinterpret_cast<V4*>(d + (i + 2) * dst_row) =
            __builtin_shufflevector(b[i], b[i + 2], 2, 3, 6, 7);
    }
}

template <class U>
inline void transpose_tile(U* d, int64_t dst_row, const U* s, int64_t src_col) {
    for (int i = 0; i < 8; ++i)
        for (int j = 0; j < 8; ++j) d[i * dst_row + j] = s[j * src_col + i];
}

// Columns two tiles wide, so that whole cache lines of dst are written together.
template <class U>
inline void transpose_panel(U* d, const U* s, const Panel& p) {
    constexpr int64_t kTile = sizeof(U) == 8 ? 4 : 8, kWide = 2 * kTile;
    const int64_t rows = p.rows / kTile * kTile, cols = p.cols / kTile * kTile;
    for (int64_t c0 = 0; c0 < cols; c0 += kWide)
        for (int64_t r = 0; r < rows; r += kTile)
            for (int64_t c = c0; c < c0 + kWide && c < cols; c += kTile)
                transpose_tile(d + r * p.dst_row + c, p.dst_row, s + r + c * p.src_col, p.src_col);
    copy_elements(d + cols, s + cols * p.src_col,
                  {p.rows, p.cols - cols, p.dst_row, 1, 1, p.src_col});
    copy_elements(d + rows * p.dst_row, s + rows,
                  {p.rows - rows, cols, p.dst_row, 1, 1, p.src_col});
}

template <class U>
void copy_units(const Copy& copy, int64_t begin, int64_t end) {
    const int outer = copy.ndim - 2;
    const int64_t rows = copy.dims[outer], cols = copy.dims[outer + 1];
    const int64_t down = (rows + copy.block_rows - 1) / copy.block_rows;
    const int64_t across = (cols + copy.block_cols - 1) / copy.block_cols;
    Panel p{0,
            0,
            copy.dst_strides[outer],
            copy.dst_strides[outer + 1],
            copy.src_strides[outer],
            copy.src_strides[outer + 1]};
    for (int64_t unit = begin; unit < end; ++unit) {
        int64_t rest = unit;
        const int64_t c0 = rest % across * copy.block_cols;
        rest /= across;
        const int64_t r0 = rest % down * copy.block_rows;
        rest /= down;
        U* d = reinterpret_cast<U*>(copy.dst) + r0 * p.dst_row + c0 * p.dst_col;
        const U* s = reinterpret_cast<const U*>(copy.src) + r0 * p.src_row + c0 * p.src_col;
        for (int i = outer - 1; i >= 0; --i) {
            const int64_t index = rest % copy.dims[i];
            rest /= copy.dims[i];
            d += index * copy.dst_strides[i];
            s += index * copy.src_strides[i];
        }
        p.rows = rows - r0 < copy.block_rows ? rows - r0 : copy.block_rows;
        p.cols = cols - c0 < copy.block_cols ? cols - c0 : copy.block_cols;
        if (p.dst_col != 1)
            copy_elements(d, s, p);
        else if (p.src_col == 1 && p.cols > 7)
            copy_rows(d, s, p);
        else if (p.src_col == 0 && p.cols > 7)
            splat_rows(d, s, p);
        else if (p.src_row == 1 && p.cols > 7 && p.rows > 3)
            transpose_panel(d, s, p);
        else
            copy_elements(d, s, p);
    }
}

void copy(const void* pod, int thread, int threads) {
    const auto& args = *static_cast<const CopyArgs*>(pod);
    int64_t total = 0, seen = 0;
    for (int64_t i = 0; i < args.count; ++i) total += args.copies[i].units;
    const Range share = split(total, thread, threads);
    for (int64_t i = 0; i < args.count; ++i) {
        const Copy& one = args.copies[i];
        const int64_t first = share.begin > seen ? share.begin - seen : 0;
        const int64_t last = share.end - seen < one.units ? share.end - seen : one.units;
        seen += one.units;
        if (first >= last) continue;
        if (one.size == 4)
            copy_units<uint32_t>(one, first, last);
        else if (one.size == 8)
            copy_units<uint64_t>(one, first, last);
        else if (one.size == 2)
            copy_units<uint16_t>(one, first, last);
        else
            copy_units<uint8_t>(one, first, last);
    }
}

template <class T>
void count_up(const IotaArgs& a, Range share) {
    T* y = static_cast<T*>(a.y);
    if (a.inner == 1 && a.length == a.n) {
        for (int64_t i = share.begin; i < share.end; ++i) y[i] = T(i);
    } else {
        for (int64_t i = share.begin; i < share.end; ++i) y[i] = T(i / a.inner % a.length);
    }
}

void iota(const void* pod, int thread, int threads) {
    const auto& a = *static_cast<const IotaArgs*>(pod);
    const Range share = split(a.n, thread, threads);
    switch (a.dtype) {
        case DType::f32:
            return count_up<float>(a, share);
        case DType::f64:
            return count_up<double>(a, share);
        case DType::i32:
            return count_up<int32_t>(a, share);
        case DType::i64:
            return count_up<int64_t>(a, share);
        case DType::u8:
            return count_up<uint8_t>(a, share);
        case DType::b8:
            return count_up<bool>(a, share);
        default:
            return;
    }
}

inline int64_t load_index(const void* x, DType dtype, int64_t i) {
    switch (dtype) {
        case DType::i32:
            return static_cast<const int32_t*>(x)[i];
        case DType::i64:
            return static_cast<const int64_t*>(x)[i];
        default:
            return static_cast<const uint8_t*>(x)[i];
    }
}

template <class T>
void mark(const OneHotArgs& a, Range share) {
    T* y = static_cast<T*>(a.y) + share.begin * a.depth;
    for (int64_t i = share.begin; i < share.end; ++i, y += a.depth) {
        const int64_t hot = load_index(a.x, a.index_dtype, i);
        __builtin_memset(y, 0, size_t(a.depth) * sizeof(T));
        if (hot >= 0 && hot < a.depth) y[hot] = T(1);
    }
}

void one_hot(const void* pod, int thread, int threads) {
    const auto& a = *static_cast<const OneHotArgs*>(pod);
    const Range share = split(a.n, thread, threads);
    switch (a.dtype) {
        case DType::f32:
            return mark<float>(a, share);
        case DType::f64:
            return mark<double>(a, share);
        case DType::i32:
            return mark<int32_t>(a, share);
        case DType::i64:
            return mark<int64_t>(a, share);
        case DType::u8:
        case DType::b8:
            return mark<uint8_t>(a, share);
        default:
            return;
    }
}

}  // namespace

extern const LayoutKernels layout_kernels = {copy, iota, one_hot};

}  // namespace hb::HB_ISA
