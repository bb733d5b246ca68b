// Every elementwise op: dtype rules, and the gradient rule as one line written with ops.
#include "ops/elementwise.h"

#include <numbers>

#include "ops/ops.h"

namespace hb {

namespace {
using T = Tensor;

T operator+(const T& a, const T& b) { return add(a, b); }
T operator-(const T& a, const T& b) { return sub(a, b); }
T operator*(const T& a, const T& b) { return mul(a, b); }
T operator/(const T& a, const T& b) { return div(a, b); }
T operator-(const T& x) { return neg(x); }
T operator*(double k, const T& x) { return mul(scalar_like(x, k), x); }
T operator+(double k, const T& x) { return add(scalar_like(x, k), x); }
T operator-(double k, const T& x) { return sub(scalar_like(x, k), x); }
T f(Op op, const T& x) { return apply1(op, {x}); }
T f(Op op, const T& a, const T& b) { return apply1(op, {a, b}); }
T square(const T& x) { return f(Op::square, x); }
T zero(const T& x) { return scalar_like(x, 0); }

void need_integers(const InferCtx& c) {
    for (const TensorType& in : c.in)
        if (is_float(in.dtype))
            fail_type("{}: expects integers or booleans. Received: dtype {}.", c.name, in.dtype);
}

bool is_bitwise(EwOp op) {
    switch (op) {
#define CASE(name) case EwOp::name:
        HB_EW_BIT_UNARY(CASE)
        HB_EW_BIT_BINARY(CASE)
#undef CASE
        return true;
        default:
            return false;
    }
}

template <EwOp op>
std::vector<TensorType> infer_unary(const InferCtx& c) {
    c.expect(1);
    if (is_bitwise(op)) need_integers(c);
    return {{ew_result_type(op, c.in[0].dtype), c.in[0].shape}};
}

template <EwOp op>
std::vector<TensorType> infer_binary(const InferCtx& c) {
    c.expect(2);
    if (is_bitwise(op)) need_integers(c);
    return {{ew_result_type(op, c.in[0].dtype),
             broadcast_shapes(c.in[0].shape, c.in[1].shape, c.name)}};
}

std::vector<TensorType> infer_cast(const InferCtx& c) {
    c.expect(1);
    return {{c.attrs.dtype(), c.in[0].shape}};
}

std::vector<TensorType> infer_where(const InferCtx& c) {
    c.expect(3);
    const Shape shape = broadcast_shapes(c.in[1].shape, c.in[2].shape, c.name);
    return {
        {promote(c.in[1].dtype, c.in[2].dtype), broadcast_shapes(c.in[0].shape, shape, c.name)}};
}

template <EwOp op>
void emit(Emit& e) {
    EwProgramBuilder program(e.out_type(0).shape);
    int operands[3];
    for (int i = 0; i < e.num_in(); ++i) operands[i] = program.add_input(e.in(i), e.in_type(i));
    const std::span<const int> used(operands, size_t(e.num_in()));
    program.set_output(e.out(0), program.add_op(op, used, e.out_type(0).dtype));
    program.run(e);
}

// The rule gives dx from x, y = op(x) and dy.
template <auto rule>
std::vector<Tensor> unary_grad(const GradCtx& c) {
    return {rule(c.in(0), c.out(0), c.dout(0))};
}

// The rules give da and db from a, b, y = op(a, b) and dy, before what broadcasting repeated is
// summed.
template <auto rule_a, auto rule_b>
std::vector<Tensor> binary_grad(const GradCtx& c) {
    const T &a = c.in(0), &b = c.in(1), &y = c.out(0), &dy = c.dout(0);
    return {c.needs(0) ? sum_to(rule_a(a, b, y, dy), a.shape()) : T(),
            c.needs(1) ? sum_to(rule_b(a, b, y, dy), b.shape()) : T()};
}

template <EwOp op, auto rule>
constexpr OpDef unary(uint32_t flags = 0) {
    return {infer_unary<op>, emit<op>, unary_grad<rule>, flags, int(op)};
}
template <EwOp op, auto rule_a, auto rule_b>
constexpr OpDef binary(uint32_t flags = kPromote) {
    return {infer_binary<op>, emit<op>, binary_grad<rule_a, rule_b>, flags, int(op)};
}
template <EwOp op>
constexpr OpDef flat_unary(uint32_t flags = 0) {
    return {infer_unary<op>, emit<op>, no_gradient, flags, int(op)};
}
template <EwOp op>
constexpr OpDef flat_binary(uint32_t flags = kPromote) {
    return {infer_binary<op>, emit<op>, no_gradient, flags, int(op)};
}

T greater_equal(const T& a, const T& b) { return f(Op::greater_equal, a, b); }
T is_zero(const T& x) { return f(Op::equal, x, zero(x)); }
// b a^(b-1), and 0 for b = 0 even where a^(b-1) is infinite.
T pow_da(const T& a, const T& b) {
    return b * f(Op::pow, a, where(is_zero(b), scalar_like(b, 1), b - scalar_like(b, 1)));
}
T log_or_zero(const T& a) {
    const T positive = f(Op::greater, a, zero(a));
    return where(positive, f(Op::log, where(positive, a, scalar_like(a, 1))), zero(a));
}

std::vector<Tensor> where_grad(const GradCtx& c) {
    const T &dy = c.dout(0), none = zero(dy);
    const auto side = [&](int i, const T& dx) {
        return c.needs(i) ? cast(sum_to(dx, c.in(i).shape()), c.in(i).dtype()) : T();
    };
    return {T(), side(1, where(c.in(0), dy, none)), side(2, where(c.in(0), none, dy))};
}

std::vector<Tensor> cast_grad(const GradCtx& c) {
    if (!is_float(c.in(0).dtype()) || !is_float(c.dout(0).dtype())) return {T()};
    return {cast(c.dout(0), c.in(0).dtype())};
}

std::vector<Tensor> relu_grad_grad(const GradCtx& c) {
    return {T(), c.needs(1) ? sum_to(f(Op::relu_grad, c.in(0), c.dout(0)), c.in(1).shape()) : T()};
}

constexpr double kLn2 = std::numbers::ln2, kLn10 = std::numbers::ln10;
constexpr double kRootPi = 1.0 / std::numbers::inv_sqrtpi;
}  // namespace

// Gradient rules, as functions of these names.
#define UNARY(...) [](const T& x, const T& y, const T& dy) { return (void)x, (void)y, __VA_ARGS__; }
#define BINARY(...)                                       \
    [](const T& a, const T& b, const T& y, const T& dy) { \
        return (void)a, (void)b, (void)y, __VA_ARGS__;    \
    }

extern const OpDef op_neg = unary<EwOp::neg, UNARY(-dy)>();
extern const OpDef op_abs = unary<EwOp::abs, UNARY(dy* f(Op::sign, x))>();
extern const OpDef op_sign = flat_unary<EwOp::sign>();
extern const OpDef op_square = unary<EwOp::square, UNARY(dy * (2.0 * x))>();
extern const OpDef op_sqrt = unary<EwOp::sqrt, UNARY(0.5 * dy / y)>(kFloat);
extern const OpDef op_rsqrt = unary<EwOp::rsqrt, UNARY(-0.5 * dy * (y * square(y)))>(kFloat);
extern const OpDef op_reciprocal = unary<EwOp::reciprocal, UNARY(-(dy* square(y)))>(kFloat);

extern const OpDef op_exp = unary<EwOp::exp, UNARY(dy* y)>(kFloat);
extern const OpDef op_expm1 = unary<EwOp::expm1, UNARY(dy * (1.0 + y))>(kFloat);
extern const OpDef op_log = unary<EwOp::log, UNARY(dy / x)>(kFloat);
extern const OpDef op_log2 = unary<EwOp::log2, UNARY(dy / (kLn2 * x))>(kFloat);
extern const OpDef op_log10 = unary<EwOp::log10, UNARY(dy / (kLn10 * x))>(kFloat);
extern const OpDef op_log1p = unary<EwOp::log1p, UNARY(dy / (1.0 + x))>(kFloat);

extern const OpDef op_sin = unary<EwOp::sin, UNARY(dy* f(Op::cos, x))>(kFloat);
extern const OpDef op_cos = unary<EwOp::cos, UNARY(-(dy* f(Op::sin, x)))>(kFloat);
extern const OpDef op_tan = unary<EwOp::tan, UNARY(dy * (1.0 + square(y)))>(kFloat);
extern const OpDef op_asin = unary<EwOp::asin, UNARY(dy* f(Op::rsqrt, 1.0 - square(x)))>(kFloat);
extern const OpDef op_acos = unary<EwOp::acos, UNARY(-(dy* f(Op::rsqrt, 1.0 - square(x))))>(kFloat);
extern const OpDef op_atan = unary<EwOp::atan, UNARY(dy / (1.0 + square(x)))>(kFloat);
extern const OpDef op_sinh = unary<EwOp::sinh, UNARY(dy* f(Op::cosh, x))>(kFloat);
extern const OpDef op_cosh = unary<EwOp::cosh, UNARY(dy* f(Op::sinh, x))>(kFloat);
extern const OpDef op_tanh = unary<EwOp::tanh, UNARY(dy * (1.0 - square(y)))>(kFloat);
extern const OpDef op_asinh = unary<EwOp::asinh, UNARY(dy* f(Op::rsqrt, 1.0 + square(x)))>(kFloat);
extern const OpDef op_acosh =
    unary<EwOp::acosh, UNARY(dy* f(Op::rsqrt, (-1.0 + x) * (1.0 + x)))>(kFloat);
extern const OpDef op_atanh = unary<EwOp::atanh, UNARY(dy / (1.0 - square(x)))>(kFloat);
extern const OpDef op_erf =
    unary<EwOp::erf, UNARY((2 / kRootPi) * dy * f(Op::exp, -square(x)))>(kFloat);
extern const OpDef op_erfinv =
    unary<EwOp::erfinv, UNARY((kRootPi / 2) * dy * f(Op::exp, square(y)))>(kFloat);
extern const OpDef op_sigmoid = unary<EwOp::sigmoid, UNARY(dy*(y * (1.0 - y)))>(kFloat);
extern const OpDef op_softplus = unary<EwOp::softplus, UNARY(dy* f(Op::sigmoid, x))>(kFloat);
extern const OpDef op_relu = unary<EwOp::relu, UNARY(f(Op::relu_grad, y, dy))>();
extern const OpDef op_relu_grad = {infer_binary<EwOp::relu_grad>, emit<EwOp::relu_grad>,
                                   relu_grad_grad, kPromote, int(EwOp::relu_grad)};

extern const OpDef op_floor = flat_unary<EwOp::floor>(kFloat);
extern const OpDef op_ceil = flat_unary<EwOp::ceil>(kFloat);
extern const OpDef op_round = flat_unary<EwOp::round>();
extern const OpDef op_trunc = flat_unary<EwOp::trunc>();
extern const OpDef op_isnan = flat_unary<EwOp::isnan>(kFloat);
extern const OpDef op_isinf = flat_unary<EwOp::isinf>(kFloat);
extern const OpDef op_isfinite = flat_unary<EwOp::isfinite>(kFloat);
extern const OpDef op_bitwise_not = flat_unary<EwOp::bitwise_not>();

extern const OpDef op_add = binary<EwOp::add, BINARY(dy), BINARY(dy)>();
extern const OpDef op_sub = binary<EwOp::sub, BINARY(dy), BINARY(-dy)>();
extern const OpDef op_mul = binary<EwOp::mul, BINARY(dy* b), BINARY(dy* a)>();
extern const OpDef op_div =
    binary<EwOp::div, BINARY(dy / b), BINARY(-(dy* y / b))>(kPromote | kFloat);
extern const OpDef op_pow =
    binary<EwOp::pow, BINARY(dy* pow_da(a, b)), BINARY(dy*(y* log_or_zero(a)))>();
extern const OpDef op_mod = binary<EwOp::mod, BINARY(dy), BINARY(-(dy* f(Op::floor_div, a, b)))>();
extern const OpDef op_floor_div = flat_binary<EwOp::floor_div>();
extern const OpDef op_maximum =
    binary<EwOp::maximum, BINARY(where(greater_equal(a, b), dy, zero(dy))),
           BINARY(where(greater_equal(a, b), zero(dy), dy))>();
extern const OpDef op_minimum =
    binary<EwOp::minimum, BINARY(where(greater_equal(b, a), dy, zero(dy))),
           BINARY(where(greater_equal(b, a), zero(dy), dy))>();
extern const OpDef op_atan2 = binary<EwOp::atan2, BINARY(dy* b / (square(a) + square(b))),
                                     BINARY(-(dy* a / (square(a) + square(b))))>(kPromote | kFloat);

extern const OpDef op_equal = flat_binary<EwOp::equal>();
extern const OpDef op_not_equal = flat_binary<EwOp::not_equal>();
extern const OpDef op_less = flat_binary<EwOp::less>();
extern const OpDef op_less_equal = flat_binary<EwOp::less_equal>();
extern const OpDef op_greater = flat_binary<EwOp::greater>();
extern const OpDef op_greater_equal = flat_binary<EwOp::greater_equal>();
extern const OpDef op_logical_not = flat_unary<EwOp::logical_not>();
extern const OpDef op_logical_and = flat_binary<EwOp::logical_and>(0);
extern const OpDef op_logical_or = flat_binary<EwOp::logical_or>(0);
extern const OpDef op_logical_xor = flat_binary<EwOp::logical_xor>(0);
extern const OpDef op_bitwise_and = flat_binary<EwOp::bitwise_and>();
extern const OpDef op_bitwise_or = flat_binary<EwOp::bitwise_or>();
extern const OpDef op_bitwise_xor = flat_binary<EwOp::bitwise_xor>();
extern const OpDef op_left_shift = flat_binary<EwOp::left_shift>();
extern const OpDef op_right_shift = flat_binary<EwOp::right_shift>();

extern const OpDef op_where = {infer_where, emit<EwOp::where>, where_grad, 0, int(EwOp::where)};
extern const OpDef op_cast = {infer_cast, emit<EwOp::cast>, cast_grad, kMoves, int(EwOp::cast)};
extern const OpDef op_copy = unary<EwOp::copy, UNARY(dy)>(kMoves);
extern const OpDef op_stop_gradient = flat_unary<EwOp::copy>(kMoves);

}  // namespace hb
