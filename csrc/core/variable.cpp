#include "core/variable.h"

#include <cstring>

#include "core/tape.h"

namespace hb {

Recorder*& current_recorder() {
    thread_local Recorder* recorder = nullptr;
    return recorder;
}

Overlay*& current_overlay() {
    thread_local Overlay* overlay = nullptr;
    return overlay;
}

namespace {
Tensor copy_of(const Tensor& tensor) {
    Tensor copy(tensor.type());
    if (tensor.type().bytes()) std::memcpy(copy.data(), tensor.data(), tensor.type().bytes());
    return copy;
}
}  // namespace

Variable::Variable(const Tensor& initial, bool trainable)
    : trainable(trainable), value_(copy_of(initial)) {}

std::optional<DType>& autocast_dtype() {
    thread_local std::optional<DType> dtype;
    return dtype;
}

Tensor Variable::read() {
    const VariablePtr self = shared_from_this();
    Recorder* recorder = current_recorder();
    Tensor value;
    if (current_overlay()) value = current_overlay()->get(self);
    if (!value.defined()) value = recorder ? recorder->read(self) : value_;
    for (Tape* tape : active_tapes()) tape->saw_read(self, value);
    const std::optional<DType> wanted = autocast_dtype();
    return wanted && autocast && is_float(value.dtype()) ? cast(value, *wanted) : value;
}

Tensor Variable::seen() {
    if (!current_overlay()) return value_;
    const Tensor value = current_overlay()->get(shared_from_this());
    return value.defined() ? value : value_;
}

void Variable::assign(const Tensor& value) {
    if (value.type() != type())
        fail_value(
            "Variable.assign: the variable has shape {} and dtype {}. Received: shape {}, dtype "
            "{}.",
            type().shape, type().dtype, value.shape(), value.dtype());
    const void* source = value.data();
    if (source == value_.data()) return;
    if (type().bytes()) std::memcpy(mutable_data(), source, type().bytes());
}

void* Variable::mutable_data() {
    ++version_;
    // Readers share the Tensor (its Impl) or its Buffer; either way they keep the old memory.
    if (value_.buffer().use_count() > 1 || value_.shared()) value_ = copy_of(value_);
    return value_.data();
}

namespace {
// The effect on copies of the variables, which the overlay then has.
void run_effect_overlaid(const OpDef& op, const std::vector<EffectInput>& inputs,
                         const Attrs& attrs) {
    if (current_recorder())
        fail_value("{}: inside a StatelessScope, updates in place cannot be traced.", op.name);
    std::vector<EffectInput> copies = inputs;
    for (EffectInput& input : copies)
        if (input.variable) input.variable = std::make_shared<Variable>(input.variable->seen());
    run_effect_eager(op, copies, attrs);
    for (size_t i = 0; i < inputs.size(); ++i)
        if (inputs[i].variable)
            current_overlay()->set(inputs[i].variable, copies[i].variable->value());
}
}  // namespace

void apply_effect(const OpDef& op, const std::vector<EffectInput>& inputs, const Attrs& attrs) {
    thread_local std::vector<TensorType> types;  // an update of many variables would map its memory
    types.clear();
    types.reserve(inputs.size());
    bool symbolic = current_recorder() != nullptr;
    for (const EffectInput& input : inputs)
        types.push_back(input.variable ? input.variable->type() : input.value.type());
    op.infer({op.name, types, attrs});
    if (current_overlay())
        run_effect_overlaid(op, inputs, attrs);
    else if (symbolic)
        current_recorder()->effect(op, inputs, attrs);
    else
        run_effect_eager(op, inputs, attrs);
}

}  // namespace hb
