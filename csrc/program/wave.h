// A stack of recurrent layers as a wavefront: while one layer is at a stretch of steps, the next
// one is at the stretch before it, each on one thread. The outputs of a layer reach the next one
// through a product of all steps, which is computed stretch by stretch too; the gradients come back
// the same way. No result depends on which layers really ran at once.
#pragma once

#include "program/graph.h"

namespace hb {

struct Wave {
    struct Source {
        int member = -1;  // whose output it is; -1: an input of the node
        int index = 0;
    };
    struct Member {
        const OpDef* op;
        Attrs attrs;
        int stage;  // its layer
        std::vector<Source> in;
        std::vector<TensorType> in_types, out;
        int first_out;  // of the node's outputs
    };
    std::vector<Member> members;  // in order
    int stages;
    int64_t steps;
    bool backwards;  // the last step comes first
};

void emit_wave(Emit& e, const Wave& wave);

}  // namespace hb
