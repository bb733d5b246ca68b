#include "program/wave.h"

#include <algorithm>

#include "program/passes.h"

namespace hb {

namespace {
constexpr int64_t kMostRows = 16;    // of a step; more of them fill the threads
constexpr int64_t kFewestParts = 4;  // a wave of fewer is hardly faster
constexpr int64_t kMostParts = 12;

// ---- finding them ----

class Finder {
  public:
    explicit Finder(Graph& graph)
        : graph_(graph), gone_(graph.nodes.size(), 0), effect_before_(graph.nodes.size(), -1) {
        int last = -1;
        for (size_t i = 0; i < graph.nodes.size(); ++i) {
            if (!graph.nodes[i].effect()) continue;
            effect_before_[i] = last;
            last = int(i);
        }
    }

    void run() {
        const int n = int(graph_.nodes.size());
        bool any = false;
        for (int i = 0; i < n; ++i) any |= is_sequence(i);
        if (!any) return;
        bool found = false;
        for (int i = 0; i < n; ++i) {
            if (!is_sequence(i) || feeds_on_another(i)) continue;
            std::vector<int> chain = {i};
            while (extend(chain)) {
            }
            if (chain.size() > 1) found = true, join(chain);
        }
        if (!found) return;
        std::vector<int> order;
        for (int i = 0; i < n; ++i)
            if (!gone_[size_t(i)]) order.push_back(i);
        rebuild(graph_, order, {});
    }

  private:
    const Node& node(int i) const { return graph_.nodes[size_t(i)]; }
    // The value that `v` shows in another shape.
    Operand root(Operand v) const {
        while (node(v.node).alias() && v.output == 0) v = node(v.node).in[0];
        return v;
    }
    bool in_parts(const Node& n) const {
        if (n.kind != NodeKind::op || !n.op->in_parts) return false;
        std::vector<TensorType> in;
        for (const Operand& v : n.in) in.push_back(graph_.type(v));
        return n.op->in_parts(n.attrs, in);
    }
    bool is_sequence(int i) const {
        const Node& n = node(i);
        return !gone_[size_t(i)] && n.kind == NodeKind::op && (n.op->flags & kSteps) &&
               in_parts(n) && n.out[0].shape[1] <= kMostRows && n.out[0].shape[0] >= kFewestParts;
    }
    bool backwards(int i) const {
        return bool(node(i).op->flags & kBackwards) != node(i).attrs.b("reverse", false);
    }
    // A product of the rows of a sequence's first output; -1: none.
    int sequence_below(int product) const {
        const Node& n = node(product);
        if (n.kind != NodeKind::op || (n.op->flags & kSteps) || !in_parts(n)) return -1;
        const Operand from = root(n.in[0]);
        if (from.output != 0 || !is_sequence(from.node)) return -1;
        const Shape& y = node(from.node).out[0].shape;
        return graph_.type(n.in[0]).shape.back() == y.back() ? from.node : -1;
    }
    // The product between a sequence and the one below it; -1: none.
    int product_below(int sequence) const {
        for (const Operand& v : node(sequence).in) {
            const Operand from = root(v);
            const int below = from.output == 0 ? sequence_below(from.node) : -1;
            if (below >= 0 && backwards(below) == backwards(sequence) &&
                node(below).out[0].shape[0] == node(sequence).out[0].shape[0] &&
                node(below).out[0].shape[1] == node(sequence).out[0].shape[1])
                return from.node;
        }
        return -1;
    }
    bool feeds_on_another(int i) const { return product_below(i) >= 0; }

    // One more layer on top of the last one.
    bool extend(std::vector<int>& chain) const {
        for (int i = 0; i < int(graph_.nodes.size()); ++i) {
            if (!is_sequence(i)) continue;
            const int product = product_below(i);
            if (product < 0 || sequence_below(product) != chain.back()) continue;
            std::vector<Operand> others;
            const auto add = [&](const Node& n, int member) {
                for (const Operand& v : n.in)
                    if (root(v) != Operand{member, 0}) others.push_back(v);
            };
            add(node(product), chain.back());
            add(node(i), product);
            std::vector<int> members = chain;
            members.push_back(product), members.push_back(i);
            if (depend(others, members)) continue;
            chain = std::move(members);
            return true;
        }
        return false;
    }

