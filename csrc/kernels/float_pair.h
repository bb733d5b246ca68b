// A kernel that exists for both kinds of floats.
#pragma once

#include "kernels/kernel.h"

namespace hb {

struct FloatPair {
    KernelFn f32, f64;
};

static inline KernelFn kernel_for(const FloatPair& pair, DType type) {
    return type == DType::f64 ? pair.f64 : pair.f32;
}

}  // namespace hb
