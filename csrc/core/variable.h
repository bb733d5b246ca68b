// A Variable has memory of its own that effect ops change in place.
#pragma once

#include <optional>
#include <unordered_map>

#include "core/op.h"

namespace hb {

class Variable : public std::enable_shared_from_this<Variable> {
  public:
    Variable() = default;  // without a value: over() gives it one
    explicit Variable(const Tensor& initial, bool trainable = true);

    // A variable over somebody else's memory.
    static std::shared_ptr<Variable> over(const Tensor& memory) {
        auto variable = std::make_shared<Variable>();
        variable->value_ = Tensor(memory.type(), memory.buffer());
        return variable;
    }

    const TensorType& type() const { return value_.type(); }
    // The value now, or its symbol while tracing, in the dtype that autocast_dtype() says. Later
    // changes do not show through it.
    Tensor read();
    // The value now, whatever is being traced or overlaid.
    const Tensor& value() const { return value_; }
    // The value that a user sees who asks for numbers.
    Tensor seen();
    void assign(const Tensor& value);
    // Memory that nobody else looks at; moves the value when a reader still holds the old one.
    void* mutable_data();
    // Another number after every call of mutable_data().
    uint64_t version() const { return version_; }
    void* data() const { return value_.data(); }

    bool trainable = true;
    bool autocast = true;  // whether autocast_dtype() concerns it

  private:
    Tensor value_;
    uint64_t version_ = 0;
};

using VariablePtr = std::shared_ptr<Variable>;

// The dtype that this thread reads float variables in, while a layer of mixed precision computes.
std::optional<DType>& autocast_dtype();

// An input of an effect op: a value, or a variable that it changes in place.
struct EffectInput {
    Tensor value;
    VariablePtr variable;
};

void apply_effect(const OpDef& op, const std::vector<EffectInput>& inputs, const Attrs& attrs);
void run_effect_eager(const OpDef& op, const std::vector<EffectInput>& inputs, const Attrs& attrs);
// The same on memory.
void run_effect_eager(const OpDef& op, std::span<const EmitOperand> inputs, const Attrs& attrs);

// What a trace in progress has to offer; program/trace.cpp implements it.
class Recorder {
  public:
    virtual ~Recorder() = default;
    virtual std::vector<Tensor> record(const OpDef& op, const std::vector<Tensor>& inputs,
                                       const Attrs& attrs,
                                       const std::vector<TensorType>& types) = 0;
    virtual Tensor read(const VariablePtr& variable) = 0;
    virtual void effect(const OpDef& op, const std::vector<EffectInput>& inputs,
                        const Attrs& attrs) = 0;
};

// The trace that this thread is in; null when ops run at once.
Recorder*& current_recorder();

// Values that stand for those of variables: what is assigned goes there, no variable changes.
class Overlay {
  public:
    void set(const VariablePtr& variable, const Tensor& value) { values_[variable] = value; }
    // Undefined where the variable has no value here.
    Tensor get(const VariablePtr& variable) const {
        const auto found = values_.find(variable);
        return found == values_.end() ? Tensor() : found->second;
    }

  private:
    std::unordered_map<VariablePtr, Tensor> values_;
};

// The overlay that this thread is in; null when variables have their own values.
Overlay*& current_overlay();

}  // namespace hb
