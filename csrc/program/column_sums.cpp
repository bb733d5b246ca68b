// The gradient of a layer's bias is the sum of the rows that the product for its weights copies
// anyway: that product sums them up, and no pass over them is left.
#include <algorithm>

#include "ops/linear.h"
#include "ops/ops.h"
#include "program/passes.h"

namespace hb {

namespace {
// a^T b of long matrices, by a kernel that can sum b's rows.
bool is_rows_product(const Graph& graph, const Node& node) {
    if (!is(node, Op::matmul) || node.in.size() != 2 || node.out.size() != 1) return false;
    if (!node.attrs.b("transpose_a", false) || node.attrs.b("transpose_b", false)) return false;
    const TensorType &a = graph.type(node.in[0]), &b = graph.type(node.in[1]);
    return is_float(a.dtype) && a.dtype == b.dtype && a.shape.ndim() == 2 && b.shape.ndim() == 2 &&
           is_outer(a.shape[1], b.shape[1], a.shape[0]);
}

bool sums_rows(const Graph& graph, const Node& node) {
    if (!is(node, Op::sum)) return false;
    const Shape& shape = graph.type(node.in[0]).shape;
    return shape.ndim() == 2 && node.out[0].shape == Shape{shape[1]} &&
           node.attrs.ints("axes") == std::vector<int64_t>{0};
}
}  // namespace

void sum_in_products(Graph& graph) {
    const size_t n = graph.nodes.size();
    std::vector<std::vector<Operand>> forward(n);
    std::vector<int> order, products;
    for (size_t i = 0; i < n; ++i) {
        const Node& node = graph.nodes[i];
        if (is_rows_product(graph, node)) products.push_back(int(i));
        const auto fits = [&](int k) {
            const Node& product = graph.nodes[size_t(k)];
            return product.in[1] == node.in[0] && product.out.size() == 1;
        };
        const auto found = sums_rows(graph, node)
                               ? std::find_if(products.begin(), products.end(), fits)
                               : products.end();
        if (found == products.end()) {
            order.push_back(int(i));
            continue;
        }
        Node& product = graph.nodes[size_t(*found)];
        product.op = &op_def(Op::dense_weights_grad);
        product.attrs = {};
        product.out.push_back(node.out[0]);
        forward[i] = {{*found, 1}};
    }
    if (order.size() < n) rebuild(graph, order, forward);
}

}  // namespace hb
