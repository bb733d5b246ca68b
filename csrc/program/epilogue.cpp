// What follows a convolution or a product element by element, done while its results are still in
// registers: bias, scale and shift of each feature (batch normalisation that does not train), a
// tensor of the same shape (a residual), ReLU. In the order of the ops, each rounded as it was: the
// same bits. Batch normalisation that trains takes residual and ReLU, and its gradient takes that
// of the ReLU: eight passes over memory instead of thirteen.
#include "ops/epilogue.h"

#include <algorithm>

#include "ops/ops.h"
#include "program/passes.h"

namespace hb {

namespace {
class Fuser {
  public:
    explicit Fuser(Graph& graph)
        : graph_(graph), users_(graph.nodes.size()), forward_(graph.nodes.size()) {
        for (size_t i = 0; i < graph.nodes.size(); ++i)
            for (const Operand& v : graph.nodes[i].in) use(v, int(i));
        for (const Operand& v : graph.outputs) use(v, kOutside);
    }

    // From the end: by then those who read a value have become what they will be.
    void run() {
        const size_t n = graph_.nodes.size();
        std::vector<char> keep(n, 1);
        for (size_t i = n; i-- > 0;) {
            if (!keep[i] || !takes_epilogue(graph_.nodes[i])) continue;
            const std::vector<int> chain = follow(int(i));
            if (chain.empty()) continue;
            // At the last link all operands have been computed. Statistics are read before that:
            // a normalisation stays where it is.
            const int last = chain.back(), stays = is(int(i), Op::batch_norm) ? int(i) : last;
            for (const Operand& v : found_.in)
                for (int& user : users_[size_t(v.node)])
                    if (std::find(chain.begin(), chain.end(), user) != chain.end()) user = stays;
            if (stays != last) {
                forward_[size_t(last)] = {{stays, 0}};
                users_[i] = users_[size_t(last)];
            }
            graph_.nodes[size_t(stays)] = std::move(found_);
            keep[i] = 0;
            for (int link : chain) keep[size_t(link)] = 0;
            keep[size_t(stays)] = 1;
        }
        for (size_t i = 0; i < n; ++i)
            if (keep[i] && is(int(i), Op::batch_norm_grad)) take_relu_grad(int(i), keep);
        std::vector<int> order;
        for (size_t i = 0; i < n; ++i)
            if (keep[i]) order.push_back(int(i));
        if (order.size() < n) rebuild(graph_, order, forward_);
    }

  private:
    static constexpr int kOutside = -1;

    void use(Operand v, int user) {
        if (v.output == 0) users_[size_t(v.node)].push_back(user);
    }
    // The only one who reads a node's output 0, or -1.
    int only_user(int node) const {
        const std::vector<int>& users = users_[size_t(node)];
        return users.size() == 1 ? users[0] : kOutside;
    }

    static bool takes_epilogue(const Node& node) {
        if (node.kind != NodeKind::op || node.out.empty() || !is_float(node.out[0].dtype))
            return false;
        if (node.attrs.has(kEpilogue) || node.attrs.s("activation", "none") != "none") return false;
        for (Op op : {Op::conv, Op::conv_backward_data, Op::dense, Op::matmul, Op::batch_norm})
            if (node.op == &op_def(op)) return true;
        return false;
    }

    // The ops after node `i` that found_ does, too.
    std::vector<int> follow(int i) {
        found_ = graph_.nodes[size_t(i)];
        parts_.clear();
        first_ = i;
        normalizes_ = is(i, Op::batch_norm);
        if (found_.in.size() > 2 && !normalizes_) parts_.push_back(int64_t(EpiloguePart::bias));
        std::vector<int> chain;
        for (int value = i, next; !has(EpiloguePart::relu); value = next) {
            next = only_user(value);
            if (next < 0 || !absorb(next, value)) break;
            chain.push_back(next);
        }
        found_.attrs.set(kEpilogue, parts_);
        return chain;
    }

