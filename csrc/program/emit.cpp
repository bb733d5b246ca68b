#include "program/emit.h"

#include "ops/elementwise.h"
#include "program/passes.h"
#include "program/wave.h"

namespace hb {

namespace {
void emit_cluster(Emit& e, const Cluster& cluster) {
    EwProgramBuilder program(e.out_type(0).shape);
    std::vector<char> is_value(size_t(e.num_in()) + cluster.steps.size(), 0);  // else a seed alone
    for (const Cluster::Step& step : cluster.steps)
        for (size_t k = 0; k < step.operands.size(); ++k)
            if (k == 0 || !is_dropout(*step.op)) is_value[size_t(step.operands[k])] = 1;
    std::vector<int> regs;
    for (int i = 0; i < e.num_in(); ++i)
        regs.push_back(is_value[size_t(i)] ? program.add_input(e.in(i), e.in_type(i)) : -1);
    for (const Cluster::Step& step : cluster.steps) {
        if (is_dropout(*step.op)) {
            regs.push_back(program.add_dropout(regs[size_t(step.operands[0])],
                                               e.in(step.operands[1]), step.attrs.f("rate")));
            continue;
        }
        std::vector<int> operands;
        for (int operand : step.operands) operands.push_back(regs[size_t(operand)]);
        regs.push_back(
            program.add_op(EwOp(step.op->ew), operands, step.attrs.dtype("dtype", DType::f32)));
    }
    for (size_t o = 0; o < cluster.outputs.size(); ++o)
        program.set_output(e.out(int(o)), regs[size_t(e.num_in() + cluster.outputs[o])]);
    program.run(e);
}

const OpDef kJoinedOp = {.infer = nullptr, .emit = nullptr, .grad = no_gradient, .name = "joined"};
}  // namespace

size_t emit_node(const Node& node, const std::vector<EmitOperand>& in,
                 const std::vector<EmitOperand>& out, const KernelTable& kernels, int shares,
                 InstrList& list, void* workspace, InstrList* hoisted) {
    const OpDef& op = node.op ? *node.op : kJoinedOp;
    Emit emit(op, node.attrs, kernels, shares, in, out, list, workspace, hoisted);
    if (node.kind == NodeKind::cluster)
        emit_cluster(emit, *node.cluster);
    else if (node.kind == NodeKind::wave)
        emit_wave(emit, *node.wave);
    else
        op.emit(emit);
    return emit.workspace_used();
}

}  // namespace hb
