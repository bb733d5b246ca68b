// pad_mode: padding with x's own elements, as NumPy's modes reflect, symmetric and edge.
#include <algorithm>

#include "ops/layout.h"
#include "ops/ops.h"

namespace hb {

namespace {
// y[at : at + length] = x[from], x[from + step], ... along one axis
struct Segment {
    int64_t at, length, from, step;
};

// The element of x that position i shows, i counted from x's first element.
int64_t source_of(int64_t i, int64_t n, const std::string& mode) {
    if (mode == "edge" || n == 1) return std::clamp<int64_t>(i, 0, n - 1);
    const int64_t skip = mode == "reflect" ? 1 : 0, period = 2 * (n - skip);
    i = ((i % period) + period) % period;
    return i < n ? i : period - i - 1 + skip;
}

std::vector<Segment> segments(int64_t n, int64_t low, int64_t high, const std::string& mode) {
    std::vector<Segment> out;
    for (int64_t i = -low; i < n + high; ++i) {
        const int64_t from = source_of(i, n, mode);
        Segment* last = out.empty() ? nullptr : &out.back();
        const int64_t end = last ? last->from + (last->length - 1) * last->step : 0;
        const bool joins = last && i != 0 && i != n &&
                           (last->length == 1 || from - end == last->step) &&
                           std::abs(from - end) <= 1;
        if (joins) {
            last->step = from - end;
            ++last->length;
        } else {
            out.push_back({i + low, 1, from, 1});
        }
    }
    return out;
}

std::vector<TensorType> infer_pad_mode(const InferCtx& c) {
    c.expect(1);
    Shape shape = c.in[0].shape;
    const Shape low = c.attrs.ints("low"), high = c.attrs.ints("high");
    const std::string& mode = c.attrs.s("mode");
    if (mode != "reflect" && mode != "symmetric" && mode != "edge")
        fail_value("pad: mode must be 'reflect', 'symmetric' or 'edge'. Received: mode='{}'.",
                   mode);
    if (low.ndim() != shape.ndim() || high.ndim() != shape.ndim())
        fail_value(
            "pad: one width before and one after each dimension is needed. Received: x.shape={}, "
            "before={}, after={}.",
            shape, low, high);
    for (int i = 0; i < shape.ndim(); ++i) {
        if (low[i] < 0 || high[i] < 0)
            fail_value("pad: widths must not be negative. Received: before={}, after={}.", low,
                       high);
        if (shape[i] == 0 && low[i] + high[i] > 0)
            fail_value("pad: mode '{}' cannot pad an empty dimension. Received: x.shape={}.", mode,
                       c.in[0].shape);
        shape[i] += low[i] + high[i];
    }
    return {{c.in[0].dtype, shape}};
}

// One copy per combination of segments.
void emit_pad_mode(Emit& e) {
    const Shape &x = e.in_type(0).shape, &y = e.out_type(0).shape;
    const Shape low = e.attrs.ints("low"), high = e.attrs.ints("high");
    const Shape from = row_major_strides(x), to = row_major_strides(y);
    CopyList copies(e.in_type(0).dtype);
    Shape dims(x.size()), steps(x.size());
    const auto visit = [&](auto&& self, int axis, int64_t at, int64_t source) -> void {
        if (axis == x.ndim()) return copies.add(e.out(0), at, e.in(0), source, dims, to, steps);
        for (const Segment& s : segments(x[axis], low[axis], high[axis], e.attrs.s("mode"))) {
            dims[axis] = s.length;
            steps[axis] = s.step * from[axis];
            self(self, axis + 1, at + s.at * to[axis], source + s.from * from[axis]);
        }
    };
    if (volume(y) > 0) visit(visit, 0, 0, 0);
    copies.run(e);
}

// One axis after another, last first: what each segment showed flows back to where it came from.
std::vector<Tensor> grad_pad_mode(const GradCtx& c) {
    const Shape& x = c.in(0).shape();
    const Shape low = c.attrs.ints("low"), high = c.attrs.ints("high");
    Tensor d = c.dout(0);
    for (int axis = x.ndim() - 1; axis >= 0; --axis) {
        if (low[axis] + high[axis] == 0) continue;
        Shape whole = d.shape();
        whole[axis] = x[axis];
        const Shape ones(whole.size(), 1);
        Tensor total;
        for (const Segment& s : segments(x[axis], low[axis], high[axis], c.attrs.s("mode"))) {
            Shape start(whole.size(), 0), stop = d.shape();
            start[axis] = s.at;
            stop[axis] = s.at + s.length;
            Tensor part =
                apply1(Op::slice, {d}, {{"start", start}, {"stop", stop}, {"step", ones}});
            if (s.step == 0) part = sum(part, {axis}, true);
            Shape step = ones;
            if (s.step < 0) step[axis] = -1;
            start = Shape(whole.size(), 0);
            stop = whole;
            start[axis] = s.from;
            stop[axis] = s.from + part.shape()[axis] * step[axis];
            part = apply1(Op::slice_grad, {part},
                          {{"shape", whole}, {"start", start}, {"stop", stop}, {"step", step}});
            total = total.defined() ? add(total, part) : part;
        }
        d = total;
    }
    return {d};
}
}  // namespace

extern const OpDef op_pad_mode = {
    .infer = infer_pad_mode, .emit = emit_pad_mode, .grad = grad_pad_mode};

}  // namespace hb
