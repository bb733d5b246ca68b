// The ops by name, and the helpers that gradient rules are written with.
#pragma once

#include "core/op.h"

namespace hb {

enum class Op : int {
#define HB_OP(name) name,
#include "ops/ops.def"
#undef HB_OP
    count
};

const OpDef& op_def(Op op);
const OpDef* find_op(std::string_view name);  // null if there is none

// Applies the op's dtype rules (kPromote, kFloat), then computes it.
std::vector<Tensor> apply(Op op, std::vector<Tensor> inputs, const Attrs& attrs = {});
inline Tensor apply1(Op op, std::vector<Tensor> inputs, const Attrs& attrs = {}) {
    return apply(op, std::move(inputs), attrs)[0];
}
std::vector<Tensor> convert_inputs(const OpDef& op, std::vector<Tensor> inputs);

Tensor add(const Tensor& a, const Tensor& b);
Tensor sub(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, const Tensor& b);
Tensor neg(const Tensor& x);
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
Tensor reshape(const Tensor& x, const Shape& shape);
Tensor transpose(const Tensor& x, const std::vector<int64_t>& axes);
Tensor broadcast_to(const Tensor& x, const Shape& shape);
Tensor sum(const Tensor& x, const std::vector<int64_t>& axes, bool keepdims);
// The sum of x over what broadcasting `shape` to x.shape had repeated.
Tensor sum_to(const Tensor& x, const Shape& shape);
Tensor matmul(const Tensor& a, const Tensor& b, bool transpose_a = false, bool transpose_b = false);
Tensor fill(const Shape& shape, DType dtype, double value);
inline Tensor zeros_like(const Tensor& x) { return fill(x.shape(), x.dtype(), 0); }
inline Tensor ones_like(const Tensor& x) { return fill(x.shape(), x.dtype(), 1); }
// A 0-d constant of x's dtype.
Tensor scalar_like(const Tensor& x, double value);

}  // namespace hb
