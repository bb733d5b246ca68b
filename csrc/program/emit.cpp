#include "program/emit.h"

#include "ops/elementwise.h"
#include "program/wave.h"

namespace hb {

namespace {
void emit_cluster(Emit& e, const Cluster& cluster) {
    EwProgramBuilder program(e.out_type(0).shape);
    std::vector<int> regs;
    for (int i = 0; i < e.num_in(); ++i) regs.push_back(program.add_input(e.in(i), e.in_type(i)));
    for (const Cluster::Step& step : cluster.steps) {
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
                 InstrList& list, void* workspace) {
    const OpDef& op = node.op ? *node.op : kJoinedOp;
    Emit emit(op, node.attrs, kernels, shares, in, out, list, workspace);
    if (node.kind == NodeKind::cluster)
        emit_cluster(emit, *node.cluster);
    else if (node.kind == NodeKind::wave)
        emit_wave(emit, *node.wave);
    else
        op.emit(emit);
    return emit.workspace_used();
}

}  // namespace hb
