// Layers over time want their sequences step by step, callers have them row by row.
#include "program/passes.h"

namespace hb {

namespace {
constexpr const char* kTurned = "turned";
constexpr int64_t kLeastRun = 64;  // bytes: shorter ones are turned faster as a whole

bool turns(const Node& node) {
    if (!is(node, Op::transpose)) return false;
    const TensorType& type = node.out[0];
    const int ndim = type.shape.ndim();
    if (ndim < 3 || volume(type.shape) == 0) return false;
    const int64_t runs = type.shape[0] * type.shape[1];
    if (volume(type.shape) / runs * int64_t(dtype_size(type.dtype)) < kLeastRun) return false;
    const std::vector<int64_t> axes = node.attrs.ints("axes");
    for (int i = 0; i < ndim; ++i)
        if ((axes[size_t(i)] + ndim) % ndim != (i < 2 ? 1 - i : i)) return false;
    return true;
}
}  // namespace

bool is_turned(const Node& input) { return input.attrs.has(kTurned); }

void turn_inputs(Graph& graph) {
    const size_t n = graph.nodes.size();
    std::vector<int> users(n, 0), last(n, -1);
    for (size_t i = 0; i < n; ++i)
        for (const Operand& v : graph.nodes[i].in)
            ++users[size_t(v.node)], last[size_t(v.node)] = int(i);
    for (const Operand& v : graph.outputs) ++users[size_t(v.node)];
    std::vector<std::vector<Operand>> forward(n);
    std::vector<char> gone(n, 0);
    for (const int input : graph.inputs) {
        if (users[size_t(input)] != 1 || last[size_t(input)] < 0) continue;
        const Node& user = graph.nodes[size_t(last[size_t(input)])];
        if (!turns(user)) continue;
        Node& node = graph.nodes[size_t(input)];
        node.out = user.out;
        node.attrs.set(kTurned, true);
        gone[size_t(last[size_t(input)])] = 1;
        forward[size_t(last[size_t(input)])] = {{input, 0}};
    }
    std::vector<int> order;
    for (size_t i = 0; i < n; ++i)
        if (!gone[i]) order.push_back(int(i));
    if (order.size() < n) rebuild(graph, order, forward);
}

}  // namespace hb
