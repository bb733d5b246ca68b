#include <algorithm>

#include "core/op.h"
#include "kernels/random.h"
#include "kernels/stream.h"
#include "ops/elementwise.h"

namespace hb {

namespace {
constexpr int kNever = -1;

bool one_of(EwOp op, std::initializer_list<EwOp> ops) {
    return std::find(ops.begin(), ops.end(), op) != ops.end();
}
}  // namespace

DType ew_result_type(EwOp op, DType type) {
    switch (op) {
#define BOOL(name) case EwOp::name:
        HB_EW_COMPARE(BOOL)
        HB_EW_LOGICAL(BOOL)
        HB_EW_FLOAT_TEST(BOOL)
#undef BOOL
        return DType::b8;
        default:
            return type;
    }
}

int ew_cost(EwOp op) {
    switch (op) {
#define CASE(name) case EwOp::name:
        HB_EW_FLOAT_UNARY(CASE)
#undef CASE
        return one_of(op, {EwOp::sqrt, EwOp::reciprocal, EwOp::floor, EwOp::ceil, EwOp::round,
                           EwOp::trunc})
                   ? 2
                   : 16;
        case EwOp::pow:
        case EwOp::mod:
        case EwOp::floor_div:
        case EwOp::atan2:
            return 32;
        default:
            return 2;
    }
}

const char* ew_name(EwOp op) {
#define NAME(name) #name,
    static const char* const names[] = {HB_EW_ALL(NAME)};
#undef NAME
    return names[int(op)];
}

DType ew_cast_hop(DType from, DType to) {
    const bool from_float = is_float(from), to_float = is_float(to);
    if (is_storage(from)) {
        if (to == carrier(from) || (from == DType::u64 && to_float && !is_half(to))) return to;
        // A half is rounded once, from a double that has all bits.
        return from == DType::u64 && is_half(to) ? DType::f64 : carrier(from);
    }
    if (!is_storage(to) || to == carrier(from) || from == carrier(to)) return to;
    if (is_half(to) && from == DType::f64) return to;
    if (to == DType::u64 && from_float) return to;
    if (is_half(to) && (from == DType::i32 || from == DType::i64)) return DType::f64;
    return carrier(to);
}

int EwProgramBuilder::new_reg(DType dtype) {
    if (int(regs_.size()) >= kEwMaxRegs)
        throw Error(ErrorKind::runtime, "elementwise: a fused program has too many values");
    regs_.push_back(dtype);
    return int(regs_.size()) - 1;
}

int EwProgramBuilder::push(EwOp op, DType type, DType result, int a, int b, int c) {
    const int dst = new_reg(result);
    instrs_.push_back({op, type, result, uint16_t(dst), uint16_t(a), uint16_t(b), uint16_t(c)});
    return dst;
}

int EwProgramBuilder::add_input(const void* data, const TensorType& type) {
    const int reg = new_reg(type.dtype);
    inputs_.push_back({data, type, 0, false, reg});
    return reg;
}

int EwProgramBuilder::add_dropout(int x, const void* seed, double rate) {
    const int keep = add_input(seed, {DType::b8, shape_});
    inputs_.back().drawn = true;
    inputs_.back().threshold = dropout_threshold(rate);
    const int scaled = add_op(EwOp::mul, {x, add_constant(1 / (1 - rate), dtype(x))});
    return add_op(EwOp::where, {keep, scaled, add_constant(0, dtype(x))});
}

int EwProgramBuilder::add_constant(double value, DType type) {
    for (const Input& in : inputs_)
        if (in.is_constant && in.type.dtype == type && std::memcmp(&in.constant, &value, 8) == 0)
            return in.reg;
    const int reg = new_reg(type);
    inputs_.push_back({nullptr, {type, {}}, value, true, reg});
    return reg;
}

int EwProgramBuilder::add_op(EwOp op, std::span<const int> operands, DType to) {
    int r[3] = {0, 0, 0};
    std::copy(operands.begin(), operands.end(), r);
    const auto cast = [&](int reg, DType type) {
        while (dtype(reg) != type)
            reg = push(EwOp::cast, dtype(reg), ew_cast_hop(dtype(reg), type), reg, reg, reg);
        return reg;
    };
    if (op == EwOp::cast) return cast(r[0], to);
    if (one_of(op, {EwOp::round, EwOp::trunc}) && !is_float(dtype(r[0]))) return r[0];
    if (one_of(op, {EwOp::logical_not, EwOp::logical_and, EwOp::logical_or, EwOp::logical_xor}))
        for (size_t i = 0; i < operands.size(); ++i) r[i] = cast(r[i], DType::b8);
    DType type = dtype(r[0]);
    if (op == EwOp::where) {
        type = promote(dtype(r[1]), dtype(r[2]));
        r[0] = cast(r[0], DType::b8);
        r[1] = cast(r[1], type);
        r[2] = cast(r[2], type);
    }
    for (size_t i = operands.size(); i < 3; ++i) r[i] = r[0];
    return push(op, type, ew_result_type(op, type), r[0], r[1], r[2]);
}

void EwProgramBuilder::set_output(void* data, int reg) {
    const auto is_input = [&](const Input& in) { return in.reg == reg; };
    const auto is_output = [&](const EwOutput& out) { return out.reg == reg; };
    if (std::any_of(inputs_.begin(), inputs_.end(), is_input) ||
        std::any_of(outputs_.begin(), outputs_.end(), is_output))
        reg = push(EwOp::copy, dtype(reg), dtype(reg), reg, reg, reg);
    outputs_.push_back({data, dtype(reg), uint16_t(reg), false, false});
}

void EwProgramBuilder::number(Program& p) const {
    std::vector<uint16_t> to(regs_.size());
    uint16_t next = 0;
    for (const Input& in : inputs_) to[size_t(in.reg)] = next++;
    for (const EwInstr& i : instrs_) to[i.dst] = next++;
    p.instrs = instrs_;
    for (EwInstr& i : p.instrs) i.dst = to[i.dst], i.a = to[i.a], i.b = to[i.b], i.c = to[i.c];
    p.outputs = outputs_;
    for (EwOutput& out : p.outputs) out.reg = to[out.reg];
    p.args.num_inputs = int32_t(inputs_.size());
    p.args.num_outputs = int32_t(outputs_.size());
    p.args.num_instrs = int32_t(instrs_.size());
    p.args.num_regs = int32_t(regs_.size());
}

void EwProgramBuilder::collapse(Program& p) const {
    EwArgs& args = p.args;
    args.volume = volume(shape_);
    for (const Input& in : inputs_)
        p.inputs.push_back({in.data, in.type.dtype, EwAccess::strided, 0, {}, 0});

    // From the last dimension to the first: a dimension joins the one behind it if all inputs
    // allow.
    std::vector<int64_t> steps(inputs_.size(), 1), strides(inputs_.size());
    int n = 0;
    for (int d = shape_.ndim() - 1; d >= 0; --d) {
        bool joins = n > 0;
        for (size_t k = 0; k < inputs_.size(); ++k) {
            const Shape& shape = inputs_[k].type.shape;
            const int own = d - (shape_.ndim() - shape.ndim());
            const int64_t size = own < 0 ? 1 : shape[own];
            strides[k] = size == 1 ? 0 : steps[k];
            steps[k] *= size;
            joins = joins && strides[k] == p.inputs[k].strides[n - 1] * args.dims[n - 1];
        }
        if (shape_[d] == 1) continue;
        if (joins) {
            args.dims[n - 1] *= shape_[d];
            continue;
        }
        if (n == kEwMaxDims)
            fail_value("elementwise: more than {} dimensions that do not collapse.", kEwMaxDims);
        for (size_t k = 0; k < inputs_.size(); ++k) p.inputs[k].strides[n] = strides[k];
        args.dims[n++] = shape_[d];
    }
    if (n == 0) args.dims[n++] = 1;
    args.ndim = n;

    for (size_t k = 0; k < inputs_.size(); ++k) {
        EwInput& in = p.inputs[k];
        const int64_t size = volume(inputs_[k].type.shape);
        int64_t period = 1;  // of the trailing dimensions that are contiguous
        int d = 0;
        for (; d < n && in.strides[d] == period; ++d) period *= args.dims[d];
        const bool repeats =
            std::all_of(in.strides + d, in.strides + n, [](int64_t s) { return !s; });
        if (inputs_[k].drawn) {
            in.access = EwAccess::drawn;
            in.threshold = inputs_[k].threshold;
        } else if (size == args.volume) {
            in.access = EwAccess::direct;
        } else if (size == 1) {
            in.access = EwAccess::scalar;
        } else if (repeats) {
            in.period = period;
            if (period <= kEwTile) in.access = EwAccess::periodic;
        }
        std::reverse(in.strides, in.strides + n);
    }
    std::reverse(args.dims, args.dims + n);
}

void EwProgramBuilder::allocate(Program& p) const {
    const int num_inputs = p.args.num_inputs;
    std::vector<int> last_use(regs_.size(), kNever);
    for (size_t i = 0; i < p.instrs.size(); ++i)
        for (uint16_t r : {p.instrs[i].a, p.instrs[i].b, p.instrs[i].c}) last_use[r] = int(i);

    std::vector<bool> in_place(regs_.size(), false);
    for (int k = 0; k < num_inputs; ++k)
        in_place[size_t(k)] = p.inputs[size_t(k)].access == EwAccess::direct;
    for (EwOutput& out : p.outputs) {
        for (int k = 0; k < num_inputs; ++k)
            out.at_end |= in_place[size_t(k)] && last_use[size_t(k)] > int(out.reg) - num_inputs &&
                          dtype_size(p.inputs[size_t(k)].dtype) == dtype_size(out.dtype);
        out.past_caches =
            !out.at_end && beyond_caches(p.args.volume * int64_t(dtype_size(out.dtype)));
        out.at_end |= out.past_caches;
        in_place[out.reg] = !out.at_end;
        if (out.at_end) last_use[out.reg] = int(p.instrs.size());
    }

    size_t widest = 1;
    for (DType type : regs_) widest = std::max(widest, dtype_size(type));
    const int32_t slot = int32_t(kEwTile * widest) + kEwSlack;
    p.offsets.assign(regs_.size(), -1);
    std::vector<int32_t> free;
    int32_t end = 0;
    const auto take = [&](int slots) {
        if (slots == 1 && !free.empty()) {
            const int32_t offset = free.back();
            free.pop_back();
            return offset;
        }
        end += slots * slot;
        return end - slots * slot;
    };
    for (int k = 0; k < num_inputs; ++k)
        if (!in_place[size_t(k)])
            p.offsets[size_t(k)] = take(p.inputs[size_t(k)].access == EwAccess::periodic ? 2 : 1);
    for (size_t i = 0; i < p.instrs.size(); ++i) {
        const EwInstr& in = p.instrs[i];
        if (!in_place[in.dst]) p.offsets[in.dst] = take(1);
        for (uint16_t r : {in.a, in.b, in.c}) {
            const bool temporary = int(r) >= num_inputs ||
                                   p.inputs[r].access == EwAccess::strided ||
                                   p.inputs[r].access == EwAccess::drawn;
            if (temporary && !in_place[r] && last_use[r] == int(i)) {
                free.push_back(p.offsets[r]);
                last_use[r] = kNever;
            }
        }
    }
    p.args.scratch_stride = (end + 63) / 64 * 64;
}

void EwProgramBuilder::run(Emit& e) {
    if (volume(shape_) == 0) return;
    Program p;
    number(p);
    collapse(p);
    allocate(p);
    for (size_t k = 0; k < inputs_.size(); ++k)
        if (inputs_[k].is_constant) {
            char bytes[8] = {};
            store_scalar(bytes, inputs_[k].type.dtype, inputs_[k].constant);
            p.inputs[k].data = e.store(bytes, 8);
        }
    EwArgs& args = p.args;
    args.inputs = e.store(p.inputs.data(), p.inputs.size());
    args.outputs = e.store(p.outputs.data(), p.outputs.size());
    args.instrs = e.store(p.instrs.data(), p.instrs.size());
    args.offsets = e.store(p.offsets.data(), p.offsets.size());
    args.scratch = static_cast<char*>(e.workspace(size_t(args.scratch_stride) * size_t(e.threads)));
    int64_t cost = 0;
    for (const EwInstr& i : p.instrs) cost += ew_cost(i.op);
    e.run(e.kernels.elementwise->run, args, cost * args.volume);
}

}  // namespace hb
