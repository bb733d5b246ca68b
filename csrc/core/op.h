// What an op is: shape inference, the instructions that compute it, and its gradient rule.
// Each op is one `extern const OpDef op_<name>` in its family's file in csrc/ops and one line in
// ops.def.
#pragma once

#include <cstring>
#include <memory>
#include <span>

#include "core/attrs.h"
#include "core/tensor.h"
#include "kernels/table.h"

namespace hb {

enum OpFlags : uint32_t {
    kPromote = 1,      // inputs are converted to a common dtype before inference
    kFloat = 2,        // integer inputs become float32
    kAlias = 4,        // output 0 shares the memory of input 0
    kEffect = 8,       // changes variables: never removed, merged or reordered with its like
    kMoves = 16,       // copies elements without looking at them: takes storage dtypes as they are
    kMovesFirst = 32,  // the same, of input 0 alone (the others are indices)
    kSteps = 64,       // recurrent: the steps of output 0 come one after the other
    kBackwards = 128,  // of them, the last step first
    kLists = 256,      // inputs are scalars, then lists of attribute n tensors, each item by itself
};

struct InferCtx {
    const char* name;
    std::span<const TensorType> in;
    const Attrs& attrs;

    int num_in() const { return int(in.size()); }
    // Throws unless there are `expected` inputs.
    void expect(int expected) const;
};

struct Instr {
    KernelFn fn;
    const void* args;
    int64_t cost;  // estimated flops, or bytes where memory bounds the work
    bool serial;   // thread 0 alone
};

// Below this an instruction (some microseconds of work) is not worth a meeting of threads.
inline constexpr int64_t kParallelCost = 1 << 19;

// Into how many shares the work of an instruction is cut: more than threads, so that one that the
// system has put aside does not hold up the others.
inline constexpr int kSharesOfThread = 4;
inline int num_shares(int threads) { return threads == 1 ? 1 : kSharesOfThread * threads; }
// Of how many threads these are the shares.
inline int threads_of(int shares) { return shares == 1 ? 1 : shares / kSharesOfThread; }

struct ErrorCheck {  // looked at once the instructions have run, or before the first effect
    const struct OpDef* op;
    const ErrorSlot* slot;
    std::vector<TensorType> in;
    Attrs attrs;
};

// The instructions of an eager op or of a whole program, and the memory in which their arguments
// live.
class InstrList {
  public:
    std::vector<Instr> instrs;
    std::vector<ErrorCheck> checks;

    void* store(const void* data, size_t bytes);
    // Memory that lives as long as the instructions.
    void* memory(size_t bytes);
    void clear();

  private:
    std::vector<std::unique_ptr<char[]>> blocks_;
    std::vector<std::unique_ptr<Buffer>> memory_;
    size_t used_ = 0, capacity_ = 0;
};

struct Serial {};

struct EmitOperand {
    void* data;  // null in the dry pass that only asks for the workspace
    TensorType type;
    bool invariant = false;  // the same in every run until a variable is assigned
};

class Emit {
  public:
    Emit(const OpDef& op, const Attrs& attrs, const KernelTable& kernels, int threads,
         std::span<const EmitOperand> in, std::span<const EmitOperand> out, InstrList& list,
         void* workspace, InstrList* hoisted = nullptr)
        : attrs(attrs),
          kernels(kernels),
          threads(threads),
          op_(op),
          in_(in),
          out_(out),
          list_(list),
          hoisted_(hoisted),
          workspace_(static_cast<char*>(workspace)) {}

    const Attrs& attrs;
    const KernelTable& kernels;
    const int threads;  // the largest number of shares that an instruction is cut into

    int num_in() const { return int(in_.size()); }
    int num_out() const { return int(out_.size()); }
    const void* in(int i) const { return in_[size_t(i)].data; }
    void* mutable_in(int i) const { return in_[size_t(i)].data; }
    void* out(int i) const { return out_[size_t(i)].data; }
    const TensorType& in_type(int i) const { return in_[size_t(i)].type; }
    const TensorType& out_type(int i) const { return out_[size_t(i)].type; }

    // 64-byte aligned memory that lives during this op alone. The sizes asked for may depend on
    // types, attributes and the number of threads only.
    void* workspace(size_t bytes);
    size_t workspace_used() const { return workspace_used_; }
    // No memory yet: only the sizes of the workspace matter.
    bool dry() const { return workspace_ == nullptr; }
    InstrList& list() { return list_; }

