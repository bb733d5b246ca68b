// A step of a cell by itself: its products with all weights, which are read once where they lie,
// then its gates.
#pragma once

#include "kernels/rnn.h"

namespace hb {

// c[i] (m,n) = part i of a (m,k) b (k,n): rows of b are cut into parts, so that a share reads one
// stretch of memory. No parts: no product.
struct RnnPartsArgs {
    const void *a, *b;
    void* c;
    int64_t n, k, b_row, parts;
};

enum RnnStepPhase { kStepProducts, kStepReset, kStepGates };

// from_x: x W, from_h: the state's product. Of kGruBefore the latter is of gates [0, 2), which
// kStepReset turns into z, in the first part of from_x, and reset_h (m,u); then of the last gate.
struct RnnStepPhaseArgs {
    RnnCell cell;
    RnnStepPhase phase;
    RnnPartsArgs from_x, from_h;
    const void *bias, *recurrent_bias;  // (G*u), or null
    void *h, *c, *reset_h;
    int64_t m, u;
};

}  // namespace hb
