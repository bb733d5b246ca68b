// Builds programs for the elementwise kernel. A single op and a fused cluster both go through here:
//     EwProgramBuilder p(out_shape);
//     int a = p.add_input(ptr_a, type_a), b = p.add_input(ptr_b, type_b);   // broadcast to
//     out_shape int s = p.add_op(EwOp::add, {a, b}); p.set_output(out_ptr, p.add_op(EwOp::tanh,
//     {s})); p.run(e);
// An output may share its memory with any input of the same size (in-place).
#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "core/types.h"
#include "kernels/elementwise.h"

namespace hb {

class Emit;

// The dtype that `op` gives for operands of `type` (cast: does not say).
DType ew_result_type(EwOp op, DType type);
// Rough cost per element, in flops.
int ew_cost(EwOp op);
const char* ew_name(EwOp op);
// The dtype that a cast goes to first on its way; `to` itself where one loop does it.
DType ew_cast_hop(DType from, DType to);

class EwProgramBuilder {
  public:
    explicit EwProgramBuilder(const Shape& output_shape) : shape_(output_shape) {}

    // Pointers may be null in the dry pass. All return a register.
    int add_input(const void* data, const TensorType& type);
    int add_constant(double value, DType type);
    // x dropped out as dropout() does, `seed` being {key, counter}.
    int add_dropout(int x, const void* seed, double rate);
    // Operands must have one dtype; logical ops and where cast theirs themselves. `to` is for cast.
    // The result may be the operand itself (round of an integer).
    int add_op(EwOp op, std::span<const int> operands, DType to = DType::f32);
    int add_op(EwOp op, std::initializer_list<int> operands, DType to = DType::f32) {
        return add_op(op, std::span<const int>(operands.begin(), operands.size()), to);
    }
    // The register's dtype is the output's.
    void set_output(void* data, int reg);

    DType dtype(int reg) const { return regs_[size_t(reg)]; }
    // True while another op with this many new inputs and outputs surely fits.
    bool has_room(int inputs, int outputs) const {
        return int(regs_.size()) + inputs + outputs + 4 <= kEwMaxRegs;
    }
    void run(Emit& e);

  private:
    struct Input {
        const void* data;
        TensorType type;
        double constant = 0;
        bool is_constant = false;
        int reg = 0;
        bool drawn = false;
        uint32_t threshold = 0;
    };
    // The parts of an EwArgs, in the kernel's numbering of registers.
    struct Program {
        EwArgs args{};
        std::vector<EwInput> inputs;
        std::vector<EwInstr> instrs;
        std::vector<EwOutput> outputs;
        std::vector<int32_t> offsets;
    };
    int new_reg(DType dtype);
    int push(EwOp op, DType type, DType result, int a, int b, int c);
    void number(Program& program) const;    // registers: inputs first
    void collapse(Program& program) const;  // output dimensions, and how each input is read
    void allocate(Program& program) const;  // scratch for registers, by liveness

    Shape shape_;
    std::vector<DType> regs_;
    std::vector<Input> inputs_;
    std::vector<EwInstr> instrs_;
    std::vector<EwOutput> outputs_;
};

}  // namespace hb
