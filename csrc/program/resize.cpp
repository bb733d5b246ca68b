#include "program/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace hb {

namespace {
using Ints = std::vector<int64_t>;

bool alike(const std::vector<TensorType>& a, const std::vector<TensorType>& b) {
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i)
        if (a[i].dtype != b[i].dtype || a[i].shape.ndim() != b[i].shape.ndim()) return false;
    return true;
}

bool equal(const Tensor& a, const Tensor& b) {
    if (a.type() != b.type()) return false;
    const size_t bytes = a.type().bytes();
    return bytes == 0 || a.data() == b.data() || std::memcmp(a.data(), b.data(), bytes) == 0;
}

// The same but for sizes in types and attributes.
bool alike(const Node& a, const Node& b) {
    if (a.kind != b.kind || a.op != b.op || a.in != b.in || a.changes != b.changes) return false;
    if (a.variable != b.variable || a.external != b.external || a.after != b.after) return false;
    if (a.kind > NodeKind::op || !alike(a.out, b.out)) return false;
    return a.kind != NodeKind::variable || a.out == b.out;
}

bool alike(const Graph& a, const Graph& b) {
    if (a.inputs != b.inputs || a.outputs != b.outputs) return false;
    return std::equal(a.nodes.begin(), a.nodes.end(), b.nodes.begin(), b.nodes.end(),
                      [](const Node& x, const Node& y) { return alike(x, y); });
}

Ints ints_of(const Attrs::Value& value) {
    if (const auto* one = std::get_if<int64_t>(&value)) return {*one};
    return std::get<Ints>(value);
}

// Whether both are as many integers, whose differences are multiples of `step`.
bool grows(const Attrs::Value& a, const Attrs::Value& b, int64_t step) {
    const bool integers = std::holds_alternative<int64_t>(a) || std::holds_alternative<Ints>(a);
    if (!integers || a.index() != b.index()) return false;
    const Ints x = ints_of(a), y = ints_of(b);
    return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                      [&](int64_t v, int64_t w) { return (w - v) % step == 0; });
}

Ints ints_of(const Shape& shape) { return Ints(shape.begin(), shape.end()); }

// The number that all elements are; nothing where they differ.
std::optional<double> number_in(const Tensor& tensor) {
    const size_t size = dtype_size(tensor.dtype()), bytes = tensor.type().bytes();
    const char* data = tensor.as<char>();
    if (bytes == 0 || std::memcmp(data, data + size, bytes - size) != 0) return std::nullopt;
    return load_scalar(data, tensor.dtype());
}

// A whole number, or one over a whole number: a number of elements, say, or a mean's gradient.
struct Count {
    int64_t count;
    bool below;  // one over it

    double value() const { return below ? 1 / double(count) : double(count); }
};
std::optional<Count> count_in(double number, DType dtype) {
    if (std::abs(number) < 0x1p53 && number == std::trunc(number))
        return Count{int64_t(number), false};
    if (!(std::abs(number) > 0x1p-53 && std::abs(number) < 1)) return std::nullopt;
    const Count count{std::llround(1 / number), true};
    char as_stored[16];
    store_scalar(as_stored, dtype, count.value());
    if (load_scalar(as_stored, dtype) != number) return std::nullopt;
    return count;
}

// All elements one number, in a shape that grows.
bool grows(const Tensor& a, const Tensor& b, int64_t step) {
    const std::optional<double> x = number_in(a), y = number_in(b);
    if (!x || !y || !grows(ints_of(a.shape()), ints_of(b.shape()), step)) return false;
    if (*x == *y) return true;
    const std::optional<Count> m = count_in(*x, a.dtype()), n = count_in(*y, b.dtype());
    return m && n && m->below == n->below && (n->count - m->count) % step == 0;
}

void infer_types(Graph& graph) {
    std::vector<TensorType> types;
    for (Node& node : graph.nodes) {
        if (node.kind != NodeKind::op) continue;
        types.clear();
        for (const Operand& v : node.in) types.push_back(graph.type(v));
        std::vector<TensorType> out = node.op->infer({node.op->name, types, node.attrs});
        if (!node.effect()) node.out = std::move(out);
    }
}

std::vector<TensorType> input_types(const Graph& graph) {
    std::vector<TensorType> types;
    for (int input : graph.inputs) types.push_back(graph.nodes[size_t(input)].out[0]);
    return types;
}
}  // namespace

std::unique_ptr<Resizable> Resizable::of(const Graph& first, const Graph& second) {
    if (!alike(first, second)) return nullptr;
    auto made = std::make_unique<Resizable>();
    made->graph_ = first;
    made->inputs_ = input_types(first);
    if (!made->find_size(second) || !made->find_grown(second)) return nullptr;
    return made;
}

