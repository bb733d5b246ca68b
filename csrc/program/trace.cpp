#include <algorithm>

#include "core/tape.h"
#include "ops/ops.h"
#include "program/graph.h"

namespace hb {

Trace::Trace() : outer_(current_recorder()) { current_recorder() = this; }

Trace::Trace(Captures) : Trace() {
    captures_ = true;
    outer_tapes_ = std::move(active_tapes());
    active_tapes().clear();
}

Trace::~Trace() { leave(); }

void Trace::leave() {
    if (active_ && captures_) active_tapes() = std::move(outer_tapes_);
    if (active_ && current_recorder() == this) current_recorder() = outer_;
    active_ = false;
}

Operand Trace::capture(const Tensor& tensor) {
    auto [found, fresh] = captures_at_.try_emplace(tensor.id(), 0);
    if (fresh) {
        input(tensor.type(), true);
        found->second = graph_.inputs.back();
        captured_.push_back(tensor);
    }
    return {found->second, 0};
}

// A variable as those outside of the body see it, so that their tapes know that it was read.
Tensor Trace::read_outside(const VariablePtr& variable) {
    current_recorder() = outer_;
    active_tapes().swap(outer_tapes_);
    const Tensor value = variable->read();
    active_tapes().swap(outer_tapes_);
    current_recorder() = this;
    return value;
}

int Trace::add(Node node) {
    graph_.nodes.push_back(std::move(node));
    return int(graph_.nodes.size()) - 1;
}

Operand Trace::operand(const Tensor& tensor) {
    if (tensor.symbolic()) {
        if (tensor.symbol().graph != this && captures_) return capture(tensor);
        if (tensor.symbol().graph != this)
            fail_type(
                "A value of another traced step (shape {}, dtype {}) is used here. Return it from "
                "that "
                "step, or keep it in a Variable.",
                tensor.shape(), tensor.dtype());
        return {tensor.symbol().node, tensor.symbol().output};
    }
    const bool tracked = std::any_of(outer_tapes_.begin(), outer_tapes_.end(),
                                     [&](const Tape* tape) { return tape->tracks(tensor); });
    if (captures_ && (tracked || tensor.size() > 1)) return capture(tensor);
    auto found = constants_.find(tensor.id());
    if (found != constants_.end()) return {found->second, 0};
    Tensor kept = tensor;
    // somebody else may write there later
    if (tensor.buffer()->foreign() || tensor.buffer().use_count() > 1) {
        kept = Tensor(tensor.type());
        if (kept.type().bytes()) std::memcpy(kept.data(), tensor.data(), kept.type().bytes());
    }
    Node node{.kind = NodeKind::constant, .out = {tensor.type()}, .constant = kept};
    const int index = add(std::move(node));
    constants_[tensor.id()] = index;
    held_.push_back(tensor);  // its id stays its own while the trace lasts
    return {index, 0};
}

Tensor Trace::input(const TensorType& type, bool external) {
    const int index = add({.kind = NodeKind::input, .out = {type}, .external = external});
    graph_.inputs.push_back(index);
    return Tensor(type, Symbol{this, index, 0});
}

std::vector<Tensor> Trace::record(const OpDef& op, const std::vector<Tensor>& inputs,
                                  const Attrs& attrs, const std::vector<TensorType>& types) {
    Node node{.kind = NodeKind::op, .op = &op, .attrs = attrs, .out = types};
    for (const Tensor& input : inputs) node.in.push_back(operand(input));
    const int index = add(std::move(node));
    std::vector<Tensor> outputs;
    for (size_t i = 0; i < types.size(); ++i)
        outputs.emplace_back(types[i], Symbol{this, index, int(i)});
    return outputs;
}

Tensor Trace::read(const VariablePtr& variable) {
    auto assigned = assigned_.find(variable.get());
    return assigned != assigned_.end() ? assigned->second : stored(variable);
}

Tensor Trace::stored(const VariablePtr& variable) {
    auto found = reads_.find(variable.get());
    if (found != reads_.end()) return found->second;
    if (captures_) {
        const Operand v = capture(read_outside(variable));
        return reads_.emplace(variable.get(), Tensor(variable->type(), Symbol{this, v.node, 0}))
            .first->second;
    }
    auto changed = changed_.find(variable.get());
    const int index = add({.kind = NodeKind::variable,
                           .out = {variable->type()},
                           .variable = variable,
                           .after = changed == changed_.end() ? -1 : changed->second});
    Tensor value(variable->type(), Symbol{this, index, 0});
    reads_.emplace(variable.get(), value);
    return value;
}

void Trace::effect(const OpDef& op, const std::vector<EffectInput>& inputs, const Attrs& attrs) {
    if (captures_) throw EffectInLoop();
    Node node{.kind = NodeKind::op, .op = &op, .attrs = attrs};
    for (const EffectInput& input : inputs) {
        node.in.push_back(operand(input.variable ? stored(input.variable) : input.value));
        node.changes.push_back(input.variable != nullptr);
    }
    const std::vector<Operand> in = node.in;
    const int index = add(std::move(node));
    for (const EffectInput& input : inputs) {
        if (!input.variable) continue;
        reads_.erase(input.variable.get());  // the next read is a new value
        assigned_.erase(input.variable.get());
        changed_[input.variable.get()] = index;
    }
    if (&op != &op_def(Op::assign) || graph_.type(in[1]) != inputs[0].variable->type()) return;
    const Symbol value{this, in[1].node, in[1].output};
    assigned_.emplace(inputs[0].variable.get(), Tensor(inputs[0].variable->type(), value));
}

Graph Trace::finish(const std::vector<Tensor>& outputs) {
    for (const Tensor& output : outputs) graph_.outputs.push_back(operand(output));
    leave();
    reads_.clear();
    assigned_.clear();
    return std::move(graph_);
}

}  // namespace hb
