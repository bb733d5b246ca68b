// Pooling over windows of 1-3 spatial dims; fewer than 3 are filled up with dims of 1.
#pragma once

#include "kernels/kernel.h"

namespace hb {

struct PoolSpan {
    int32_t begin, end;
};

struct PoolDim {
    int64_t in, out, window, stride, low;
    const PoolSpan* taps;     // (out): the taps of a window that lie inside x
    const PoolSpan* windows;  // (in): the windows that cover an element of x
};

// x, dx (N,D,H,W,C)  y, dy, index (N,OD,OH,OW,C). index is the tap within the window that held the
// maximum, the first of equals: uint8, or int32 where wide.
//   max          x -> y, index          max_grad   dy, index -> dx
//   max_gather   x, index -> y: what lies at the taps (the transpose of max_grad)
//   avg          x -> y, padding not counted       avg_grad   dy -> dx
struct PoolArgs {
    const void* x;  // the floating-point input, dy in gradients
    void* y;        // the floating-point output, dx in gradients
    void* index;
    bool wide;
    int64_t n, channels;
    PoolDim dim[3];
};

struct MaxPoolKernels {
    KernelFn f32, f64, grad_f32, grad_f64, gather_f32, gather_f64;
};
struct AvgPoolKernels {
    KernelFn f32, f64, grad_f32, grad_f64;
};
HB_DECLARE_KERNELS(MaxPoolKernels, max_pool_kernels)
HB_DECLARE_KERNELS(AvgPoolKernels, avg_pool_kernels)

}  // namespace hb