// A size of 0 or 1 is one of its own: it broadcasts.
bool Resizable::find_size(const Graph& second) {
    const std::vector<TensorType> others = input_types(second);
    for (size_t k = 0; k < inputs_.size(); ++k) {
        for (int d = 0; d < inputs_[k].shape.ndim(); ++d) {
            const int64_t sizes[] = {inputs_[k].shape[d], others[k].shape[d]};
            if (sizes[0] == sizes[1]) continue;
            if (sizes[0] < 2 || sizes[1] < 2) return false;
            if (free_.empty()) std::copy_n(sizes, 2, sizes_);
            if (!std::equal(sizes, sizes + 2, sizes_)) return false;
            free_.push_back({k, d});
        }
    }
    return !free_.empty();
}

bool Resizable::find_grown(const Graph& second) {
    const int64_t step = sizes_[1] - sizes_[0];
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
        if (graph_.nodes[i].kind == NodeKind::constant) {
            const Tensor &one = graph_.nodes[i].constant, &other = second.nodes[i].constant;
            if (equal(one, other)) continue;
            if (!grows(one, other, step)) return false;
            constants_.push_back({i, other});
            continue;
        }
        const auto& a = graph_.nodes[i].attrs.items();
        const auto& b = second.nodes[i].attrs.items();
        if (a.size() != b.size()) return false;
        for (size_t k = 0; k < a.size(); ++k) {
            if (a[k] == b[k]) continue;
            if (a[k].name != b[k].name || !grows(a[k].value, b[k].value, step)) return false;
            grown_.push_back({i, k, b[k].value});
        }
    }
    return true;
}

std::optional<int64_t> Resizable::size_in(const std::vector<TensorType>& inputs) const {
    if (!alike(inputs, inputs_)) return std::nullopt;
    const auto [input, axis] = free_[0];
    const int64_t size = inputs[input].shape[axis];
    if (size < 2) return std::nullopt;
    std::vector<TensorType> expected = inputs_;
    for (const auto& [k, d] : free_) expected[k].shape[d] = size;
    if (inputs != expected) return std::nullopt;
    return size;
}

int64_t Resizable::grown(int64_t first, int64_t second, int64_t size) const {
    return first + (second - first) / (sizes_[1] - sizes_[0]) * (size - sizes_[0]);
}

Attrs::Value Resizable::grown(const Grown& at, int64_t size) const {
    const Attrs::Value& first = graph_.nodes[at.node].attrs.items()[at.item].value;
    Ints values = ints_of(first);
    const Ints others = ints_of(at.second);
    for (size_t i = 0; i < values.size(); ++i) values[i] = grown(values[i], others[i], size);
    if (std::holds_alternative<int64_t>(first)) return values[0];
    return values;
}

Tensor Resizable::grown(const GrownConstant& at, int64_t size) const {
    const Tensor& first = graph_.nodes[at.node].constant;
    TensorType type = first.type();
    for (int d = 0; d < type.shape.ndim(); ++d)
        type.shape[d] = grown(type.shape[d], at.second.shape()[d], size);
    const double x = *number_in(first), y = *number_in(at.second);
    double number = x;
    if (x != y) {
        Count count = *count_in(x, type.dtype);
        count.count = grown(count.count, count_in(y, type.dtype)->count, size);
        number = count.value();
    }
    Tensor tensor(type);
    const size_t bytes = dtype_size(type.dtype);
    for (size_t i = 0; i < size_t(tensor.size()); ++i)
        store_scalar(tensor.as<char>() + i * bytes, type.dtype, number);
    return tensor;
}

std::optional<Graph> Resizable::resized(const std::vector<TensorType>& inputs) const {
    const std::optional<int64_t> size = size_in(inputs);
    if (!size) return std::nullopt;
    Graph graph = graph_;
    for (size_t k = 0; k < inputs.size(); ++k)
        graph.nodes[size_t(graph.inputs[k])].out[0] = inputs[k];
    for (const Grown& at : grown_) {
        Attrs& attrs = graph.nodes[at.node].attrs;
        attrs.set(attrs.items()[at.item].name, grown(at, *size));
    }
    for (const GrownConstant& at : constants_) {
        Node& node = graph.nodes[at.node];
        node.constant = grown(at, *size);
        node.out[0] = node.constant.type();
    }
    try {
        infer_types(graph);
    } catch (const Error&) {
        return std::nullopt;  // a trace says it in the user's terms
    }
    return graph;
}

bool Resizable::foretells(const Graph& third) const {
    const std::optional<Graph> mine = resized(input_types(third));
    if (!mine || !alike(*mine, third)) return false;
    for (size_t i = 0; i < third.nodes.size(); ++i)
        if (mine->nodes[i].attrs != third.nodes[i].attrs ||
            mine->nodes[i].out != third.nodes[i].out ||
            (mine->nodes[i].kind == NodeKind::constant &&
             !equal(mine->nodes[i].constant, third.nodes[i].constant)))
            return false;
    return true;
}

}  // namespace hb
