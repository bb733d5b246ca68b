#include <algorithm>

#include "ops/reduce.h"

namespace hb {

namespace {
constexpr int64_t kTaskElements = 16384;  // what is worth a task of its own
constexpr int64_t kMostRows = 4096;       // that are added one after the other
constexpr int64_t kMostTasks = 64;

struct Group {
    int64_t size;
    bool reduced;
};

// Neighbouring dimensions with the same fate are one.
std::vector<Group> group(const Shape& shape, const std::vector<int64_t>& axes) {
    std::vector<Group> groups;
    for (int d = 0; d < shape.ndim(); ++d) {
        if (shape[d] == 1) continue;
        const bool reduced = std::find(axes.begin(), axes.end(), d) != axes.end();
        if (!groups.empty() && groups.back().reduced == reduced)
            groups.back().size *= shape[d];
        else
            groups.push_back({shape[d], reduced});
    }
    if (groups.empty()) groups.push_back({1, true});
    return groups;
}

// In how many parts each result's sum is computed: enough tasks for many threads, short chains of
// additions.
int64_t choose_parts(const ReduceArgs& p, bool rows_kernel, int64_t volume) {
    const int64_t cells =
        p.outer.count * (rows_kernel ? 1 : ceil_div(p.inner * p.fold, kReduceColumns));
    const int64_t tasks = std::min(kMostTasks, volume / kTaskElements);
    int64_t parts = std::max<int64_t>(1, tasks / std::max<int64_t>(1, cells));
    if (!rows_kernel) parts = std::max(parts, ceil_div(p.rows.count, kMostRows));
    const int64_t most = rows_kernel && p.rows.count == 1 ? p.inner : p.rows.count;
    return std::clamp<int64_t>(parts, 1, std::max<int64_t>(1, most));
}
}  // namespace

void emit_reduce(Emit& e, ReduceOp op, const void* x, const TensorType& x_type,
                 const std::vector<int64_t>& axes, void* y) {
    std::vector<Group> groups = group(x_type.shape, axes);
    const bool rows_kernel = groups.back().reduced;
    ReduceArgs p{x, y, {0, 1, {}, {}}, {0, 1, {}, {}}, groups.back().size, 1, 1};
    int64_t stride = p.inner;
    groups.pop_back();
    if (groups.size() > 2 * size_t(kReduceMaxDims))
        fail_value("reduce: more than {} alternating dimensions.", 2 * kReduceMaxDims);
    for (auto g = groups.rbegin(); g != groups.rend(); ++g) {
        ReduceDims& to = g->reduced ? p.rows : p.outer;
        to.dims[to.ndim] = g->size;
        to.strides[to.ndim++] = stride;
        to.count *= g->size;
        stride *= g->size;
    }
    for (ReduceDims* d : {&p.outer, &p.rows}) {
        std::reverse(d->dims, d->dims + d->ndim);
        std::reverse(d->strides, d->strides + d->ndim);
    }
    const int64_t outputs = p.outer.count * (rows_kernel ? 1 : p.inner),
                  total = volume(x_type.shape);
    if (outputs == 0) return;
    if (!rows_kernel && p.rows.ndim == 1 && p.rows.strides[0] == p.inner && p.inner <= 64)
        p.fold = std::clamp<int64_t>(p.rows.count / 8, 1, 256 / p.inner);
    p.parts = choose_parts(p, rows_kernel, total);

    const auto kernel = [&](bool rows) {
        const auto& table = rows ? e.kernels.reduce->rows : e.kernels.reduce->columns;
        return table[int(op)][int(x_type.dtype)];
    };
    if (p.parts == 1) {
        e.run(kernel(rows_kernel), p, total);
        return;
    }
    p.y = e.workspace(size_t(outputs * p.parts) * dtype_size(x_type.dtype));
    e.run(kernel(rows_kernel), p, total);
    const bool join_rows = rows_kernel || p.inner == 1;
    ReduceArgs join{p.y, y, {1, p.outer.count, {p.outer.count}, {}}, {0, 1, {}, {}}, 0, 1, 1};
    join.outer.strides[0] = p.parts * (rows_kernel ? 1 : p.inner);
    join.inner = join_rows ? p.parts : p.inner;
    if (!join_rows) join.rows = {1, p.parts, {p.parts}, {p.inner}};
    e.run(kernel(join_rows), join, outputs * p.parts);
}

Shape reduced_shape(const Shape& shape, const std::vector<int64_t>& axes, bool keepdims) {
    Shape out;
    for (int d = 0; d < shape.ndim(); ++d) {
        const bool reduced = std::find(axes.begin(), axes.end(), d) != axes.end();
        if (!reduced)
            out.push_back(shape[d]);
        else if (keepdims)
            out.push_back(1);
    }
    return out;
}

AxisSplit split_at_axis(const Shape& shape, int axis) {
    AxisSplit s;
    for (int d = 0; d < shape.ndim(); ++d)
        (d < axis ? s.outer : d == axis ? s.n : s.inner) *= shape[d];
    return s;
}

}  // namespace hb
