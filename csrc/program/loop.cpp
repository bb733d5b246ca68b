// The op `scan`. Its instructions are those of the body once for each step, with other addresses
// for what belongs to the step: planning and tracing cost what one step costs, and running needs
// nothing that a straight program does not have.
//
// The gradient is a scan in the other direction. Its body plays the forward body again from the
// carries that the forward scan kept (`history`), and goes back through it with a tape of its own;
// being a scan of ops, it has a gradient itself.
#include "program/loop.h"

#include <algorithm>

#include "core/tape.h"
#include "ops/ops.h"
#include "program/emit.h"
#include "program/passes.h"
#include "program/plan.h"

namespace hb {

std::shared_ptr<const LoopBody> LoopBody::make(Graph source, int carries, int slices,
                                               int captured) {
    auto body = std::make_shared<LoopBody>();
    body->graph = source;
    optimize(body->graph);
    body->carries = carries;
    body->slices = slices;
    body->captured = captured;
    body->stacked = int(source.outputs.size()) - carries;
    body->source = std::move(source);
    return body;
}

namespace {
TensorType stacked_type(const TensorType& type, int64_t length) {
    TensorType stacked{type.dtype, {}};
    std::vector<int64_t> dims{length};
    dims.insert(dims.end(), type.shape.begin(), type.shape.end());
    stacked.shape = Shape(dims);
    return stacked;
}

// Inputs: carries, sequences, captured. Outputs: carries, stacked, and the carries before each
// step where `history` is set.
std::vector<TensorType> infer_scan(const InferCtx& c) {
    const LoopBody& body = c.attrs.body("body");
    const int64_t length = c.attrs.i("length");
    c.expect(body.carries + body.slices + body.captured);
    std::vector<TensorType> out(c.in.begin(), c.in.begin() + body.carries);
    for (int k = 0; k < body.stacked; ++k)
        out.push_back(
            stacked_type(body.source.type(body.source.outputs[size_t(body.carries + k)]), length));
    if (c.attrs.b("history"))
        for (int k = 0; k < body.carries; ++k) out.push_back(stacked_type(c.in[size_t(k)], length));
    return out;
}

struct CopyBytes {
    const void* from;
    void* to;
    int64_t bytes;
};

void copy_bytes(const void* args, int thread, int threads) {
    const CopyBytes& copy = *static_cast<const CopyBytes*>(args);
    const Range range = split(copy.bytes, thread, threads);
    if (range.begin < range.end)
        std::memcpy(static_cast<char*>(copy.to) + range.begin,
                    static_cast<const char*>(copy.from) + range.begin,
                    size_t(range.end - range.begin));
}

class ScanEmitter {
  public:
    explicit ScanEmitter(Emit& e)
        : e_(e), body_(e.attrs.body("body")), graph_(body_.graph), length_(e.attrs.i("length")) {}

    void run() {
        plan();
        char* memory = static_cast<char*>(e_.workspace(plan_.arena_bytes + staging_bytes_ + 64));
        if (e_.dry() || length_ == 0) {
            if (!e_.dry()) pass_carries_on();
            return;
        }
        arena_ = memory;
        for (int k = 0; k < body_.carries; ++k) copy(e_.in(k), carry_data(k), e_.in_type(k));
        const bool reverse = e_.attrs.b("reverse");
        for (int64_t step = 0; step < length_; ++step)
            run_step(reverse ? length_ - 1 - step : step);
        for (int k = 0; k < body_.carries; ++k) copy(carry_data(k), e_.out(k), e_.out_type(k));
    }

