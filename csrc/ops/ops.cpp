#include "ops/ops.h"

#include <array>
#include <string_view>
#include <unordered_map>

#include "core/tape.h"

namespace hb {

#define HB_OP(name) extern const OpDef op_##name;
#include "ops/ops.def"
#undef HB_OP

namespace {
OpDef named(OpDef def, const char* name) {
    def.name = name;
    return def;
}

const std::array<OpDef, size_t(Op::count)>& table() {
    static const std::array<OpDef, size_t(Op::count)> ops = {
#define HB_OP(name) named(op_##name, #name),
#include "ops/ops.def"
#undef HB_OP
    };
    return ops;
}
}  // namespace

const OpDef& op_def(Op op) { return table()[size_t(op)]; }

const OpDef* find_op(std::string_view name) {
    static const std::unordered_map<std::string_view, const OpDef*> by_name = [] {
        std::unordered_map<std::string_view, const OpDef*> ops;
        for (const OpDef& op : table()) ops.emplace(op.name, &op);
        return ops;
    }();
    const auto found = by_name.find(name);
    return found == by_name.end() ? nullptr : found->second;
}

std::vector<Tensor> convert_inputs(const OpDef& op, std::vector<Tensor> inputs) {
    if ((op.flags & kPromote) && inputs.size() > 1) {
        DType common = inputs[0].dtype();
        for (const Tensor& input : inputs) common = promote(common, input.dtype());
        for (Tensor& input : inputs) input = cast(input, common);
    }
    if (op.flags & kFloat)
        for (Tensor& input : inputs)
            if (!is_float(input.dtype())) input = cast(input, DType::f32);
    return inputs;
}

std::vector<Tensor> apply(Op op, std::vector<Tensor> inputs, const Attrs& attrs) {
    const OpDef& def = op_def(op);
    if (def.flags & (kPromote | kFloat)) inputs = convert_inputs(def, std::move(inputs));
    return apply(def, std::move(inputs), attrs);
}

Tensor cast(const Tensor& x, DType dtype) {
    if (x.dtype() == dtype) return x;
    return apply1(Op::cast, {x}, {{"dtype", dtype_name(dtype)}});
}

Tensor add(const Tensor& a, const Tensor& b) { return apply1(Op::add, {a, b}); }
Tensor sub(const Tensor& a, const Tensor& b) { return apply1(Op::sub, {a, b}); }
Tensor mul(const Tensor& a, const Tensor& b) { return apply1(Op::mul, {a, b}); }
Tensor div(const Tensor& a, const Tensor& b) { return apply1(Op::div, {a, b}); }
Tensor neg(const Tensor& x) { return apply1(Op::neg, {x}); }

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
    return apply1(Op::where, {condition, a, b});
}

Tensor reshape(const Tensor& x, const Shape& shape) {
    if (x.shape() == shape) return x;
    return apply1(Op::reshape, {x}, {{"shape", shape}});
}

Tensor transpose(const Tensor& x, const std::vector<int64_t>& axes) {
    return apply1(Op::transpose, {x}, {{"axes", axes}});
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
    if (x.shape() == shape) return x;
    return apply1(Op::broadcast_to, {x}, {{"shape", shape}});
}

Tensor sum(const Tensor& x, const std::vector<int64_t>& axes, bool keepdims) {
    return apply1(Op::sum, {x}, {{"axes", axes}, {"keepdims", keepdims}});
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
    if (x.shape() == shape) return x;
    const int lead = x.ndim() - shape.ndim();
    std::vector<int64_t> axes;
    for (int i = 0; i < x.ndim(); ++i)
        if (i < lead || (shape[i - lead] == 1 && x.shape()[i] != 1)) axes.push_back(i);
    return reshape(axes.empty() ? x : sum(x, axes, true), shape);
}

Tensor matmul(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b) {
    return apply1(Op::matmul, {a, b}, {{"transpose_a", transpose_a}, {"transpose_b", transpose_b}});
}

Tensor fill(const Shape& shape, DType dtype, double value) {
    return apply1(Op::fill, {}, {{"shape", shape}, {"dtype", dtype_name(dtype)}, {"value", value}});
}

Tensor scalar_like(const Tensor& x, double value) { return Tensor::scalar(x.dtype(), value); }

Tensor add_gradients(const Tensor& a, const Tensor& b) { return add(a, b); }
Tensor gradient_seed(const Tensor& target) { return ones_like(target); }

}  // namespace hb
