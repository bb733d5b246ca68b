// Random numbers by counter: Philox4x32-10. seed holds key and counter; element i depends on them
// and i only.
#pragma once

#include "kernels/kernel.h"

namespace hb {

// y (n). 32-bit numbers are word i % 4 of block i / 4; 64-bit numbers take two words, two to a
// block.
struct RandomArgs {
    const int64_t* seed;  // {key, counter}
    void* y;
    DType dtype;
    int64_t n;
    int64_t low;     // integers: low + [0, range)
    uint64_t range;  // 0 stands for 2^64
};

// x, y (n): y = x * scale where word i of the stream, 24 bits of it, reaches threshold; else 0.
// With x == nullptr: y (n) bool says which elements stay. y may be x.
struct DropoutArgs {
    const int64_t* seed;
    const void* x;
    void* y;
    DType dtype;
    int64_t n;
    uint32_t threshold;
    double scale;
};

inline uint32_t dropout_threshold(double rate) { return uint32_t(rate * 0x1p24 + 0.5); }

struct RandomKernels {
    KernelFn uniform, normal, integers;  // RandomArgs
    KernelFn dropout;                    // DropoutArgs
};
HB_DECLARE_KERNELS(RandomKernels, random_kernels)

}  // namespace hb
