// Emits a reduction; for the reduce family and for whoever needs a sum inside another op.
#pragma once

#include <vector>

#include "core/op.h"
#include "kernels/reduce.h"

namespace hb {

// y = x reduced over axes (sorted, not negative). The dtype must have such a kernel: numbers for
// sum and prod; anything for max and min, which are any and all of bools.
void emit_reduce(Emit& e, ReduceOp op, const void* x, const TensorType& x_type,
                 const std::vector<int64_t>& axes, void* y);

// The shape without the axes, or with 1 in their place.
Shape reduced_shape(const Shape& shape, const std::vector<int64_t>& axes, bool keepdims);

// Sizes before, along and behind an axis of a row-major array.
struct AxisSplit {
    int64_t outer = 1, n = 1, inner = 1;
};
AxisSplit split_at_axis(const Shape& shape, int axis);

}  // namespace hb
