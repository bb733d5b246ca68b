// One step of a recurrent cell on memory of the caller's.
#pragma once

#include "core/types.h"
#include "kernels/rnn.h"

namespace hb {

struct RnnStep {
    RnnCell cell;
    DType dtype;
    int64_t n, inputs, u;               // rows, features, units
    const void *x, *w, *r;              // (n,inputs), (inputs,G*u), (u,G*u)
    const void *bias, *recurrent_bias;  // (G*u), or null
    void *h, *c;                        // (n,u), changed in place; c of an LSTM
};

void rnn_step(const RnnStep& step);

}  // namespace hb