    InstrList* hoisted() const { return hoisted_; }
    bool invariant(int i) const { return hoisted_ && in_[size_t(i)].invariant; }
    // What is made of some inputs before anything else: in every run, or `once` for many runs,
    // ahead of them, where all of these inputs are invariant. Its memory, and the instruction.
    void* prepared(size_t bytes, bool once) {
        if (!once) return workspace(bytes);
        return dry() ? nullptr : hoisted_->memory(bytes);
    }
    template <class Args>
    void prepare(KernelFn fn, const Args& args, int64_t cost, bool once) {
        InstrList& list = once ? *hoisted_ : list_;
        list.instrs.push_back({fn, list.store(&args, sizeof(Args)), cost, false});
    }

    // A copy of constant data that instructions point to.
    template <class T>
    T* store(const T* data, size_t n) {
        return static_cast<T*>(list_.store(data, n * sizeof(T)));
    }
    // Where a kernel reports a bad index; the op's describe_error makes the message.
    ErrorSlot* error_slot();

    // Instructions of one op run one after the other, each seeing what the one before wrote.
    template <class Args>
    void run(KernelFn fn, const Args& args, int64_t cost) {
        list_.instrs.push_back({fn, list_.store(&args, sizeof(Args)), cost, false});
    }
    template <class Args>
    void run(KernelFn fn, const Args& args, int64_t cost, Serial) {
        list_.instrs.push_back({fn, list_.store(&args, sizeof(Args)), cost, true});
    }

  private:
    const OpDef& op_;
    std::span<const EmitOperand> in_, out_;
    InstrList& list_;
    InstrList* hoisted_;
    char* workspace_;
    size_t workspace_used_ = 0;
};

class GradCtx {
  public:
    GradCtx(const Attrs& attrs, std::span<const Tensor> in, std::span<const Tensor> out,
            std::span<const Tensor> dout, std::span<const bool> needs)
        : attrs(attrs), in_(in), out_(out), dout_(dout), needs_(needs) {}

    const Attrs& attrs;
    int num_in() const { return int(in_.size()); }
    int num_out() const { return int(out_.size()); }
    const Tensor& in(int i) const { return in_[size_t(i)]; }
    const Tensor& out(int i) const { return out_[size_t(i)]; }
    const Tensor& dout(int i) const { return dout_[size_t(i)]; }  // undefined: no gradient came
    bool needs(int i) const { return needs_[size_t(i)]; }

  private:
    std::span<const Tensor> in_, out_, dout_;
    std::span<const bool> needs_;
};

// What an op that may find an error looks for: elements of an input that are not in [low, high).
struct IndexCheck {
    int operand;
    int64_t low, high;
};

using InferFn = std::vector<TensorType> (*)(const InferCtx&);
using EmitFn = void (*)(Emit&);
using GradFn = std::vector<Tensor> (*)(const GradCtx&);
using BesideFn = bool (*)(const Attrs&, std::span<const TensorType> in);

// Steps [begin, end) of an op's first dimension, of `count`; none of them: what all parts need
// beforehand.
struct Part {
    int64_t begin, end, count;
};
using EmitPartFn = void (*)(Emit&, const Part&);
// The input whose memory an output may take, where nobody reads that input again; -1: none.
using ReusesFn = int (*)(const Attrs&, int output);
using ChecksFn = IndexCheck (*)(std::span<const TensorType> in, const Attrs&);
using DescribeFn = Error (*)(const ErrorSlot&, std::span<const TensorType> in, const Attrs&);

struct OpDef {
    InferFn infer;
    EmitFn emit;
    GradFn grad;
    uint32_t flags = 0;
    int ew = -1;                          // its EwOp, for elementwise ops
    DescribeFn describe_error = nullptr;  // for ops that ask for an error_slot
    ChecksFn checks = nullptr;            // for those of them that look at nothing but an index
    BesideFn beside = nullptr;            // whether two alike had better share the threads
    EmitPartFn emit_part = nullptr;       // for ops that can be computed part by part (Wave)
    BesideFn in_parts = nullptr;          // whether one with these inputs can
    ReusesFn reuses = nullptr;            // null: each output has memory of its own
    const char* name = nullptr;           // filled from ops.def
};

// The gradient rule of ops whose results are integers or do not depend smoothly on their inputs.
std::vector<Tensor> no_gradient(const GradCtx& ctx);

// The one way to compute anything: converts the inputs as the op's flags say, infers, then runs the
// op or records it in the trace, and tells the tapes.
std::vector<Tensor> apply(const OpDef& op, std::vector<Tensor> inputs, const Attrs& attrs = {});

// x in another dtype (defined in ops/ops.cpp, which has the op).
Tensor cast(const Tensor& x, DType dtype);

// Runs one op at once (defined in program/eager.cpp, which has the executor).
std::vector<Tensor> run_eager(const OpDef& op, const std::vector<Tensor>& inputs,
                              const Attrs& attrs, const std::vector<TensorType>& out_types);

}  // namespace hb
