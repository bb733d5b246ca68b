// reshape, transpose, broadcast_to, concat: the same elements in another order.
#include "ops/layout.h"

#include <numeric>

#include "ops/ops.h"

namespace hb {

namespace {
std::vector<TensorType> infer_reshape(const InferCtx& c) {
    c.expect(1);
    const Shape wanted = c.attrs.ints("shape");
    const int64_t n = volume(c.in[0].shape);
    Shape shape = wanted;
    int unknown = -1;
    int64_t known = 1;
    for (int i = 0; i < shape.ndim(); ++i) {
        if (shape[i] == -1 && unknown < 0)
            unknown = i;
        else if (shape[i] < 0)
            fail_value("reshape: at most one dimension may be -1. Received: shape={}.", wanted);
        else
            known *= shape[i];
    }
    if (unknown >= 0 && known > 0) shape[unknown] = n / known;
    if ((unknown >= 0 && known == 0) || volume(shape) != n)
        fail_value(
            "reshape: {} elements do not fill the new shape. Received: x.shape={}, shape={}.", n,
            c.in[0].shape, wanted);
    return {{c.in[0].dtype, shape}};
}

// The memory is shared; where that could not be, the elements are copied.
void emit_reshape(Emit& e) {
    if (e.out(0) == e.in(0)) return;
    CopyList copies(e.in_type(0).dtype);
    copies.add(e.out(0), 0, e.in(0), 0, {volume(e.in_type(0).shape)}, {1}, {1});
    copies.run(e);
}

std::vector<Tensor> grad_reshape(const GradCtx& c) { return {reshape(c.dout(0), c.in(0).shape())}; }

std::vector<int64_t> permutation(const Attrs& attrs, int ndim) {
    std::vector<int64_t> axes = attrs.ints("axes");
    std::vector<bool> seen(static_cast<size_t>(ndim));
    bool good = int(axes.size()) == ndim;
    for (size_t i = 0; good && i < axes.size(); ++i) {
        if (axes[i] < 0) axes[i] += ndim;
        good = axes[i] >= 0 && axes[i] < ndim && !seen[size_t(axes[i])];
        if (good) seen[size_t(axes[i])] = true;
    }
    if (!good)
        fail_value(
            "transpose: axes must name each of the {} dimensions of x once. Received: axes={}.",
            ndim, Shape(attrs.ints("axes")));
    return axes;
}

std::vector<TensorType> infer_transpose(const InferCtx& c) {
    c.expect(1);
    const Shape& x = c.in[0].shape;
    Shape shape;
    for (int64_t axis : permutation(c.attrs, x.ndim())) shape.push_back(x[axis]);
    return {{c.in[0].dtype, shape}};
}

void emit_transpose(Emit& e) {
    const Shape strides = row_major_strides(e.in_type(0).shape);
    Shape source;
    for (int64_t axis : permutation(e.attrs, strides.ndim())) source.push_back(strides[axis]);
    const Shape& y = e.out_type(0).shape;
    CopyList copies(e.in_type(0).dtype);
    copies.add(e.out(0), 0, e.in(0), 0, y, row_major_strides(y), source);
    copies.run(e);
}

std::vector<Tensor> grad_transpose(const GradCtx& c) {
    const std::vector<int64_t> axes = permutation(c.attrs, c.in(0).ndim());
    std::vector<int64_t> inverse(axes.size());
    for (size_t i = 0; i < axes.size(); ++i) inverse[size_t(axes[i])] = int64_t(i);
    return {transpose(c.dout(0), inverse)};
}

std::vector<TensorType> infer_broadcast_to(const InferCtx& c) {
    c.expect(1);
    const Shape shape = c.attrs.ints("shape");
    const Shape& x = c.in[0].shape;
    const int lead = shape.ndim() - x.ndim();
    bool fits = lead >= 0;
    for (int i = 0; fits && i < x.ndim(); ++i) fits = x[i] == 1 || x[i] == shape[i + lead];
    if (!fits)
        fail_value(
            "broadcast_to: x does not broadcast to the shape. Received: x.shape={}, shape={}.", x,
            shape);
    return {{c.in[0].dtype, shape}};
}

void emit_broadcast_to(Emit& e) {
    const Shape &x = e.in_type(0).shape, &y = e.out_type(0).shape;
    const Shape strides = row_major_strides(x);
    Shape source(y.size(), 0);
    for (int i = 0; i < x.ndim(); ++i)
        if (x[i] != 1) source[i + y.ndim() - x.ndim()] = strides[i];
    CopyList copies(e.in_type(0).dtype);
    copies.add(e.out(0), 0, e.in(0), 0, y, row_major_strides(y), source);
    copies.run(e);
}

std::vector<Tensor> grad_broadcast_to(const GradCtx& c) {
    return {sum_to(c.dout(0), c.in(0).shape())};
}

std::vector<TensorType> infer_concat(const InferCtx& c) {
    if (c.in.empty()) fail_value("concat: needs at least one tensor.");
    Shape shape = c.in[0].shape;
    const int axis = normalize_axis(c.attrs.i("axis"), shape.ndim(), "concat");
    shape[axis] = 0;
    for (const TensorType& x : c.in) {
        bool fits = x.shape.ndim() == shape.ndim();
        for (int i = 0; fits && i < shape.ndim(); ++i) fits = i == axis || x.shape[i] == shape[i];
        if (!fits)
            fail_value("concat: shapes must agree except along axis {}. Received: {} and {}.", axis,
                       c.in[0].shape, x.shape);
        shape[axis] += x.shape[axis];
    }
    return {{c.in[0].dtype, shape}};
}

void emit_concat(Emit& e) {
    const Shape& y = e.out_type(0).shape;
    const int axis = normalize_axis(e.attrs.i("axis"), y.ndim(), "concat");
    const int64_t outer =
        std::accumulate(y.begin(), y.begin() + axis, int64_t(1), std::multiplies<>());
    const int64_t stride = outer ? volume(y) / outer : 0;
    CopyList copies(e.out_type(0).dtype);
    int64_t offset = 0;
    for (int i = 0; i < e.num_in(); ++i) {
        const int64_t run = outer ? volume(e.in_type(i).shape) / outer : 0;
        copies.add(e.out(0), offset, e.in(i), 0, {outer, run}, {stride, 1}, {run, 1});
        offset += run;
    }
    copies.run(e);
}

std::vector<Tensor> grad_concat(const GradCtx& c) {
    const int axis = normalize_axis(c.attrs.i("axis"), c.out(0).ndim(), "concat");
    std::vector<Tensor> grads;
    Shape start(c.out(0).shape().size(), 0);
    const Shape step(start.size(), 1);
    for (int i = 0; i < c.num_in(); ++i) {
        Shape stop = c.out(0).shape();
        stop[axis] = start[axis] + c.in(i).shape()[axis];
        grads.push_back(c.needs(i) ? apply1(Op::slice, {c.dout(0)},
                                            {{"start", start}, {"stop", stop}, {"step", step}})
                                   : Tensor());
        start[axis] = stop[axis];
    }
    return grads;
}
}  // namespace

extern const OpDef op_reshape = {
    .infer = infer_reshape, .emit = emit_reshape, .grad = grad_reshape, .flags = kAlias | kMoves};
extern const OpDef op_transpose = {
    .infer = infer_transpose, .emit = emit_transpose, .grad = grad_transpose, .flags = kMoves};
extern const OpDef op_broadcast_to = {.infer = infer_broadcast_to,
                                      .emit = emit_broadcast_to,
                                      .grad = grad_broadcast_to,
                                      .flags = kMoves};
extern const OpDef op_concat = {
    .infer = infer_concat, .emit = emit_concat, .grad = grad_concat, .flags = kPromote | kMoves};

}  // namespace hb
