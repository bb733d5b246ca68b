// The machine's limits, against which benchmarks measure.
#pragma once

#include "kernels/kernel.h"

namespace hb {

struct FmaPeakArgs {
    int64_t rounds;
    float* sink;  // 16 floats per share
};

struct TriadArgs {  // a[i] = b[i] + s * c[i]
    float* a;
    const float* b;
    const float* c;
    int64_t n;
};

struct ReadArgs {  // each share sums `n` numbers of its own, `rounds` times
    const float* a;
    int64_t n;  // a multiple of 128
    int64_t rounds;
    float* sink;  // 16 floats per share
};

struct MeasureKernels {
    KernelFn fma_peak;
    KernelFn triad;
    KernelFn read;
    double fma_flops_per_round;
};
HB_DECLARE_KERNELS(MeasureKernels, measure_kernels)

}  // namespace hb
