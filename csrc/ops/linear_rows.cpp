// Products over the rows that are kept, for sequences of different lengths:
//
// masked_dense(x, w[, b], keep) -> where(keep, x w + b, 0)
// dense_weights_grad(x, dy[, keep]) -> dw, db
//
// x (...,k), w (k,n) or with `transpose_w` (n,k), b (n), keep of x's shape without its last
// dimension. dw (k,n) is the sum over the rows kept of x^T dy, db (n) that of dy.
#include "ops/linear.h"
#include "ops/ops.h"

namespace hb {

namespace {
int64_t rows_in(const Shape& x) { return x.back() == 0 ? 0 : volume(x) / x.back(); }
Shape leading(const Shape& x) { return Shape(x.begin(), x.end() - 1); }
Tensor rows_of(const Tensor& x) { return reshape(x, {-1, x.shape().back()}); }

void check_float(const InferCtx& c, int input, const char* what) {
    const TensorType& type = c.in[size_t(input)];
    if (!is_float(type.dtype) || type.dtype != c.in[0].dtype)
        fail_type("{}: {} must be float32 or float64, as x is. Received: {}, x is {}.", c.name,
                  what, dtype_name(type.dtype), dtype_name(c.in[0].dtype));
}

void check_keep(const InferCtx& c, const TensorType& keep) {
    const Shape& x = c.in[0].shape;
    if (keep.dtype != DType::b8 || keep.shape != leading(x))
        fail_value("{}: keep must be bool of shape {}. Received: {} of shape {}, x.shape={}.",
                   c.name, leading(x), dtype_name(keep.dtype), keep.shape, x);
}

std::vector<TensorType> infer_masked(const InferCtx& c) {
    if (c.num_in() != 4) c.expect(3);
    const bool transposed = c.attrs.b("transpose_w", false);
    const Shape &x = c.in[0].shape, &w = c.in[1].shape;
    check_float(c, 0, "x");
    check_float(c, 1, "w");
    if (x.ndim() < 1 || w.ndim() != 2 || x.back() != w[transposed])
        fail_value("{}: x (..., k) does not fit w {}. Received x.shape={}, w.shape={}.", c.name,
                   transposed ? "(n, k)" : "(k, n)", x, w);
    const int64_t n = w[!transposed];
    if (c.num_in() == 4) {
        check_float(c, 2, "b");
        if (c.in[2].shape != Shape{n})
            fail_value("{}: b needs the shape ({},). Received b.shape={}, w.shape={}.", c.name, n,
                       c.in[2].shape, w);
    }
    check_keep(c, c.in.back());
    Shape y = leading(x);
    y.push_back(n);
    return {{c.in[0].dtype, y}};
}

// The list of rows that are kept; `made`: it is there already.
const int64_t* list_rows(Emit& e, int keep, int64_t n, bool made = false) {
    int64_t* rows = static_cast<int64_t*>(e.workspace(size_t(n + 1) * sizeof(int64_t)));
    const ListRowsArgs args{static_cast<const bool*>(e.in(keep)), rows, n};
    if (!made) e.run(e.kernels.gemm_rows->list, args, n, Serial{});
    return rows;
}

void emit_masked(Emit& e, const Part* part) {
    const TensorType& type = e.out_type(0);
    const int64_t k = e.in_type(0).shape.back(), n = type.shape.back(), m = rows_in(type.shape);
    if (m * n == 0) return;
    const bool f32 = type.dtype == DType::f32, transposed = e.attrs.b("transpose_w", false);
    const GemmKernels& gemm = *e.kernels.gemm;
    const int64_t nr = (f32 ? gemm.f32 : gemm.f64).nr, columns = (n + nr - 1) / nr * nr;
    const bool once = e.invariant(1), begun = part && part->end > part->begin;
    void* packed = e.prepared(size_t(k * columns) * dtype_size(type.dtype), once);
    const int64_t zero = 0;
    const PackArgs pack{e.in(1), packed, e.store(&zero, 1),  1,
                        k,       n,      transposed ? 1 : n, transposed ? k : 1};
    if (!begun) e.prepare(f32 ? gemm.pack_f32 : gemm.pack_f64, pack, 4 * k * n, once);
    const GemmRowsKernels& kernels = *e.kernels.gemm_rows;
    RowsProductArgs args{
        e.in(0), packed, e.num_in() == 4 ? e.in(2) : nullptr, e.out(0), nullptr, m, n, k, 0, m,
        nullptr, 0};
    args.scratch_stride = kernels.product_bytes(args, int64_t(dtype_size(type.dtype)));
    args.rows = list_rows(e, e.num_in() - 1, m, begun);
    args.scratch = static_cast<char*>(e.workspace(size_t(args.scratch_stride * e.threads)));
    if (part) {
        args.first = m / part->count * part->begin, args.end = m / part->count * part->end;
        if (!begun) return;
    }
    e.run(kernel_for(kernels.product, type.dtype), args, 2 * (args.end - args.first) * n * k);
}
void emit_masked(Emit& e) { emit_masked(e, nullptr); }
void emit_masked_part(Emit& e, const Part& part) { emit_masked(e, &part); }
bool masked_in_parts(const Attrs&, std::span<const TensorType> in) {
    return in[0].shape.ndim() == 3;
}

std::vector<Tensor> grad_masked(const GradCtx& c) {
    const bool transposed = c.attrs.b("transpose_w", false);
    const Tensor &x = c.in(0), &w = c.in(1), &keep = c.in(c.num_in() - 1), &dy = c.dout(0);
    std::vector<Tensor> grads(size_t(c.num_in()));
    if (c.needs(0))
        grads[0] = apply1(Op::masked_dense, {dy, w, keep}, {{"transpose_w", !transposed}});
    const bool bias = c.num_in() == 4 && c.needs(2);
    if (!c.needs(1) && !bias) return grads;
    const std::vector<Tensor> d = apply(Op::dense_weights_grad, {x, dy, keep});
    if (c.needs(1)) grads[1] = transposed ? transpose(d[0], {1, 0}) : d[0];
    if (bias) grads[2] = d[1];
    return grads;
}

std::vector<TensorType> infer_weights(const InferCtx& c) {
    if (c.num_in() != 3) c.expect(2);
    const Shape &x = c.in[0].shape, &dy = c.in[1].shape;
    check_float(c, 0, "x");
    check_float(c, 1, "dy");
    if (x.ndim() < 1 || dy.ndim() < 1 || leading(x) != leading(dy))
        fail_value(
            "{}: x and dy must have the same shape but for the last dimension. Received "
            "x.shape={}, dy.shape={}.",
            c.name, x, dy);
    if (c.num_in() == 3) check_keep(c, c.in[2]);
    const DType dtype = c.in[0].dtype;
    return {{dtype, {x.back(), dy.back()}}, {dtype, {dy.back()}}};
}

void emit_weights(Emit& e) {
    const TensorType& type = e.out_type(0);
    const int64_t m = type.shape[0], n = type.shape[1], k = volume(leading(e.in_type(1).shape));
    if (n == 0) return;
    const int64_t* rows = e.num_in() == 3 ? list_rows(e, 2, k) : nullptr;
    emit_outer(e, type.dtype, {e.in(0), e.in(1), e.out(0), e.out(1), rows, m, n, k, nullptr, 0});
}

std::vector<Tensor> grad_weights(const GradCtx& c) {
    const Tensor &x = c.in(0), &dy = c.in(1), &dw = c.dout(0), &db = c.dout(1);
    std::vector<Tensor> grads(size_t(c.num_in()));
    const bool masked = c.num_in() == 3;
    if (c.needs(0) && dw.defined())
        grads[0] = masked ? apply1(Op::masked_dense, {dy, dw, c.in(2)}, {{"transpose_w", true}})
                          : reshape(matmul(rows_of(dy), dw, false, true), x.shape());
    if (!c.needs(1)) return grads;
    const Tensor weights =
        dw.defined() ? dw : fill({x.shape().back(), dy.shape().back()}, x.dtype(), 0);
    const Tensor bias = db.defined() ? db : fill({dy.shape().back()}, x.dtype(), 0);
    grads[1] = masked ? apply1(Op::masked_dense, {x, weights, bias, c.in(2)})
                      : apply1(Op::dense, {x, weights, bias});
    return grads;
}
}  // namespace

void emit_outer(Emit& e, DType dtype, OuterArgs args) {
    const GemmRowsKernels& kernels = *e.kernels.gemm_rows;
    args.scratch_stride = kernels.outer_bytes(args, int64_t(dtype_size(dtype)));
    args.scratch = static_cast<char*>(e.workspace(size_t(args.scratch_stride * e.threads)));
    e.run(kernel_for(kernels.outer, dtype), args,
          2 * (args.m + (args.sums ? 1 : 0)) * args.n * args.k);
}

extern const OpDef op_masked_dense = {.infer = infer_masked,
                                      .emit = emit_masked,
                                      .grad = grad_masked,
                                      .emit_part = emit_masked_part,
                                      .in_parts = masked_in_parts};
extern const OpDef op_dense_weights_grad = {
    .infer = infer_weights, .emit = emit_weights, .grad = grad_weights};

}  // namespace hb
