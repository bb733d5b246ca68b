// Scaled dot-product attention in Keras' layout.
//
// attention(q, k, v[, bias][, mask][, seed]) -> y, lse
// attention_grad(q, k, v, y, lse, dy[, bias][, mask][, seed]) -> dq, dk, dv
//
// q (N,T,H,D)  k (N,S,G,D)  v (N,S,G,E)  y (N,T,H,E)  lse (N,H,T), kept for the gradient; G divides
// H. bias and mask (N or 1, H or 1, T or 1, S or 1). The dropout is that of the op of this name
// applied to the probabilities (N,H,T,S).
#include "kernels/attention.h"

#include "kernels/gemm.h"
#include "ops/attention.h"
#include "ops/ops.h"

namespace hb {

namespace {
using Tensors = std::vector<Tensor>;

void check_shapes(const InferCtx& c) {
    const TensorType &q = c.in[0], &k = c.in[1], &v = c.in[2];
    if (!is_float(q.dtype) || k.dtype != q.dtype || v.dtype != q.dtype)
        fail_type("{}: q, k and v must be of one float dtype. Received: {}, {}, {}.", c.name,
                  dtype_name(q.dtype), dtype_name(k.dtype), dtype_name(v.dtype));
    const bool ranks = q.shape.ndim() == 4 && k.shape.ndim() == 4 && v.shape.ndim() == 4;
    if (!ranks || q.shape[0] != k.shape[0] || q.shape[3] != k.shape[3] ||
        k.shape[0] != v.shape[0] || k.shape[1] != v.shape[1] || k.shape[2] != v.shape[2])
        fail_value(
            "{}: q needs the shape (batch, T, heads, d), k (batch, S, key_heads, d) and v "
            "(batch, S, key_heads, e). Received: q.shape={}, k.shape={}, v.shape={}.",
            c.name, q.shape, k.shape, v.shape);
    if (k.shape[2] == 0 || q.shape[2] % k.shape[2] != 0)
        fail_value(
            "{}: the heads of k and v must divide those of q. Received: q.shape={}, k.shape={}.",
            c.name, q.shape, k.shape);
}

void check_extra(const InferCtx& c, const char* what, int input, DType dtype) {
    if (input < 0) return;
    const TensorType& x = c.in[size_t(input)];
    const Shape &q = c.in[0].shape, scores{q[0], q[2], q[1], c.in[1].shape[1]};
    if (x.dtype != dtype)
        fail_type("{}: {} must be {}. Received: {}.", c.name, what, dtype_name(dtype),
                  dtype_name(x.dtype));
    bool fits = x.shape.ndim() == 4;
    for (int i = 0; fits && i < 4; ++i) fits = x.shape[i] == scores[i] || x.shape[i] == 1;
    if (!fits)
        fail_value("{}: {} must have four dimensions and broadcast to {}. Received: {}.shape={}.",
                   c.name, what, scores, what, x.shape);
}

void check(const InferCtx& c, int given) {
    const AttentionInputs in(c.attrs, given);
    c.expect(in.count);
    check_shapes(c);
    check_extra(c, "bias", in.bias, c.in[0].dtype);
    check_extra(c, "mask", in.mask, DType::b8);
    if (in.seed < 0) return;
    const double rate = c.attrs.f("rate");
    if (!(rate > 0 && rate < 1))
        fail_value("{}: the dropout's rate must lie in (0, 1). Received: rate={}.", c.name, rate);
    if (c.in[size_t(in.seed)] != TensorType{DType::i64, {2}})
        fail_value("{}: seed must be int64 of shape (2,). Received: {} of shape {}.", c.name,
                   dtype_name(c.in[size_t(in.seed)].dtype), c.in[size_t(in.seed)].shape);
}

std::vector<TensorType> infer_attention(const InferCtx& c) {
    check(c, 3);
    const Shape &q = c.in[0].shape, &v = c.in[2].shape;
    return {{c.in[0].dtype, {q[0], q[1], q[2], v[3]}}, {c.in[0].dtype, {q[0], q[2], q[1]}}};
}

std::vector<TensorType> infer_grad(const InferCtx& c) {
    check(c, 6);
    const Shape &q = c.in[0].shape, &v = c.in[2].shape;
    const TensorType y{c.in[0].dtype, {q[0], q[1], q[2], v[3]}},
        lse{c.in[0].dtype, {q[0], q[2], q[1]}};
    if (c.in[3] != y || c.in[4] != lse || c.in[5] != y)
        fail_value("{}: y and dy need the shape {}, lse {}. Received: {}, {}, {}.", c.name, y.shape,
                   lse.shape, c.in[3].shape, c.in[5].shape, c.in[4].shape);
    return {c.in[0], c.in[1], c.in[2]};
}

// ---- instructions ----

void set_strides(const TensorType& x, int64_t* strides) {
    int64_t step = 1;
    for (int i = 3; i >= 0; --i) {
        strides[i] = x.shape[i] == 1 ? 0 : step;
        step *= x.shape[i];
    }
}

AttentionArgs arguments(Emit& e, int given) {
    const AttentionInputs in(e.attrs, given);
    const Shape &q = e.in_type(0).shape, &k = e.in_type(1).shape;
    AttentionArgs a{};
    a.q = e.in(0), a.k = e.in(1), a.v = e.in(2);
    a.n = q[0], a.t = q[1], a.h = q[2], a.d = q[3];
    a.s = k[1], a.g = k[2], a.dv = e.in_type(2).shape[3];
    a.scale = e.attrs.f("scale");
    a.causal = e.attrs.b("causal", false);
    if (in.bias >= 0) {
        a.bias = e.in(in.bias);
        set_strides(e.in_type(in.bias), a.bias_strides);
    }
    if (in.mask >= 0) {
        a.mask = static_cast<const bool*>(e.in(in.mask));
        set_strides(e.in_type(in.mask), a.mask_strides);
    }
    if (in.seed >= 0) {
        const double rate = e.attrs.f("rate");
        a.seed = static_cast<const int64_t*>(e.in(in.seed));
        a.threshold = uint32_t(rate * 0x1p24 + 0.5);
        a.keep_scale = 1 / (1 - rate);
    }
    return a;
}

void set_scratch(Emit& e, AttentionArgs& a, int64_t elements) {
    a.scratch_stride = elements * int64_t(dtype_size(e.in_type(0).dtype));
    a.scratch = static_cast<char*>(e.workspace(size_t(a.scratch_stride * e.threads)));
}

void emit_attention(Emit& e) {
    AttentionArgs a = arguments(e, 3);
    a.y = e.out(0), a.lse = e.out(1);
    if (a.n * a.h * a.t == 0) return;
    set_scratch(e, a, attention_scratch(a.s, a.d, a.dv));
    e.run(kernel_for(e.kernels.attention->forward, e.in_type(0).dtype), a,
          a.n * a.h * a.t * a.s * (2 * (a.d + a.dv) + 20));
}

void emit_grad(Emit& e) {
    AttentionGradArgs args{};
    args.a = arguments(e, 6);
    AttentionArgs& a = args.a;
    a.y = const_cast<void*>(e.in(3)), a.lse = const_cast<void*>(e.in(4));
    args.dy = e.in(5);
    args.dq = e.out(0), args.dk = e.out(1), args.dv = e.out(2);
    if (a.n * a.g == 0) return;
    const DType dtype = e.in_type(0).dtype;
    // Few heads: keys are cut too, and dq is a sum of as many parts.
    const int64_t blocks =
                      (a.s + attention_grad_keys(a.d, a.dv) - 1) / attention_grad_keys(a.d, a.dv),
                  heads = a.n * a.g, wanted = (32 + heads - 1) / heads;
    args.parts = wanted < blocks ? wanted : blocks > 0 ? blocks : 1;
    const int64_t n = volume(e.in_type(0).shape);
    if (args.parts > 1) args.dq = e.workspace(size_t(args.parts * n) * dtype_size(dtype));
    set_scratch(e, a, attention_grad_scratch(a.d, a.dv));
    e.run(kernel_for(e.kernels.attention->grad, dtype), args,
          a.n * a.h * a.t * a.s * (2 * (3 * a.d + 2 * a.dv) + 30));
    if (args.parts == 1) return;
    const SumPartialsArgs sum{args.dq, e.out(0), n, args.parts, 1, {}};
    e.run(dtype == DType::f64 ? e.kernels.gemm->sum_f64 : e.kernels.gemm->sum_f32, sum,
          4 * n * (args.parts + 1));
}

// ---- gradients ----

Tensors grad_attention(const GradCtx& c) {
    const AttentionInputs in(c.attrs, 3);
    if (c.dout(1).defined())
        fail_value("attention: lse is kept for the gradient and has none of its own.");
    Tensors inputs = {c.in(0), c.in(1), c.in(2), c.out(0), c.out(1), c.dout(0)};
    for (int i = 3; i < c.num_in(); ++i) inputs.push_back(c.in(i));
    Tensors grads = apply(Op::attention_grad, inputs, c.attrs);
    grads.resize(size_t(c.num_in()));
    if (in.bias >= 0 && c.needs(in.bias))
        grads[size_t(in.bias)] = attention_bias_grad(c.attrs, inputs);
    return grads;
}
}  // namespace

extern const OpDef op_attention = {infer_attention, emit_attention, grad_attention};
extern const OpDef op_attention_grad = {infer_grad, emit_grad, attention_second_grad};

}  // namespace hb
