#include "program/passes.h"

namespace hb {

void rebuild(Graph& graph, const std::vector<int>& order,
             const std::vector<std::vector<Operand>>& forward) {
    std::vector<int> place(graph.nodes.size(), -1);
    for (size_t i = 0; i < order.size(); ++i) place[size_t(order[i])] = int(i);
    const auto moved = [&](Operand v) {
        while (size_t(v.node) < forward.size() && !forward[size_t(v.node)].empty()) {
            const Operand next = forward[size_t(v.node)][size_t(v.output)];
            if (next == v) break;
            v = next;
        }
        return Operand{place[size_t(v.node)], v.output};
    };
    std::vector<Node> nodes;
    nodes.reserve(order.size());
    for (int old : order) {
        Node node = std::move(graph.nodes[size_t(old)]);
        for (Operand& v : node.in) v = moved(v);
        if (node.after >= 0) node.after = place[size_t(node.after)];
        nodes.push_back(std::move(node));
    }
    graph.nodes = std::move(nodes);
    for (Operand& v : graph.outputs) v = moved(v);
    for (int& input : graph.inputs) input = place[size_t(input)];
}

void prune(Graph& graph) {
    const int n = int(graph.nodes.size());
    std::vector<char> needed(size_t(n), 0);
    for (const Operand& v : graph.outputs) needed[size_t(v.node)] = 1;
    for (int input : graph.inputs) needed[size_t(input)] = 1;
    for (int i = n - 1; i >= 0; --i) {
        const Node& node = graph.nodes[size_t(i)];
        if (node.effect()) needed[size_t(i)] = 1;
        if (!needed[size_t(i)]) continue;
        for (const Operand& v : node.in) needed[size_t(v.node)] = 1;
    }
    std::vector<int> order;
    for (int i = 0; i < n; ++i)
        if (needed[size_t(i)]) order.push_back(i);
    rebuild(graph, order, {});
}

}  // namespace hb
