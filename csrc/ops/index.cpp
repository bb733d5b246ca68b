// gather, scatter_add, take_along_axis, put_along_axis_add: each pair is a function and its
// transpose.
#include "kernels/index.h"

#include <numeric>

#include "ops/ops.h"

namespace hb {

namespace {
int64_t product(const Shape& shape, int begin, int end) {
    return std::accumulate(shape.begin() + begin, shape.begin() + end, int64_t(1),
                           std::multiplies<>());
}

void check_indices(const InferCtx& c, const TensorType& index) {
    if (is_float(index.dtype) || index.dtype == DType::b8)
        fail_type("{}: indices must be int32, int64 or uint8. Received: {}.", c.name, index.dtype);
}

// shape with the dims of `index` in the place of `axis`
Shape replaced(const Shape& shape, int axis, const Shape& index) {
    Shape out(shape.begin(), shape.begin() + axis);
    out.insert(out.end(), index.begin(), index.end());
    out.insert(out.end(), shape.begin() + axis + 1, shape.end());
    return out;
}

std::string position(const ErrorSlot& slot, const Shape& index) {
    std::string where;
    int64_t rest = slot.position - 1;
    for (int i = index.ndim() - 1; i >= 0; --i) {
        where = std::to_string(rest % index[i]) + (where.empty() ? "" : ", ") + where;
        rest /= index[i];
    }
    return where.empty() ? where : "[" + where + "]";
}

Error describe(const char* name, const ErrorSlot& slot, const Shape& index, int axis, int64_t n) {
    return Error(ErrorKind::index, format("{}: indices{} is {}, but axis {} has {} elements.", name,
                                          position(slot, index), slot.value, axis, n));
}

// The axis of the tensor that is read or written, which `shape` is the shape of.
int axis_of(const Attrs& attrs, const Shape& shape, const char* name) {
    return normalize_axis(attrs.i("axis", 0), shape.ndim(), name);
}

std::vector<TensorType> infer_gather(const InferCtx& c) {
    c.expect(2);
    check_indices(c, c.in[1]);
    const Shape& x = c.in[0].shape;
    const int axis = axis_of(c.attrs, x, c.name);
    if (x[axis] == 0 && volume(c.in[1].shape) > 0)
        fail_index("gather: axis {} of x has no elements. Received: x.shape={}.", axis, x);
    return {{c.in[0].dtype, replaced(x, axis, c.in[1].shape)}};
}

// Emits `kernel` between a tensor of type `whole`, indexed along `axis`, and one with m elements
// there.
void emit_indexed(Emit& e, KernelFn kernel, const void* x, const void* index,
                  const TensorType& whole, int axis, DType index_dtype, int64_t m) {
    const Shape& shape = whole.shape;
    const IndexArgs args{x,
                         index,
                         e.out(0),
                         e.error_slot(),
                         whole.dtype,
                         index_dtype,
                         product(shape, 0, axis),
                         shape[axis],
                         m,
                         product(shape, axis + 1, shape.ndim()),
                         !e.attrs.b("table", false)};
    const int64_t touched = args.outer * args.inner * (m + (e.out_type(0) == whole ? args.n : m));
    if (volume(e.out_type(0).shape) > 0)
        e.run(kernel, args, 2 * touched * int64_t(dtype_size(whole.dtype)));
}

void emit_gather(Emit& e) {
    const TensorType &x = e.in_type(0), &index = e.in_type(1);
    emit_indexed(e, e.kernels.index->gather, e.in(0), e.in(1), x,
                 axis_of(e.attrs, x.shape, "gather"), index.dtype, volume(index.shape));
}

std::vector<Tensor> grad_gather(const GradCtx& c) {
    return {apply1(Op::scatter_add, {c.in(1), c.dout(0)},
                   {{"shape", c.in(0).shape()}, {"axis", c.attrs.i("axis", 0)}}),
            Tensor()};
}

Error describe_gather(const ErrorSlot& slot, std::span<const TensorType> in, const Attrs& attrs) {
    if (attrs.b("table", false))
        return Error(ErrorKind::index,
                     format("Embedding: inputs{} is {}, but it must be at least 0 and less than "
                            "input_dim={}.",
                            position(slot, in[1].shape), slot.value, in[0].shape[0]));
    const int axis = axis_of(attrs, in[0].shape, "gather");
    return describe("gather", slot, in[1].shape, axis, in[0].shape[axis]);
}

void check_summable(const InferCtx& c, DType dtype) {
    if (dtype == DType::b8) fail_type("{}: values must be numbers. Received: bool.", c.name);
}

std::vector<TensorType> infer_scatter_add(const InferCtx& c) {
    c.expect(2);
    check_indices(c, c.in[0]);
    check_summable(c, c.in[1].dtype);
    const Shape shape = c.attrs.ints("shape");
    const Shape expected = replaced(shape, axis_of(c.attrs, shape, c.name), c.in[0].shape);
    if (c.in[1].shape != expected)
        fail_value(
            "scatter_add: updates must have shape {}. Received: updates.shape={}, "
            "indices.shape={}, shape={}.",
            expected, c.in[1].shape, c.in[0].shape, shape);
    return {{c.in[1].dtype, shape}};
}

void emit_scatter_add(Emit& e) {
    const TensorType &y = e.out_type(0), &index = e.in_type(0);
    emit_indexed(e, e.kernels.index->scatter_add, e.in(1), e.in(0), y,
                 axis_of(e.attrs, y.shape, "scatter_add"), index.dtype, volume(index.shape));
}

std::vector<Tensor> grad_scatter_add(const GradCtx& c) {
    return {Tensor(), apply1(Op::gather, {c.dout(0), c.in(0)}, {{"axis", c.attrs.i("axis", 0)}})};
}

Error describe_scatter_add(const ErrorSlot& slot, std::span<const TensorType> in,
                           const Attrs& attrs) {
    const Shape shape = attrs.ints("shape");
    const int axis = axis_of(attrs, shape, "scatter_add");
    return describe("scatter_add", slot, in[0].shape, axis, shape[axis]);
}

void check_along(const InferCtx& c, const Shape& whole, int axis, const Shape& index) {
    Shape expected = whole;
    if (index.ndim() == whole.ndim()) expected[axis] = index[axis];
    if (index != expected)
        fail_value(
            "{}: indices must have the shape of the tensor except along axis {}. Received: shape "
            "{}, "
            "indices.shape={}.",
            c.name, axis, whole, index);
}

std::vector<TensorType> infer_take_along_axis(const InferCtx& c) {
    c.expect(2);
    check_indices(c, c.in[1]);
    check_along(c, c.in[0].shape, axis_of(c.attrs, c.in[0].shape, c.name), c.in[1].shape);
    return {{c.in[0].dtype, c.in[1].shape}};
}

void emit_take_along_axis(Emit& e) {
    const TensorType &x = e.in_type(0), &index = e.in_type(1);
    const int axis = axis_of(e.attrs, x.shape, "take_along_axis");
    emit_indexed(e, e.kernels.index->take_along_axis, e.in(0), e.in(1), x, axis, index.dtype,
                 index.shape[axis]);
}

std::vector<Tensor> grad_take_along_axis(const GradCtx& c) {
    return {apply1(Op::put_along_axis_add, {c.in(1), c.dout(0)},
                   {{"shape", c.in(0).shape()}, {"axis", c.attrs.i("axis", 0)}}),
            Tensor()};
}

Error describe_take(const ErrorSlot& slot, std::span<const TensorType> in, const Attrs& attrs) {
    const int axis = axis_of(attrs, in[0].shape, "take_along_axis");
    return describe("take_along_axis", slot, in[1].shape, axis, in[0].shape[axis]);
}

std::vector<TensorType> infer_put_along_axis_add(const InferCtx& c) {
    c.expect(2);
    check_indices(c, c.in[0]);
    check_summable(c, c.in[1].dtype);
    const Shape shape = c.attrs.ints("shape");
    check_along(c, shape, axis_of(c.attrs, shape, c.name), c.in[0].shape);
    if (c.in[1].shape != c.in[0].shape)
        fail_value(
            "put_along_axis_add: updates and indices must have the same shape. Received: {} and "
            "{}.",
            c.in[1].shape, c.in[0].shape);
    return {{c.in[1].dtype, shape}};
}

void emit_put_along_axis_add(Emit& e) {
    const TensorType &y = e.out_type(0), &index = e.in_type(0);
    const int axis = axis_of(e.attrs, y.shape, "put_along_axis_add");
    emit_indexed(e, e.kernels.index->put_along_axis_add, e.in(1), e.in(0), y, axis, index.dtype,
                 index.shape[axis]);
}

std::vector<Tensor> grad_put_along_axis_add(const GradCtx& c) {
    return {Tensor(),
            apply1(Op::take_along_axis, {c.dout(0), c.in(0)}, {{"axis", c.attrs.i("axis", 0)}})};
}

Error describe_put(const ErrorSlot& slot, std::span<const TensorType> in, const Attrs& attrs) {
    const Shape shape = attrs.ints("shape");
    const int axis = axis_of(attrs, shape, "put_along_axis_add");
    return describe("put_along_axis_add", slot, in[0].shape, axis, shape[axis]);
}

// Negative indices count from the end, but not into a table.
IndexCheck check_of(int operand, const Shape& shape, const Attrs& attrs) {
    const int64_t n = shape[normalize_axis(attrs.i("axis", 0), shape.ndim(), "index")];
    return {operand, attrs.b("table", false) ? 0 : -n, n};
}
IndexCheck checks_index(std::span<const TensorType> in, const Attrs& attrs) {
    return check_of(1, in[0].shape, attrs);
}
IndexCheck checks_transpose(std::span<const TensorType>, const Attrs& attrs) {
    return check_of(0, attrs.ints("shape"), attrs);
}
}  // namespace

extern const OpDef op_gather = {.infer = infer_gather,
                                .emit = emit_gather,
                                .grad = grad_gather,
                                .flags = kMovesFirst,
                                .describe_error = describe_gather,
                                .checks = checks_index};
extern const OpDef op_scatter_add = {.infer = infer_scatter_add,
                                     .emit = emit_scatter_add,
                                     .grad = grad_scatter_add,
                                     .describe_error = describe_scatter_add,
                                     .checks = checks_transpose};
extern const OpDef op_take_along_axis = {.infer = infer_take_along_axis,
                                         .emit = emit_take_along_axis,
                                         .grad = grad_take_along_axis,
                                         .flags = kMovesFirst,
                                         .describe_error = describe_take,
                                         .checks = checks_index};
extern const OpDef op_put_along_axis_add = {.infer = infer_put_along_axis_add,
                                            .emit = emit_put_along_axis_add,
                                            .grad = grad_put_along_axis_add,
                                            .describe_error = describe_put,
                                            .checks = checks_transpose};

}  // namespace hb
