// Optimizer updates: all parameters of a step in one call, in place.
#pragma once

#include "kernels/kernel.h"

namespace hb {

inline constexpr int64_t kOptimUnit = 1024;  // elements; units of all parameters form one list

struct OptimParam {
    void* p;
    const void* g;
    void *m, *v, *v_max;  // null where the rule has none; m is SGD's velocity
    int64_t n;
    DType dtype;  // of all five: f32 or f64
};

struct OptimScalar {  // a 0-d tensor, read when the kernel runs
    const void* data;
    DType dtype;
};

struct SgdArgs {
    const OptimParam* params;
    int64_t count, units;
    OptimScalar rate, momentum;
    bool nesterov;
};

struct AdamArgs {
    const OptimParam* params;
    int64_t count, units;
    OptimScalar rate, beta1, beta2, epsilon, step, weight_decay;
    bool bias_correction;
};

struct OptimKernels {
    KernelFn sgd;   // SgdArgs
    KernelFn adam;  // AdamArgs
};
HB_DECLARE_KERNELS(OptimKernels, optim_kernels)

}  // namespace hb
