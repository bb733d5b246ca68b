// assign(var, value): the variable takes the value.
#include "ops/elementwise.h"
#include "ops/ops.h"

namespace hb {

namespace {
std::vector<TensorType> infer_assign(const InferCtx& c) {
    c.expect(2);
    if (c.in[0] != c.in[1])
        fail_value(
            "Variable.assign: the variable has shape {} and dtype {}. Received: shape {}, dtype "
            "{}.",
            c.in[0].shape, c.in[0].dtype, c.in[1].shape, c.in[1].dtype);
    return {};
}

void emit_assign(Emit& e) {
    EwProgramBuilder program(e.in_type(0).shape);
    const int value = program.add_input(e.in(1), e.in_type(1));
    program.set_output(e.mutable_in(0), program.add_op(EwOp::copy, {value}));
    program.run(e);
}
}  // namespace

extern const OpDef op_assign = {
    .infer = infer_assign, .emit = emit_assign, .grad = no_gradient, .flags = kEffect | kMoves};

}  // namespace hb
