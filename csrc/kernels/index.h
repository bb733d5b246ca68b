// Reading and adding at places that other tensors name; sorting. Axes are seen as (outer, n,
// inner).
#pragma once

#include "kernels/kernel.h"

namespace hb {

// Negative indices count from the end, where `from_end` says so. A bad one reads as 0, adds
// nothing, and is reported.
//   gather              x (outer,n,inner)  index (m)              y (outer,m,inner)
//   scatter_add         x (outer,m,inner)  index (m)              y (outer,n,inner), cleared first
//   take_along_axis     x (outer,n,inner)  index (outer,m,inner)  y (outer,m,inner)
//   put_along_axis_add  x (outer,m,inner)  index (outer,m,inner)  y (outer,n,inner), cleared first
struct IndexArgs {
    const void* x;
    const void* index;
    void* y;
    ErrorSlot* error;
    DType dtype, index_dtype;
    int64_t outer, n, m, inner;
    bool from_end;
};

// x (outer,n,inner)  values, indices (outer,k,inner); either may be null. NaN counts as the largest
// number.
struct SortArgs {
    const void* x;
    void* values;
    int32_t* indices;
    char* scratch;
    int64_t scratch_stride;  // bytes per thread, at least kSortScratch * n
    DType dtype;
    bool descending;
    int64_t outer, n, inner, k;
};
inline constexpr int64_t kSortScratch = 24;  // two keys and two indices an element

// sorted (n)  x (m)  y (m): how many of sorted lie before x (right: or equal it)
struct SearchArgs {
    const void* sorted;
    const void* x;
    int32_t* y;
    DType dtype;
    bool right;
    int64_t n, m;
};

struct IndexKernels {
    KernelFn gather, scatter_add, take_along_axis, put_along_axis_add;  // IndexArgs
    KernelFn sort;                                                      // SortArgs
    KernelFn searchsorted;                                              // SearchArgs
};
HB_DECLARE_KERNELS(IndexKernels, index_kernels)

}  // namespace hb