    // Whether a value needs a member, so that the members could not run as one.
    bool depend(const std::vector<Operand>& values, const std::vector<int>& members) const {
        std::vector<char> seen(graph_.nodes.size(), 0);
        std::vector<int> stack;
        const auto push = [&](int i) {
            if (i < 0 || seen[size_t(i)]) return;
            seen[size_t(i)] = 1;
            stack.push_back(i);
        };
        for (const Operand& v : values) push(v.node);
        while (!stack.empty()) {
            const int i = stack.back();
            stack.pop_back();
            if (std::find(members.begin(), members.end(), i) != members.end()) return true;
            for (const Operand& v : node(i).in) push(v.node);
            push(node(i).after);
            push(effect_before_[size_t(i)]);
        }
        return false;
    }

    // The last member's node becomes the wave.
    void join(const std::vector<int>& chain) {
        Node joined{.kind = NodeKind::wave, .wave = std::make_shared<Wave>()};
        Wave& wave = *joined.wave;
        wave.steps = node(chain[0]).out[0].shape[0];
        wave.backwards = backwards(chain[0]);
        std::vector<int> first_out(graph_.nodes.size(), -1);
        for (size_t m = 0; m < chain.size(); ++m) {
            const Node& n = node(chain[m]);
            Wave::Member member{n.op, n.attrs, int(m + 1) / 2,        {},
                                {},   n.out,   int(joined.out.size())};
            for (const Operand& v : n.in) {
                const Operand from = root(v);
                const auto inner = std::find(chain.begin(), chain.end(), from.node);
                member.in_types.push_back(graph_.type(v));
                if (inner != chain.end()) {
                    member.in.push_back({int(inner - chain.begin()), from.output});
                    continue;
                }
                const auto outer = std::find(joined.in.begin(), joined.in.end(), v);
                member.in.push_back({-1, int(outer - joined.in.begin())});
                if (outer == joined.in.end()) joined.in.push_back(v);
            }
            first_out[size_t(chain[m])] = member.first_out;
            joined.out.insert(joined.out.end(), n.out.begin(), n.out.end());
            wave.members.push_back(std::move(member));
        }
        wave.stages = int(chain.size() + 1) / 2;
        for (int member : chain) gone_[size_t(member)] = member != chain.back();
        const auto redirect = [&](Operand& v) {
            if (first_out[size_t(v.node)] >= 0)
                v = {chain.back(), first_out[size_t(v.node)] + v.output};
        };
        for (Node& n : graph_.nodes)
            for (Operand& v : n.in) redirect(v);
        for (Operand& v : graph_.outputs) redirect(v);
        graph_.nodes[size_t(chain.back())] = std::move(joined);
    }

    Graph& graph_;
    std::vector<char> gone_;
    std::vector<int> effect_before_;  // effects keep their order
};

// ---- instructions ----

struct Task {
    const Instr* instrs;
    int count, stage, share, shares;
};
struct Tasks {
    const Task* tasks;
    int count, stages;
};

void run_tasks(const void* args, int share, int shares) {
    const Tasks& all = *static_cast<const Tasks*>(args);
    for (int t = 0; t < all.count; ++t) {
        const Task& task = all.tasks[t];
        if (task.stage * shares / all.stages != share) continue;  // always on the same thread
        for (int i = 0; i < task.count; ++i)
            task.instrs[i].fn(task.instrs[i].args, task.share, task.shares);
    }
}

class Emitter {
  public:
    Emitter(Emit& e, const Wave& wave) : e_(e), wave_(wave) {
        parts_ = choose_parts();
        const Part none{0, 0, wave.steps};
        InstrList unused;
        for (const Wave::Member& member : wave.members) {
            const size_t bytes = emit(member, parts_ ? &none : nullptr, unused, nullptr);
            workspaces_.push_back(bytes ? e.workspace(bytes) : nullptr);
        }
    }

    void run() {
        if (!parts_) {
            for (size_t m = 0; m < wave_.members.size(); ++m)
                emit(wave_.members[m], nullptr, e_.list(), workspaces_[m]);
            return;
        }
        const Part none{0, 0, wave_.steps};
        const int last = wave_.stages - 1;
        for (const Wave::Member& member : wave_.members) add(member, none, member.stage, 0, 1);
        run_added();
        for (int64_t at = 0; at < parts_ + 2 * last; ++at) {
            for (const Wave::Member& member : wave_.members) {
                const bool product = !(member.op->flags & kSteps);
                const int64_t k = at - 2 * member.stage + product;
                if (k < 0 || k >= parts_) continue;
                // A product takes turns with the sequences below and above it, on both threads.
                if (product) add(member, part(k), member.stage - 1, 0, 2);
                add(member, part(k), member.stage, product, product + 1);
            }
            run_added();
        }
    }

