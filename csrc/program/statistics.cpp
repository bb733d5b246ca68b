// Batch normalisation that trains needs sums over all of its input, and its gradient sums over all
// of the gradient that comes to it: the convolution or product that makes them sums up, too, while
// its results are in the caches, where they would be out of them before anybody reads them.
#include "kernels/stream.h"
#include "ops/epilogue.h"
#include "ops/ops.h"
#include "program/passes.h"

namespace hb {

namespace {
// The node that makes v, if it can sum up what it makes.
Node* summing(Graph& graph, Operand v) {
    Node& node = graph.nodes[size_t(v.node)];
    if (v.output != 0 || node.attrs.has(kStatistics)) return nullptr;
    for (Op op : {Op::conv, Op::conv_backward_data, Op::dense, Op::matmul})
        if (is(node, op)) return beyond_caches(int64_t(node.out[0].bytes())) ? &node : nullptr;
    return nullptr;
}

// Forward: mean and variance become outputs of x's producer.
bool take_mean(Graph& graph, int index, std::vector<Operand>& forward) {
    Node& norm = graph.nodes[size_t(index)];
    const Operand x = norm.in[0];
    Node* from = summing(graph, x);
    if (!from) return false;
    const std::vector<Operand> found{{x.node, 1}, {x.node, 2}};
    for (size_t i : {1u, 2u}) from->out.push_back(norm.out[i]);
    from->attrs.set(kStatistics, false);
    norm.in.insert(norm.in.end(), found.begin(), found.end());
    norm.attrs.set(kStatistics, true);
    forward = {{index, 0}, found[0], found[1]};
    return true;
}

// Backward: in: x, gamma, mean, var, dy[, beta].
bool take_sums(Graph& graph, int index) {
    Node& grad = graph.nodes[size_t(index)];
    const Operand dy = grad.in[4];
    Node* from = summing(graph, dy);
    if (!from) return false;
    std::vector<Operand> needed{grad.in[0], grad.in[2]};
    const bool behind_relu = grad.attrs.b(kBehindRelu, false);
    if (behind_relu)
        for (size_t i : {1u, 3u, 5u}) needed.push_back(grad.in[i]);
    for (const Operand& v : needed)
        if (v.node >= dy.node) return false;
    if (!from->attrs.has(kEpilogue)) {  // or the new inputs would be taken for a bias
        std::vector<int64_t> parts;
        if (from->in.size() > 2) parts.push_back(int64_t(EpiloguePart::bias));
        if (from->attrs.s("activation", "none") == "relu")
            parts.push_back(int64_t(EpiloguePart::relu));
        from->attrs.set(kEpilogue, parts);
    }
    from->in.insert(from->in.end(), needed.begin(), needed.end());
    from->out.push_back({grad.out[0].dtype, {2, grad.out[0].shape.back()}});
    from->attrs.set(kStatistics, true);
    if (behind_relu) {
        from->attrs.set(kBehindRelu, true);
        from->attrs.set("norm_epsilon", grad.attrs.f("epsilon"));
    }
    grad.in.push_back({dy.node, int(from->out.size()) - 1});
    grad.attrs.set(kStatistics, true);
    return true;
}
}  // namespace

void fuse_statistics(Graph& graph) {
    const int n = int(graph.nodes.size());
    std::vector<std::vector<Operand>> forward(static_cast<size_t>(n));
    bool changed = false;
    for (int i = 0; i < n; ++i) {
        if (is(graph.nodes[size_t(i)], Op::batch_norm))
            changed |= take_mean(graph, i, forward[size_t(i)]);
        else if (is(graph.nodes[size_t(i)], Op::batch_norm_grad))
            changed |= take_sums(graph, i);
    }
    if (!changed) return;
    std::vector<int> order;
    for (int i = 0; i < n; ++i) order.push_back(i);
    rebuild(graph, order, forward);
}

}  // namespace hb
