// What the files of the elementwise family share inside one ISA level.
#pragma once

#include "kernels/elementwise.h"

namespace hb::HB_ISA {

// The loop that applies `op` to tiles of `type`; null where the op has no such loop.
EwTileFn ew_math_tile(EwOp op, DType type);        // elementwise_math.cpp: exp, tanh, ...
EwTileFn ew_arithmetic_tile(EwOp op, DType type);  // elementwise_arithmetic.cpp: add, less, ...
EwTileFn ew_cast_tile(DType from, DType to);       // elementwise_cast.cpp

// A loop for a functor of 1, 2 or 3 operands. dst may be one of the operands.
template <class F, class R, class A>
static void unary_tile(void* dst, const void* a, const void*, const void*, int64_t n) {
    R* y = static_cast<R*>(dst);
    const A* x = static_cast<const A*>(a);
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = R(F{}(x[i]));
}

template <class F, class R, class A>
static void binary_tile(void* dst, const void* a, const void* b, const void*, int64_t n) {
    R* y = static_cast<R*>(dst);
    const A* x = static_cast<const A*>(a);
    const A* z = static_cast<const A*>(b);
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = R(F{}(x[i], z[i]));
}

}  // namespace hb::HB_ISA
