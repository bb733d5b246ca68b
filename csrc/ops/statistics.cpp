#include "ops/statistics.h"

#include <algorithm>
#include <optional>

#include "kernels/conv.h"
#include "kernels/gemm.h"
#include "kernels/slabs.h"
#include "kernels/winograd.h"
#include "ops/elementwise.h"
#include "ops/epilogue.h"
#include "ops/ops.h"
#include "ops/reduce.h"

namespace hb {

namespace {
constexpr int64_t kSlabBytes = 128 << 10;  // stays in L2 beside what it is computed from
// Flops an element, 3 to 4 ns on a core, beside which reading it once more, 0.2 ns, is worth
// saving.
constexpr int64_t kSlabCost = 640;
constexpr int64_t kSlabPixels = 48;  // or the weights are read too often

struct Split {
    int64_t rows, n, parts, fold;
};

// How x (rows, n) is cut: the same for every number of threads.
Split split_rows(const TensorType& x) {
    const int64_t n = x.shape.back();
    Split s{volume(x.shape) / n, n, 1, 1};
    for (int64_t k = kNormFolded / s.n; k > 1; --k)
        if (s.rows % k == 0) {
            s.fold = k;
            break;
        }
    const int64_t blocks = ceil_div(s.n * s.fold, kNormColumns);
    const int64_t tasks = std::min<int64_t>(64, s.rows * s.n / 16384);
    s.parts = std::clamp<int64_t>(tasks / blocks, 1, std::max<int64_t>(1, s.rows / s.fold));
    return s;
}

void emit_join(Emit& e, DType dtype, const void* partial, void* mean, void* var, int64_t n,
               const std::vector<int64_t>& begins) {
    const int64_t parts = int64_t(begins.size()) - 1;
    const BatchJoinArgs join{partial, mean, var, n, parts, e.store(begins.data(), begins.size())};
    e.run(kernel_for(e.kernels.batch_norm->join, dtype), join, 8 * n * parts);
}

// ---- slab by slab ----

template <class Args>
const Args& args_of(const Instr& instr) {
    return *static_cast<const Args*>(instr.args);
}

// y as the instruction makes it, if that is all of y and can be done slab by slab.
std::optional<SlabArgs> whole(const Emit& e, const Instr& instr) {
    const TensorType& y = e.out_type(0);
    const auto is = [&](KernelFn f32, KernelFn f64) {
        return instr.fn == (y.dtype == DType::f64 ? f64 : f32);
    };
    const GemmKernels& gemm = *e.kernels.gemm;
    const ConvKernels& conv = *e.kernels.conv;
    SlabArgs s{};
    s.compute = instr.fn;
    s.args = instr.args;
    if (is(gemm.gemm_f32, gemm.gemm_f64)) {
        const GemmArgs& g = args_of<GemmArgs>(instr);
        s.kind = SlabOf::product;
        s.slabs = {g.m, 1, 1, g.n, 0, 0};
        if (g.batch > 1 || g.splits > 1 || g.a_tiles || g.b_layout == BLayout::strided) return {};
    } else if (is(conv.run_f32, conv.run_f64) || is(conv.depthwise_f32, conv.depthwise_f64)) {
        const ConvArgs& c = args_of<ConvArgs>(instr);
        const ConvDim(&d)[3] = c.window.dim;
        s.kind = SlabOf::conv;
        s.slabs = {c.window.images, d[1].out, d[2].out, c.features, 0, 0};
        if (d[0].out > 1) return {};
        for (const ConvDim& dim : d)
            if (dim.y_step != 1 || dim.out != dim.y_size) return {};
    } else if (is(conv.winograd_f32, nullptr)) {
        const WinogradShape& w = args_of<WinogradArgs>(instr).shape;
        s.kind = SlabOf::winograd;
        s.slabs = {w.images, w.out_h, w.out_w, w.features, 0, 0};
    } else {
        return {};
    }
    const Slabs& a = s.slabs;
    if (a.images * a.rows * a.pixels * a.n != volume(y.shape)) return {};
    return s;
}

// Chooses slabs of about kSlabBytes; by shapes alone, as the sums depend on them.
bool choose_slabs(Slabs& s, size_t size) {
    const int64_t row = s.pixels * s.n * int64_t(size), image = s.rows * row;
    s.slab_rows = s.rows;
    s.slab_images = std::clamp<int64_t>(kSlabBytes / image, 1, s.images);
    if (s.rows == 1 && s.slab_images > 6)  // tiles of six rows
        s.slab_images -= s.slab_images % 6;
    if (image > kSlabBytes) {  // even rows, for Winograd's tiles
        const int64_t blocks = ceil_div(s.rows, std::max<int64_t>(2, kSlabBytes / row));
        s.slab_rows = std::min(s.rows, ceil_div(ceil_div(s.rows, blocks), 2) * 2);
    }
    const int64_t pixels = s.slab_images * s.slab_rows * s.pixels;
    return pixels >= kSlabPixels && pixels * s.n * int64_t(size) <= 2 * kSlabBytes;
}

// Slab by slab instead of the list's last instruction; false if that cannot be.
bool emit_slabs(Emit& e, size_t first, const void* x, const void* mean, BatchRelu relu) {
    std::vector<Instr>& instrs = e.list().instrs;
    const TensorType& y = e.out_type(0);
    if (instrs.size() == first) return false;
    std::optional<SlabArgs> found = whole(e, instrs.back());
    const size_t size = dtype_size(y.dtype);
    if (!found || instrs.back().cost > kSlabCost * volume(y.shape)) return false;
    if (!choose_slabs(found->slabs, size)) return false;
    SlabArgs& s = *found;
    const Slabs& a = s.slabs;
    std::vector<int64_t> begins{0};
    for (int64_t i = 0; i < slab_count(a); ++i) {
        const Slab slab = slab_at(a, i);
        begins.push_back(begins.back() + slab.images * slab.rows * a.pixels);
    }
    const int64_t last = begins.back() - begins[begins.size() - 2];
    s.fold = std::max<int64_t>(1, kNormFolded / a.n);
    while (begins[1] % s.fold != 0 || last % s.fold != 0) --s.fold;
    const BatchNormKernels& kernels = *e.kernels.batch_norm;
    s.measure = kernel_for(x ? kernels.grad : kernels.stats, y.dtype);
    s.x = x, s.mean = mean, s.relu = relu;
    s.y = e.out(0);
    const int64_t parts = slab_count(a);
    s.partial = e.workspace(2 * size_t(parts * a.n) * size);
    s.scratch_stride = begins[1] * a.n * int64_t(size);
    s.scratch = static_cast<char*>(e.workspace(size_t(s.scratch_stride * e.threads)));
    const int64_t cost = instrs.back().cost;
    instrs.pop_back();
    e.run(kernel_for(kernels.slabs, y.dtype), s, cost + 4 * volume(y.shape));
    if (x)
        emit_reduce(e, ReduceOp::sum, s.partial, {y.dtype, {parts, 2 * a.n}}, {0}, e.out(1));
    else
        emit_join(e, y.dtype, s.partial, e.out(1), e.out(2), a.n, begins);
    return true;
}
}  // namespace

void emit_statistics(Emit& e, const TensorType& type, const void* x, void* mean, void* var) {
    const Split s = split_rows(type);
    void* partial = e.workspace(2 * size_t(s.parts * s.n) * dtype_size(type.dtype));
    const BatchStatsArgs stats{x, partial, s.rows, s.n, s.parts, s.fold};
    e.run(kernel_for(e.kernels.batch_norm->stats, type.dtype), stats, 4 * volume(type.shape));
    std::vector<int64_t> begins;
    for (int64_t i = 0; i < s.parts; ++i)
        begins.push_back(split(s.rows / s.fold, int(i), int(s.parts)).begin * s.fold);
    begins.push_back(s.rows);
    emit_join(e, type.dtype, partial, mean, var, s.n, begins);
}

void emit_gradient_sums(Emit& e, const TensorType& type, const void* x, const void* mean,
                        const void* dy, BatchRelu relu, void* sums) {
    const Split s = split_rows(type);
    void* partial = e.workspace(2 * size_t(s.parts * s.n) * dtype_size(type.dtype));
    const BatchGradArgs args{x, mean, dy, relu, partial, s.rows, s.n, s.parts, s.fold};
    e.run(kernel_for(e.kernels.batch_norm->grad, type.dtype), args, 6 * volume(type.shape));
    emit_reduce(e, ReduceOp::sum, partial, {type.dtype, {s.parts, 2 * s.n}}, {0}, sums);
}

const void* emit_scale(Emit& e, const TensorType& vector, const void* gamma, const void* var,
                       double epsilon) {
    void* scale = e.workspace(vector.bytes());
    EwProgramBuilder p(vector.shape);
    const int eps = p.add_constant(epsilon, vector.dtype);
    const int sum = p.add_op(EwOp::add, {p.add_input(var, vector), eps});
    p.set_output(scale,
                 p.add_op(EwOp::mul, {p.add_input(gamma, vector), p.add_op(EwOp::rsqrt, {sum})}));
    p.run(e);
    return scale;
}

void emit_statistics_of(Emit& e, size_t first) {
    if (!e.attrs.has(kStatistics)) return;
    const TensorType& y = e.out_type(0);
    if (!e.attrs.b(kStatistics)) {
        if (!emit_slabs(e, first, nullptr, nullptr, {}))
            emit_statistics(e, y, e.out(0), e.out(1), e.out(2));
        return;
    }
    const bool behind_relu = e.attrs.b(kBehindRelu, false);
    const int at = e.num_in() - (behind_relu ? 5 : 2);  // x, mean[, gamma, var, beta]
    BatchRelu relu;
    std::vector<Instr>& instrs = e.list().instrs;
    if (behind_relu) {
        const Instr last = instrs.back();
        instrs.pop_back();
        relu = {
            emit_scale(e, e.in_type(at + 2), e.in(at + 2), e.in(at + 3), e.attrs.f("norm_epsilon")),
            e.in(at + 4)};
        instrs.push_back(last);
    }
    if (!emit_slabs(e, first, e.in(at), e.in(at + 1), relu))
        emit_gradient_sums(e, y, e.in(at), e.in(at + 1), e.out(0), relu, e.out(1));
}

}  // namespace hb