  private:
    // As one instruction after the other, or 0: by itself each layer is as fast.
    int64_t choose_parts() const {
        const int threads = threads_of(e_.threads);
        if (threads < 2) return 0;
        const int64_t rows = wave_.members[0].out[0].shape[1];
        const int64_t steps = wave_.steps, stages = wave_.stages;
        InstrList list;
        const Part one{0, 1, steps};
        for (const Wave::Member& member : wave_.members) emit(member, &one, list, nullptr);
        int64_t cost = 0;
        for (const Instr& instr : list.instrs) cost += instr.cost;
        // What rows cost a thread, where a row less than two is the reading of the weights.
        const auto effort = [](int64_t n) { return double(n + 2); };
        cost = int64_t(double(cost) * effort(rows) / double(rows));
        const int64_t most = std::min(kMostParts, steps);
        const int64_t length =
            std::max((steps + most - 1) / most, (kParallelCost + cost - 1) / cost);
        const int64_t parts = (steps + length - 1) / length;
        const int64_t at_once = std::min<int64_t>(threads, stages);
        const double apart = double(stages) * effort((rows + threads - 1) / threads);
        const double joined = double(stages) / double(at_once) * effort(rows) *
                              double(parts + 2 * stages - 2) / double(parts);
        return parts >= kFewestParts && joined < 0.85 * apart ? parts : 0;
    }

    Part part(int64_t k) const {
        const int64_t n = wave_.steps, length = (n + parts_ - 1) / parts_;
        const int64_t begin = std::min(n, k * length), end = std::min(n, begin + length);
        return wave_.backwards ? Part{n - end, n - begin, n} : Part{begin, end, n};
    }

    size_t emit(const Wave::Member& member, const Part* part, InstrList& list,
                void* workspace) const {
        std::vector<EmitOperand> in, out;
        for (size_t k = 0; k < member.in.size(); ++k) {
            const auto [from, index] = member.in[k];
            void* data = from < 0 ? e_.mutable_in(index)
                                  : e_.out(wave_.members[size_t(from)].first_out + index);
            in.push_back({data, member.in_types[k], from < 0 && e_.invariant(index)});
        }
        for (size_t o = 0; o < member.out.size(); ++o)
            out.push_back({e_.out(member.first_out + int(o)), member.out[o]});
        const int shares = !part ? e_.threads : member.op->flags & kSteps ? 1 : 2;
        Emit inner(*member.op, member.attrs, e_.kernels, shares, in, out, list, workspace,
                   part || !workspace ? nullptr : e_.hoisted());
        part ? member.op->emit_part(inner, *part) : member.op->emit(inner);
        return inner.workspace_used();
    }

    // A share of a member's part, for the thread of a stage.
    void add(const Wave::Member& member, const Part& part, int stage, int share, int shares) {
        std::vector<Instr>& instrs = e_.list().instrs;
        const size_t begin = instrs.size(), m = size_t(&member - wave_.members.data());
        emit(member, &part, e_.list(), workspaces_[m]);
        const size_t count = instrs.size() - begin;
        for (size_t i = begin; i < instrs.size(); ++i) cost_ += instrs[i].cost / shares;
        if (count > 0)
            tasks_.push_back(
                {e_.store(instrs.data() + begin, count), int(count), stage, share, shares});
        instrs.resize(begin);
    }
    void run_added() {
        const Task* tasks = e_.store(tasks_.data(), tasks_.size());
        e_.run(run_tasks, Tasks{tasks, int(tasks_.size()), wave_.stages},
               std::max(cost_, kParallelCost));
        tasks_.clear();
        cost_ = 0;
    }

    Emit& e_;
    const Wave& wave_;
    int64_t parts_;
    std::vector<void*> workspaces_;
    std::vector<Task> tasks_;
    int64_t cost_ = 0;
};
}  // namespace

void emit_wave(Emit& e, const Wave& wave) { Emitter(e, wave).run(); }

void join_stacked(Graph& graph) { Finder(graph).run(); }

}  // namespace hb
