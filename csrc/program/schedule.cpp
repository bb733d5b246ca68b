#include <queue>

#include "ops/ops.h"
#include "program/beside.h"
#include "program/passes.h"

namespace hb {

namespace {
// An order in which every node follows what it needs: pure nodes as recorded, effects as late as
// possible. Ops that may run side by side wait for the other pure ones, so that they come together.
std::vector<int> topological(const Graph& graph) {
    const int n = int(graph.nodes.size());
    std::vector<std::vector<int>> users(static_cast<size_t>(n));
    std::vector<int> waiting(size_t(n), 0);
    const auto edge = [&](int from, int to) {
        users[size_t(from)].push_back(to);
        ++waiting[size_t(to)];
    };
    int last_effect = -1;
    for (int i = 0; i < n; ++i) {
        const Node& node = graph.nodes[size_t(i)];
        for (const Operand& v : node.in) edge(v.node, i);
        if (node.after >= 0) edge(node.after, i);
        if (!node.effect()) continue;
        if (last_effect >= 0) edge(last_effect, i);
        last_effect = i;
    }
    using Queue = std::priority_queue<int, std::vector<int>, std::greater<int>>;
    Queue pure, companions, effects;
    const auto ready = [&](int i) {
        const Node& node = graph.nodes[size_t(i)];
        (node.effect() ? effects : may_pair(node) ? companions : pure).push(i);
    };
    for (int i = 0; i < n; ++i)
        if (waiting[size_t(i)] == 0) ready(i);
    std::vector<int> order;
    const auto take = [&](Queue& queue) {
        const int i = queue.top();
        queue.pop();
        order.push_back(i);
        return i;
    };
    const auto done = [&](int i) {
        for (int user : users[size_t(i)])
            if (--waiting[size_t(user)] == 0) ready(user);
    };
    while (true) {
        if (!pure.empty()) {
            done(take(pure));
        } else if (!companions.empty()) {
            std::vector<int> taken;
            while (!companions.empty()) taken.push_back(take(companions));
            for (int i : taken) done(i);
        } else if (!effects.empty()) {
            done(take(effects));
        } else {
            break;
        }
    }
    if (int(order.size()) != n) throw Error(ErrorKind::runtime, "the traced step has a cycle");
    return order;
}

// The node whose memory `v` lives in.
int storage_root(const Graph& graph, Operand v) {
    while (graph.nodes[size_t(v.node)].alias() && v.output == 0)
        v = graph.nodes[size_t(v.node)].in[0];
    return v.node;
}

// A value of a variable that is read after an effect has changed the variable is copied before it.
void keep_old_values(Graph& graph) {
    const int n = int(graph.nodes.size());
    std::unordered_map<int, int> changed_at;  // variable node -> first effect that changes it
    for (int i = 0; i < n; ++i) {
        const Node& node = graph.nodes[size_t(i)];
        for (size_t k = 0; k < node.changes.size(); ++k)
            if (node.changes[k]) changed_at.try_emplace(node.in[k].node, i);
    }
    if (changed_at.empty()) return;

    struct Copy {
        Operand value;
        int before;
        int node;
    };
    std::vector<Copy> copies;
    const auto kept = [&](Operand v, int user) {
        auto changed = changed_at.find(storage_root(graph, v));
        if (changed == changed_at.end() || user <= changed->second) return v;
        if (user < n && graph.nodes[size_t(user)].alias()) return v;  // its users will ask
        for (const Copy& copy : copies)
            if (copy.value == v) return Operand{copy.node, 0};
        copies.push_back({v, changed->second, int(graph.nodes.size()) + int(copies.size())});
        return Operand{copies.back().node, 0};
    };
    for (int i = 0; i < n; ++i) {
        Node& node = graph.nodes[size_t(i)];
        for (size_t k = 0; k < node.in.size(); ++k)
            if (node.changes.empty() || !node.changes[k]) node.in[k] = kept(node.in[k], i);
    }
    for (Operand& v : graph.outputs) v = kept(v, n);
    if (copies.empty()) return;

    std::vector<int> order;
    std::vector<std::vector<int>> before(static_cast<size_t>(n));
    for (const Copy& copy : copies) {
        Node node{.kind = NodeKind::op, .op = &op_def(Op::copy)};
        node.in = {copy.value};
        node.out = {graph.type(copy.value)};
        graph.nodes.push_back(std::move(node));
        before[size_t(copy.before)].push_back(copy.node);
    }
    for (int i = 0; i < n; ++i) {
        order.insert(order.end(), before[size_t(i)].begin(), before[size_t(i)].end());
        order.push_back(i);
    }
    rebuild(graph, order, {});
}
}  // namespace

void schedule(Graph& graph) {
    rebuild(graph, topological(graph), {});
    recompute_late(graph);
    update_early(graph);
    keep_old_values(graph);
}

}  // namespace hb