    bool has(EpiloguePart part) const {
        return std::find(parts_.begin(), parts_.end(), int64_t(part)) != parts_.end();
    }

    bool is(int node, Op op) const {
        const Node& n = graph_.nodes[size_t(node)];
        return n.kind == NodeKind::op && n.op == &op_def(op);
    }

    // Whether the sum in node `i` goes on into a cluster, which reads its terms as cheaply and may
    // write over them.
    bool feeds_cluster(int i) const {
        const int next = only_user(i);
        if (next >= 0 && is(next, Op::relu)) i = next;
        for (int user : users_[size_t(i)]) {
            if (user < 0) continue;
            const Node& node = graph_.nodes[size_t(user)];
            if (is(user, Op::relu_grad) && node.in[0] == Operand{i, 0}) continue;
            if (fuses(node) && node.out[0].shape == found_.out[0].shape) return true;
        }
        return false;
    }

    bool absorb(int index, int value) {
        const Node& next = graph_.nodes[size_t(index)];
        if (next.kind != NodeKind::op || next.out.size() != 1 || next.out[0] != found_.out[0])
            return false;
        if (next.op == &op_def(Op::relu)) {
            parts_.push_back(int64_t(EpiloguePart::relu));
            return true;
        }
        const bool adds = next.op == &op_def(Op::add);
        if (!adds && next.op != &op_def(Op::mul)) return false;
        const Operand operand = next.in[next.in[0] == Operand{value, 0} ? 1 : 0];
        const TensorType &type = graph_.type(operand), &y = found_.out[0];
        if (type.dtype != y.dtype || has(EpiloguePart::other)) return false;
        EpiloguePart part = EpiloguePart::other;
        if (normalizes_ && operand.node >= first_) return false;
        if (type.shape == Shape{y.shape.back()}) {
            if (y.shape.back() == 1 || normalizes_) return false;  // a column is computed as a row
            const bool moved = has(EpiloguePart::scale);
            part = !adds ? EpiloguePart::scale : moved ? EpiloguePart::shift : EpiloguePart::bias;
            if (has(part) || has(EpiloguePart::shift)) return false;
        } else if (!adds || type != y || feeds_cluster(index)) {
            return false;
        }
        parts_.push_back(int64_t(part));
        found_.in.push_back(operand);
        return true;
    }

    // dy of a normalisation behind which nothing but a ReLU is, before that ReLU's gradient.
    void take_relu_grad(int index, std::vector<char>& keep) {
        Node& grad = graph_.nodes[size_t(index)];
        const Operand dy = grad.in[4];
        if (!is(dy.node, Op::relu_grad) || only_user(dy.node) != index) return;
        const Node& mask = graph_.nodes[size_t(dy.node)];
        Operand y = mask.in[0];
        const std::vector<Operand>& stands = forward_[size_t(y.node)];
        if (stands.empty() || graph_.type(mask.in[1]) != graph_.type(dy)) return;
        y = stands[0];
        const Node& norm = graph_.nodes[size_t(y.node)];
        const std::vector<Operand> same{norm.in[0], norm.in[1], {y.node, 1}, {y.node, 2}};
        if (!std::equal(same.begin(), same.end(), grad.in.begin())) return;
        if (norm.attrs.ints(kEpilogue) != std::vector{int64_t(EpiloguePart::relu)}) return;
        grad.in[4] = mask.in[1];
        grad.in.push_back(norm.in[2]);
        grad.attrs.set(kBehindRelu, true);
        keep[size_t(dy.node)] = 0;
    }

    Graph& graph_;
    std::vector<std::vector<int>> users_;  // of each node's output 0
    std::vector<std::vector<Operand>> forward_;
    Node found_{};
    std::vector<int64_t> parts_;
    int first_ = 0;            // the node found_ was
    bool normalizes_ = false;  // and whether that is a batch normalisation
};
}  // namespace

void fuse_epilogues(Graph& graph) { Fuser(graph).run(); }

}  // namespace hb
