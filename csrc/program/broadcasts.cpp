#include "ops/ops.h"
#include "program/passes.h"

namespace hb {

namespace {
// Inference for the op with these operands still gives the node's type: another operand, or the
// elementwise kernel's own broadcasting, restores the shape.
bool same_result(const Graph& graph, const Node& node, const std::vector<Operand>& operands) {
    std::vector<TensorType> types;
    for (const Operand& v : operands) types.push_back(graph.type(v));
    return node.op->infer({node.op->name, types, node.attrs}) == node.out;
}
}  // namespace

void look_through_broadcasts(Graph& graph) {
    const OpDef* broadcast = &op_def(Op::broadcast_to);
    for (Node& node : graph.nodes) {
        if (node.kind != NodeKind::op || node.op->ew < 0 || node.effect()) continue;
        for (Operand& v : node.in) {
            const Node& producer = graph.nodes[size_t(v.node)];
            if (producer.kind != NodeKind::op || producer.op != broadcast) continue;
            std::vector<Operand> operands = node.in;
            operands[size_t(&v - node.in.data())] = producer.in[0];
            if (same_result(graph, node, operands)) v = producer.in[0];
        }
    }
}

}  // namespace hb
