// conv, and the gradients of its input and weights. The three are linear in each input and their
// gradients are the other two, so gradients of any order come out.
#include "ops/conv.h"

#include <algorithm>

#include "ops/epilogue.h"
#include "ops/ops.h"
#include "ops/statistics.h"

namespace hb {

namespace {
Shape spatial(const Shape& shape) { return Shape(shape.begin() + 1, shape.end() - 1); }

Shape joined(int64_t first, const Shape& middle, int64_t last) {
    Shape shape = {first};
    shape.insert(shape.end(), middle.begin(), middle.end());
    shape.push_back(last);
    return shape;
}

const std::vector<int64_t>& per_dim(const Attrs& attrs, const char* op, const char* name, int ndim,
                                    int64_t least) {
    const std::vector<int64_t>& values = attrs.ints(name);
    if (int(values.size()) != ndim)
        fail_value("{}: {} needs {} numbers. Received {}={}.", op, name, ndim, name, Shape(values));
    for (int64_t value : values)
        if (value < least)
            fail_value("{}: {} must be at least {}. Received {}={}.", op, name, least, name,
                       Shape(values));
    return values;
}

// x: (N, spatial..., C); w: (kernel..., C/groups, F). Checks all there is to check and finds `out`.
ConvShape conv_shape(const char* op, const Shape& x, const Shape& w, const Attrs& attrs) {
    const int nd = x.ndim() - 2;
    if (nd < 1 || nd > 3 || w.ndim() != nd + 2)
        fail_value(
            "{}: x and w need the same number of dimensions, 3 to 5. "
            "Received x.shape={}, w.shape={}.",
            op, x, w);
    const auto& strides = per_dim(attrs, op, "strides", nd, 1);
    const auto& low = per_dim(attrs, op, "pad_low", nd, 0);
    const auto& high = per_dim(attrs, op, "pad_high", nd, 0);
    const auto& dilation = per_dim(attrs, op, "dilation", nd, 1);
    ConvShape s{};
    s.n = x[0];
    s.channels = x.back();
    s.features = w.back();
    s.groups = attrs.i("groups", 1);
    if (s.groups < 1 || s.channels % s.groups != 0 || s.features % s.groups != 0)
        fail_value(
            "{}: {} channels and {} filters cannot be cut into {} groups. "
            "Received x.shape={}, w.shape={}, groups={}.",
            op, s.channels, s.features, s.groups, x, w, s.groups);
    if (s.channels != w[nd] * s.groups)
        fail_value("{}: x has {} channels but w expects {}. Received x.shape={}, w.shape={}{}.", op,
                   s.channels, w[nd] * s.groups, x, w,
                   s.groups > 1 ? format(", groups={}", s.groups) : "");
    for (int i = 0; i < 3; ++i) {
        s.in[i] = s.out[i] = s.kernel[i] = s.stride[i] = s.dilation[i] = 1;
        s.low[i] = 0;
    }
    for (int d = 0; d < nd; ++d) {
        const int i = d + 3 - nd;
        const size_t at = size_t(d);
        s.in[i] = x[d + 1];
        s.kernel[i] = w[d];
        s.stride[i] = strides[at];
        s.low[i] = low[at];
        s.dilation[i] = dilation[at];
        const int64_t extent = dilation[at] * (w[d] - 1) + 1,
                      padded = x[d + 1] + low[at] + high[at];
        if (w[d] < 1 || padded < extent)
            fail_value(
                "{}: a window of {} does not fit into {} padded elements in spatial dimension {}. "
                "Received x.shape={}, w.shape={}, dilation={}, padding low={} high={}.",
                op, extent, padded, d, x, w, Shape(dilation), Shape(low), Shape(high));
        s.out[i] = (padded - extent) / strides[at] + 1;
    }
    return s;
}

Shape out_spatial(const ConvShape& s, int nd) { return Shape(s.out + 3 - nd, s.out + 3); }

bool has_relu(const Attrs& attrs) {
    const std::string name = attrs.s("activation", "none");
    if (name != "none" && name != "relu")
        fail_value("conv: activation must be 'none' or 'relu'. Received activation='{}'.", name);
    return name == "relu";
}

std::vector<TensorType> infer_conv(const InferCtx& c) {
    if (c.num_in() != 3) c.expect(2);
    check_no_epilogue(c);
    const Shape &x = c.in[0].shape, &w = c.in[1].shape;
    has_relu(c.attrs);
    const ConvShape s = conv_shape("conv", x, w, c.attrs);
    if (c.num_in() == 3 && c.in[2].shape != Shape{s.features})
        fail_value("conv: b needs the shape ({},). Received b.shape={}, w.shape={}.", s.features,
                   c.in[2].shape, w);
    return {{c.in[0].dtype, joined(s.n, out_spatial(s, x.ndim() - 2), s.features)}};
}

void emit_conv_op(Emit& e) {
    const ConvShape s = conv_shape("conv", e.in_type(0).shape, e.in_type(1).shape, e.attrs);
    const size_t first = e.list().instrs.size();
    emit_conv(e, e.in_type(0).dtype, s, e.in(0), e.in(1), epilogue_of(e, 2), e.out(0));
    emit_statistics_of(e, first);
}

// x.shape, of which dy and the attribute input_shape tell.
Shape data_shape(const Shape& dy, const Shape& w, const Attrs& attrs) {
    const Shape input = attrs.ints("input_shape");
    if (w.ndim() < 3 || dy.ndim() != w.ndim() || input.ndim() != dy.ndim() - 2)
        fail_value(
            "conv_backward_data: dy and w need the same number of dimensions and input_shape "
            "two fewer. Received dy.shape={}, w.shape={}, input_shape={}.",
            dy, w, input);
    return joined(dy[0], input, w[w.ndim() - 2] * attrs.i("groups", 1));
}

void check_dy(const char* op, const ConvShape& s, const Shape& dy, const Shape& x, const Shape& w) {
    const Shape expected = joined(s.n, out_spatial(s, x.ndim() - 2), s.features);
    if (dy != expected)
        fail_value("{}: dy needs the shape {}. Received dy.shape={}, x.shape={}, w.shape={}.", op,
                   expected, dy, x, w);
}

std::vector<TensorType> infer_data(const InferCtx& c) {
    c.expect(2);
    check_no_epilogue(c);
    const Shape &dy = c.in[0].shape, &w = c.in[1].shape, x = data_shape(dy, w, c.attrs);
    check_dy("conv_backward_data", conv_shape("conv_backward_data", x, w, c.attrs), dy, x, w);
    return {{c.in[0].dtype, x}};
}

void emit_data(Emit& e) {
    const ConvShape s =
        conv_shape("conv_backward_data", e.out_type(0).shape, e.in_type(1).shape, e.attrs);
    const size_t first = e.list().instrs.size();
    emit_conv_data(e, e.in_type(0).dtype, s, e.in(0), e.in(1), epilogue_of(e, 2), e.out(0));
    emit_statistics_of(e, first);
}

// w.shape, of which x, dy and the attribute kernel_shape tell.
Shape weights_shape(const Shape& x, const Shape& dy, const Attrs& attrs) {
    const Shape kernel = attrs.ints("kernel_shape");
    const int64_t groups = attrs.i("groups", 1);
    if (x.ndim() < 3 || dy.ndim() != x.ndim() || kernel.ndim() != x.ndim() - 2 || groups < 1)
        fail_value(
            "conv_backward_weights: x and dy need the same number of dimensions and kernel_shape "
            "two fewer. Received x.shape={}, dy.shape={}, kernel_shape={}, groups={}.",
            x, dy, kernel, groups);
    Shape w = kernel;
    w.push_back(x.back() / groups);
    w.push_back(dy.back());
    return w;
}

std::vector<TensorType> infer_weights(const InferCtx& c) {
    c.expect(2);
    const Shape &x = c.in[0].shape, &dy = c.in[1].shape, w = weights_shape(x, dy, c.attrs);
    check_dy("conv_backward_weights", conv_shape("conv_backward_weights", x, w, c.attrs), dy, x, w);
    return {{c.in[0].dtype, w}};
}

void emit_weights(Emit& e) {
    const ConvShape s =
        conv_shape("conv_backward_weights", e.in_type(0).shape, e.out_type(0).shape, e.attrs);
    emit_conv_weights(e, e.in_type(0).dtype, s, e.in(0), e.in(1), e.out(0));
}

// The attributes that the three ops share.
Attrs geometry(const Attrs& attrs) {
    return {{"strides", attrs.ints("strides")},
            {"pad_low", attrs.ints("pad_low")},
            {"pad_high", attrs.ints("pad_high")},
            {"dilation", attrs.ints("dilation")},
            {"groups", attrs.i("groups", 1)}};
}

Tensor correlate(const Attrs& attrs, const Tensor& x, const Tensor& w) {
    return apply1(Op::conv, {x, w}, geometry(attrs));
}
Tensor backward_data(const Attrs& attrs, const Tensor& dy, const Tensor& w, const Tensor& x) {
    Attrs a = geometry(attrs);
    a.set("input_shape", std::vector<int64_t>(spatial(x.shape())));
    return apply1(Op::conv_backward_data, {dy, w}, a);
}
Tensor backward_weights(const Attrs& attrs, const Tensor& x, const Tensor& dy, const Tensor& w) {
    Attrs a = geometry(attrs);
    a.set("kernel_shape", std::vector<int64_t>(w.shape().begin(), w.shape().end() - 2));
    return apply1(Op::conv_backward_weights, {x, dy}, a);
}

std::vector<Tensor> grad_conv(const GradCtx& c) {
    const Tensor &x = c.in(0), &w = c.in(1);
    Tensor dz = c.dout(0);
    if (has_relu(c.attrs)) dz = apply1(Op::relu_grad, {c.out(0), dz});
    std::vector<Tensor> grads(size_t(c.num_in()));
    if (c.needs(0)) grads[0] = backward_data(c.attrs, dz, w, x);
    if (c.needs(1)) grads[1] = backward_weights(c.attrs, x, dz, w);
    if (c.num_in() == 3 && c.needs(2)) {
        std::vector<int64_t> axes;
        for (int i = 0; i + 1 < dz.ndim(); ++i) axes.push_back(i);
        grads[2] = sum(dz, axes, false);
    }
    return grads;
}

std::vector<Tensor> grad_data(const GradCtx& c) {
    const Tensor &dy = c.in(0), &w = c.in(1), &dx = c.dout(0);
    return {c.needs(0) ? correlate(c.attrs, dx, w) : Tensor(),
            c.needs(1) ? backward_weights(c.attrs, dx, dy, w) : Tensor()};
}

std::vector<Tensor> grad_weights(const GradCtx& c) {
    const Tensor &x = c.in(0), &dy = c.in(1), &dw = c.dout(0);
    return {c.needs(0) ? backward_data(c.attrs, dy, dw, x) : Tensor(),
            c.needs(1) ? correlate(c.attrs, x, dw) : Tensor()};
}
}  // namespace

extern const OpDef op_conv = {
    .infer = infer_conv, .emit = emit_conv_op, .grad = grad_conv, .flags = kPromote | kFloat};
extern const OpDef op_conv_backward_data = {
    .infer = infer_data, .emit = emit_data, .grad = grad_data, .flags = kPromote | kFloat};
extern const OpDef op_conv_backward_weights = {
    .infer = infer_weights, .emit = emit_weights, .grad = grad_weights, .flags = kPromote | kFloat};

}  // namespace hb
