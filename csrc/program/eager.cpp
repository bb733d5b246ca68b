// Runs one op at once, with the same emission and the same executor as a whole program.
#include "core/variable.h"
#include "program/executor.h"
#include "program/threads.h"

namespace hb {

namespace {
constexpr size_t kKeptBytes = size_t{4} << 20;  // of workspace that a thread keeps between ops

void emit_and_execute(const OpDef& op, const Attrs& attrs, std::span<const EmitOperand> in,
                      std::span<const EmitOperand> out) {
    const int threads = num_threads(), shares = num_shares(threads);
    thread_local InstrList list;
    thread_local const std::unique_ptr<Buffer> kept = std::make_unique<Buffer>(kKeptBytes);
    list.clear();
    Emit emit(op, attrs, kernels(), shares, in, out, list, kept->data());
    op.emit(emit);
    if (emit.workspace_used() <= kKeptBytes) {
        execute(list, threads);
        return;
    }
    // The instructions above point into more workspace than there is: emit them again with enough.
    const Buffer workspace(emit.workspace_used());
    list.clear();
    Emit again(op, attrs, kernels(), shares, in, out, list, workspace.data());
    op.emit(again);
    execute(list, threads);
}

std::vector<EmitOperand> operands(const std::vector<Tensor>& tensors) {
    std::vector<EmitOperand> result;
    result.reserve(tensors.size());
    for (const Tensor& tensor : tensors) result.push_back({tensor.data(), tensor.type()});
    return result;
}
}  // namespace

std::vector<Tensor> run_eager(const OpDef& op, const std::vector<Tensor>& inputs,
                              const Attrs& attrs, const std::vector<TensorType>& out_types) {
    std::vector<Tensor> outputs;
    outputs.reserve(out_types.size());
    for (size_t i = 0; i < out_types.size(); ++i) {
        if (i == 0 && (op.flags & kAlias))
            outputs.emplace_back(out_types[i], inputs[0].buffer());
        else
            outputs.emplace_back(out_types[i]);
    }
    emit_and_execute(op, attrs, operands(inputs), operands(outputs));
    return outputs;
}

void run_effect_eager(const OpDef& op, const std::vector<EffectInput>& inputs, const Attrs& attrs) {
    thread_local std::vector<EmitOperand> in;  // kept: as in apply_effect
    in.clear();
    in.reserve(inputs.size());
    for (const EffectInput& input : inputs) {
        if (input.variable)
            in.push_back({input.variable->mutable_data(), input.variable->type()});
        else
            in.push_back({input.value.data(), input.value.type()});
    }
    emit_and_execute(op, attrs, in, {});
}

void run_effect_eager(const OpDef& op, std::span<const EmitOperand> inputs, const Attrs& attrs) {
    emit_and_execute(op, attrs, inputs, {});
}

}  // namespace hb
