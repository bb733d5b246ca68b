#include "core/variable.h"

#include <cstring>

#include "core/tape.h"

namespace hb {

Recorder*& current_recorder() {
    thread_local Recorder* recorder = nullptr;
    return recorder;
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
    Tensor value = recorder ? recorder->read(self) : value_;
    for (Tape* tape : active_tapes()) tape->saw_read(self, value);
    const std::optional<DType> wanted = autocast_dtype();
    return wanted && autocast && is_float(value.dtype()) ? cast(value, *wanted) : value;
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
    // Readers share the Tensor (its Impl) or its Buffer; either way they keep the old memory.
    if (value_.buffer().use_count() > 1 || value_.shared()) value_ = copy_of(value_);
    return value_.data();
}

void apply_effect(const OpDef& op, const std::vector<EffectInput>& inputs, const Attrs& attrs) {
    std::vector<TensorType> types;
    bool symbolic = current_recorder() != nullptr;
    for (const EffectInput& input : inputs)
        types.push_back(input.variable ? input.variable->type() : input.value.type());
    op.infer({op.name, types, attrs});
    if (symbolic)
        current_recorder()->effect(op, inputs, attrs);
    else
        run_effect_eager(op, inputs, attrs);
}

}  // namespace hb
