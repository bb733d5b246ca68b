// A recurrent sequence as a loop over ops: what the fused ops compute, slower, with derivatives of
// every order.
#include "ops/rnn.h"
#include "program/loop.h"

namespace hb {

namespace {
using Tensors = std::vector<Tensor>;

struct Step {
    const RnnSequence& s;
    const int64_t u, gates;
    Tensors weights, biases, factors;  // of each gate

    explicit Step(const RnnSequence& sequence)
        : s(sequence), u(sequence.r.shape()[0]), gates(rnn_gates(sequence.cell)) {
        for (int64_t g = 0; g < gates; ++g) {
            weights.push_back(part(s.r, 1, g));
            if (s.bias.defined()) biases.push_back(part(s.bias, 0, g));
            if (s.mask_h.defined())
                factors.push_back(reshape(slice_axis(s.mask_h, 1, g, g + 1), {s.h0.shape()[0], u}));
        }
    }

    Tensor part(const Tensor& x, int axis, int64_t g) const {
        return slice_axis(x, axis, g * u, (g + 1) * u);
    }
    Tensor dropped(const Tensor& h, int64_t g) const {
        return factors.empty() ? h : mul(h, factors[size_t(g)]);
    }
    Tensor product(const Tensor& h, int64_t g) const {
        const Tensor y = matmul(h, weights[size_t(g)]);
        return biases.empty() ? y : add(y, biases[size_t(g)]);
    }

    // h and, of an LSTM, c after a step.
    Tensors after(const Tensor& xw, const Tensor& h, const Tensor& c) const {
        const auto sum = [&](int64_t g) { return add(part(xw, 1, g), product(dropped(h, g), g)); };
        const auto gate = [&](int64_t g) { return apply1(Op::sigmoid, {sum(g)}); };
        const auto tanh = [](const Tensor& x) { return apply1(Op::tanh, {x}); };
        if (s.cell == kLstm) {
            const Tensor value = tanh(sum(2)), inner = add(mul(gate(1), c), mul(gate(0), value));
            return {mul(gate(3), tanh(inner)), inner};
        }
        if (gates == 3) {
            const Tensor update = gate(0), reset = gate(1);
            const Tensor inner = s.cell == kGruAfter ? mul(reset, product(dropped(h, 2), 2))
                                                     : product(mul(reset, dropped(h, 2)), 2);
            const Tensor value = tanh(add(part(xw, 1, 2), inner));
            return {add(value, mul(update, sub(h, value)))};
        }
        return {s.cell == kRnnTanh ? tanh(sum(0)) : apply1(Op::relu, {sum(0)})};
    }
};

Tensor swapped(const Tensor& x) { return transpose(x, {1, 0, 2}); }
}  // namespace

std::vector<Tensor> rnn_composed(const RnnSequence& s) {
    const bool lstm = s.cell == kLstm, masked = s.mask.defined();
    const int64_t n = s.h0.shape()[0];
    Tensors first{s.h0}, xs{s.time_first ? s.xw : swapped(s.xw)};
    const int64_t length = xs[0].shape()[0];
    if (lstm) first.push_back(s.c0);
    if (masked) {
        const Tensor on = reshape(transpose(s.mask, {1, 0}), {length, n, 1});
        xs[0] = where(on, xs[0], scalar_like(xs[0], 0));  // what padding holds does not count
        xs.push_back(on);
        first.push_back(zeros_like(s.h0));  // the last output
    }
    const Step step(s);
    Trace trace(Trace::Captures{});
    Tensors state, slices;
    for (const Tensor& x : first) state.push_back(trace.input(x.type()));
    for (const Tensor& x : xs) slices.push_back(trace.input({x.dtype(), {n, x.shape()[2]}}, true));
    Tensors next = step.after(slices[0], state[0], lstm ? state[1] : Tensor());
    Tensor y = next[0];
    if (masked) {
        y = where(slices[1], y, s.zero_output ? scalar_like(y, 0) : state.back());
        for (size_t k = 0; k < next.size(); ++k) next[k] = where(slices[1], next[k], state[k]);
        next.push_back(y);
    }
    next.push_back(y);
    Graph graph = trace.finish(next);
    const Tensors captured = trace.captured();
    const auto body =
        LoopBody::make(std::move(graph), int(first.size()), int(xs.size()), int(captured.size()));
    Tensors outputs = run_loop(body, first, xs, captured, length, s.reverse);
    Tensors result{s.time_first ? outputs.back() : swapped(outputs.back()), outputs[0]};
    if (lstm) result.push_back(outputs[1]);
    return result;
}

}  // namespace hb
