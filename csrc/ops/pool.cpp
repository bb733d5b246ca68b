// max_pool, avg_pool and their gradients over windows of 1-3 spatial dims of x (N,spatial...,C).
#include "kernels/pool.h"

#include <algorithm>

#include "ops/ops.h"

namespace hb {

namespace {
void check_float(const InferCtx& c) {
    if (!is_float(c.in[0].dtype))
        fail_type("{}: x must be float32 or float64. Received: {}.", c.name, c.in[0].dtype);
}

// The shape (N,out...,C) for an input (N,in...,C).
Shape pooled_shape(const Shape& x, const Attrs& attrs, const char* name) {
    const Shape window = attrs.ints("window"), strides = attrs.ints("strides");
    const Shape low = attrs.ints("pad_low"), high = attrs.ints("pad_high");
    const int spatial = x.ndim() - 2;
    if (spatial < 1 || spatial > 3)
        fail_value(
            "{}: x must be (batch, 1 to 3 spatial dimensions, channels). Received: x.shape={}.",
            name, x);
    for (const Shape* s : {&window, &strides, &low, &high})
        if (s->ndim() != spatial)
            fail_value(
                "{}: window, strides and padding need {} entries each. Received: window={}, "
                "strides={}, padding={} and {}.",
                name, spatial, window, strides, low, high);
    Shape y = x;
    for (int i = 0; i < spatial; ++i) {
        if (window[i] < 1 || strides[i] < 1)
            fail_value("{}: window and strides must be positive. Received: window={}, strides={}.",
                       name, window, strides);
        if (low[i] < 0 || high[i] < 0 || low[i] >= window[i] || high[i] >= window[i])
            fail_value(
                "{}: padding must be smaller than the window. Received: window={}, padding={} "
                "and {}.",
                name, window, low, high);
        const int64_t padded = x[i + 1] + low[i] + high[i];
        if (padded < window[i])
            fail_value("{}: the window is larger than x. Received: x.shape={}, window={}.", name, x,
                       window);
        y[i + 1] = (padded - window[i]) / strides[i] + 1;
    }
    return y;
}

Shape unpooled_shape(const Shape& y, const Attrs& attrs, const char* name) {
    const Shape spatial = attrs.ints("input_shape");
    Shape x = y;
    if (spatial.ndim() != y.ndim() - 2)
        fail_value("{}: input_shape must hold the {} spatial sizes of x. Received: {}.", name,
                   y.ndim() - 2, spatial);
    std::copy(spatial.begin(), spatial.end(), x.begin() + 1);
    const Shape expected = pooled_shape(x, attrs, name);
    if (y != expected) fail_value("{}: dy must have shape {}. Received: {}.", name, expected, y);
    return x;
}

DType index_dtype(const Attrs& attrs) {
    return volume(attrs.ints("window")) <= 256 ? DType::u8 : DType::i32;
}

// The spans that spare the kernels the divisions. x and y are whole shapes.
PoolArgs pool_args(Emit& e, const Shape& x, const Shape& y) {
    const Shape window = e.attrs.ints("window"), strides = e.attrs.ints("strides");
    const Shape low = e.attrs.ints("pad_low");
    const int spatial = x.ndim() - 2;
    PoolArgs args{};
    args.n = x[0];
    args.channels = x[x.ndim() - 1];
    args.wide = index_dtype(e.attrs) == DType::i32;
    for (int d = 0; d < 3; ++d) {
        const int i = d - (3 - spatial);
        PoolDim& p = args.dim[d];
        p = i < 0 ? PoolDim{1, 1, 1, 1, 0, nullptr, nullptr}
                  : PoolDim{x[i + 1], y[i + 1], window[i], strides[i], low[i], nullptr, nullptr};
        std::vector<PoolSpan> taps, windows;
        for (int64_t o = 0; o < p.out; ++o) {
            const int64_t start = o * p.stride - p.low;
            taps.push_back(
                {int32_t(std::max<int64_t>(0, -start)), int32_t(std::min(p.window, p.in - start))});
        }
        for (int64_t k = 0; k < p.in; ++k) {
            const int64_t at = k + p.low, first = at - p.window + 1;
            windows.push_back({int32_t(first <= 0 ? 0 : (first - 1) / p.stride + 1),
                               int32_t(std::min(at / p.stride + 1, p.out))});
        }
        p.taps = e.store(taps.data(), taps.size());
        p.windows = e.store(windows.data(), windows.size());
    }
    return args;
}

void run_pool(Emit& e, KernelFn f32, KernelFn f64, PoolArgs args, const void* x, void* y,
              const void* index) {
    args.x = x;
    args.y = y;
    args.index = const_cast<void*>(index);
    int64_t cost = 4 * args.n * args.channels;
    for (const PoolDim& d : args.dim) cost *= std::max(d.in, d.out * d.window);
    if (volume(e.out_type(0).shape) > 0)
        e.run(e.in_type(0).dtype == DType::f32 ? f32 : f64, args, cost);
}

Attrs with_input_shape(const Attrs& attrs, const Shape& x) {
    Attrs out = attrs;
    out.set("input_shape", std::vector<int64_t>(x.begin() + 1, x.end() - 1));
    return out;
}

std::vector<TensorType> infer_max_pool(const InferCtx& c) {
    c.expect(1);
    check_float(c);
    const Shape y = pooled_shape(c.in[0].shape, c.attrs, c.name);
    return {{c.in[0].dtype, y}, {index_dtype(c.attrs), y}};
}

void emit_max_pool(Emit& e) {
    const MaxPoolKernels& k = *e.kernels.max_pool;
    const PoolArgs args = pool_args(e, e.in_type(0).shape, e.out_type(0).shape);
    run_pool(e, k.f32, k.f64, args, e.in(0), e.out(0), e.out(1));
}

std::vector<Tensor> grad_max_pool(const GradCtx& c) {
    if (!c.dout(0).defined()) return {Tensor()};
    return {apply1(Op::max_pool_grad, {c.dout(0), c.out(1)},
                   with_input_shape(c.attrs, c.in(0).shape()))};
}

void check_index(const InferCtx& c, const Shape& y) {
    if (c.in[1].dtype != index_dtype(c.attrs) || c.in[1].shape != y)
        fail_value("{}: index must be max_pool's second output. Received: shape {}, dtype {}.",
                   c.name, c.in[1].shape, c.in[1].dtype);
}

std::vector<TensorType> infer_max_pool_grad(const InferCtx& c) {
    c.expect(2);
    check_float(c);
    check_index(c, c.in[0].shape);
    return {{c.in[0].dtype, unpooled_shape(c.in[0].shape, c.attrs, c.name)}};
}

void emit_max_pool_grad(Emit& e) {
    const MaxPoolKernels& k = *e.kernels.max_pool;
    const PoolArgs args = pool_args(e, e.out_type(0).shape, e.in_type(0).shape);
    run_pool(e, k.grad_f32, k.grad_f64, args, e.in(0), e.out(0), e.in(1));
}

std::vector<Tensor> grad_max_pool_grad(const GradCtx& c) {
    return {apply1(Op::max_pool_gather, {c.dout(0), c.in(1)}, c.attrs), Tensor()};
}

std::vector<TensorType> infer_max_pool_gather(const InferCtx& c) {
    c.expect(2);
    check_float(c);
    const Shape y = pooled_shape(c.in[0].shape, c.attrs, c.name);
    check_index(c, y);
    return {{c.in[0].dtype, y}};
}

void emit_max_pool_gather(Emit& e) {
    const MaxPoolKernels& k = *e.kernels.max_pool;
    const PoolArgs args = pool_args(e, e.in_type(0).shape, e.out_type(0).shape);
    run_pool(e, k.gather_f32, k.gather_f64, args, e.in(0), e.out(0), e.in(1));
}

std::vector<Tensor> grad_max_pool_gather(const GradCtx& c) {
    return {
        apply1(Op::max_pool_grad, {c.dout(0), c.in(1)}, with_input_shape(c.attrs, c.in(0).shape())),
        Tensor()};
}

std::vector<TensorType> infer_avg_pool(const InferCtx& c) {
    c.expect(1);
    check_float(c);
    return {{c.in[0].dtype, pooled_shape(c.in[0].shape, c.attrs, c.name)}};
}

void emit_avg_pool(Emit& e) {
    const AvgPoolKernels& k = *e.kernels.avg_pool;
    const PoolArgs args = pool_args(e, e.in_type(0).shape, e.out_type(0).shape);
    run_pool(e, k.f32, k.f64, args, e.in(0), e.out(0), nullptr);
}

std::vector<Tensor> grad_avg_pool(const GradCtx& c) {
    return {apply1(Op::avg_pool_grad, {c.dout(0)}, with_input_shape(c.attrs, c.in(0).shape()))};
}

std::vector<TensorType> infer_avg_pool_grad(const InferCtx& c) {
    c.expect(1);
    check_float(c);
    return {{c.in[0].dtype, unpooled_shape(c.in[0].shape, c.attrs, c.name)}};
}

void emit_avg_pool_grad(Emit& e) {
    const AvgPoolKernels& k = *e.kernels.avg_pool;
    const PoolArgs args = pool_args(e, e.out_type(0).shape, e.in_type(0).shape);
    run_pool(e, k.grad_f32, k.grad_f64, args, e.in(0), e.out(0), nullptr);
}

std::vector<Tensor> grad_avg_pool_grad(const GradCtx& c) {
    return {apply1(Op::avg_pool, {c.dout(0)}, c.attrs)};
}
}  // namespace

extern const OpDef op_max_pool = {
    .infer = infer_max_pool, .emit = emit_max_pool, .grad = grad_max_pool};
extern const OpDef op_max_pool_grad = {
    .infer = infer_max_pool_grad, .emit = emit_max_pool_grad, .grad = grad_max_pool_grad};
extern const OpDef op_max_pool_gather = {
    .infer = infer_max_pool_gather, .emit = emit_max_pool_gather, .grad = grad_max_pool_gather};
extern const OpDef op_avg_pool = {
    .infer = infer_avg_pool, .emit = emit_avg_pool, .grad = grad_avg_pool};
extern const OpDef op_avg_pool_grad = {
    .infer = infer_avg_pool_grad, .emit = emit_avg_pool_grad, .grad = grad_avg_pool_grad};

}  // namespace hb
