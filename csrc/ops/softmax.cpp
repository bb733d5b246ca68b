// Softmax, its logarithm, the logarithm of the sum of exponentials, and cross-entropy on logits.
#include "kernels/softmax.h"

#include "kernels/stream.h"
#include "ops/ops.h"
#include "ops/reduce.h"

namespace hb {

namespace {
using T = Tensor;

int axis_of(const Attrs& attrs, int ndim) {
    return normalize_axis(attrs.i("axis", -1), ndim, "softmax");
}
T sum_axis(const T& x, int64_t axis) { return sum(x, {axis}, true); }
T exp(const T& x) { return apply1(Op::exp, {x}); }

std::vector<TensorType> infer_same(const InferCtx& c) {
    c.expect(1);
    normalize_axis(c.attrs.i("axis", -1), c.in[0].shape.ndim(), c.name);
    return {c.in[0]};
}

std::vector<TensorType> infer_logsumexp(const InferCtx& c) {
    c.expect(1);
    const int axis = normalize_axis(c.attrs.i("axis", -1), c.in[0].shape.ndim(), c.name);
    return {{c.in[0].dtype, reduced_shape(c.in[0].shape, {axis}, c.attrs.b("keepdims", false))}};
}

template <FloatPair SoftmaxKernels::* kernel>
void emit_softmax(Emit& e) {
    const TensorType& x = e.in_type(0);
    const AxisSplit s = split_at_axis(x.shape, axis_of(e.attrs, x.shape.ndim()));
    if (s.outer * s.inner == 0) return;
    SoftmaxArgs args{e.in(0), e.out(0), s.outer, s.n, s.inner};
    if (s.inner == 1 && beyond_caches(int64_t(e.out_type(0).bytes()))) {
        args.scratch_stride = (s.n + 15) / 16 * 16;
        args.scratch =
            e.workspace(size_t(args.scratch_stride) * dtype_size(x.dtype) * size_t(e.threads));
    }
    e.run(kernel_for(e.kernels.softmax->*kernel, x.dtype), args, 16 * volume(x.shape));
}

template <FloatPair SoftmaxKernels::* kernel>
void emit_softmax_grad(Emit& e) {
    const TensorType& y = e.in_type(0);
    const AxisSplit s = split_at_axis(y.shape, axis_of(e.attrs, y.shape.ndim()));
    if (volume(y.shape) == 0) return;
    const SoftmaxGradArgs args{e.in(0), e.in(1), e.out(0), s.outer, s.n, s.inner};
    e.run(kernel_for(e.kernels.softmax->*kernel, y.dtype), args, 8 * volume(y.shape));
}

std::vector<TensorType> infer_softmax_grad(const InferCtx& c) {
    c.expect(2);
    return {c.in[0]};
}

std::vector<Tensor> softmax_rule(const GradCtx& c) {
    return {apply1(Op::softmax_grad, {c.out(0), c.dout(0)}, c.attrs)};
}
std::vector<Tensor> log_softmax_rule(const GradCtx& c) {
    return {apply1(Op::log_softmax_grad, {c.out(0), c.dout(0)}, c.attrs)};
}

std::vector<Tensor> logsumexp_rule(const GradCtx& c) {
    const int axis = axis_of(c.attrs, c.in(0).ndim());
    const T dy = reshape(c.dout(0), reduced_shape(c.in(0).shape(), {axis}, true));
    return {mul(apply1(Op::softmax, {c.in(0)}, {{"axis", int64_t(axis)}}), dy)};
}

// dx = y (dy - sum(y dy)); g is the gradient of dx.
std::vector<Tensor> softmax_grad_rule(const GradCtx& c) {
    const T &y = c.in(0), &dy = c.in(1), &g = c.dout(0);
    const int axis = axis_of(c.attrs, y.ndim());
    const T gy = sum_axis(mul(g, y), axis);
    return {c.needs(0) ? sub(mul(g, sub(dy, sum_axis(mul(y, dy), axis))), mul(dy, gy)) : T(),
            c.needs(1) ? mul(y, sub(g, gy)) : T()};
}

// dx = dy - exp(y) sum(dy)
std::vector<Tensor> log_softmax_grad_rule(const GradCtx& c) {
    const T &y = c.in(0), &dy = c.in(1), &g = c.dout(0);
    const int axis = axis_of(c.attrs, y.ndim());
    const T p = exp(y);
    return {c.needs(0) ? neg(mul(mul(g, p), sum_axis(dy, axis))) : T(),
            c.needs(1) ? sub(g, sum_axis(mul(g, p), axis)) : T()};
}

// ---- cross-entropy ----

std::vector<TensorType> infer_xent(const InferCtx& c) {
    c.expect(2);
    const TensorType &x = c.in[0], &t = c.in[1];
    if (x.shape.ndim() < 1 || x.shape != t.shape)
        fail_value(
            "{}: logits and targets must have one shape with classes last. Received: "
            "logits.shape={}, targets.shape={}.",
            c.name, x.shape, t.shape);
    return {{x.dtype, reduced_shape(x.shape, {x.shape.ndim() - 1}, false)}, x};
}

std::vector<TensorType> infer_sparse_xent(const InferCtx& c) {
    c.expect(2);
    const TensorType &x = c.in[0], &labels = c.in[1];
    if (!is_float(x.dtype))
        fail_type("{}: logits must be floats. Received: dtype {}.", c.name, x.dtype);
    if (!is_integer(labels.dtype))
        fail_type("{}: labels must be integers. Received: dtype {}.", c.name, labels.dtype);
    if (x.shape.ndim() < 1 || reduced_shape(x.shape, {x.shape.ndim() - 1}, false) != labels.shape)
        fail_value(
            "{}: labels must have the shape of logits without the last axis. Received: "
            "logits.shape={}, labels.shape={}.",
            c.name, x.shape, labels.shape);
    return {{x.dtype, labels.shape}, x};
}

std::vector<TensorType> infer_xent_grad(const InferCtx& c) {
    c.expect(3);
    return {c.in[0]};
}

AxisSplit rows_of(const TensorType& x) { return split_at_axis(x.shape, x.shape.ndim() - 1); }

template <bool sparse>
void emit_xent(Emit& e) {
    const TensorType& x = e.in_type(0);
    const AxisSplit s = rows_of(x);
    if (s.outer == 0) return;
    if constexpr (sparse) {
        const LabelCheckArgs check{e.in(1), e.in_type(1).dtype, s.outer, s.n, e.error_slot()};
        e.run(e.kernels.softmax->check_labels, check, s.outer, Serial{});
    }
    const XentArgs args{e.in(0),  e.in(1),  e.in(1), e.in_type(1).dtype,
                        e.out(0), e.out(1), s.outer, s.n};
    const FloatPair& kernel = sparse ? e.kernels.softmax->sparse_xent : e.kernels.softmax->xent;
    e.run(kernel_for(kernel, x.dtype), args, 16 * volume(x.shape));
}

template <bool sparse>
void emit_xent_grad(Emit& e) {
    const TensorType& probs = e.in_type(0);
    const AxisSplit s = rows_of(probs);
    if (volume(probs.shape) == 0) return;
    const XentGradArgs args{e.in(0),  e.in(1), e.in(1), e.in(2), e.in_type(1).dtype,
                            e.out(0), s.outer, s.n};
    const FloatPair& kernel =
        sparse ? e.kernels.softmax->sparse_xent_grad : e.kernels.softmax->xent_grad;
    e.run(kernel_for(kernel, probs.dtype), args, 4 * volume(probs.shape));
}

Error describe_label(const ErrorSlot& slot, std::span<const TensorType> in, const Attrs&) {
    return Error(ErrorKind::value,
                 format("sparse_softmax_xent: label {} at flat position {} is out of range for {} "
                        "classes. Received: logits.shape={}.",
                        slot.value, slot.position - 1, in[0].shape.back(), in[0].shape));
}

T column(const T& x) {  // (rows...) -> (rows..., 1)
    Shape shape = x.shape();
    shape.push_back(1);
    return reshape(x, shape);
}

// Through the loss, and through the probabilities where somebody used them.
T logits_gradient(const GradCtx& c, Op grad_op) {
    T dx;
    if (c.dout(0).defined()) dx = apply1(grad_op, {c.out(1), c.in(1), c.dout(0)});
    if (c.dout(1).defined()) {
        const T more = apply1(Op::softmax_grad, {c.out(1), c.dout(1)}, {{"axis", int64_t(-1)}});
        dx = dx.defined() ? add(dx, more) : more;
    }
    return dx;
}

std::vector<Tensor> xent_rule(const GradCtx& c) {
    const bool targets = c.needs(1) && c.dout(0).defined();
    return {c.needs(0) ? logits_gradient(c, Op::softmax_xent_grad) : T(),
            targets ? neg(mul(apply1(Op::log_softmax, {c.in(0)}, {{"axis", int64_t(-1)}}),
                              column(c.dout(0))))
                    : T()};
}
std::vector<Tensor> sparse_xent_rule(const GradCtx& c) {
    return {c.needs(0) ? logits_gradient(c, Op::sparse_softmax_xent_grad) : T(), T()};
}

// dlogits = dloss (probs sum(t) - t); g is the gradient of dlogits.
std::vector<Tensor> xent_grad_rule(const GradCtx& c) {
    const T &p = c.in(0), &t = c.in(1), dloss = column(c.in(2)), &g = c.dout(0);
    const int64_t last = p.ndim() - 1;
    const T weight = sum_axis(t, last), gp = sum_axis(mul(g, p), last);
    return {c.needs(0) ? mul(g, mul(dloss, weight)) : T(),
            c.needs(1) ? mul(dloss, sub(gp, g)) : T(),
            c.needs(2) ? sum(mul(g, sub(mul(p, weight), t)), {last}, false) : T()};
}
std::vector<Tensor> sparse_xent_grad_rule(const GradCtx& c) {
    const T &p = c.in(0), dloss = column(c.in(2)), &g = c.dout(0);
    const int64_t last = p.ndim() - 1;
    if (!c.needs(2)) return {mul(g, dloss), T(), T()};
    const T t = apply1(Op::one_hot, {c.in(1)},
                       {{"depth", p.shape()[last]}, {"dtype", dtype_name(p.dtype())}});
    return {mul(g, dloss), T(), sum(mul(g, sub(p, t)), {last}, false)};
}
}  // namespace

using K = SoftmaxKernels;
extern const OpDef op_softmax = {infer_same, emit_softmax<&K::softmax>, softmax_rule, kFloat};
extern const OpDef op_softmax_grad = {infer_softmax_grad, emit_softmax_grad<&K::softmax_grad>,
                                      softmax_grad_rule};
extern const OpDef op_log_softmax = {infer_same, emit_softmax<&K::log_softmax>, log_softmax_rule,
                                     kFloat};
extern const OpDef op_log_softmax_grad = {
    infer_softmax_grad, emit_softmax_grad<&K::log_softmax_grad>, log_softmax_grad_rule};
extern const OpDef op_logsumexp = {infer_logsumexp, emit_softmax<&K::logsumexp>, logsumexp_rule,
                                   kFloat};
extern const OpDef op_softmax_xent = {infer_xent, emit_xent<false>, xent_rule, kPromote | kFloat};
extern const OpDef op_softmax_xent_grad = {infer_xent_grad, emit_xent_grad<false>, xent_grad_rule};
extern const OpDef op_sparse_softmax_xent = {.infer = infer_sparse_xent,
                                             .emit = emit_xent<true>,
                                             .grad = sparse_xent_rule,
                                             .describe_error = describe_label};
extern const OpDef op_sparse_softmax_xent_grad = {infer_xent_grad, emit_xent_grad<true>,
                                                  sparse_xent_grad_rule};

}  // namespace hb
