// Reverse-mode differentiation: a tape keeps what was computed from watched values, and plays it
// back.
#pragma once

#include <functional>
#include <unordered_map>
#include <unordered_set>

#include "core/variable.h"

namespace hb {

class Tape {
  public:
    explicit Tape(bool watch_variables) : watch_variables_(watch_variables) {}

    void watch(const Tensor& tensor) { tracked_.insert(tensor.id()); }
    void watch(const VariablePtr& variable);
    void saw_read(const VariablePtr& variable, const Tensor& value);
    void record(const OpDef& op, const Attrs& attrs, const std::vector<Tensor>& in,
                const std::vector<Tensor>& out);
    // A function with a gradient of its own: the outputs' gradients to those of the inputs.
    using Rule = std::function<std::vector<Tensor>(const std::vector<Tensor>& dout)>;
    void record(const Rule& rule, const std::vector<Tensor>& in, const std::vector<Tensor>& out);
    bool tracks(const Tensor& tensor) const { return tracked_.count(tensor.id()) != 0; }

    // d(sum of targets) / d(source), each weighted by seeds[i] where that is defined.
    // Undefined where a source does not lead to a target.
    std::vector<Tensor> gradient(const std::vector<Tensor>& targets,
                                 const std::vector<Tensor>& seeds,
                                 const std::vector<EffectInput>& sources);
    void clear();

  private:
    struct Entry {
        const OpDef* op;  // null: rule
        Attrs attrs;
        std::vector<Tensor> in, out;
        Rule rule{};
    };

    bool watch_variables_;
    std::vector<Entry> entries_;
    std::unordered_set<uint64_t> tracked_;
    std::unordered_map<Variable*, std::vector<Tensor>> reads_;
    std::unordered_set<Variable*> watched_;
    std::vector<VariablePtr> kept_;
};

// The two bits of arithmetic that a tape needs (defined in ops/ops.cpp).
Tensor add_gradients(const Tensor& a, const Tensor& b);
Tensor gradient_seed(const Tensor& target);

// The tapes that this thread records on, outermost first.
std::vector<Tape*>& active_tapes();

}  // namespace hb
