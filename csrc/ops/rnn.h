// Recurrent sequences written with ops, for derivatives of derivatives.
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

Tensor slice_axis(const Tensor& x, int axis, int64_t from, int64_t to);

}  // namespace hb
