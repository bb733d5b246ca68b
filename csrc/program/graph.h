// A traced step: nodes in the order in which they were recorded, which is an order in which they
// can run.
#pragma once

#include <unordered_map>

#include "core/tape.h"

namespace hb {

struct Operand {  // output `output` of node `node`
    int node = -1;
    int output = 0;
    bool operator==(const Operand&) const = default;
};

enum class NodeKind : uint8_t { input, constant, variable, op, cluster, wave };

// Elementwise ops that run as one program of the elementwise kernel.
struct Cluster {
    struct Step {
        const OpDef* op;
        Attrs attrs;
        std::vector<int> operands;  // < number of cluster inputs: that input; else a step's result
    };
    std::vector<Step> steps;
    std::vector<int> outputs;  // the steps whose results leave the cluster
};

struct Node {
    NodeKind kind;
    const OpDef* op = nullptr;
    Attrs attrs{};
    std::vector<Operand> in{};
    std::vector<char> changes{};  // effects: which inputs are variables changed in place
    std::vector<TensorType> out{};
    Tensor constant{};
    VariablePtr variable{};
    bool external = false;  // an input that lies elsewhere than in the arena
    int after = -1;         // a variable: the effect that last changed it before this read
    std::shared_ptr<Cluster> cluster{};
    std::shared_ptr<struct Wave> wave{};

    bool effect() const { return kind == NodeKind::op && (op->flags & kEffect); }
    bool alias() const { return kind == NodeKind::op && (op->flags & kAlias); }
    bool computed() const { return kind >= NodeKind::op; }
};

struct Graph {
    std::vector<Node> nodes;
    std::vector<int> inputs;  // node of each input
    std::vector<Operand> outputs;

    const TensorType& type(Operand v) const { return nodes[size_t(v.node)].out[size_t(v.output)]; }
};

// The body of a loop may not change Variables: it is traced once and run many times.
class EffectInLoop : public Error {
  public:
    EffectInLoop()
        : Error(ErrorKind::value,
                "scan: a step changes a Variable (drawing from a seed generator does). A loop that "
                "is traced once cannot; unroll it.") {}
};

// Records what runs while it is the current recorder.
class Trace final : public Recorder {
  public:
    // The body of a loop captures: what it uses from outside becomes an input of its own.
    struct Captures {};

    Trace();
    explicit Trace(Captures);
    ~Trace() override;
    Trace(const Trace&) = delete;

    Tensor input(const TensorType& type, bool external = false);
    // What was captured, in the order of the inputs it became (they follow those asked for).
    const std::vector<Tensor>& captured() const { return captured_; }
    // Ends the recording; the graph of what `outputs` and the effects need.
    Graph finish(const std::vector<Tensor>& outputs);

    std::vector<Tensor> record(const OpDef& op, const std::vector<Tensor>& inputs,
                               const Attrs& attrs, const std::vector<TensorType>& types) override;
    Tensor read(const VariablePtr& variable) override;
    void effect(const OpDef& op, const std::vector<EffectInput>& inputs,
                const Attrs& attrs) override;

  private:
    Operand operand(const Tensor& tensor);
    Operand capture(const Tensor& tensor);
    Tensor read_outside(const VariablePtr& variable);
    Tensor stored(const VariablePtr& variable);
    int add(Node node);
    void leave();

    Graph graph_;
    Recorder* outer_;
    bool active_ = true, captures_ = false;
    std::vector<Tape*> outer_tapes_;  // of a body: they do not see what happens inside
    std::vector<Tensor> captured_;
    std::unordered_map<uint64_t, int> captures_at_;
    std::unordered_map<Variable*, Tensor> reads_;  // the memory of each variable at this point
    // What was assigned to a variable stands for a read of it: such a read need not wait for the
    // effect, which may then come last.
    std::unordered_map<Variable*, Tensor> assigned_;
    std::unordered_map<Variable*, int> changed_;  // the last effect on each
    std::unordered_map<uint64_t, int> constants_;
    std::vector<Tensor> held_;
};

}  // namespace hb