  private:
    void plan() {
        std::vector<size_t> workspaces(graph_.nodes.size(), 0);
        InstrList unused;
        for (size_t i = 0; i < graph_.nodes.size(); ++i) {
            const Node& node = graph_.nodes[i];
            if (!node.computed()) continue;
            unused.clear();
            std::vector<EmitOperand> in, out;
            for (const Operand& v : node.in) in.push_back({nullptr, graph_.type(v)});
            for (const TensorType& type : node.out) out.push_back({nullptr, type});
            workspaces[i] = emit_node(node, in, out, e_.kernels, e_.threads, unused, nullptr);
        }
        std::vector<Carried> carried;
        for (int k = 0; k < body_.carries; ++k)
            carried.push_back({graph_.inputs[size_t(k)], graph_.outputs[size_t(k)]});
        plan_ = make_plan(graph_, workspaces, carried);
        plan_.arena_bytes = (plan_.arena_bytes + 63) / 64 * 64;
        staged_.assign(size_t(body_.carries), -1);
        for (int k = 0; k < body_.carries; ++k) {
            if (!is_another_carry(k)) continue;
            staged_[size_t(k)] = int64_t(staging_bytes_);
            staging_bytes_ += (e_.in_type(k).bytes() + 63) / 64 * 64;
        }
    }

    const Place& place(Operand v) const { return plan_.places[size_t(v.node)][size_t(v.output)]; }

    // A carry that is handed on in the place of another one would be overwritten before it is read.
    bool is_another_carry(int k) const {
        const Place& from = place(graph_.outputs[size_t(k)]);
        for (int other = 0; other < body_.carries; ++other) {
            const Place& at = plan_.places[size_t(graph_.inputs[size_t(other)])][0];
            if (other != k && from.kind == Place::arena && at.offset == from.offset) return true;
        }
        return false;
    }

    char* carry_data(int k) const {
        return arena_ + plan_.places[size_t(graph_.inputs[size_t(k)])][0].offset;
    }

    char* slice(const void* sequence, const TensorType& type, int64_t t) const {
        const size_t bytes = type.bytes() / size_t(length_);
        return static_cast<char*>(const_cast<void*>(sequence)) + size_t(t) * bytes;
    }

    void* data(Operand v, int64_t t) const {
        const Place& at = place(v);
        if (at.kind == Place::constant) return graph_.nodes[size_t(at.node)].constant.data();
        if (at.kind == Place::arena) return arena_ + at.offset;
        const int input = int(std::find(graph_.inputs.begin(), graph_.inputs.end(), at.node) -
                              graph_.inputs.begin());
        if (input < body_.carries + body_.slices) return slice(e_.in(input), e_.in_type(input), t);
        return const_cast<void*>(e_.in(input));
    }

    void copy(const void* from, void* to, const TensorType& type) {
        if (from != to && type.bytes() > 0)
            e_.run(copy_bytes, CopyBytes{from, to, int64_t(type.bytes())}, int64_t(type.bytes()));
    }

    void run_step(int64_t t) {
        if (e_.attrs.b("history"))
            for (int k = 0; k < body_.carries; ++k) {
                const int o = body_.carries + body_.stacked + k;
                copy(carry_data(k), slice(e_.out(o), e_.out_type(o), t), e_.in_type(k));
            }
        for (size_t i = 0; i < graph_.nodes.size(); ++i) {
            const Node& node = graph_.nodes[i];
            if (!node.computed()) continue;
            std::vector<EmitOperand> in, out;
            for (const Operand& v : node.in) in.push_back({data(v, t), graph_.type(v)});
            for (size_t o = 0; o < node.out.size(); ++o)
                out.push_back({data({int(i), int(o)}, t), node.out[o]});
            emit_node(node, in, out, e_.kernels, e_.threads, e_.list(),
                      arena_ + plan_.workspaces[i]);
        }
        for (int k = body_.carries; k < body_.carries + body_.stacked; ++k) {
            const Operand v = graph_.outputs[size_t(k)];
            copy(data(v, t), slice(e_.out(k), e_.out_type(k), t), graph_.type(v));
        }
        for (int k = 0; k < body_.carries; ++k)
            if (staged_[size_t(k)] >= 0)
                copy(data(graph_.outputs[size_t(k)], t), staging(k), e_.in_type(k));
        for (int k = 0; k < body_.carries; ++k) {
            const void* from =
                staged_[size_t(k)] >= 0 ? staging(k) : data(graph_.outputs[size_t(k)], t);
            copy(from, carry_data(k), e_.in_type(k));
        }
    }

