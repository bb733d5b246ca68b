// iota, fill, one_hot: tensors from next to nothing.
#include "ops/layout.h"
#include "ops/ops.h"

namespace hb {

namespace {
Shape wanted_shape(const InferCtx& c) {
    const Shape shape = c.attrs.ints("shape");
    for (int64_t d : shape)
        if (d < 0)
            fail_value("{}: dimensions must not be negative. Received: shape={}.", c.name, shape);
    return shape;
}

std::vector<TensorType> infer_iota(const InferCtx& c) {
    c.expect(0);
    const Shape shape = wanted_shape(c);
    normalize_axis(c.attrs.i("axis"), shape.ndim(), "iota");
    return {{c.attrs.dtype(), shape}};
}

void emit_iota(Emit& e) {
    const TensorType& y = e.out_type(0);
    const int axis = normalize_axis(e.attrs.i("axis"), y.shape.ndim(), "iota");
    const int64_t n = volume(y.shape);
    if (n == 0) return;
    const IotaArgs args{e.out(0), y.dtype, n, row_major_strides(y.shape)[axis], y.shape[axis]};
    e.run(e.kernels.layout->iota, args, int64_t(y.bytes()));
}

std::vector<TensorType> infer_fill(const InferCtx& c) {
    c.expect(0);
    return {{c.attrs.dtype(), wanted_shape(c)}};
}

void emit_fill(Emit& e) {
    const DType dtype = e.out_type(0).dtype;
    char value[8] = {};
    if (dtype == DType::i64 ||
        dtype == DType::u64) {  // all 64 bits of integers that a double does not hold
        for (const Attrs::Item& item : e.attrs.items())
            if (item.name == "value") {
                const auto* exact = std::get_if<int64_t>(&item.value);
                const int64_t whole = exact ? *exact : int64_t(e.attrs.f("value"));
                std::memcpy(value, &whole, sizeof(whole));
            }
    } else {
        store_scalar(value, dtype, e.attrs.f("value"));
    }
    CopyList copies(dtype);
    copies.fill(e.out(0), 0, e.store(value, 8), {volume(e.out_type(0).shape)}, {1});
    copies.run(e);
}

std::vector<TensorType> infer_one_hot(const InferCtx& c) {
    c.expect(1);
    if (is_float(c.in[0].dtype))
        fail_type("one_hot: x must hold integers. Received: x.dtype={}.", c.in[0].dtype);
    const int64_t depth = c.attrs.i("depth");
    if (depth < 0)
        fail_value("one_hot: the number of classes must not be negative. Received: {}.", depth);
    Shape shape = c.in[0].shape;
    shape.push_back(depth);
    return {{c.attrs.dtype("dtype", DType::f32), shape}};
}

void emit_one_hot(Emit& e) {
    const OneHotArgs args{e.in(0),
                          e.out(0),
                          e.in_type(0).dtype,
                          e.out_type(0).dtype,
                          volume(e.in_type(0).shape),
                          e.attrs.i("depth")};
    if (args.n * args.depth > 0)
        e.run(e.kernels.layout->one_hot, args, int64_t(e.out_type(0).bytes()));
}
}  // namespace

extern const OpDef op_iota = {.infer = infer_iota, .emit = emit_iota, .grad = no_gradient};
extern const OpDef op_fill = {
    .infer = infer_fill, .emit = emit_fill, .grad = no_gradient, .flags = kMoves};
extern const OpDef op_one_hot = {.infer = infer_one_hot, .emit = emit_one_hot, .grad = no_gradient};

}  // namespace hb
