// Loops: one traced body that runs for each step of a sequence.
#pragma once

#include "program/graph.h"

namespace hb {

// Inputs: what one step hands to the next, slices of the sequences, what was captured.
// Outputs: what it hands on, and what is stacked up.
struct LoopBody {
    Graph source;  // as traced: gradients play it again
    Graph graph;   // optimized
    int carries = 0, slices = 0, captured = 0, stacked = 0;

    static std::shared_ptr<const LoopBody> make(Graph source, int carries, int slices,
                                                int captured);
};

// carry = carry[k], xs[k] (length, ...), captured[k].  Returns the last carries, then the stacked
// outputs (length, ...).
std::vector<Tensor> run_loop(const std::shared_ptr<const LoopBody>& body,
                             const std::vector<Tensor>& carry, const std::vector<Tensor>& xs,
                             const std::vector<Tensor>& captured, int64_t length, bool reverse);

}  // namespace hb