    char* staging(int k) const { return arena_ + plan_.arena_bytes + staged_[size_t(k)]; }

    void pass_carries_on() {
        for (int k = 0; k < body_.carries; ++k) copy(e_.in(k), e_.out(k), e_.in_type(k));
    }

    Emit& e_;
    const LoopBody& body_;
    const Graph& graph_;
    const int64_t length_;
    Plan plan_;
    char* arena_ = nullptr;
    std::vector<int64_t> staged_;  // offset in the staging memory, -1: none
    size_t staging_bytes_ = 0;
};

void emit_scan(Emit& e) { ScanEmitter(e).run(); }

// The outputs of a body for other inputs, recorded (and taped) where we are now.
std::vector<Tensor> play(const LoopBody& body, const std::vector<Tensor>& inputs) {
    std::vector<std::vector<Tensor>> values(body.source.nodes.size());
    for (size_t k = 0; k < inputs.size(); ++k) values[size_t(body.source.inputs[k])] = {inputs[k]};
    for (size_t i = 0; i < body.source.nodes.size(); ++i) {
        const Node& node = body.source.nodes[i];
        if (node.kind == NodeKind::constant) values[i] = {node.constant};
        if (!node.computed()) continue;
        std::vector<Tensor> in;
        for (const Operand& v : node.in) in.push_back(values[size_t(v.node)][size_t(v.output)]);
        Attrs attrs = node.attrs;
        if (attrs.has("history")) attrs.set("history", true);  // a loop inside: it is taped now
        values[i] = apply(*node.op, in, attrs);
    }
    std::vector<Tensor> outputs;
    for (const Operand& v : body.source.outputs)
        outputs.push_back(values[size_t(v.node)][size_t(v.output)]);
    return outputs;
}

TensorType step_type(const TensorType& stacked) {
    const Shape& shape = stacked.shape;
    return {stacked.dtype, Shape(std::vector<int64_t>(shape.begin() + 1, shape.end()))};
}

// Carries of the gradient's loop: d(carry) for the float carries, and the sums d(captured).
std::vector<Tensor> grad_scan(const GradCtx& ctx) {
    const LoopBody& body = ctx.attrs.body("body");
    const int nc = body.carries, nx = body.slices, nk = body.captured, ny = body.stacked;
    const auto in = [&](int i) { return ctx.in(i); };
    std::vector<int> float_carries, float_slices, float_captured;
    for (int k = 0; k < nc; ++k)
        if (is_float(in(k).dtype())) float_carries.push_back(k);
    for (int k = nc; k < nc + nx; ++k)
        if (is_float(in(k).dtype()) && ctx.needs(k)) float_slices.push_back(k);
    for (int k = nc + nx; k < nc + nx + nk; ++k)
        if (is_float(in(k).dtype()) && ctx.needs(k)) float_captured.push_back(k);
    std::vector<int> stacked, histories;  // outputs that a gradient came to
    for (int k = nc; k < nc + ny; ++k)
        if (ctx.dout(k).defined()) stacked.push_back(k);
    for (int k : float_carries)
        if (ctx.num_out() > nc + ny + k && ctx.dout(nc + ny + k).defined()) histories.push_back(k);

    std::vector<Tensor> first, xs;
    for (int k : float_carries)
        first.push_back(ctx.dout(k).defined() ? ctx.dout(k) : zeros_like(in(k)));
    for (int k : float_captured) first.push_back(zeros_like(in(k)));
    for (int k = 0; k < nc; ++k) xs.push_back(ctx.out(nc + ny + k));
    for (int k = nc; k < nc + nx; ++k) xs.push_back(in(k));
    for (int k : stacked) xs.push_back(ctx.dout(k));
    for (int k : histories) xs.push_back(ctx.dout(nc + ny + k));

    Trace trace(Trace::Captures{});
    std::vector<Tensor> d, slices;
    for (const Tensor& x : first) d.push_back(trace.input(x.type()));
    for (const Tensor& x : xs) slices.push_back(trace.input(step_type(x.type()), true));
    std::vector<Tensor> inputs(slices.begin(), slices.begin() + nc + nx), outputs, next;
    for (int k = nc + nx; k < nc + nx + nk; ++k) inputs.push_back(in(k));
    {
        Tape tape(false);
        active_tapes().push_back(&tape);
        for (const Tensor& input : inputs)
            if (is_float(input.dtype())) tape.watch(input);
        outputs = play(body, inputs);
        std::erase(active_tapes(), &tape);

        std::vector<Tensor> targets, seeds;
        for (size_t i = 0; i < float_carries.size(); ++i) {
            targets.push_back(outputs[size_t(float_carries[i])]);
            seeds.push_back(d[i]);
        }
        for (size_t i = 0; i < stacked.size(); ++i) {
            targets.push_back(outputs[size_t(stacked[i])]);
            seeds.push_back(slices[size_t(nc + nx) + i]);
        }
        std::vector<EffectInput> sources;
        for (const std::vector<int>* list : {&float_carries, &float_captured, &float_slices})
            for (int k : *list) sources.push_back({inputs[size_t(k)], nullptr});
        const std::vector<Tensor> g = tape.gradient(targets, seeds, sources);
        size_t at = 0;
        for (size_t i = 0; i < float_carries.size(); ++i, ++at) {
            Tensor dc = g[at].defined() ? g[at] : zeros_like(inputs[size_t(float_carries[i])]);
            for (size_t h = 0; h < histories.size(); ++h)
                if (histories[h] == float_carries[i])
                    dc = add(dc, slices[size_t(nc + nx) + stacked.size() + h]);
            next.push_back(dc);
        }
        for (size_t i = 0; i < float_captured.size(); ++i, ++at) {
            const Tensor& sum = d[float_carries.size() + i];
            next.push_back(g[at].defined() ? add(sum, g[at]) : sum);
        }
        for (size_t i = 0; i < float_slices.size(); ++i, ++at)
            next.push_back(g[at].defined() ? g[at] : zeros_like(inputs[size_t(float_slices[i])]));
    }
    Graph graph = trace.finish(next);
    const std::vector<Tensor> captured = trace.captured();
    const auto back =
        LoopBody::make(std::move(graph), int(d.size()), int(slices.size()), int(captured.size()));
    const std::vector<Tensor> result =
        run_loop(back, first, xs, captured, ctx.attrs.i("length"), !ctx.attrs.b("reverse"));

    std::vector<Tensor> din(static_cast<size_t>(ctx.num_in()));
    size_t at = 0;
    for (const std::vector<int>* list : {&float_carries, &float_captured, &float_slices})
        for (int k : *list) din[size_t(k)] = result[at++];
    return din;
}
}  // namespace

extern const OpDef op_scan = {
    .infer = infer_scan, .emit = emit_scan, .grad = grad_scan, .flags = kMoves};  // any dtype

std::vector<Tensor> run_loop(const std::shared_ptr<const LoopBody>& body,
                             const std::vector<Tensor>& carry, const std::vector<Tensor>& xs,
                             const std::vector<Tensor>& captured, int64_t length, bool reverse) {
    std::vector<Tensor> inputs = carry;
    inputs.insert(inputs.end(), xs.begin(), xs.end());
    inputs.insert(inputs.end(), captured.begin(), captured.end());
    Attrs attrs{{"length", length}, {"reverse", reverse}};
    attrs.set("history", !active_tapes().empty());
    attrs.set("body", body);
    std::vector<Tensor> outputs = apply(Op::scan, inputs, attrs);
    outputs.resize(size_t(body->carries + body->stacked));
    return outputs;
}

}  // namespace hb
