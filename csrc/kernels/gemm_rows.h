// Products over a list of rows: what is masked takes no part.
#pragma once

#include "kernels/float_pair.h"

namespace hb {

// rows: how many of `keep` are true, then their positions, then those of the others, both
// ascending.
struct ListRowsArgs {
    const bool* keep;
    int64_t* rows;  // (1 + n)
    int64_t n;
};

// c[i] = a[i] B + bias for the rows i of a list that are in [first, end), zeros in the others of
// these; a (m,k), c (m,n) are dense.
struct RowsProductArgs {
    const void *a, *b, *bias;  // b (k,n) in panels; bias (n) or null
    void* c;
    const int64_t* rows;
    int64_t m, n, k, first, end;
    char* scratch;  // scratch_stride bytes a thread
    int64_t scratch_stride;
};

// c (m,n) = sum over rows i of a[i]^T b[i], a (k,m) and b (k,n) dense; sums (n): those of b's rows.
struct OuterArgs {
    const void *a, *b;
    void *c, *sums;       // sums may be null
    const int64_t* rows;  // null: all k
    int64_t m, n, k;
    char* scratch;
    int64_t scratch_stride;
};

struct GemmRowsKernels {
    KernelFn list;      // ListRowsArgs; one share
    FloatPair product;  // RowsProductArgs
    FloatPair outer;    // OuterArgs
    // Of a thread's scratch, for elements of `size` bytes.
    int64_t (*product_bytes)(const RowsProductArgs& args, int64_t size);
    int64_t (*outer_bytes)(const OuterArgs& args, int64_t size);
};
HB_DECLARE_KERNELS(GemmRowsKernels, gemm_rows_kernels)

}  // namespace hb
