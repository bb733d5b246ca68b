// random_uniform, random_normal, random_int, dropout: functions of a seed tensor {key, counter}.
#include "kernels/random.h"

#include "ops/elementwise.h"
#include "ops/ops.h"

namespace hb {

namespace {
void check_seed(const InferCtx& c, const TensorType& seed) {
    if (seed.dtype != DType::i64 || seed.shape != Shape{2})
        fail_type(
            "{}: seed must be 2 int64 numbers, key and counter. Received: shape {}, dtype {}.",
            c.name, seed.shape, seed.dtype);
}

Shape random_shape(const InferCtx& c) {
    c.expect(1);
    check_seed(c, c.in[0]);
    const Shape shape = c.attrs.ints("shape");
    for (int64_t d : shape)
        if (d < 0)
            fail_value("{}: dimensions must not be negative. Received: shape={}.", c.name, shape);
    return shape;
}

std::vector<TensorType> infer_random_float(const InferCtx& c) {
    const DType dtype = c.attrs.dtype("dtype", DType::f32);
    if (!is_float(dtype))
        fail_type("{}: dtype must be float32 or float64. Received: {}.", c.name, dtype);
    return {{dtype, random_shape(c)}};
}

RandomArgs random_args(Emit& e) {
    return {static_cast<const int64_t*>(e.in(0)), e.out(0), e.out_type(0).dtype,
            volume(e.out_type(0).shape),          0,        0};
}

void emit_random_uniform(Emit& e) {
    e.run(e.kernels.random->uniform, random_args(e), 8 * random_args(e).n);
}
void emit_random_normal(Emit& e) {
    e.run(e.kernels.random->normal, random_args(e), 32 * random_args(e).n);
}

std::vector<TensorType> infer_random_int(const InferCtx& c) {
    const DType dtype = c.attrs.dtype("dtype", DType::i32);
    if (!is_integer(dtype))
        fail_type("random_int: dtype must be int32, int64 or uint8. Received: {}.", dtype);
    const int64_t low = c.attrs.i("low"), high = c.attrs.i("high");
    if (low >= high)
        fail_value("random_int: low must be below high. Received: low={}, high={}.", low, high);
    const bool fits =
        dtype == DType::i64 || (dtype == DType::i32 ? low >= INT32_MIN && high - 1 <= INT32_MAX
                                                    : low >= 0 && high - 1 <= UINT8_MAX);
    if (!fits)
        fail_value("random_int: {} does not hold [low, high). Received: low={}, high={}.", dtype,
                   low, high);
    return {{dtype, random_shape(c)}};
}

void emit_random_int(Emit& e) {
    RandomArgs args = random_args(e);
    args.low = e.attrs.i("low");
    args.range = uint64_t(e.attrs.i("high")) - uint64_t(args.low);
    e.run(e.kernels.random->integers, args, 16 * args.n);
}

std::vector<TensorType> infer_dropout(const InferCtx& c) {
    c.expect(2);
    check_seed(c, c.in[1]);
    if (!is_float(c.in[0].dtype))
        fail_type("dropout: x must be float32 or float64. Received: {}.", c.in[0].dtype);
    const double rate = c.attrs.f("rate");
    if (!(rate >= 0 && rate < 1))
        fail_value("dropout: rate must be in [0, 1). Received: rate={}.", rate);
    if (c.attrs.has("noise_shape")) {
        const Shape noise = c.attrs.ints("noise_shape");
        const Shape& x = c.in[0].shape;
        bool fits = noise.ndim() == x.ndim();
        for (int i = 0; fits && i < x.ndim(); ++i) fits = noise[i] == x[i] || noise[i] == 1;
        if (!fits)
            fail_value(
                "dropout: noise_shape must broadcast to x. Received: x.shape={}, noise_shape={}.",
                x, noise);
    }
    return {c.in[0]};
}

// Noise of another shape than x: a mask first, then one elementwise pass.
void emit_broadcast_dropout(Emit& e, DropoutArgs args, const Shape& noise) {
    const TensorType& x = e.in_type(0);
    args.x = nullptr;
    args.n = volume(noise);
    args.y = e.workspace(size_t(args.n));
    e.run(e.kernels.random->dropout, args, 8 * args.n);
    EwProgramBuilder program(x.shape);
    const int value = program.add_input(e.in(0), x);
    const int mask = program.add_input(args.y, {DType::b8, noise});
    const int scaled =
        program.add_op(EwOp::mul, {value, program.add_constant(args.scale, x.dtype)});
    const int zero = program.add_constant(0, x.dtype);
    program.set_output(e.out(0), program.add_op(EwOp::where, {mask, scaled, zero}));
    program.run(e);
}

void emit_dropout(Emit& e) {
    const TensorType& x = e.in_type(0);
    const double rate = e.attrs.f("rate");
    const DropoutArgs args{static_cast<const int64_t*>(e.in(1)),
                           e.in(0),
                           e.out(0),
                           x.dtype,
                           volume(x.shape),
                           dropout_threshold(rate),
                           1 / (1 - rate)};
    if (args.n == 0) return;
    if (e.attrs.has("noise_shape") && Shape(e.attrs.ints("noise_shape")) != x.shape)
        return emit_broadcast_dropout(e, args, e.attrs.ints("noise_shape"));
    e.run(e.kernels.random->dropout, args, 8 * args.n);
}

// The mask is made again from the seed.
std::vector<Tensor> grad_dropout(const GradCtx& c) {
    return {apply1(Op::dropout, {c.dout(0), c.in(1)}, c.attrs), Tensor()};
}
}  // namespace

extern const OpDef op_random_uniform = {
    .infer = infer_random_float, .emit = emit_random_uniform, .grad = no_gradient};
extern const OpDef op_random_normal = {
    .infer = infer_random_float, .emit = emit_random_normal, .grad = no_gradient};
extern const OpDef op_random_int = {
    .infer = infer_random_int, .emit = emit_random_int, .grad = no_gradient};
extern const OpDef op_dropout = {
    .infer = infer_dropout, .emit = emit_dropout, .grad = grad_dropout};

}  // namespace hb
