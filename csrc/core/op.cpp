#include "core/op.h"

#include "core/storage.h"
#include "core/tape.h"

namespace hb {

namespace {
constexpr size_t kAlign = 64;
constexpr size_t kBlock = size_t(1) << 14;

size_t aligned(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }
}  // namespace

void InferCtx::expect(int expected) const {
    if (num_in() != expected)
        fail_type("{}: takes {} inputs. Received: {}.", name, expected, num_in());
}

void* InstrList::store(const void* data, size_t bytes) {
    const size_t size = aligned(bytes, 16);
    if (blocks_.empty() || used_ + size > capacity_) {
        capacity_ = size > kBlock ? size : kBlock;
        blocks_.push_back(std::make_unique_for_overwrite<char[]>(capacity_));
        used_ = 0;
    }
    char* where = blocks_.back().get() + used_;
    if (bytes) std::memcpy(where, data, bytes);
    used_ += size;
    return where;
}

void* InstrList::memory(size_t bytes) {
    memory_.push_back(std::make_unique<Buffer>(bytes));
    return memory_.back()->data();
}

void InstrList::clear() {
    instrs.clear();
    checks.clear();
    memory_.clear();
    if (blocks_.size() > 1) blocks_.erase(blocks_.begin() + 1, blocks_.end());
    used_ = 0;
    capacity_ = blocks_.empty() ? 0 : capacity_;
    if (blocks_.size() == 1 && capacity_ != kBlock) {
        blocks_.clear();
        capacity_ = 0;
    }
}

void* Emit::workspace(size_t bytes) {
    char* where = workspace_ == nullptr ? nullptr : workspace_ + workspace_used_;
    workspace_used_ += aligned(bytes, kAlign);
    return where;
}

ErrorSlot* Emit::error_slot() {
    const ErrorSlot none{0, 0};
    auto* slot = static_cast<ErrorSlot*>(list_.store(&none, sizeof(none)));
    std::vector<TensorType> types;
    for (const EmitOperand& operand : in_) types.push_back(operand.type);
    list_.checks.push_back({&op_, slot, std::move(types), attrs});
    return slot;
}

std::vector<Tensor> no_gradient(const GradCtx& ctx) {
    return std::vector<Tensor>(size_t(ctx.num_in()));
}

std::vector<Tensor> apply(const OpDef& op, std::vector<Tensor> inputs, const Attrs& attrs) {
    std::vector<TensorType> in_types;
    in_types.reserve(inputs.size());
    bool symbolic = false, storage = false;
    for (const Tensor& input : inputs) {
        if (!input.defined()) fail_type("{}: an input is missing.", op.name);
        in_types.push_back(input.type());
        symbolic |= input.symbolic();
        storage |= is_storage(input.dtype());
    }
    if ((storage || attrs.has("dtype")) && needs_carriers(op, in_types, attrs))
        return apply_on_carriers(op, std::move(inputs), attrs);
    const std::vector<TensorType> out_types = op.infer({op.name, in_types, attrs});
    std::vector<Tensor> outputs;
    if (symbolic) {
        Recorder* recorder = current_recorder();
        if (recorder == nullptr)
            fail_type(
                "{}: an input is a value of a step that has already been traced. Return it from "
                "the "
                "step, or keep it in a Variable.",
                op.name);
        outputs = recorder->record(op, inputs, attrs, out_types);
    } else {
        outputs = run_eager(op, inputs, attrs, out_types);
    }
    for (Tape* tape : active_tapes()) tape->record(op, attrs, inputs, outputs);
    return outputs;
}

}  // namespace hb
