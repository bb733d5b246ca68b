// What a cluster stores for later clusters alone, and they can make in a few cheap operations from
// values that live as long anyway, is made there: it takes no memory between forward and backward.
#include <algorithm>

#include "ops/elementwise.h"
#include "program/passes.h"

namespace hb {

namespace {
constexpr size_t kSmallest = 1 << 16;  // bytes
constexpr size_t kSmallPart = 16;      // a leaf of this part of the value may live longer for it
constexpr int kMaxSteps = 4, kMaxUsers = 2;
constexpr size_t kMaxInputs = 24, kMaxClusterSteps = 96;

template <class T>
bool contains(const std::vector<T>& list, const T& value) {
    return std::find(list.begin(), list.end(), value) != list.end();
}

int input_of(Node& node, Operand v) {
    const auto found = std::find(node.in.begin(), node.in.end(), v);
    if (found != node.in.end()) return int(found - node.in.begin());
    node.in.push_back(v);
    return int(node.in.size()) - 1;
}

bool cheap(const Cluster::Step& step) {
    return step.op->ew >= 0 && ew_cost(EwOp(step.op->ew)) <= 2;
}

// A node of one elementwise op, written as a cluster.
void make_cluster(Node& node) {
    if (node.kind == NodeKind::cluster) return;
    Cluster cluster{{{node.op, node.attrs, {}}}, {0}};
    const std::vector<Operand> operands = std::move(node.in);
    node.in.clear();
    for (const Operand& v : operands) cluster.steps[0].operands.push_back(input_of(node, v));
    node.kind = NodeKind::cluster;
    node.op = nullptr;
    node.attrs = {};
    node.cluster = std::make_shared<Cluster>(std::move(cluster));
}

// Leaves out the steps and the inputs that nothing needs.
void compact(Node& node) {
    Cluster& cluster = *node.cluster;
    const size_t inputs = node.in.size(), all = inputs + cluster.steps.size();
    std::vector<char> needed(all, 0);
    for (int output : cluster.outputs) needed[inputs + size_t(output)] = 1;
    for (size_t i = all; i-- > inputs;)
        if (needed[i])
            for (int operand : cluster.steps[i - inputs].operands) needed[size_t(operand)] = 1;
    std::vector<int> to(all);
    std::vector<Operand> in;
    std::vector<Cluster::Step> steps;
    for (size_t i = 0; i < inputs; ++i) {
        to[i] = int(in.size());
        if (needed[i]) in.push_back(node.in[i]);
    }
    for (size_t i = inputs; i < all; ++i) {
        to[i] = int(in.size() + steps.size());
        if (!needed[i]) continue;
        Cluster::Step& step = steps.emplace_back(std::move(cluster.steps[i - inputs]));
        for (int& operand : step.operands) operand = to[size_t(operand)];
    }
    for (int& output : cluster.outputs) output = to[inputs + size_t(output)] - int(in.size());
    cluster.steps = std::move(steps);
    node.in = std::move(in);
}

class Recomputer {
  public:
    explicit Recomputer(Graph& graph) : graph_(graph) {}

    void run() {
        bool changed = false;
        find_uses();
        for (int f = 0; f < int(graph_.nodes.size()); ++f) {
            const Node& node = graph_.nodes[size_t(f)];
            if (node.kind != NodeKind::cluster) continue;
            for (int o = int(node.out.size()) - 1; o >= 0; --o) {
                if (!worth(f, o)) continue;
                move(f, o);
                find_uses();
                changed = true;
            }
        }
        if (changed) prune(graph_);
    }

  private:
    struct Value {
        std::vector<int> users;
        int last = -1;  // position that reads it last, through reshapes too
    };
    Value& value(Operand v) { return values_[size_t(v.node)][size_t(v.output)]; }

    void find_uses() {
        const int n = int(graph_.nodes.size());
        values_.assign(size_t(n), {});
        for (int i = 0; i < n; ++i) values_[size_t(i)].resize(graph_.nodes[size_t(i)].out.size());
        for (const Operand& v : graph_.outputs) value(v) = {{n}, n};
        for (int i = n - 1; i >= 0; --i) {
            const Node& node = graph_.nodes[size_t(i)];
            for (size_t k = 0; k < node.in.size(); ++k) {
                Value& read = value(node.in[k]);
                if (!contains(read.users, i)) read.users.push_back(i);
                read.last = std::max(read.last, i);
                if (k == 0 && node.alias()) read.last = std::max(read.last, value({i, 0}).last);
            }
        }
    }

