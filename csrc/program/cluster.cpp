// Elementwise ops of one shape that feed one another become one pass over memory.
#include <algorithm>

#include "kernels/elementwise.h"
#include "ops/ops.h"
#include "program/passes.h"

namespace hb {

namespace {
constexpr int kMaxMembers = 48;
constexpr int kMaxInputs = 24;

class Clusterer {
  public:
    explicit Clusterer(Graph& graph)
        : graph_(graph),
          id_(graph.nodes.size(), -1),
          seen_(graph.nodes.size(), 0),
          effect_before_(graph.nodes.size(), -1) {
        int last = -1;
        for (size_t i = 0; i < graph.nodes.size(); ++i) {
            if (!graph.nodes[i].effect()) continue;
            effect_before_[i] = last;
            last = int(i);
        }
    }

    void run() {
        for (int i = 0; i < int(graph_.nodes.size()); ++i) {
            if (!elementwise(i)) continue;
            const int mine = int(members_.size());
            members_.push_back({i});
            id_[size_t(i)] = mine;
            for (const Operand& v : graph_.nodes[size_t(i)].in) try_join(mine, v.node);
        }
        build();
    }

  private:
    bool elementwise(int i) const { return fuses(graph_.nodes[size_t(i)]); }
    const Shape& shape(int i) const { return graph_.nodes[size_t(i)].out[0].shape; }

    void try_join(int mine, int producer) {
        const int other = id_[size_t(producer)];
        if (other < 0 || other == mine) return;
        if (shape(producer) != shape(members_[size_t(mine)][0])) return;
        std::vector<int> joined = members_[size_t(mine)];
        const std::vector<int>& theirs = members_[size_t(other)];
        joined.insert(joined.end(), theirs.begin(), theirs.end());
        if (weight(joined) > kMaxMembers || int(joined.size()) > 2 * kMaxMembers ||
            count_inputs(joined, mine, other) > kMaxInputs || leads_back(joined, mine, other))
            return;
        std::sort(joined.begin(), joined.end());
        for (int member : joined) id_[size_t(member)] = mine;
        members_[size_t(mine)] = std::move(joined);
        members_[size_t(other)].clear();
    }

    // Casts around ops on halves come three to an op and leave nothing behind.
    int weight(const std::vector<int>& members) const {
        int count = 0;
        for (int member : members) count += graph_.nodes[size_t(member)].op->ew != int(EwOp::cast);
        return count;
    }

    bool inside(int node, int a, int b) const {
        const int id = id_[size_t(node)];
        return id >= 0 && (id == a || id == b);
    }

    int count_inputs(const std::vector<int>& joined, int a, int b) const {
        int count = 0;
        for (int member : joined)
            for (const Operand& v : graph_.nodes[size_t(member)].in) count += !inside(v.node, a, b);
        return count;
    }

    // Does a path leave the joined cluster and come back? Then it could not run as one.
    bool leads_back(const std::vector<int>& joined, int a, int b) {
        const int lowest = *std::min_element(joined.begin(), joined.end());
        ++stamp_;
        std::vector<int> stack;
        const auto push = [&](int node) {
            if (seen_[size_t(node)] == stamp_) return;
            seen_[size_t(node)] = stamp_;
            stack.push_back(node);
        };
        for (int member : joined)
            for (const Operand& v : graph_.nodes[size_t(member)].in)
                if (!inside(v.node, a, b)) push(v.node);
        while (!stack.empty()) {
            const int node = stack.back();
            stack.pop_back();
            const int id = id_[size_t(node)];
            if (id < 0) {
                if (node < lowest) continue;
                if (visit_operands(node, a, b, push)) return true;
                continue;
            }
            if (members_[size_t(id)].back() < lowest) continue;
            for (int member : members_[size_t(id)])
                if (visit_operands(member, a, b, push)) return true;
        }
        return false;
    }

    template <class Push>
    bool visit_operands(int node, int a, int b, const Push& push) const {
        const Node& n = graph_.nodes[size_t(node)];
        for (const Operand& v : n.in) {
            if (inside(v.node, a, b)) return true;
            push(v.node);
        }
        if (n.after >= 0) push(n.after);
        if (effect_before_[size_t(node)] >= 0) push(effect_before_[size_t(node)]);
        return false;
    }

