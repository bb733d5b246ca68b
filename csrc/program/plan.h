// Where every value of a program lives.
#pragma once

#include "program/graph.h"

namespace hb {

struct Place {
    enum Kind : uint8_t { none, arena, kept, constant, variable, external } kind = none;
    size_t offset = 0;  // in the arena, or in what is kept between runs
    int node = -1;      // whose constant, variable or external input it is
};

struct Plan {
    std::vector<std::vector<Place>> places;  // [node][output]
    std::vector<size_t> workspaces;          // [node] offset in the arena
    size_t arena_bytes = 0, kept_bytes = 0;
};

// A value that the next round of a loop starts from: `input` of this round, `output` of it.
struct Carried {
    int input;
    Operand output;
};

// workspace_bytes[node]: scratch that the node's instructions need while they run. pairs[node]: it
// runs beside the node after it; empty where none does. invariant[node]: its values are kept
// between runs, elsewhere than in the arena; empty where none is.
Plan make_plan(const Graph& graph, const std::vector<size_t>& workspace_bytes,
               const std::vector<Carried>& carried = {}, const std::vector<char>& pairs = {},
               const std::vector<char>& invariant = {});

}  // namespace hb
