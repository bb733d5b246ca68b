// Batch, layer and RMS normalisation over the last axis' channels, with fused gradients.
#include "kernels/norm.h"

#include <algorithm>

#include "core/tape.h"
#include "ops/elementwise.h"
#include "ops/epilogue.h"
#include "ops/ops.h"
#include "ops/reduce.h"
#include "ops/statistics.h"

namespace hb {

namespace {
using T = Tensor;
using Tensors = std::vector<Tensor>;

T square(const T& x) { return apply1(Op::square, {x}); }
T rsqrt(const T& x) { return apply1(Op::rsqrt, {x}); }
T times(double k, const T& x) { return mul(scalar_like(x, k), x); }

// ---- shapes ----

int64_t channels(const TensorType& x) { return x.shape.back(); }
int64_t rows_of(const TensorType& x) { return split_at_axis(x.shape, x.shape.ndim() - 1).outer; }
std::vector<int64_t> all_but_last(const T& x) {
    std::vector<int64_t> axes;
    for (int d = 0; d + 1 < x.ndim(); ++d) axes.push_back(d);
    return axes;
}
Shape row_shape(const TensorType& x) {
    return Shape(std::vector<int64_t>(x.shape.begin(), x.shape.end() - 1));
}
T column(const T& x) {
    Shape shape = x.shape();
    shape.push_back(1);
    return reshape(x, shape);
}

void check(const InferCtx& c, int inputs) {
    c.expect(inputs);
    const Shape& x = c.in[0].shape;
    if (x.ndim() < 1)
        fail_value("{}: x needs at least one dimension. Received: x.shape={}.", c.name, x);
    const char* names[] = {"x", "gamma", "beta"};
    for (int i = 1; i < inputs; ++i)
        if (c.in[size_t(i)].shape != Shape{x.back()})
            fail_value(
                "{}: {} must have one value for each of the {} channels of x. Received: "
                "{}.shape={}, x.shape={}.",
                c.name, names[i], x.back(), names[i], c.in[size_t(i)].shape, x);
}

std::vector<TensorType> infer_batch(const InferCtx& c) {
    check(c, 3);
    check_no_epilogue(c);
    const TensorType per_channel{c.in[0].dtype, {c.in[0].shape.back()}};
    return {c.in[0], per_channel, per_channel};
}
std::vector<TensorType> infer_layer(const InferCtx& c) {
    check(c, 3);
    const TensorType per_row{c.in[0].dtype, row_shape(c.in[0])};
    return {c.in[0], per_row, per_row};
}
std::vector<TensorType> infer_rms(const InferCtx& c) {
    check(c, 2);
    return {c.in[0]};
}
template <int outputs>
std::vector<TensorType> infer_grad(const InferCtx& c) {  // dx, dgamma[, dbeta]
    std::vector<TensorType> out(outputs, c.in[1]);
    out[0] = c.in[0];
    return out;
}

// ---- batch normalisation ----

// What is left to do where x has no elements.
void fill_with_zeros(Emit& e) {
    for (int i = 0; i < e.num_out(); ++i) {
        EwProgramBuilder p(e.out_type(i).shape);
        p.set_output(e.out(i), p.add_constant(0, e.out_type(i).dtype));
        p.run(e);
    }
}

// in: x, gamma, beta[, what the epilogue adds][, mean, var if x's producer has found them]
void emit_batch_norm(Emit& e) {
    const TensorType& x = e.in_type(0);
    if (volume(x.shape) == 0) return fill_with_zeros(e);
    const void *mean = e.out(1), *var = e.out(2);
    if (e.attrs.has(kStatistics)) {
        mean = e.in(e.num_in() - 2), var = e.in(e.num_in() - 1);
    } else {
        emit_statistics(e, x, e.in(0), e.out(1), e.out(2));
    }
    const void* scale = emit_scale(e, e.in_type(1), e.in(1), var, e.attrs.f("epsilon"));
    const Epilogue after = epilogue_of(e, 3);
    const BatchApplyArgs args{e.in(0),  mean,       scale,       e.in(2),   after.other,
                              e.out(0), rows_of(x), channels(x), after.relu};
    e.run(kernel_for(e.kernels.batch_norm->apply, x.dtype), args, 4 * volume(x.shape));
}

// in: x, gamma, mean, var, dy, beta if a ReLU follows (`kBehindRelu`), and the sums (2, n) if dy's
// producer has found them; out: dx, dgamma, dbeta.
// dx = gamma rstd (dy - sum(dy)/m - (x - mean) rstd^2 sum(dy (x - mean))/m)
void emit_batch_norm_grad(Emit& e) {
    const TensorType &x = e.in_type(0), &vector = e.in_type(1);
    if (volume(x.shape) == 0) return fill_with_zeros(e);
    const size_t bytes = vector.bytes();
    const double epsilon = e.attrs.f("epsilon");
    const void* scale = emit_scale(e, vector, e.in(1), e.in(3), epsilon);
    BatchRelu relu;
    if (e.attrs.b(kBehindRelu, false)) relu = {scale, e.in(5)};
    const char* sums = static_cast<const char*>(e.in(e.num_in() - 1));
    if (!e.attrs.has(kStatistics)) {
        void* made = e.workspace(2 * bytes);
        emit_gradient_sums(e, x, e.in(0), e.in(2), e.in(4), relu, made);
        sums = static_cast<const char*>(made);
    }

    void *shift = e.workspace(bytes), *slope = e.workspace(bytes);
    {
        EwProgramBuilder p(vector.shape);
        const int eps = p.add_constant(epsilon, x.dtype);
        const int share = p.add_constant(1.0 / double(rows_of(x)), x.dtype);
        const int rstd =
            p.add_op(EwOp::rsqrt, {p.add_op(EwOp::add, {p.add_input(e.in(3), vector), eps})});
        const int sum = p.add_input(sums, vector);
        const int product =
            p.add_op(EwOp::mul, {p.add_input(sums ? sums + bytes : nullptr, vector), rstd});
        p.set_output(e.out(1), product);
        p.set_output(e.out(2), sum);
        p.set_output(shift, p.add_op(EwOp::mul, {sum, share}));
        p.set_output(slope, p.add_op(EwOp::mul, {p.add_op(EwOp::mul, {product, rstd}), share}));
        p.run(e);
    }
    const BatchGradApplyArgs apply{e.in(0), e.in(2), slope,    e.in(4),    shift,
                                   scale,   relu,    e.out(0), rows_of(x), channels(x)};
    e.run(kernel_for(e.kernels.batch_norm->grad_apply, x.dtype), apply, 6 * volume(x.shape));
}

T or_zeros(const T& gradient, const T& like) {
    return gradient.defined() ? gradient : zeros_like(like);
}

Tensors batch_norm_rule(const GradCtx& c) {
    const T &x = c.in(0), &mean = c.out(1);
    Tensors d =
        apply(Op::batch_norm_grad, {x, c.in(1), mean, c.out(2), or_zeros(c.dout(0), x)}, c.attrs);
    const double share = 1.0 / double(std::max<int64_t>(1, rows_of(x.type())));
    if (c.dout(1).defined()) d[0] = add(d[0], times(share, c.dout(1)));
    if (c.dout(2).defined()) d[0] = add(d[0], mul(sub(x, mean), times(2 * share, c.dout(2))));
    return d;
}

// ---- layer and RMS normalisation ----

template <bool rms>
void emit_layer_norm(Emit& e) {
    const TensorType& x = e.in_type(0);
    if (volume(x.shape) == 0) return fill_with_zeros(e);
    LayerNormArgs args{e.in(0),    e.in(1),     nullptr,
                       e.out(0),   nullptr,     nullptr,
                       rows_of(x), channels(x), e.attrs.f("epsilon")};
    if (!rms) args.beta = e.in(2), args.mean = e.out(1), args.rstd = e.out(2);
    const FloatPair& kernel = rms ? e.kernels.norm->rms_norm : e.kernels.norm->layer_norm;
    e.run(kernel_for(kernel, x.dtype), args, 8 * volume(x.shape));
}

// in: x, gamma[, mean, rstd], dy; out: dx, dgamma[, dbeta].
template <bool rms>
void emit_layer_norm_grad(Emit& e) {
    const TensorType &x = e.in_type(0), &vector = e.in_type(1);
    if (volume(x.shape) == 0) return fill_with_zeros(e);
    const int64_t rows = rows_of(x);
    const int64_t parts =
        std::clamp<int64_t>(volume(x.shape) / 16384, 1, std::min<int64_t>(rows, 64));
    void* partial = e.workspace(2 * size_t(parts) * vector.bytes());
    LayerNormGradArgs args{e.in(0), e.in(1), nullptr,     nullptr, e.in(rms ? 2 : 4),   e.out(0),
                           partial, rows,    channels(x), parts,   e.attrs.f("epsilon")};
    if (!rms) args.mean = e.in(2), args.rstd = e.in(3);
    const FloatPair& kernel = rms ? e.kernels.norm->rms_norm_grad : e.kernels.norm->layer_norm_grad;
    e.run(kernel_for(kernel, x.dtype), args, 12 * volume(x.shape));
    char* sums = static_cast<char*>(e.workspace(2 * vector.bytes()));
    emit_reduce(e, ReduceOp::sum, partial, {x.dtype, {parts, 2 * channels(x)}}, {0}, sums);
    for (int i = 1; i < e.num_out(); ++i) {
        EwProgramBuilder p(vector.shape);
        p.set_output(e.out(i),
                     p.add_input(sums ? sums + size_t(i - 1) * vector.bytes() : nullptr, vector));
        p.run(e);
    }
}

Tensors layer_norm_rule(const GradCtx& c) {
    const T &x = c.in(0), &mean = c.out(1), &rstd = c.out(2);
    Tensors d =
        apply(Op::layer_norm_grad, {x, c.in(1), mean, rstd, or_zeros(c.dout(0), x)}, c.attrs);
    const double share = 1.0 / double(std::max<int64_t>(1, channels(x.type())));
    if (c.dout(1).defined()) d[0] = add(d[0], column(times(share, c.dout(1))));
    if (c.dout(2).defined()) {  // rstd = (var + epsilon)^(-1/2)
        const T dvar = times(-share, mul(c.dout(2), mul(rstd, square(rstd))));
        d[0] = add(d[0], mul(sub(x, column(mean)), column(dvar)));
    }
    return d;
}

Tensors rms_norm_rule(const GradCtx& c) {
    return apply(Op::rms_norm_grad, {c.in(0), c.in(1), c.dout(0)}, c.attrs);
}

// ---- gradients of the gradients: the fused kernels' formulas once more, in ops that differentiate
// ----

Tensors batch_norm_grad_in_ops(const Tensors& in, const Attrs& attrs) {
    const T &x = in[0], &gamma = in[1], &mean = in[2], &var = in[3], &dy = in[4];
    const double share = 1.0 / double(std::max<int64_t>(1, rows_of(x.type())));
    const T centered = sub(x, mean), rstd = rsqrt(add(var, scalar_like(var, attrs.f("epsilon"))));
    const T dbeta = sum(dy, all_but_last(x), false);
    const T dgamma = mul(sum(mul(dy, centered), all_but_last(x), false), rstd);
    const T rest =
        sub(sub(dy, times(share, dbeta)), mul(centered, times(share, mul(dgamma, rstd))));
    return {mul(rest, mul(gamma, rstd)), dgamma, dbeta};
}

Tensors layer_dx(const T& centered, const T& rstd, const T& gamma, const T& dy, bool rms) {
    const int64_t last = dy.ndim() - 1;
    const double share = 1.0 / double(std::max<int64_t>(1, channels(dy.type())));
    const T g = mul(dy, gamma), xhat = mul(centered, rstd);
    T rest = sub(g, mul(xhat, times(share, sum(mul(g, xhat), {last}, true))));
    if (!rms) rest = sub(rest, times(share, sum(g, {last}, true)));
    return {mul(rstd, rest), sum(mul(dy, xhat), all_but_last(dy), false)};
}

Tensors layer_norm_grad_in_ops(const Tensors& in, const Attrs&) {
    Tensors d = layer_dx(sub(in[0], column(in[2])), column(in[3]), in[1], in[4], false);
    d.push_back(sum(in[4], all_but_last(in[4]), false));
    return d;
}

Tensors rms_norm_grad_in_ops(const Tensors& in, const Attrs& attrs) {
    const T &x = in[0], mean_square = times(1.0 / double(std::max<int64_t>(1, channels(x.type()))),
                                            sum(square(x), {x.ndim() - 1}, true));
    return layer_dx(x, rsqrt(add(mean_square, scalar_like(x, attrs.f("epsilon")))), in[1], in[2],
                    true);
}

class Recording {
  public:
    explicit Recording(Tape* tape) : tape_(tape) { active_tapes().push_back(tape); }
    ~Recording() { std::erase(active_tapes(), tape_); }

