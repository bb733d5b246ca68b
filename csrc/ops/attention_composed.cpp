// Attention written out with ops: what has no kernel of its own (the gradient of a bias, and
// gradients of gradients). Tensors are (N,G,R,...): R = H / G heads of q share one of k and v.
//
//   S = q' k + bias      P = softmax(S)      y = (P M) v      M: dropout
//   dV = (P M)' dy       dS = P (M (dy v') - D)     D = rowsum(dy y)
//   dq = scale dS k      dk = scale dS' q
#include "ops/attention.h"

namespace hb {

namespace {
struct Composed {
    Shape q_shape, k_shape;
    double scale;
    Tensor q, k, v, dy;     // q, dy (N,G,R,T,*)  k, v (N,G,1,S,*)
    Tensor keep;            // bool, broadcasting to the scores (N,G,R,T,S), or undefined
    Tensor probs, dropout;  // dropout: factors, or undefined
    Tensor dprobs, mean, dscores;

    int64_t group() const { return q_shape[2] / k_shape[2]; }

    Tensor rows(const Tensor& x) const {  // (N,T,H,E) -> (N,G,R,T,E)
        const Shape& s = x.shape();
        return transpose(reshape(x, {s[0], s[1], k_shape[2], group(), s[3]}), {0, 2, 3, 1, 4});
    }
    Tensor keys(const Tensor& x) const {  // (N,S,G,E) -> (N,G,1,S,E)
        const Shape& s = x.shape();
        return reshape(transpose(x, {0, 2, 1, 3}), {s[0], s[2], 1, s[1], s[3]});
    }
    Tensor from_rows(const Tensor& x) const {
        const Shape& s = x.shape();
        return reshape(transpose(x, {0, 3, 1, 2, 4}), {s[0], s[3], s[1] * s[2], s[4]});
    }
    Tensor from_keys(const Tensor& x) const {  // of every head: the sum over R
        const Tensor y = sum(x, {2}, false);
        return transpose(y, {0, 2, 1, 3});
    }
    Tensor scores_like(const Tensor& x) const {  // (n,h,t,s) -> broadcasting to (N,G,R,T,S)
        const Shape& s = x.shape();
        const bool one = s[1] == 1;
        return reshape(x, {s[0], one ? 1 : k_shape[2], one ? 1 : group(), s[2], s[3]});
    }
    Tensor scaled(const Tensor& x) const { return mul(x, scalar_like(x, scale)); }
    Tensor dropped(const Tensor& x) const { return dropout.defined() ? mul(x, dropout) : x; }
    Tensor shown(const Tensor& x) const {  // no gradient passes where the mask hides
        return keep.defined() ? where(keep, x, scalar_like(x, 0)) : x;
    }

