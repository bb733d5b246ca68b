// The instructions of one node of a graph, whoever decides where its values lie.
#pragma once

#include "program/graph.h"

namespace hb {

// Appends the instructions of a computed node; returns the workspace that they use.
size_t emit_node(const Node& node, const std::vector<EmitOperand>& in,
                 const std::vector<EmitOperand>& out, const KernelTable& kernels, int shares,
                 InstrList& list, void* workspace, InstrList* hoisted = nullptr);

}  // namespace hb
