// The sums of batch normalisation and of its gradient: in a pass of their own, or made by the
// convolution or product whose results they are sums of.
#pragma once

#include "core/op.h"
#include "kernels/norm.h"

namespace hb {

// mean and var (n) of x (..., n).
void emit_statistics(Emit& e, const TensorType& type, const void* x, void* mean, void* var);
// sums (2, n) of dy and of dy (x - mean).
void emit_gradient_sums(Emit& e, const TensorType& type, const void* x, const void* mean,
                        const void* dy, BatchRelu relu, void* sums);
// gamma / sqrt(var + epsilon)
const void* emit_scale(Emit& e, const TensorType& vector, const void* gamma, const void* var,
                       double epsilon);

// Ends the instructions of a convolution or product, those from `first` on, with what its attribute
// kStatistics asks for.
void emit_statistics_of(Emit& e, size_t first);

}  // namespace hb
