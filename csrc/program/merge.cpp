#include <unordered_map>

#include "kernels/elementwise.h"
#include "ops/ops.h"
#include "program/passes.h"

namespace hb {

namespace {
size_t mix(size_t seed, size_t value) { return (seed ^ value) * 0x9E3779B97F4A7C15ull; }

size_t hash(const Node& node) {
    size_t h = mix(size_t(node.kind), reinterpret_cast<size_t>(node.op));
    for (const Operand& v : node.in) h = mix(h, size_t(v.node) * 16 + size_t(v.output));
    h = mix(h, node.attrs.items().size());
    for (const TensorType& type : node.out)
        for (int64_t d : type.shape) h = mix(h, size_t(d));
    return h;
}

bool equal_constants(const Node& a, const Node& b) {
    constexpr size_t kSmall = 64;
    const size_t bytes = a.out[0].bytes();
    return bytes <= kSmall && a.out == b.out &&
           std::memcmp(a.constant.data(), b.constant.data(), bytes) == 0;
}

bool same(const Node& a, const Node& b) {
    if (a.kind != b.kind) return false;
    if (a.kind == NodeKind::constant) return equal_constants(a, b);
    return a.kind == NodeKind::op && a.op == b.op && a.in == b.in && a.attrs == b.attrs &&
           a.out == b.out;
}

bool only_copies(const Graph& graph, const Node& node) {
    return node.kind == NodeKind::op && node.op->ew == int(EwOp::copy) && node.in.size() == 1 &&
           graph.type(node.in[0]) == node.out[0];
}
// A transpose that undoes the one before it.
bool turns_back(const Graph& graph, const Node& node) {
    static const OpDef* const transpose = &op_def(Op::transpose);
    if (node.kind != NodeKind::op || node.op != transpose) return false;
    const Node& first = graph.nodes[size_t(node.in[0].node)];
    if (first.kind != NodeKind::op || first.op != transpose) return false;
    const std::vector<int64_t>&there = first.attrs.ints("axes"), &back = node.attrs.ints("axes");
    const int64_t n = int64_t(back.size());
    for (size_t d = 0; d < back.size(); ++d)
        if (there[size_t(back[d] < 0 ? back[d] + n : back[d])] != int64_t(d) &&
            there[size_t(back[d] < 0 ? back[d] + n : back[d])] + n != int64_t(d))
            return false;
    return true;
}
}  // namespace

void merge_equal(Graph& graph) {
    const size_t n = graph.nodes.size();
    std::vector<std::vector<Operand>> forward(n);
    std::unordered_multimap<size_t, int> seen;
    std::vector<int> order;
    const auto resolve = [&](Operand v) {
        const auto& to = forward[size_t(v.node)];
        return to.empty() ? v : to[size_t(v.output)];
    };
    for (size_t i = 0; i < n; ++i) {
        Node& node = graph.nodes[i];
        for (Operand& v : node.in) v = resolve(v);
        order.push_back(int(i));
        const bool mergeable =
            node.kind == NodeKind::constant || (node.kind == NodeKind::op && !node.effect());
        if (!mergeable) continue;
        if (only_copies(graph, node)) {
            forward[i] = {node.in[0]};
            continue;
        }
        if (turns_back(graph, node)) {
            forward[i] = {graph.nodes[size_t(node.in[0].node)].in[0]};
            continue;
        }
        const size_t h = hash(node);
        auto [first, last] = seen.equal_range(h);
        int match = -1;
        for (; first != last && match < 0; ++first)
            if (same(graph.nodes[size_t(first->second)], node)) match = first->second;
        if (match < 0) {
            seen.emplace(h, int(i));
            continue;
        }
        for (size_t o = 0; o < node.out.size(); ++o) forward[i].push_back({match, int(o)});
    }
    rebuild(graph, order, forward);
}

}  // namespace hb
