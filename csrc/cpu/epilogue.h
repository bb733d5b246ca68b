// The epilogue of a few features of a few elements, and of one vector of them.
#pragma once

#include "cpu/vec.h"
#include "kernels/epilogue.h"

namespace hb::HB_ISA {
namespace {

// x as if it were stored in between: a sum with it becomes no fused multiply-add, so that results
// are those of one op after the other.
template <class X>
HB_INLINE X rounded(X x) {
#if defined(__clang__)
    return __arithmetic_fence(x);
#else
    return __builtin_assoc_barrier(x);
#endif
}

// An Epilogue from feature f and element i of y on.
template <class T>
struct Finish {
    const T *bias = nullptr, *scale = nullptr, *shift = nullptr, *other = nullptr;
    bool relu = false;

    Finish() = default;
    HB_INLINE Finish(const Epilogue& e, int64_t f, int64_t i)
        : bias(e.bias ? (const T*)e.bias + f : nullptr),
          scale(e.scale ? (const T*)e.scale + f : nullptr),
          shift(e.shift ? (const T*)e.shift + f : nullptr),
          other(e.other ? (const T*)e.other + i : nullptr),
          relu(e.relu) {}

    // z at feature f and element i, counted from those on which this begins.
    HB_INLINE typename Vec<T>::type operator()(typename Vec<T>::type z, int64_t f, int64_t i,
                                               int64_t lanes) const {
        using V = Vec<T>;
        if (bias) z += V::load(bias + f, lanes);
        if (scale) z = rounded(z * V::load(scale + f, lanes));
        if (shift) z += V::load(shift + f, lanes);
        if (other) z += V::load(other + i, lanes);
        return relu ? V::max(z, V::zero()) : z;
    }
};

}  // namespace
}  // namespace hb::HB_ISA
