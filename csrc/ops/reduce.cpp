// Reductions, argmax and argmin, and running sums and products.
#include "ops/reduce.h"

#include <algorithm>

#include "ops/elementwise.h"
#include "ops/ops.h"

namespace hb {

namespace {
using T = Tensor;

std::vector<int64_t> axes_of(const Attrs& attrs, int ndim, const char* name) {
    std::vector<int64_t> axes;
    for (int64_t axis : attrs.ints("axes")) {
        axes.push_back(normalize_axis(axis, ndim, name));
        for (size_t i = 0; i + 1 < axes.size(); ++i)
            if (axes[i] == axes.back()) fail_value("{}: axis {} is given twice.", name, axis);
    }
    return axes;
}
bool keepdims_of(const Attrs& attrs) { return attrs.b("keepdims", false); }

// What the kernel adds up: sums and products of bytes are int32, any and all work on bools.
DType working_type(Op op, DType type) {
    if (op == Op::any || op == Op::all) return DType::b8;
    const bool byte = type == DType::b8 || type == DType::u8;
    return byte && (op == Op::sum || op == Op::prod) ? DType::i32 : type;
}

constexpr ReduceOp kernel_of(Op op) {
    return op == Op::sum                    ? ReduceOp::sum
           : op == Op::prod                 ? ReduceOp::prod
           : op == Op::max || op == Op::any ? ReduceOp::max
                                            : ReduceOp::min;
}

template <Op op>
std::vector<TensorType> infer(const InferCtx& c) {
    c.expect(1);
    const Shape& shape = c.in[0].shape;
    const std::vector<int64_t> axes = axes_of(c.attrs, shape.ndim(), c.name);
    const Shape out = reduced_shape(shape, axes, keepdims_of(c.attrs));
    if ((op == Op::max || op == Op::min) && volume(shape) == 0 && volume(out) != 0)
        fail_value("{}: nothing to reduce: x has no elements along {}. Received x.shape={}.",
                   c.name, Shape(axes), shape);
    return {{working_type(op, c.in[0].dtype), out}};
}

// x itself, or a copy of another dtype.
const void* converted(Emit& e, const void* x, const TensorType& from, DType to) {
    if (from.dtype == to) return x;
    void* copy = e.workspace(TensorType{to, from.shape}.bytes());
    EwProgramBuilder program(from.shape);
    program.set_output(copy, program.add_op(EwOp::cast, {program.add_input(x, from)}, to));
    program.run(e);
    return copy;
}

template <Op op>
void emit(Emit& e) {
    const TensorType working{working_type(op, e.in_type(0).dtype), e.in_type(0).shape};
    const void* x = converted(e, e.in(0), e.in_type(0), working.dtype);
    emit_reduce(e, kernel_of(op), x, working, axes_of(e.attrs, working.shape.ndim(), "reduce"),
                e.out(0));
}

// The result's shape with 1 in place of the axes, so that it broadcasts against x.
Shape kept_shape(const GradCtx& c) {
    return reduced_shape(c.in(0).shape(), axes_of(c.attrs, c.in(0).ndim(), "reduce"), true);
}

std::vector<Tensor> sum_grad(const GradCtx& c) {
    return {broadcast_to(reshape(c.dout(0), kept_shape(c)), c.in(0).shape())};
}

// Equal shares for all that equal the extreme.
std::vector<Tensor> extreme_grad(const GradCtx& c) {
    const T &x = c.in(0), y = reshape(c.out(0), kept_shape(c)),
            dy = reshape(c.dout(0), kept_shape(c));
    const T mask = cast(apply1(Op::equal, {x, y}), x.dtype());
    const T count = sum(mask, axes_of(c.attrs, x.ndim(), "reduce"), true);
    return {mul(mask, div(dy, count))};
}

T running(Op op, const T& x, int64_t axis, bool reverse, bool exclusive) {
    return apply1(op, {x}, {{"axis", axis}, {"reverse", reverse}, {"exclusive", exclusive}});
}

// dx_i = dy * product of all the others: right with zeros too.
std::vector<Tensor> prod_grad(const GradCtx& c) {
    const T& x = c.in(0);
    const std::vector<int64_t> axes = axes_of(c.attrs, x.ndim(), "prod");
    std::vector<int64_t> order, back(size_t(x.ndim()));
    Shape kept;
    for (int d = 0; d < x.ndim(); ++d)
        if (std::find(axes.begin(), axes.end(), d) == axes.end())
            order.push_back(d), kept.push_back(x.shape()[d]);
    order.insert(order.end(), axes.begin(), axes.end());
    for (size_t i = 0; i < order.size(); ++i) back[size_t(order[i])] = int64_t(i);

    const T moved = transpose(x, order);
    const int64_t outer = volume(kept), last = kept.ndim();
    Shape flat_shape = kept;
    flat_shape.push_back(outer == 0 ? 0 : x.size() / outer);
    const T flat = reshape(moved, flat_shape);
    const T others = mul(running(Op::cumprod, flat, last, false, true),
                         running(Op::cumprod, flat, last, true, true));
    const T dx = transpose(reshape(others, moved.shape()), back);
    return {mul(dx, reshape(c.dout(0), kept_shape(c)))};
}

int axis_of(const Attrs& attrs, int ndim, const char* name) {
    return normalize_axis(attrs.i("axis"), ndim, name);
}

std::vector<TensorType> infer_arg(const InferCtx& c) {
    c.expect(1);
    const Shape& shape = c.in[0].shape;
    const int axis = axis_of(c.attrs, shape.ndim(), c.name);
    if (shape[axis] == 0)
        fail_value("{}: nothing to choose from along axis {}. Received x.shape={}.", c.name, axis,
                   shape);
    return {{DType::i32, reduced_shape(shape, {axis}, keepdims_of(c.attrs))}};
}

template <bool largest>
void emit_arg(Emit& e) {
    const TensorType& x = e.in_type(0);
    const AxisSplit s = split_at_axis(x.shape, axis_of(e.attrs, x.shape.ndim(), "argmax"));
    const ArgReduceArgs args{e.in(0), static_cast<int32_t*>(e.out(0)), s.outer, s.n, s.inner,
                             largest};
    if (s.outer * s.inner > 0)
        e.run(e.kernels.reduce->arg[int(x.dtype)], args, 2 * volume(x.shape));
}

DType scan_type(DType type) { return type == DType::b8 || type == DType::u8 ? DType::i32 : type; }

std::vector<TensorType> infer_scan(const InferCtx& c) {
    c.expect(1);
    axis_of(c.attrs, c.in[0].shape.ndim(), c.name);
    return {{scan_type(c.in[0].dtype), c.in[0].shape}};
}

template <bool product>
void emit_scan(Emit& e) {
    const TensorType &in = e.in_type(0), &out = e.out_type(0);
    const AxisSplit s = split_at_axis(in.shape, axis_of(e.attrs, in.shape.ndim(), "cumsum"));
    const void* x = converted(e, e.in(0), in, out.dtype);
    const ScanArgs args{x,
                        e.out(0),
                        s.outer,
                        s.n,
                        s.inner,
                        product,
                        e.attrs.b("reverse", false),
                        e.attrs.b("exclusive", false)};
    if (volume(in.shape)) e.run(e.kernels.reduce->scan[int(out.dtype)], args, 4 * volume(in.shape));
}

std::vector<Tensor> cumsum_grad(const GradCtx& c) {
    return {running(Op::cumsum, c.dout(0), c.attrs.i("axis"), !c.attrs.b("reverse", false),
                    c.attrs.b("exclusive", false))};
}

// dx_i = (sum of dy_j y_j over the j that x_i takes part in) / x_i, and 0 where x_i is 0.
std::vector<Tensor> cumprod_grad(const GradCtx& c) {
    const T &x = c.in(0), zero = scalar_like(x, 0), is_zero = apply1(Op::equal, {x, zero});
    const T total = running(Op::cumsum, mul(c.dout(0), c.out(0)), c.attrs.i("axis"),
                            !c.attrs.b("reverse", false), c.attrs.b("exclusive", false));
    return {where(is_zero, zero, div(total, where(is_zero, scalar_like(x, 1), x)))};
}
}  // namespace

extern const OpDef op_sum = {infer<Op::sum>, emit<Op::sum>, sum_grad};
extern const OpDef op_prod = {infer<Op::prod>, emit<Op::prod>, prod_grad};
extern const OpDef op_max = {infer<Op::max>, emit<Op::max>, extreme_grad};
extern const OpDef op_min = {infer<Op::min>, emit<Op::min>, extreme_grad};
extern const OpDef op_any = {infer<Op::any>, emit<Op::any>, no_gradient};
extern const OpDef op_all = {infer<Op::all>, emit<Op::all>, no_gradient};
extern const OpDef op_argmax = {infer_arg, emit_arg<true>, no_gradient};
extern const OpDef op_argmin = {infer_arg, emit_arg<false>, no_gradient};
extern const OpDef op_cumsum = {infer_scan, emit_scan<false>, cumsum_grad};
extern const OpDef op_cumprod = {infer_scan, emit_scan<true>, cumprod_grad};

}  // namespace hb
