// matmul and dense.
#include "ops/linear.h"

#include "ops/epilogue.h"
#include "ops/ops.h"
#include "ops/statistics.h"

namespace hb {

namespace {
struct MatmulShape {
    Shape batch;
    int64_t m, n, k;
    bool transpose_a, transpose_b;
};

Shape leading(const Shape& shape, int drop) { return Shape(shape.begin(), shape.end() - drop); }

MatmulShape matmul_shape(const Shape& a, const Shape& b, const Attrs& attrs) {
    const bool ta = attrs.b("transpose_a", false), tb = attrs.b("transpose_b", false);
    if (a.ndim() < 2 || b.ndim() < 2)
        fail_value("matmul: a and b need at least 2 dimensions. Received a.shape={}, b.shape={}.",
                   a, b);
    const int64_t m = a[a.ndim() - (ta ? 1 : 2)], k = a[a.ndim() - (ta ? 2 : 1)];
    const int64_t rows = b[b.ndim() - (tb ? 1 : 2)], n = b[b.ndim() - (tb ? 2 : 1)];
    if (k != rows)
        fail_value(
            "matmul: a has {} columns but b has {} rows. Received a.shape={}, b.shape={}{}{}.", k,
            rows, a, b, ta ? ", transpose_a=True" : "", tb ? ", transpose_b=True" : "");
    return {broadcast_shapes(leading(a, 2), leading(b, 2), "matmul"), m, n, k, ta, tb};
}

void check_number(const TensorType& type, const char* op) {
    if (type.dtype == DType::b8)
        fail_type("{}: bool is not supported; cast to a number first.", op);
}

std::vector<TensorType> infer_matmul(const InferCtx& c) {
    c.expect(2);
    check_no_epilogue(c);
    check_number(c.in[0], "matmul");
    MatmulShape s = matmul_shape(c.in[0].shape, c.in[1].shape, c.attrs);
    Shape shape = s.batch;
    shape.push_back(s.m);
    shape.push_back(s.n);
    return {{c.in[0].dtype, shape}};
}

// Where each of the matrices that broadcasting pairs begins.
std::vector<int64_t> batch_offsets(const Shape& shape, const Shape& batch, int64_t matrix) {
    std::vector<int64_t> offsets(size_t(volume(batch)), 0);
    const Shape own = leading(shape, 2);
    const int lead = batch.ndim() - own.ndim();
    int64_t repeat = 1, stride = matrix;
    for (int d = batch.ndim() - 1; d >= lead; --d) {
        if (own[d - lead] != 1)
            for (size_t i = 0; i < offsets.size(); ++i)
                offsets[i] += int64_t(i) / repeat % batch[d] * stride;
        repeat *= batch[d];
        stride *= own[d - lead];
    }
    return offsets;
}

Product matmul_product(std::span<const TensorType> in, const Attrs& attrs) {
    const Shape &a = in[0].shape, &b = in[1].shape;
    const MatmulShape s = matmul_shape(a, b, attrs);
    Product p{.dtype = in[0].dtype,
              .m = s.m,
              .n = s.n,
              .k = s.k,
              .a_row = s.transpose_a ? 1 : s.k,
              .a_col = s.transpose_a ? s.m : 1,
              .b_row = s.transpose_b ? 1 : s.n,
              .b_col = s.transpose_b ? s.k : 1};
    p.a_offset = batch_offsets(a, s.batch, s.m * s.k);
    p.b_offset = batch_offsets(b, s.batch, s.k * s.n);
    return p;
}

void emit(Emit& e, Product p, const Part* part) {
    p.a = e.in(0), p.b = e.in(1), p.c = e.out(0);
    p.epilogue = epilogue_of(e, 2);
    p.b_invariant = e.invariant(1);
    const size_t first = e.list().instrs.size();
    if (!p.a_offset.empty()) emit_product(e, std::move(p), part);
    emit_statistics_of(e, first);
}

void emit_matmul(Emit& e) {
    const TensorType in[] = {e.in_type(0), e.in_type(1)};
    emit(e, matmul_product(in, e.attrs), nullptr);
}
void emit_matmul_part(Emit& e, const Part& part) {
    const TensorType in[] = {e.in_type(0), e.in_type(1)};
    emit(e, matmul_product(in, e.attrs), &part);
}
bool matmul_in_parts(const Attrs& attrs, std::span<const TensorType> in) {
    if (attrs.has(kStatistics)) return false;
    const Product p = matmul_product(in, attrs);
    return p.a_col == 1 && in[0].shape.ndim() == 2 && product_in_parts(p);
}

// x as a matrix: all but the last dimension in one.
Tensor rows_of(const Tensor& x) {
    const int64_t columns = x.shape().back();
    int64_t rows = 1;
    for (int i = 0; i + 1 < x.ndim(); ++i) rows *= x.shape()[i];
    return reshape(x, {rows, columns});
}

std::vector<Tensor> grad_matmul(const GradCtx& c) {
    const bool ta = c.attrs.b("transpose_a", false), tb = c.attrs.b("transpose_b", false);
    const Tensor &a = c.in(0), &b = c.in(1), &dy = c.dout(0);
    std::vector<Tensor> grads(2);
    if (c.needs(0))
        grads[0] = sum_to(ta ? matmul(b, dy, tb, true) : matmul(dy, b, false, !tb), a.shape());
    if (c.needs(1)) {
        // A matrix that all products share: the sum over them is one product.
        if (b.ndim() == 2 && a.ndim() > 2 && !ta)
            grads[1] = tb ? matmul(rows_of(dy), rows_of(a), true, false)
                          : matmul(rows_of(a), rows_of(dy), true, false);
        else
            grads[1] = sum_to(tb ? matmul(dy, a, true, ta) : matmul(a, dy, !ta, false), b.shape());
    }
    return grads;
}

bool has_relu(const Attrs& attrs, const char* op) {
    const std::string name = attrs.s("activation", "none");
    if (name != "none" && name != "relu")
        fail_value("{}: activation must be 'none' or 'relu'. Received activation='{}'.", op, name);
    return name == "relu";
}

std::vector<TensorType> infer_dense(const InferCtx& c) {
    if (c.num_in() != 3) c.expect(2);
    check_no_epilogue(c);
    check_number(c.in[0], "dense");
    const Shape &x = c.in[0].shape, &w = c.in[1].shape;
    has_relu(c.attrs, "dense");
    if (x.ndim() < 1 || w.ndim() != 2)
        fail_value(
            "dense: x needs a feature dimension and w two dimensions. "
            "Received x.shape={}, w.shape={}.",
            x, w);
    if (x.back() != w[0])
        fail_value("dense: x has {} features but w expects {}. Received x.shape={}, w.shape={}.",
                   x.back(), w[0], x, w);
    if (c.num_in() == 3 && c.in[2].shape != Shape{w[1]})
        fail_value("dense: b needs the shape ({},). Received b.shape={}, w.shape={}.", w[1],
                   c.in[2].shape, w);
    Shape y = leading(x, 1);
    y.push_back(w[1]);
    return {{c.in[0].dtype, y}};
}

Product dense_product(const TensorType& x, const TensorType& w) {
    return {.dtype = x.dtype,
            .m = volume(leading(x.shape, 1)),
            .n = w.shape[1],
            .k = w.shape[0],
            .a_row = w.shape[0],
            .a_col = 1,
            .b_row = w.shape[1],
            .b_col = 1};
}

void emit_dense(Emit& e) { emit(e, dense_product(e.in_type(0), e.in_type(1)), nullptr); }
void emit_dense_part(Emit& e, const Part& part) {
    emit(e, dense_product(e.in_type(0), e.in_type(1)), &part);
}
bool dense_in_parts(const Attrs& attrs, std::span<const TensorType> in) {
    return !attrs.has(kStatistics) && product_in_parts(dense_product(in[0], in[1]));
}

std::vector<Tensor> grad_dense(const GradCtx& c) {
    const Tensor &x = c.in(0), &w = c.in(1);
    Tensor dz = c.dout(0);
    if (has_relu(c.attrs, "dense")) dz = apply1(Op::relu_grad, {c.out(0), dz});
    dz = rows_of(dz);
    std::vector<Tensor> grads(size_t(c.num_in()));
    if (c.needs(0)) grads[0] = reshape(matmul(dz, w, false, true), x.shape());
    if (c.needs(1)) grads[1] = matmul(rows_of(x), dz, true, false);
    if (c.num_in() == 3 && c.needs(2)) grads[2] = sum(dz, {0}, false);
    return grads;
}
}  // namespace

extern const OpDef op_matmul = {.infer = infer_matmul,
                                .emit = emit_matmul,
                                .grad = grad_matmul,
                                .flags = kPromote,
                                .emit_part = emit_matmul_part,
                                .in_parts = matmul_in_parts};
extern const OpDef op_dense = {.infer = infer_dense,
                               .emit = emit_dense,
                               .grad = grad_dense,
                               .flags = kPromote,
                               .emit_part = emit_dense_part,
                               .in_parts = dense_in_parts};

}  // namespace hb