    void build() {
        const size_t n = graph_.nodes.size();
        std::vector<char> used_outside(n, 0);
        const auto mark = [&](int user_cluster, const Operand& v) {
            const int id = id_[size_t(v.node)];
            if (id >= 0 && id != user_cluster) used_outside[size_t(v.node)] = 1;
        };
        for (size_t i = 0; i < n; ++i)
            for (const Operand& v : graph_.nodes[i].in) mark(id_[i], v);
        for (const Operand& v : graph_.outputs) mark(-1, v);

        std::vector<std::vector<Operand>> forward(n);
        std::vector<char> keep(n, 1);
        for (const std::vector<int>& members : members_) {
            if (members.size() < 2) continue;
            Node node{.kind = NodeKind::cluster, .cluster = std::make_shared<Cluster>()};
            fill(node, members, used_outside, forward);
            for (int member : members) keep[size_t(member)] = 0;
            const size_t last = size_t(members.back());
            keep[last] = 1;
            graph_.nodes[last] = std::move(node);
        }
        // A cluster stands where its last member stood; its users may stand before: schedule()
        // sorts.
        std::vector<int> order;
        for (size_t i = 0; i < n; ++i)
            if (keep[i]) order.push_back(int(i));
        // Operands inside `forward` name the cluster's node itself; resolve them once.
        for (int i : order)
            for (Operand& v : graph_.nodes[size_t(i)].in)
                if (!forward[size_t(v.node)].empty() &&
                    graph_.nodes[size_t(i)].kind != NodeKind::input)
                    v = resolved(v, forward);
        for (Operand& v : graph_.outputs) v = resolved(v, forward);
        rebuild(graph_, order, {});
    }

    static Operand resolved(Operand v, const std::vector<std::vector<Operand>>& forward) {
        const auto& to = forward[size_t(v.node)];
        return to.empty() ? v : to[size_t(v.output)];
    }

    void fill(Node& node, const std::vector<int>& members, const std::vector<char>& used_outside,
              std::vector<std::vector<Operand>>& forward) {
        Cluster& cluster = *node.cluster;
        for (int member : members)
            for (const Operand& v : graph_.nodes[size_t(member)].in)
                if (std::find(members.begin(), members.end(), v.node) == members.end() &&
                    std::find(node.in.begin(), node.in.end(), v) == node.in.end())
                    node.in.push_back(v);
        const int num_inputs = int(node.in.size());
        for (size_t s = 0; s < members.size(); ++s) {
            const Node& member = graph_.nodes[size_t(members[s])];
            Cluster::Step step{member.op, member.attrs, {}};
            for (const Operand& v : member.in) {
                const auto inner = std::find(members.begin(), members.end(), v.node);
                const auto outer = std::find(node.in.begin(), node.in.end(), v);
                step.operands.push_back(inner != members.end()
                                            ? num_inputs + int(inner - members.begin())
                                            : int(outer - node.in.begin()));
            }
            cluster.steps.push_back(std::move(step));
            if (used_outside[size_t(members[s])]) {
                forward[size_t(members[s])] = {{members.back(), int(cluster.outputs.size())}};
                cluster.outputs.push_back(int(s));
                node.out.push_back(member.out[0]);
            } else {
                forward[size_t(members[s])] = {{members.back(), 0}};
            }
        }
    }

    Graph& graph_;
    std::vector<int> id_;                    // cluster of each node, -1 for none
    std::vector<std::vector<int>> members_;  // in order
    std::vector<int> seen_;
    std::vector<int> effect_before_;  // effects keep their order: each needs the one before it
    int stamp_ = 0;
};
}  // namespace

bool is_dropout(const OpDef& op) { return &op == &op_def(Op::dropout); }

bool fuses(const Node& node) {
    if (node.kind != NodeKind::op || node.effect() || node.out.size() != 1) return false;
    if (!is_dropout(*node.op)) return node.op->ew >= 0;
    const Shape& shape = node.out[0].shape;
    // Its seed has two elements and comes from elsewhere; it is no input of the element's shape.
    return volume(shape) > 2 &&
           (!node.attrs.has("noise_shape") || Shape(node.attrs.ints("noise_shape")) == shape);
}

void cluster_elementwise(Graph& graph) { Clusterer(graph).run(); }

}  // namespace hb
