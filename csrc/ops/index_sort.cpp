// sort, argsort, top_k, searchsorted. All orders are stable; NaN counts as the largest number.
#include "kernels/index.h"
#include "ops/layout.h"
#include "ops/ops.h"

namespace hb {

namespace {
void check_length(const InferCtx& c, int64_t n) {
    if (n > INT32_MAX) fail_value("{}: {} elements are more than int32 counts.", c.name, n);
}

std::vector<TensorType> infer_sort(const InferCtx& c) {
    c.expect(1);
    const Shape& x = c.in[0].shape;
    check_length(c, x[normalize_axis(c.attrs.i("axis", -1), x.ndim(), c.name)]);
    return {c.in[0]};
}

std::vector<TensorType> infer_argsort(const InferCtx& c) {
    return {{DType::i32, infer_sort(c)[0].shape}};
}

void emit_lines(Emit& e, int axis, int64_t k, bool descending, void* values, void* indices) {
    const TensorType& x = e.in_type(0);
    const int64_t inner = row_major_strides(x.shape)[axis], n = x.shape[axis];
    const int64_t stride = (kSortScratch * n + 63) / 64 * 64;
    void* scratch = e.workspace(size_t(stride * e.threads));
    if (volume(x.shape) == 0) return;
    const SortArgs args{e.in(0),
                        values,
                        static_cast<int32_t*>(indices),
                        static_cast<char*>(scratch),
                        stride,
                        x.dtype,
                        descending,
                        volume(x.shape) / (n * inner),
                        n,
                        inner,
                        k};
    e.run(e.kernels.index->sort, args, 64 * volume(x.shape));
}

int sort_axis(const Attrs& attrs, int ndim) {
    return normalize_axis(attrs.i("axis", -1), ndim, "sort");
}

void emit_sort(Emit& e) {
    const int axis = sort_axis(e.attrs, e.in_type(0).shape.ndim());
    emit_lines(e, axis, e.in_type(0).shape[axis], e.attrs.b("descending", false), e.out(0),
               nullptr);
}

void emit_argsort(Emit& e) {
    const int axis = sort_axis(e.attrs, e.in_type(0).shape.ndim());
    emit_lines(e, axis, e.in_type(0).shape[axis], e.attrs.b("descending", false), nullptr,
               e.out(0));
}

std::vector<Tensor> grad_sort(const GradCtx& c) {
    const Tensor order = apply1(Op::argsort, {c.in(0)}, c.attrs);
    return {apply1(Op::put_along_axis_add, {order, c.dout(0)},
                   {{"shape", c.in(0).shape()}, {"axis", c.attrs.i("axis", -1)}})};
}

std::vector<TensorType> infer_top_k(const InferCtx& c) {
    c.expect(1);
    Shape shape = c.in[0].shape;
    const int last = normalize_axis(-1, shape.ndim(), c.name);
    const int64_t k = c.attrs.i("k");
    if (k < 0 || k > shape[last])
        fail_value("top_k: k must be between 0 and the size of the last axis, {}. Received: k={}.",
                   shape[last], k);
    check_length(c, shape[last]);
    shape[last] = k;
    return {{c.in[0].dtype, shape}, {DType::i32, shape}};
}

void emit_top_k(Emit& e) {
    if (e.attrs.i("k") > 0)
        emit_lines(e, e.in_type(0).shape.ndim() - 1, e.attrs.i("k"), true, e.out(0), e.out(1));
}

std::vector<Tensor> grad_top_k(const GradCtx& c) {
    if (!c.dout(0).defined()) return {Tensor()};
    return {apply1(Op::put_along_axis_add, {c.out(1), c.dout(0)},
                   {{"shape", c.in(0).shape()}, {"axis", -1}})};
}

std::vector<TensorType> infer_searchsorted(const InferCtx& c) {
    c.expect(2);
    if (c.in[0].shape.ndim() != 1)
        fail_value("searchsorted: the sorted sequence must have one dimension. Received: shape {}.",
                   c.in[0].shape);
    check_length(c, c.in[0].shape[0]);
    return {{DType::i32, c.in[1].shape}};
}

void emit_searchsorted(Emit& e) {
    const SearchArgs args{e.in(0),
                          e.in(1),
                          static_cast<int32_t*>(e.out(0)),
                          e.in_type(0).dtype,
                          e.attrs.b("side_right", false),
                          e.in_type(0).shape[0],
                          volume(e.in_type(1).shape)};
    if (args.m > 0) e.run(e.kernels.index->searchsorted, args, 64 * args.m);
}
}  // namespace

extern const OpDef op_sort = {.infer = infer_sort, .emit = emit_sort, .grad = grad_sort};
extern const OpDef op_argsort = {.infer = infer_argsort, .emit = emit_argsort, .grad = no_gradient};
extern const OpDef op_top_k = {.infer = infer_top_k, .emit = emit_top_k, .grad = grad_top_k};
extern const OpDef op_searchsorted = {
    .infer = infer_searchsorted, .emit = emit_searchsorted, .grad = no_gradient, .flags = kPromote};

}  // namespace hb
