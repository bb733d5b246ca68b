// Recurrent layers over whole sequences; the product x W + b is an op of its own, done before.
//
// lstm_sequence(xw, h0, c0, r[, mask_h][, mask]) -> y, h_last, c_last, gates, c
// gru_sequence(xw, h0, r[, bias][, mask_h][, mask]) -> y, h_last, gates, inner
// rnn_sequence(xw, h0, r[, mask_h][, mask]) -> y, h_last
//
// xw (N,T,G*U), r (U,G*U), states (N,U), y (N,T,U), mask_h (N,G,U), mask (N,T); with `time_major`
// xw and what is like it are (T,N,...). y[:, t] belongs to xw[:, t] in both directions. The outputs
// after the last state are there for the gradient.
#include "ops/rnn.h"

#include <algorithm>

#include "kernels/gemm.h"

namespace hb {

namespace {
struct Sizes {
    int64_t n, t, u;
};

// A sequence's shape.
Shape steps_of(const Attrs& attrs, int64_t n, int64_t t, int64_t width) {
    return time_first(attrs) ? Shape{t, n, width} : Shape{n, t, width};
}

// ---- shapes ----

void check(const InferCtx& c, const char* what, int input, const Shape& wanted) {
    if (input < 0) return;
    const TensorType& type = c.in[size_t(input)];
    if (type.shape != wanted)
        fail_value("{}: {} needs the shape {}. Received: {}.shape={}, xw.shape={}.", c.name, what,
                   wanted, what, type.shape, c.in[0].shape);
    if (type.dtype != c.in[0].dtype)
        fail_type("{}: {} must be {}, as xw is. Received: {}.", c.name, what,
                  dtype_name(c.in[0].dtype), dtype_name(type.dtype));
}

template <CellOf cell_of>
std::vector<TensorType> infer(const InferCtx& c) {
    const RnnCell cell = cell_of(c.attrs);
    const RnnInputs in(cell, c.attrs);
    c.expect(in.count);
    const int64_t gates = rnn_gates(cell);
    const TensorType& xw = c.in[0];
    const Shape& r = c.in[size_t(in.r)].shape;
    if (!is_float(xw.dtype))
        fail_type("{}: xw must be float32 or float64. Received: {}.", c.name, dtype_name(xw.dtype));
    if (xw.shape.ndim() != 3 || xw.shape[2] % gates != 0)
        fail_value("{}: xw needs the shape (batch, time, {}units). Received: xw.shape={}.", c.name,
                   gates == 1   ? ""
                   : gates == 3 ? "3 * "
                                : "4 * ",
                   xw.shape);
    const int64_t n = xw.shape[time_first(c.attrs)], t = xw.shape[!time_first(c.attrs)];
    const int64_t u = xw.shape[2] / gates;
    if (r != Shape{u, gates * u})
        fail_value("{}: r needs the shape {}. Received: r.shape={}, xw.shape={}.", c.name,
                   Shape{u, gates * u}, r, xw.shape);
    check(c, "r", in.r, r);
    check(c, "h0", in.h0, {n, u});
    check(c, "c0", in.c0, {n, u});
    check(c, "the recurrent bias", in.bias, {gates * u});
    check(c, "mask_h", in.mask_h, {n, gates, u});
    if (in.mask >= 0) {
        const TensorType& mask = c.in[size_t(in.mask)];
        if (mask.dtype != DType::b8 || mask.shape != Shape{n, t})
            fail_value("{}: mask must be bool of shape {}. Received: {} of shape {}.", c.name,
                       Shape{n, t}, dtype_name(mask.dtype), mask.shape);
    }
    const TensorType y{xw.dtype, steps_of(c.attrs, n, t, u)}, state{xw.dtype, {n, u}};
    if (cell == kLstm) return {y, state, state, xw, y};
    if (has_gates(cell)) return {y, state, xw, y};
    return {y, state};
}

Sizes sizes_of(const Attrs& attrs, const Shape& y) {
    return {y[time_first(attrs)], y[!time_first(attrs)], y[2]};
}

template <CellOf cell_of>
std::vector<TensorType> infer_grad(const InferCtx& c) {
    const RnnCell cell = cell_of(c.attrs);
    const RnnGradInputs in(cell, c.attrs);
    c.expect(in.count);
    const TensorType& y = c.in[size_t(in.y)];
    if (y.shape.ndim() != 3)
        fail_value("{}: y needs 3 dimensions. Received: y.shape={}.", c.name, y.shape);
    const auto [n, t, u] = sizes_of(c.attrs, y.shape);
    const int64_t gates = rnn_gates(cell);
    const TensorType state{y.dtype, {n, u}}, dxw{y.dtype, steps_of(c.attrs, n, t, gates * u)};
    const auto expect = [&](int input, const TensorType& type) {
        if (input >= 0 && c.in[size_t(input)] != type)
            fail_value("{}: input {} needs the shape {}. Received: {}, y.shape={}.", c.name, input,
                       type.shape, c.in[size_t(input)].shape, y.shape);
    };
    expect(in.r, {y.dtype, {u, gates * u}});
    for (int input : {in.h0, in.c0, in.dh_last, in.dc_last}) expect(input, state);
    for (int input : {in.saved, in.dy}) expect(input, y);
    expect(in.gates, dxw);
    expect(in.mask_h, {y.dtype, {n, gates, u}});
    expect(in.mask, {DType::b8, {n, t}});
    if (cell == kLstm) return {dxw, state, state, y};
    if (cell == kGruAfter) return {dxw, state, y, dxw};
    return {dxw, state, y};
}

// ---- instructions ----

// r in panels: gate after gate, or transposed.
const void* pack(Emit& e, int input, bool transposed, int64_t gates, int64_t u, const Part* part) {
    const DType dtype = e.in_type(input).dtype;
    const GemmKernels& gemm = *e.kernels.gemm;
    const bool f32 = dtype == DType::f32;
    const int64_t nr = (f32 ? gemm.f32 : gemm.f64).nr, columns = (u + nr - 1) / nr * nr;
    void* packed = e.workspace(size_t(gates * u * columns) * dtype_size(dtype));
    const int64_t offsets[] = {0, u, 2 * u, 3 * u};
    const int64_t* stored = e.store(offsets, 4);
    const PackArgs args = transposed
                              ? PackArgs{e.in(input), packed, stored, 1, gates * u, u, 1, gates * u}
                              : PackArgs{e.in(input), packed, stored, gates, u, u, gates * u, 1};
    if (!part || part->begin == part->end)
        e.run(f32 ? gemm.pack_f32 : gemm.pack_f64, args, 4 * gates * u * u);
    return packed;
}

int64_t cost(const Sizes& s, int64_t gates) { return s.n * gates * s.u * (2 * s.u + 40); }

inline constexpr int64_t kResident = 256 << 10;  // bytes of weights that a core keeps near

bool stay_near(const Emit& e, const Sizes& s, int64_t gates) {
    return gates * s.u * s.u * int64_t(dtype_size(e.in_type(0).dtype)) <= kResident;
}

// Where a thread's rows are few and the weights too many for its cache, or rows are fewer than
// threads, threads share the units of each step; else each takes rows and never waits.
bool by_columns(const Emit& e, const Sizes& s, int64_t gates) {
    constexpr int64_t kStep = 1 << 19;  // less work is not worth a meeting of threads
    constexpr int64_t kFew = 32;        // rows of a thread that a panel of weights is fetched for
    return e.threads > 1 && cost(s, gates) >= kStep &&
           (s.n < e.threads || (s.n < kFew * threads_of(e.threads) && !stay_near(e, s, gates)));
}

// Two sequences that are alike take half of the threads each, without meeting, where a core keeps
// the weights of a whole one near.
bool has_near_weights(const TensorType& r) { return int64_t(r.bytes()) <= 3 * kResident; }
template <CellOf cell_of>
bool beside(const Attrs& attrs, std::span<const TensorType> in) {
    return has_near_weights(in[size_t(RnnInputs(cell_of(attrs), attrs).r)]);
}
template <CellOf cell_of>
bool beside_grad(const Attrs& attrs, std::span<const TensorType> in) {
    return has_near_weights(in[size_t(RnnGradInputs(cell_of(attrs), attrs).r)]);
}

// As few rows as keep all threads busy, but 16 for each panel of weights that is fetched; all rows
// of a thread, if may be, where the panels come from far away.
int64_t rows_of_block(const Emit& e, const Sizes& s, int64_t gates) {
    const int64_t threads = threads_of(e.threads), of_thread = ceil_div(s.n, threads);
    if (!stay_near(e, s, gates)) return ceil_div(of_thread, ceil_div(of_thread, kRnnRows));
    const int64_t rows =
        s.n <= 16 * threads ? of_thread : std::max<int64_t>(16, ceil_div(s.n, e.threads));
    return std::min(rows, kRnnRows);
}

// `count` phases, or those of a part; `backwards`: the last step comes first.
template <class Args>
void run(Emit& e, const FloatPair& start, const FloatPair& phases, const Args& args, int64_t count,
         const Part* part, bool backwards) {
    const DType dtype = e.in_type(0).dtype;
    const Sizes s{args.n, args.t, args.u};
    const int64_t gates = rnn_gates(args.cell), step = cost(s, gates);
    const Args* stored = e.store(&args, 1);
    RnnPhases<Args> all{stored, 0, count, rows_of_block(e, s, gates), false};
    if (part && part->begin < part->end) {
        const bool mirrored = args.reverse != backwards;
        const int64_t begin = mirrored ? s.t - part->end : part->begin,
                      end = mirrored ? s.t - part->begin : part->end;
        all.begin = begin * rnn_phases(args.cell);
        if (end < s.t) all.end = end * rnn_phases(args.cell);
        return e.run(kernel_for(phases, dtype), all, step * (end - begin));
    }
    const int64_t copied = s.n * s.u * (backwards ? 2 * args.t + 4 : 4);
    e.run(kernel_for(start, dtype), args, copied * int64_t(dtype_size(dtype)));
    if (part) return;
    if (by_columns(e, s, gates)) {
        all.by_columns = true;
        all.block = ceil_div(s.n, ceil_div(s.n, kRnnRows));
        for (int64_t phase = 0; phase < count; ++phase) {
            all.begin = phase, all.end = phase + 1;
            e.run(kernel_for(phases, dtype), all, step);
        }
    } else if (s.n > 1) {
        e.run(kernel_for(phases, dtype), all, step * s.t);
    } else {
        e.run(kernel_for(phases, dtype), all, step * s.t, Serial{});
    }
}

void* rows(Emit& e, int64_t n, int64_t stride) {
    return e.workspace(size_t(n * stride) * dtype_size(e.in_type(0).dtype));
}

template <CellOf cell_of>
void emit_part(Emit& e, const Part* part) {
    const RnnCell cell = cell_of(e.attrs);
    const RnnInputs in(cell, e.attrs);
    const auto input = [&](int i) { return i < 0 ? nullptr : e.in(i); };
    const Sizes s = sizes_of(e.attrs, e.out_type(0).shape);
    if (s.n * s.u == 0) return;
    RnnArgs a{};
    a.cell = cell;
    a.xw = e.in(in.xw), a.h0 = e.in(in.h0), a.c0 = input(in.c0);
    a.bias = input(in.bias), a.mask_h = input(in.mask_h);
    a.mask = static_cast<const bool*>(input(in.mask));
    a.r = pack(e, in.r, false, rnn_gates(cell), s.u, part);
    int out = 0;
    a.y = e.out(out++), a.h_last = e.out(out++);
    if (cell == kLstm) a.c_last = e.out(out++);
    const auto wanted = [&](int i) { return volume(e.out_type(i).shape) > 0 ? e.out(i) : nullptr; };
    if (has_gates(cell)) a.gates = wanted(out), a.saved = wanted(out + 1);
    a.n = s.n, a.t = s.t, a.u = s.u;
    a.row_step = time_first(e.attrs) ? 1 : s.t, a.time_step = time_first(e.attrs) ? s.n : 1;
    a.reverse = e.attrs.b("reverse", false);
    a.zero_output = e.attrs.b("zero_output_for_mask", false);
    a.operand_stride = rnn_stride(in.mask_h >= 0 ? rnn_gates(cell) * s.u : s.u);
    for (void*& operand : a.operand) operand = rows(e, s.n, a.operand_stride);
    a.h = rows(e, s.n, rnn_stride(s.u));
    if (cell == kLstm) a.c = rows(e, s.n, rnn_stride(s.u));
    if (cell == kGruBefore) a.q = rows(e, s.n, rnn_stride(s.u));
    a.begins = static_cast<int64_t*>(e.workspace(size_t(s.n) * sizeof(int64_t)));
    run(e, e.kernels.rnn->start, e.kernels.rnn->forward, a, s.t * rnn_phases(cell), part, false);
}

template <CellOf cell_of>
void emit_grad_part(Emit& e, const Part* part) {
    const RnnCell cell = cell_of(e.attrs);
    const RnnGradInputs in(cell, e.attrs);
    const auto input = [&](int i) { return i < 0 ? nullptr : e.in(i); };
    const Sizes s = sizes_of(e.attrs, e.in_type(in.y).shape);
    if (s.n * s.u == 0) return;
    RnnGradArgs a{};
    a.cell = cell;
    a.h0 = e.in(in.h0), a.c0 = input(in.c0), a.y = e.in(in.y);
    a.gates = input(in.gates), a.saved = input(in.saved);
    a.dy = input(in.dy), a.dh_last = e.in(in.dh_last), a.dc_last = input(in.dc_last);
    a.mask_h = input(in.mask_h);
    a.mask = static_cast<const bool*>(input(in.mask));
    a.r = pack(e, in.r, true, rnn_gates(cell), s.u, part);
    int out = 0;
    a.dxw = e.out(out++), a.dh0 = e.out(out++);
    if (cell == kLstm) a.dc0 = e.out(out++);
    a.h_prev = e.out(out++);
    if (cell == kGruAfter) a.dproduct = e.out(out++);
    a.n = s.n, a.t = s.t, a.u = s.u;
    a.row_step = time_first(e.attrs) ? 1 : s.t, a.time_step = time_first(e.attrs) ? s.n : 1;
    a.reverse = e.attrs.b("reverse", false);
    a.zero_output = e.attrs.b("zero_output_for_mask", false);
    a.dh = rows(e, s.n, rnn_stride(s.u)), a.waiting = rows(e, s.n, rnn_stride(s.u));
    if (cell == kLstm) a.dc = rows(e, s.n, rnn_stride(s.u));
    for (void*& dz : a.dz) dz = rows(e, s.n, rnn_stride(rnn_gates(cell) * s.u));
    run(e, e.kernels.rnn->grad_start, e.kernels.rnn->grad, a, s.t * rnn_phases(cell) + 1, part,
        true);
}

template <CellOf cell_of>
void emit(Emit& e) {
    emit_part<cell_of>(e, nullptr);
}
template <CellOf cell_of>
void emit_grad(Emit& e) {
    emit_grad_part<cell_of>(e, nullptr);
}
template <CellOf cell_of>
void emit_part(Emit& e, const Part& part) {
    emit_part<cell_of>(e, &part);
}
template <CellOf cell_of>
void emit_grad_part(Emit& e, const Part& part) {
    emit_grad_part<cell_of>(e, &part);
}

// Sequences whose steps lie one after the other, so few rows that threads would have little to do.
template <BesideFn near>
bool in_parts(const Attrs& attrs, std::span<const TensorType> in) {
    return time_first(attrs) && near(attrs, in);
}

// Gates take the place of xw, and their gradients that of the gates: each element is read before it
// is written. A simple cell's outputs do the same.
template <CellOf cell_of>
int reuses(const Attrs& attrs, int output) {
    const RnnCell cell = cell_of(attrs);
    return output == (cell == kLstm ? 3 : has_gates(cell) ? 2 : 0) ? RnnInputs(cell, attrs).xw : -1;
}
template <CellOf cell_of>
int reuses_grad(const Attrs& attrs, int output) {
    const RnnCell cell = cell_of(attrs);
    const RnnGradInputs in(cell, attrs);
    return output > 0 ? -1 : has_gates(cell) ? in.gates : in.y;
}
}  // namespace

RnnCell lstm_cell(const Attrs&) { return kLstm; }
RnnCell gru_cell(const Attrs& attrs) {
    return attrs.b("reset_after", true) ? kGruAfter : kGruBefore;
}
RnnCell rnn_cell(const Attrs& attrs) {
    const std::string name = attrs.s("activation", "tanh");
    if (name != "tanh" && name != "relu")
        fail_value("rnn_sequence: activation must be 'tanh' or 'relu'. Received activation='{}'.",
                   name);
    return name == "relu" ? kRnnRelu : kRnnTanh;
}

int rnn_outputs_to_drop(const OpDef& op, const Attrs& attrs) {
    const bool gru = &op == &op_def(Op::gru_sequence);
    const bool drops = gru ? gru_cell(attrs) == kGruAfter : &op == &op_def(Op::lstm_sequence);
    return drops ? 2 : 0;
}

extern const OpDef op_lstm_sequence = {
    .infer = infer<lstm_cell>,
    .emit = emit<lstm_cell>,
    .grad = lstm_gradient,
    .flags = kSteps,
    .beside = beside<lstm_cell>,
    .emit_part = emit_part<lstm_cell>,
    .in_parts = in_parts<beside<lstm_cell>>,
    .reuses = reuses<lstm_cell>,
};
extern const OpDef op_lstm_sequence_grad = {
    .infer = infer_grad<lstm_cell>,
    .emit = emit_grad<lstm_cell>,
    .grad = no_second_gradient,
    .flags = kSteps | kBackwards,
    .beside = beside_grad<lstm_cell>,
    .emit_part = emit_grad_part<lstm_cell>,
    .in_parts = in_parts<beside_grad<lstm_cell>>,
    .reuses = reuses_grad<lstm_cell>,
};
extern const OpDef op_gru_sequence = {
    .infer = infer<gru_cell>,
    .emit = emit<gru_cell>,
    .grad = gru_gradient,
    .flags = kSteps,
    .beside = beside<gru_cell>,
    .emit_part = emit_part<gru_cell>,
    .in_parts = in_parts<beside<gru_cell>>,
    .reuses = reuses<gru_cell>,
};
extern const OpDef op_gru_sequence_grad = {
    .infer = infer_grad<gru_cell>,
    .emit = emit_grad<gru_cell>,
    .grad = no_second_gradient,
    .flags = kSteps | kBackwards,
    .beside = beside_grad<gru_cell>,
    .emit_part = emit_grad_part<gru_cell>,
    .in_parts = in_parts<beside_grad<gru_cell>>,
    .reuses = reuses_grad<gru_cell>,
};
extern const OpDef op_rnn_sequence = {
    .infer = infer<rnn_cell>,
    .emit = emit<rnn_cell>,
    .grad = rnn_gradient,
    .flags = kSteps,
    .beside = beside<rnn_cell>,
    .emit_part = emit_part<rnn_cell>,
    .in_parts = in_parts<beside<rnn_cell>>,
    .reuses = reuses<rnn_cell>,
};
extern const OpDef op_rnn_sequence_grad = {
    .infer = infer_grad<rnn_cell>,
    .emit = emit_grad<rnn_cell>,
    .grad = no_second_gradient,
    .flags = kSteps | kBackwards,
    .beside = beside_grad<rnn_cell>,
    .emit_part = emit_grad_part<rnn_cell>,
    .in_parts = in_parts<beside_grad<rnn_cell>>,
    .reuses = reuses_grad<rnn_cell>,
};

}  // namespace hb
