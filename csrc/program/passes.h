// Each pass takes a graph and leaves a better one that computes the same.
#pragma once

#include "ops/ops.h"
#include "program/graph.h"

namespace hb {

// Removes what neither an output nor an effect needs.
void prune(Graph& graph);
// Computes equal things once, and looks through ops that only copy.
void merge_equal(Graph& graph);
// Lets elementwise ops read what a broadcast repeats instead of its result.
void look_through_broadcasts(Graph& graph);
// Lets convolutions and products do what follows them while their results are in registers.
void fuse_epilogues(Graph& graph);
// Lets convolutions and products sum up what batch normalisations need of their results.
void fuse_statistics(Graph& graph);
// Lets the product for a layer's weights find the gradient of the bias, too.
void sum_in_products(Graph& graph);
// Joins elementwise ops of one shape into clusters that pass over memory once.
void cluster_elementwise(Graph& graph);
// Whether a cluster may take the node: it gives one value, element by element.
bool fuses(const Node& node);
bool is_dropout(const OpDef& op);
// Lets later clusters make what they can make cheaply instead of keeping it for them; the nodes
// must be in an order in which they can run.
void recompute_late(Graph& graph);
// Empties outputs that only a gradient would read, where there is none.
void drop_unread(Graph& graph);
// Makes one node of recurrent layers that stand on one another.
void join_stacked(Graph& graph);
// Moves updates of large parameters from the end to where their gradients are ready; the nodes must
// be in an order in which they can run.
void update_early(Graph& graph);
// Puts effects after all that does not depend on them, and keeps old values where they are still
// read.
void schedule(Graph& graph);

// Of a program, whose inputs are copied anyway: those that are only wanted with their first two
// dimensions exchanged are copied so.
void turn_inputs(Graph& graph);
bool is_turned(const Node& input);

inline void optimize(Graph& graph) {
    prune(graph);
    merge_equal(graph);
    look_through_broadcasts(graph);
    prune(graph);
    fuse_epilogues(graph);
    fuse_statistics(graph);
    sum_in_products(graph);
    cluster_elementwise(graph);
    drop_unread(graph);
    join_stacked(graph);
    schedule(graph);
}

inline bool is(const Node& node, Op op) {
    return node.kind == NodeKind::op && node.op == &op_def(op);
}

// Rebuilds the graph from the nodes `order` names, in that order; `forward` says which value stands
// for each old one (identity where it is empty for a node).
void rebuild(Graph& graph, const std::vector<int>& order,
             const std::vector<std::vector<Operand>>& forward);

}  // namespace hb
