// Moving elements: one strided copy serves transpose, broadcast_to, slice, concat and pad.
#pragma once

#include "kernels/kernel.h"

namespace hb {

inline constexpr int kCopyMaxDims = 16;  // after collapsing

// dst[i . dst_strides] = src[i . src_strides] for all i in dims. The last two dims are the panel
// that one loop nest handles; blocks of panels are the units that threads share.
struct Copy {
    char* dst;
    const char* src;
    int32_t ndim;  // >= 2
    int32_t size;  // of an element: 1, 4 or 8 bytes
    int64_t block_rows, block_cols, units;
    int64_t dims[kCopyMaxDims];
    int64_t dst_strides[kCopyMaxDims],
        src_strides[kCopyMaxDims];  // in elements; 0 and negative too
};

struct CopyArgs {
    const Copy* copies;  // to disjoint places
    int64_t count;
};

// y (n) = 0 1 2 ... of the given dtype, where y[i] counts along one axis: (i / inner) % length
struct IotaArgs {
    void* y;
    DType dtype;
    int64_t n, inner, length;
};

// x (n) integers  y (n,depth): 1 at x, rows of zeros where x is not in [0, depth)
struct OneHotArgs {
    const void* x;
    void* y;
    DType index_dtype, dtype;
    int64_t n, depth;
};

struct LayoutKernels {
    KernelFn copy;     // CopyArgs
    KernelFn iota;     // IotaArgs
    KernelFn one_hot;  // OneHotArgs
};
HB_DECLARE_KERNELS(LayoutKernels, layout_kernels)

}  // namespace hb