  private:
    Tape* tape_;
};

// The gradient rule of an op that computes what `formula` does.
template <Tensors (*formula)(const Tensors&, const Attrs&)>
Tensors differentiate(const GradCtx& c) {
    Tensors in, targets, seeds;
    std::vector<EffectInput> sources;
    Tape tape(false);
    for (int i = 0; i < c.num_in(); ++i) {
        in.push_back(c.in(i));
        sources.push_back({c.in(i), nullptr});
        tape.watch(c.in(i));
    }
    const Tensors out = [&] {
        const Recording recording(&tape);
        return formula(in, c.attrs);
    }();
    for (int i = 0; i < c.num_out(); ++i)
        if (c.dout(i).defined()) {
            targets.push_back(out[size_t(i)]);
            seeds.push_back(c.dout(i));
        }
    return tape.gradient(targets, seeds, sources);
}
}  // namespace

extern const OpDef op_batch_norm = {infer_batch, emit_batch_norm, batch_norm_rule,
                                    kPromote | kFloat};
extern const OpDef op_batch_norm_grad = {infer_grad<3>, emit_batch_norm_grad,
                                         differentiate<batch_norm_grad_in_ops>};
extern const OpDef op_layer_norm = {infer_layer, emit_layer_norm<false>, layer_norm_rule,
                                    kPromote | kFloat};
extern const OpDef op_layer_norm_grad = {infer_grad<3>, emit_layer_norm_grad<false>,
                                         differentiate<layer_norm_grad_in_ops>};
extern const OpDef op_rms_norm = {infer_rms, emit_layer_norm<true>, rms_norm_rule,
                                  kPromote | kFloat};
extern const OpDef op_rms_norm_grad = {infer_grad<2>, emit_layer_norm_grad<true>,
                                       differentiate<rms_norm_grad_in_ops>};

}  // namespace hb
