// Recurrent sequences: what programs know of them, and the same written with ops, for derivatives
// of derivatives.
#pragma once

#include "kernels/rnn.h"
#include "ops/ops.h"

namespace hb {

struct RnnSequence {
    RnnCell cell;
    bool reverse, zero_output, time_first;
    Tensor xw, h0, c0, r, bias, mask_h, mask;  // c0, bias, mask_h and mask may be undefined
};

// y, the last h and, of an LSTM, the last c (defined in program/rnn_composed.cpp, which has loops).
std::vector<Tensor> rnn_composed(const RnnSequence& sequence);

// How many of the last outputs are not computed where their type is empty.
int rnn_outputs_to_drop(const OpDef& op, const Attrs& attrs);

Tensor slice_axis(const Tensor& x, int axis, int64_t from, int64_t to);

}  // namespace hb