    // Finds the steps that make output `o` of cluster `f`, in order, and what they start from.
    bool worth(int f, int o) {
        const Node& node = graph_.nodes[size_t(f)];
        const TensorType& type = node.out[size_t(o)];
        const Value& kept = value({f, o});
        if (type.bytes() < kSmallest || kept.users.empty() || kept.users.size() > kMaxUsers)
            return false;
        for (int user : kept.users) {
            if (user == int(graph_.nodes.size())) return false;
            const Node& there = graph_.nodes[size_t(user)];
            if (there.kind != NodeKind::cluster && !fuses(there)) return false;
            if (there.out[0].shape != type.shape || there.in.size() > kMaxInputs) return false;
            if (there.cluster && there.cluster->steps.size() > kMaxClusterSteps) return false;
        }
        const Cluster& cluster = *node.cluster;
        const int inputs = int(node.in.size());
        std::vector<Operand> longer;  // values that would live longer
        steps_ = {cluster.outputs[size_t(o)]};
        for (size_t i = 0; i < steps_.size(); ++i) {
            if (steps_.size() > kMaxSteps || !cheap(cluster.steps[size_t(steps_[i])])) return false;
            for (int operand : cluster.steps[size_t(steps_[i])].operands) {
                const Operand leaf = leaf_of(f, o, operand);
                if (leaf.node >= 0) {
                    const bool small = graph_.type(leaf).bytes() * kSmallPart <= type.bytes();
                    if (!small && value(leaf).last < kept.last && !contains(longer, leaf))
                        longer.push_back(leaf);
                } else if (!contains(steps_, operand - inputs)) {
                    steps_.push_back(operand - inputs);
                }
            }
        }
        // One value may live on in its place: nothing is gained in memory, but a store is.
        if (longer.size() > 1 ||
            (longer.size() == 1 &&
             (kept.users.size() > 1 || graph_.type(longer[0]).bytes() > type.bytes())))
            return false;
        std::sort(steps_.begin(), steps_.end());
        return true;
    }

    // The value outside of cluster `f` that an operand of its steps is, if there is one but `o`.
    Operand leaf_of(int f, int o, int operand) const {
        const Node& node = graph_.nodes[size_t(f)];
        const int inputs = int(node.in.size());
        if (operand < inputs) return node.in[size_t(operand)];
        const std::vector<int>& outputs = node.cluster->outputs;
        const auto found = std::find(outputs.begin(), outputs.end(), operand - inputs);
        const int output = int(found - outputs.begin());
        return found == outputs.end() || output == o ? Operand{} : Operand{f, output};
    }

    void move(int f, int o) {
        for (int user : value({f, o}).users) copy_steps(f, o, user);
        Node& node = graph_.nodes[size_t(f)];
        node.out.erase(node.out.begin() + o);
        node.cluster->outputs.erase(node.cluster->outputs.begin() + o);
        compact(node);
        const auto renumber = [&](Operand& v) { v.output -= v.node == f && v.output > o; };
        for (Node& other : graph_.nodes)
            for (Operand& v : other.in) renumber(v);
        for (Operand& v : graph_.outputs) renumber(v);
    }

    void copy_steps(int f, int o, int user) {
        Node& there = graph_.nodes[size_t(user)];
        make_cluster(there);
        const Node& here = graph_.nodes[size_t(f)];
        const int replaced = input_of(there, {f, o}), had = int(there.in.size());
        std::vector<std::vector<int>> operands;  // inputs as they are, steps as -1, -2, ...
        for (int step : steps_) {
            std::vector<int>& list = operands.emplace_back();
            for (int operand : here.cluster->steps[size_t(step)].operands) {
                const Operand leaf = leaf_of(f, o, operand);
                const int inner = operand - int(here.in.size());
                const auto at = std::find(steps_.begin(), steps_.end(), inner) - steps_.begin();
                list.push_back(leaf.node >= 0 ? input_of(there, leaf) : -1 - int(at));
            }
        }
        const int inputs = int(there.in.size()), added = int(steps_.size());
        const int result =
            inputs + int(std::find(steps_.begin(), steps_.end(), here.cluster->outputs[size_t(o)]) -
                         steps_.begin());
        Cluster& cluster = *there.cluster;
        for (Cluster::Step& step : cluster.steps)
            for (int& operand : step.operands)
                operand = operand == replaced ? result
                          : operand < had     ? operand
                                              : operand - had + inputs + added;
        for (int& output : cluster.outputs) output += added;
        std::vector<Cluster::Step> steps;
        for (size_t i = 0; i < steps_.size(); ++i) {
            Cluster::Step step = here.cluster->steps[size_t(steps_[i])];
            for (size_t k = 0; k < step.operands.size(); ++k)
                step.operands[k] =
                    operands[i][k] >= 0 ? operands[i][k] : inputs - 1 - operands[i][k];
            steps.push_back(std::move(step));
        }
        cluster.steps.insert(cluster.steps.begin(), steps.begin(), steps.end());
        compact(there);
    }

    Graph& graph_;
    std::vector<std::vector<Value>> values_;
    std::vector<int> steps_;  // of the cluster in question
};
}  // namespace

void recompute_late(Graph& graph) { Recomputer(graph).run(); }

}  // namespace hb