    // inputs: q, k, v, y, lse, dy[, bias][, mask][, seed]
    Composed(const Attrs& attrs, const std::vector<Tensor>& in)
        : q_shape(in[0].shape()), k_shape(in[1].shape()), scale(attrs.f("scale")) {
        const AttentionInputs at(attrs, 6);
        q = rows(in[0]), k = keys(in[1]), v = keys(in[2]), dy = rows(in[5]);
        const int64_t t = q_shape[1], s = k_shape[1];
        Tensor scores = scaled(matmul(q, k, false, true));
        if (at.bias >= 0) scores = add(scores, scores_like(in[size_t(at.bias)]));
        if (at.mask >= 0) keep = scores_like(in[size_t(at.mask)]);
        if (attrs.b("causal", false)) {
            const auto places = [](Shape shape, int64_t axis) {
                return apply1(Op::iota, {}, {{"shape", shape}, {"axis", axis}, {"dtype", "int32"}});
            };
            const Tensor below = apply1(Op::greater_equal, {places({t, 1}, 0), places({1, s}, 1)});
            keep = keep.defined() ? apply1(Op::logical_and, {keep, below}) : below;
        }
        if (keep.defined()) {
            const double lowest = scores.dtype() == DType::f64 ? -0.7 * 1.79769313486231570815e308
                                                               : -0.7 * 3.40282346638528859812e38;
            scores = where(keep, scores, scalar_like(scores, lowest));
        }
        probs = apply1(Op::softmax, {scores}, {{"axis", int64_t{4}}});
        if (at.seed >= 0)
            dropout = reshape(
                apply1(Op::dropout,
                       {fill({q_shape[0], q_shape[2], t, s}, q.dtype(), 1), in[size_t(at.seed)]},
                       {{"rate", attrs.f("rate")}}),
                probs.shape());
        dprobs = dropped(matmul(dy, v, false, true));
        mean = sum(mul(probs, dprobs), {4}, true);
        dscores = shown(mul(probs, sub(dprobs, mean)));
    }
};
}  // namespace

Tensor attention_bias_grad(const Attrs& attrs, const std::vector<Tensor>& inputs) {
    const Composed c(attrs, inputs);
    const Shape& s = c.q_shape;
    return sum_to(reshape(c.dscores, {s[0], s[2], s[1], c.k_shape[1]}), inputs[6].shape());
}

// With a, b, e the gradients of dq, dk, dv: L = <a, dq> + <b, dk> + <e, dv> as a function of q, k,
// v, dy; y and lse count as results of these.
std::vector<Tensor> attention_second_grad(const GradCtx& g) {
    std::vector<Tensor> inputs;
    for (int i = 0; i < g.num_in(); ++i) inputs.push_back(g.in(i));
    const AttentionInputs at(g.attrs, 6);
    const Composed c(g.attrs, inputs);
    const auto or_zeros = [&](int i) {
        return g.dout(i).defined() ? g.dout(i) : zeros_like(g.in(i));
    };
    const Tensor a = c.rows(or_zeros(0)), b = c.keys(or_zeros(1)), e = c.keys(or_zeros(2));

    const auto times = [&](const Tensor& x, const Tensor& y) { return matmul(x, y); };
    const auto across = [&](const Tensor& x, const Tensor& y) { return matmul(x, y, true, false); };
    const auto pairs = [&](const Tensor& x, const Tensor& y) { return matmul(x, y, false, true); };
    const auto row_sum = [&](const Tensor& x) { return sum(x, {4}, true); };

    // L = <ds, dS> + <dy, (P M) e>
    const Tensor ds = c.shown(c.scaled(add(pairs(a, c.k), pairs(c.q, b))));
    const Tensor ds_mean = row_sum(mul(c.probs, ds));
    const Tensor ddprobs = c.dropped(mul(c.probs, sub(ds, ds_mean)));
    const Tensor dprobs =
        add(sub(mul(ds, sub(c.dprobs, c.mean)), mul(ds_mean, c.dprobs)), c.dropped(pairs(c.dy, e)));
    const Tensor dscores = c.shown(mul(c.probs, sub(dprobs, row_sum(mul(c.probs, dprobs)))));

    std::vector<Tensor> grads(size_t(g.num_in()));
    if (g.needs(0)) grads[0] = c.from_rows(c.scaled(add(times(dscores, c.k), times(c.dscores, b))));
    if (g.needs(1))
        grads[1] = c.from_keys(c.scaled(add(across(dscores, c.q), across(c.dscores, a))));
    if (g.needs(2)) grads[2] = c.from_keys(across(ddprobs, c.dy));
    if (g.needs(5)) grads[5] = c.from_rows(add(times(ddprobs, c.v), times(c.dropped(c.probs), e)));
    if (at.bias >= 0 && g.needs(at.bias)) {
        const Shape& s = c.q_shape;
        grads[size_t(at.bias)] =
            sum_to(reshape(dscores, {s[0], s[2], s[1], c.k_shape[1]}), g.in(at.bias).shape());
    }
    return grads;
}

}  // namespace hb
