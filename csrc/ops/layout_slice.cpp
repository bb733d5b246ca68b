// slice and its transpose slice_grad; pad with a constant.
#include "ops/layout.h"
#include "ops/ops.h"

namespace hb {

namespace {
const char kZero[8] = {};

struct Slice {
    Shape start, step, shape;  // of the part
};

// start, stop, step as Python's range takes them, one triple per dimension; stop may be -1 when
// step < 0.
Slice parse_slice(const Attrs& attrs, const Shape& x, const char* name) {
    Slice s{attrs.ints("start"), attrs.ints("step"), {}};
    const Shape stop = attrs.ints("stop");
    if (s.start.ndim() != x.ndim() || stop.ndim() != x.ndim() || s.step.ndim() != x.ndim())
        fail_value(
            "{}: start, stop and step need one entry per dimension. Received: shape {}, start={}, "
            "stop={}, step={}.",
            name, x, s.start, stop, s.step);
    for (int i = 0; i < x.ndim(); ++i) {
        const int64_t step = s.step[i],
                      span = step > 0 ? stop[i] - s.start[i] : s.start[i] - stop[i];
        if (step == 0) fail_value("{}: step must not be 0. Received: step={}.", name, s.step);
        const int64_t length = span <= 0 ? 0 : (span - 1) / (step > 0 ? step : -step) + 1;
        const int64_t last = s.start[i] + (length - 1) * step;
        if (length > 0 && (s.start[i] < 0 || s.start[i] >= x[i] || last < 0 || last >= x[i]))
            fail_index("{}: dimension {} has {} elements. Received: start={}, stop={}, step={}.",
                       name, i, x[i], s.start[i], stop[i], step);
        s.shape.push_back(length);
    }
    return s;
}

std::vector<TensorType> infer_slice(const InferCtx& c) {
    c.expect(1);
    return {{c.in[0].dtype, parse_slice(c.attrs, c.in[0].shape, c.name).shape}};
}

Shape scaled(Shape strides, const Shape& step) {
    for (int i = 0; i < strides.ndim(); ++i) strides[i] *= step[i];
    return strides;
}

void emit_slice(Emit& e) {
    const Shape& x = e.in_type(0).shape;
    const Slice s = parse_slice(e.attrs, x, "slice");
    const Shape strides = row_major_strides(x);
    CopyList copies(e.in_type(0).dtype);
    copies.add(e.out(0), 0, e.in(0), offset_of(s.start, strides), s.shape,
               row_major_strides(s.shape), scaled(strides, s.step));
    copies.run(e);
}

std::vector<Tensor> grad_slice(const GradCtx& c) {
    Attrs attrs = c.attrs;
    attrs.set("shape", c.in(0).shape());
    return {apply1(Op::slice_grad, {c.dout(0)}, attrs)};
}

std::vector<TensorType> infer_slice_grad(const InferCtx& c) {
    c.expect(1);
    const Shape shape = c.attrs.ints("shape");
    const Slice s = parse_slice(c.attrs, shape, c.name);
    if (c.in[0].shape != s.shape)
        fail_value("slice_grad: dy must have the slice's shape {}. Received: {}.", s.shape,
                   c.in[0].shape);
    return {{c.in[0].dtype, shape}};
}

// Everything around the box [low, low + inner) of y: for each axis the slabs before and after it,
// within the box along the axes already done.
void fill_around(CopyList& copies, void* y, const Shape& shape, const Shape& low,
                 const Shape& inner, const void* value) {
    const Shape strides = row_major_strides(shape);
    Shape start(shape.size(), 0), dims = shape;
    for (int i = 0; i < shape.ndim(); ++i) {
        dims[i] = low[i];
        copies.fill(y, offset_of(start, strides), value, dims, strides);
        start[i] = low[i] + inner[i];
        dims[i] = shape[i] - start[i];
        copies.fill(y, offset_of(start, strides), value, dims, strides);
        start[i] = low[i];
        dims[i] = inner[i];
    }
}

void emit_slice_grad(Emit& e) {
    const Shape& y = e.out_type(0).shape;
    const Slice s = parse_slice(e.attrs, y, "slice_grad");
    const Shape strides = row_major_strides(y);
    CopyList copies(e.in_type(0).dtype);
    if (volume(s.shape) > 0 && s.step == Shape(s.step.size(), 1)) {
        fill_around(copies, e.out(0), y, s.start, s.shape, kZero);
    } else {
        CopyList zeros(e.in_type(0).dtype);
        zeros.fill(e.out(0), 0, kZero, {volume(y)}, {1});
        zeros.run(e);
    }
    copies.add(e.out(0), offset_of(s.start, strides), e.in(0), 0, s.shape, scaled(strides, s.step),
               row_major_strides(s.shape));
    copies.run(e);
}

std::vector<Tensor> grad_slice_grad(const GradCtx& c) {
    return {apply1(Op::slice, {c.dout(0)},
                   {{"start", c.attrs.ints("start")},
                    {"stop", c.attrs.ints("stop")},
                    {"step", c.attrs.ints("step")}})};
}

std::vector<TensorType> infer_pad(const InferCtx& c) {
    c.expect(1);
    Shape shape = c.in[0].shape;
    const Shape low = c.attrs.ints("low"), high = c.attrs.ints("high");
    if (low.ndim() != shape.ndim() || high.ndim() != shape.ndim())
        fail_value(
            "pad: one width before and one after each dimension is needed. Received: x.shape={}, "
            "before={}, after={}.",
            shape, low, high);
    for (int i = 0; i < shape.ndim(); ++i) {
        if (low[i] < 0 || high[i] < 0)
            fail_value("pad: widths must not be negative. Received: before={}, after={}.", low,
                       high);
        shape[i] += low[i] + high[i];
    }
    return {{c.in[0].dtype, shape}};
}

void emit_pad(Emit& e) {
    const Shape &x = e.in_type(0).shape, &y = e.out_type(0).shape, low = e.attrs.ints("low");
    const Shape strides = row_major_strides(y);
    char value[8] = {};
    store_scalar(value, e.in_type(0).dtype, e.attrs.f("value", 0.0));
    CopyList copies(e.in_type(0).dtype);
    fill_around(copies, e.out(0), y, low, x, e.store(value, 8));
    copies.add(e.out(0), offset_of(low, strides), e.in(0), 0, x, strides, row_major_strides(x));
    copies.run(e);
}

std::vector<Tensor> grad_pad(const GradCtx& c) {
    const Shape& x = c.in(0).shape();
    const Shape low = c.attrs.ints("low");
    Shape stop = low;
    for (int i = 0; i < x.ndim(); ++i) stop[i] += x[i];
    return {apply1(Op::slice, {c.dout(0)},
                   {{"start", low}, {"stop", stop}, {"step", Shape(x.size(), 1)}})};
}
}  // namespace

extern const OpDef op_slice = {
    .infer = infer_slice, .emit = emit_slice, .grad = grad_slice, .flags = kMoves};
extern const OpDef op_slice_grad = {
    .infer = infer_slice_grad, .emit = emit_slice_grad, .grad = grad_slice_grad, .flags = kMoves};
extern const OpDef op_pad = {
    .infer = infer_pad, .emit = emit_pad, .grad = grad_pad, .flags = kMoves};

}  // namespace hb
