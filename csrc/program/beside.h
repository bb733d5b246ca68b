// Two ops that are alike and do not need each other, each of which leaves threads idle or would
// have them meet at every step: they run side by side, each on half of the threads.
#pragma once

#include "program/graph.h"

namespace hb {

inline bool may_pair(const Node& node) {
    return node.kind == NodeKind::op && node.op->beside != nullptr;
}

// [node]: whether it runs beside the node after it.
std::vector<char> find_pairs(const Graph& graph, int threads);

// Shares of the instructions of an op that has another beside it.
int shares_of_pair(int threads);

// Instructions [begin, middle) and [middle, end) of a list become as many as the longer half.
void join(InstrList& list, size_t begin, size_t middle, int shares);

}  // namespace hb
