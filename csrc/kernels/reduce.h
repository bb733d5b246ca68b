// Reductions over any axes of a row-major array. Dimensions are grouped on the host so that every
// case is one of two: the innermost group is reduced ("rows") or kept ("columns").
#pragma once

#include "kernels/kernel.h"

namespace hb {

enum class ReduceOp : uint8_t { sum, prod, max, min };
inline constexpr int kNumReduceOps = 4;
inline constexpr int kReduceMaxDims = 8;
inline constexpr int kReduceColumns = 512;  // columns that one task reduces at once

struct ReduceDims {
    int32_t ndim;
    int64_t count;  // the product of dims
    int64_t dims[kReduceMaxDims], strides[kReduceMaxDims];
};

// rows:     y (outer, parts)         <- each part of the rows of x (outer, rows, inner), `inner`
// reduced columns:  y (outer, parts, inner)  <- each part of the rows, added up column by column
// `parts` depends on the shape alone; a second reduction joins them.
struct ReduceArgs {
    const void* x;
    void* y;
    ReduceDims outer, rows;
    int64_t inner, parts;
    int64_t fold;  // columns: that many rows (contiguous) are read as one, for short rows; else 1
};

// x (outer, n, inner) -> y (outer, inner): the first index of the largest or smallest, NaN before
// all.
struct ArgReduceArgs {
    const void* x;
    int32_t* y;
    int64_t outer, n, inner;
    bool largest;
};

// x, y (outer, n, inner), running along n.
struct ScanArgs {
    const void* x;
    void* y;
    int64_t outer, n, inner;
    bool product, reverse, exclusive;
};

struct ReduceKernels {
    KernelFn rows[kNumReduceOps][kNumDTypes], columns[kNumReduceOps][kNumDTypes];  // ReduceArgs
    KernelFn arg[kNumDTypes];                                                      // ArgReduceArgs
    KernelFn scan[kNumDTypes];                                                     // ScanArgs
};
HB_DECLARE_KERNELS(ReduceKernels, reduce_kernels)

}  // namespace hb
