#include "ops/rnn.h"
#include "program/passes.h"

namespace hb {

void drop_unread(Graph& graph) {
    std::vector<std::vector<char>> read(graph.nodes.size());
    for (size_t i = 0; i < graph.nodes.size(); ++i) read[i].assign(graph.nodes[i].out.size(), 0);
    for (const Operand& v : graph.outputs) read[size_t(v.node)][size_t(v.output)] = 1;
    for (const Node& node : graph.nodes)
        for (const Operand& v : node.in) read[size_t(v.node)][size_t(v.output)] = 1;
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
        Node& node = graph.nodes[i];
        if (node.kind != NodeKind::op) continue;
        const size_t count = node.out.size();
        for (size_t o = count - size_t(rnn_outputs_to_drop(*node.op, node.attrs)); o < count; ++o)
            if (!read[i][o]) node.out[o].shape = {0};
    }
}

}  // namespace hb
