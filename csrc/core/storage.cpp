#include "core/storage.h"

#include <algorithm>

#include "core/tape.h"

namespace hb {

namespace {
using Types = std::vector<TensorType>;

bool wants_storage(const Attrs& attrs) { return attrs.has("dtype") && is_storage(attrs.dtype()); }

bool moved(const OpDef& op, size_t input) {
    return (op.flags & kMoves) || ((op.flags & kMovesFirst) && input == 0);
}

// Numbers that are there already are cast at once: a constant costs a trace no node.
Tensor to_carrier(const Tensor& x) {
    const DType dtype = carrier(x.dtype());
    const auto tracked = [&](const Tape* tape) { return tape->tracks(x); };
    const std::vector<Tape*>& tapes = active_tapes();
    if (!is_half(x.dtype()) || x.symbolic() || x.size() != 1 ||
        std::any_of(tapes.begin(), tapes.end(), tracked))
        return cast(x, dtype);
    Tensor one(TensorType{dtype, x.shape()});
    store_scalar(one.data(), dtype, load_scalar(x.data(), x.dtype()));
    return one;
}

// A dtype of the same kind: what changes with the inputs' dtype follows them.
DType another(DType dtype) {
    switch (dtype) {
        case DType::f32:
            return DType::f64;
        case DType::f64:
            return DType::f32;
        case DType::i32:
            return DType::i64;
        default:
            return DType::i32;
    }
}

Types infer_or_nothing(const OpDef& op, const Types& in, const Attrs& attrs) {
    try {
        return op.infer({op.name, in, attrs});
    } catch (const Error&) {
        return {};
    }
}

// Per output: does its dtype change when all inputs where `changes` holds have another dtype?
template <class Changes>
std::vector<bool> follows(const OpDef& op, Types in, const Attrs& attrs, const Types& out,
                          bool if_impossible, Changes&& changes) {
    bool any = false;
    for (size_t i = 0; i < in.size(); ++i) {
        if (!changes(i)) continue;
        in[i].dtype = another(in[i].dtype);
        any = true;
    }
    std::vector<bool> result(out.size(), false);
    if (!any) return result;
    const Types other = infer_or_nothing(op, in, attrs);
    for (size_t o = 0; o < out.size(); ++o)
        result[o] = other.size() == out.size() ? other[o].dtype != out[o].dtype : if_impossible;
    return result;
}
}  // namespace

bool needs_carriers(const OpDef& op, const Types& in, const Attrs& attrs) {
    if (op.flags & kMoves) return false;
    for (size_t i = 0; i < in.size(); ++i)
        if (is_storage(in[i].dtype) && !moved(op, i)) return true;
    return wants_storage(attrs);
}

std::vector<Tensor> apply_on_carriers(const OpDef& op, std::vector<Tensor> inputs,
                                      const Attrs& attrs) {
    Attrs carried = attrs;
    if (wants_storage(attrs)) carried.set("dtype", dtype_name(carrier(attrs.dtype())));
    std::vector<DType> given;
    Types types;
    for (size_t i = 0; i < inputs.size(); ++i) {
        given.push_back(moved(op, i) ? carrier(inputs[i].dtype()) : inputs[i].dtype());
        if (!moved(op, i) && is_storage(given[i])) inputs[i] = to_carrier(inputs[i]);
        types.push_back(inputs[i].type());
    }
    std::vector<Tensor> outputs = apply(op, inputs, carried);
    if (wants_storage(attrs)) {
        for (Tensor& output : outputs)
            if (output.dtype() == carrier(attrs.dtype())) output = cast(output, attrs.dtype());
        return outputs;
    }
    Types out;
    for (const Tensor& output : outputs) out.push_back(output.type());
    std::vector<DType> back(out.size());  // found so far; f32 stands for none
    std::vector<int> found(out.size(), 0);
    for (int d = 0; d < kNumDTypes; ++d) {
        const DType dtype = DType(d), by = carrier(dtype);
        if (!is_storage(dtype) || std::count(given.begin(), given.end(), dtype) == 0) continue;
        const auto mine = [&](size_t i) { return given[i] == dtype; };
        const auto native = [&](size_t i) { return given[i] == by; };
        const std::vector<bool> mine_decide = follows(op, types, carried, out, false, mine);
        const std::vector<bool> others_decide = follows(op, types, carried, out, true, native);
        for (size_t o = 0; o < out.size(); ++o)
            if (out[o].dtype == by && mine_decide[o] && !others_decide[o]) {
                back[o] = dtype;
                ++found[o];
            }
    }
    for (size_t o = 0; o < out.size(); ++o)
        if (found[o] == 1) outputs[o] = cast(outputs[o], back[o]);
    return outputs;
}

}  // namespace hb
