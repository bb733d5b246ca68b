// The gradients of recurrent sequences: one op for all steps, then the weights' from products over
// all steps at once.
#include "core/tape.h"
#include "ops/rnn.h"

namespace hb {

namespace {
using Tensors = std::vector<Tensor>;

Tensor rows_of(const Tensor& x) { return reshape(x, {x.shape()[0] * x.shape()[1], x.shape()[2]}); }

// The gradient of a product's weights, and of its bias, over all steps that are not masked.
Tensors product_gradient(const Tensor& h, const Tensor& dproduct, const Tensor& keep) {
    if (keep.defined()) return apply(Op::dense_weights_grad, {h, dproduct, keep});
    return {matmul(rows_of(h), rows_of(dproduct), true), sum(rows_of(dproduct), {0}, false)};
}

// dr: what each gate's product was given, times the product's gradient, summed over all steps; and
// the gradient of the product's bias.
Tensors weights_gradient(RnnCell cell, const Tensor& h_prev, const Tensor& dproduct,
                         const Tensor& mask_h, const Tensor& reset_h, const Tensor& keep,
                         bool time_first) {
    if (!mask_h.defined() && cell != kGruBefore) return product_gradient(h_prev, dproduct, keep);
    const int64_t u = h_prev.shape()[2];
    Tensors weights, biases;
    for (int64_t g = 0; g < rnn_gates(cell); ++g) {
        Tensor h = h_prev;
        if (cell == kGruBefore && g == 2)
            h = reset_h;
        else if (mask_h.defined())
            h = mul(h, time_first ? transpose(slice_axis(mask_h, 1, g, g + 1), {1, 0, 2})
                                  : slice_axis(mask_h, 1, g, g + 1));
        const Tensors d = product_gradient(h, slice_axis(dproduct, 2, g * u, (g + 1) * u), keep);
        weights.push_back(d[0]), biases.push_back(d[1]);
    }
    return {apply1(Op::concat, weights, {{"axis", int64_t{1}}}),
            apply1(Op::concat, biases, {{"axis", int64_t{0}}})};
}

// Where another tape records this gradient: that of the sequence written with ops.
Tensors composed_gradient(RnnCell cell, const RnnInputs& in, const GradCtx& c) {
    const auto input = [&](int i) { return i < 0 ? Tensor() : c.in(i); };
    const RnnSequence sequence{cell,
                               c.attrs.b("reverse", false),
                               c.attrs.b("zero_output_for_mask", false),
                               time_first(c.attrs),
                               input(in.xw),
                               input(in.h0),
                               input(in.c0),
                               input(in.r),
                               input(in.bias),
                               input(in.mask_h),
                               input(in.mask)};
    std::vector<int> free;
    for (int i : {in.xw, in.h0, in.c0, in.r, in.bias})
        if (i >= 0) free.push_back(i);
    Tape tape(false);
    std::vector<EffectInput> sources;
    for (int i : free) {
        tape.watch(c.in(i));
        sources.push_back({c.in(i), nullptr});
    }
    active_tapes().push_back(&tape);
    const Tensors outputs = rnn_composed(sequence);
    std::erase(active_tapes(), &tape);
    Tensors targets, seeds;
    for (size_t i = 0; i < outputs.size(); ++i) {
        if (!c.dout(int(i)).defined()) continue;
        targets.push_back(outputs[i]);
        seeds.push_back(c.dout(int(i)));
    }
    const Tensors d = tape.gradient(targets, seeds, sources);
    Tensors grads(size_t(c.num_in()));
    for (size_t i = 0; i < free.size(); ++i) grads[size_t(free[i])] = d[i];
    return grads;
}

template <CellOf cell_of, Op grad_op>
Tensors grad(const GradCtx& c) {
    const RnnCell cell = cell_of(c.attrs);
    const RnnInputs in(cell, c.attrs);
    const int states = cell == kLstm ? 2 : 1;
    for (int i = 1 + states; i < c.num_out(); ++i)
        if (c.dout(i).defined())
            fail_value("{}: output {} is kept for the gradient and has none of its own.",
                       op_def(grad_op).name, i);
    if (in.mask_h >= 0 && c.needs(in.mask_h))
        fail_value("{}: mask_h has no gradient; it is a dropout mask.", op_def(grad_op).name);
    if (!active_tapes().empty()) return composed_gradient(cell, in, c);
    const auto or_zeros = [&](int i) {
        return c.dout(i).defined() ? c.dout(i) : zeros_like(c.out(i));
    };
    Tensors inputs = {c.in(in.r), c.in(in.h0)};
    if (cell == kLstm) inputs.push_back(c.in(in.c0));
    inputs.push_back(c.out(0));
    for (int i = 1 + states; i < c.num_out(); ++i) inputs.push_back(c.out(i));
    for (int i = 1; i <= states; ++i) inputs.push_back(or_zeros(i));
    if (c.dout(0).defined()) inputs.push_back(c.dout(0));
    if (in.mask_h >= 0) inputs.push_back(c.in(in.mask_h));
    if (in.mask >= 0) inputs.push_back(c.in(in.mask));
    Attrs attrs = c.attrs;
    attrs.set("has_dy", c.dout(0).defined());
    const Tensors d = apply(grad_op, inputs, attrs);

    Tensors grads(size_t(c.num_in()));
    grads[size_t(in.xw)] = d[0];
    grads[size_t(in.h0)] = d[1];
    if (cell == kLstm) grads[size_t(in.c0)] = d[2];
    const Tensor &h_prev = d[size_t(1 + states)], &dproduct = cell == kGruAfter ? d[3] : d[0];
    const bool bias = in.bias >= 0 && c.needs(in.bias);
    if (!c.needs(in.r) && !bias) return grads;
    Tensor keep = in.mask < 0 ? Tensor() : c.in(in.mask);
    if (keep.defined() && time_first(c.attrs)) keep = transpose(keep, {1, 0});
    const Tensors of_product = weights_gradient(
        cell, h_prev, dproduct, in.mask_h < 0 ? Tensor() : c.in(in.mask_h),
        cell == kGruBefore ? c.out(c.num_out() - 1) : Tensor(), keep, time_first(c.attrs));
    if (c.needs(in.r)) grads[size_t(in.r)] = of_product[0];
    if (bias) grads[size_t(in.bias)] = of_product[1];
    return grads;
}
}  // namespace

Tensors lstm_gradient(const GradCtx& c) { return grad<lstm_cell, Op::lstm_sequence_grad>(c); }
Tensors gru_gradient(const GradCtx& c) { return grad<gru_cell, Op::gru_sequence_grad>(c); }
Tensors rnn_gradient(const GradCtx& c) { return grad<rnn_cell, Op::rnn_sequence_grad>(c); }

Tensors no_second_gradient(const GradCtx&) {
    fail_value(
        "lstm_sequence_grad, gru_sequence_grad, rnn_sequence_grad: have no gradients. "
        "Differentiate "
        "the sequence with two tapes instead.");
}

Tensor slice_axis(const Tensor& x, int axis, int64_t from, int64_t to) {
    std::vector<int64_t> start(size_t(x.ndim()), 0), stop(x.shape()), step(size_t(x.ndim()), 1);
    start[size_t(axis)] = from, stop[size_t(axis)] = to;
    return apply1(Op::slice, {x}, {{"start", start}, {"stop", stop}, {"step", step}});
}

}  // namespace hb
