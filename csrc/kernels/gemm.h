// Matrix products: C (m,n) = A (m,k) B (k,n), many at once.
#pragma once

#include "kernels/epilogue.h"

namespace hb {

// B (k,n) of `matrices` matrices into panels: panel p of a matrix holds columns [p*nr, p*nr + nr)
// as (k,nr), zeros past n.
struct PackArgs {
    const void* src;
    void* dst;
    const int64_t* offsets;  // of each matrix in src, in elements
    int64_t matrices, k, n;
    int64_t row, col;  // strides of src
};

// A (m,k) into tiles: tile i, of rows [i0, i1), begins at dst + i0 * k and holds (k, i1 - i0).
struct PackTilesArgs {
    const void* src;
    void* dst;
    int64_t m, k;
    int64_t row, col;  // strides of src
};

enum class BLayout : uint8_t {
    rows,     // in place: b[k * b_row + j]
    panels,   // packed by `pack`
    strided,  // b[k * b_row + j * b_col], packed by the product itself as it goes
};

// c[i] = A_i B_i for `batch` products; strides and offsets count elements.
struct GemmArgs {
    const void *a, *b;
    void* c;  // (batch,m,n), or (splits,m,n) where K is split
    int64_t batch, m, n, k;
    const int64_t *a_offset, *b_offset;  // [batch]
    int64_t a_row, a_col;
    int64_t b_row, b_col;
    BLayout b_layout;
    int64_t copied;       // columns of B that the product copies at a time where strided
    bool pack_a;          // into tiles, a block at a time; B is packed, too
    const void* a_tiles;  // or packed as a whole beforehand, by `pack_tiles`
    Epilogue epilogue;
    int64_t splits,
        split_k;    // splits > 1 (then batch == 1): product s sums k in [s, s + 1) * split_k
    char* scratch;  // a copied panel of B, a packed block of A: scratch_stride bytes a thread
    int64_t scratch_stride;
    int64_t a_copy;      // where the block of A starts, in elements
    int64_t follow = 0;  // rows of A behind these that are wanted next, from memory
};

// m <= 4 rows: C (m,n) = A (m,k) B (k,n) streams B once.  col == 1: rows of B; row == 1: columns of
// B (dots).
struct GemvArgs {
    const void *a, *b;
    void* c;
    int64_t batch, m, n, k;
    const int64_t *a_offset, *b_offset;
    int64_t a_row, a_col, b_row, b_col;
    Epilogue epilogue;  // of integers: bias and relu
};

// y (n) = sum over the `count` rows of x (count,n), row after row, then the epilogue of features
// (period)
struct SumPartialsArgs {
    const void* x;
    void* y;
    int64_t n, count, period;
    Epilogue epilogue;
};

struct GemmShape {
    int nr;             // columns of a panel
    int64_t depth;      // most rows of a copied panel of B
    int64_t copied;     // columns to copy at a time where rows of B come from memory
    int64_t a_scratch;  // bytes of a packed block of A, after it
    int rows;           // of A that meet a copy of B at once
};

struct GemmKernels {
    KernelFn pack_f32, pack_f64;              // PackArgs
    KernelFn pack_tiles_f32, pack_tiles_f64;  // PackTilesArgs
    KernelFn gemm_f32, gemm_f64;              // GemmArgs
    KernelFn gemv_f32, gemv_f64;              // GemvArgs
    KernelFn sum_f32, sum_f64;                // SumPartialsArgs
    KernelFn naive_i32, naive_i64, naive_u8;  // GemvArgs, any strides
    GemmShape f32, f64;
};
HB_DECLARE_KERNELS(GemmKernels, gemm_kernels)

}  // namespace hb
