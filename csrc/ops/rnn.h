// Recurrent sequences: their operands, what programs know of them, and the same written with ops,
// for derivatives of derivatives.
#pragma once

#include "kernels/rnn.h"
#include "ops/ops.h"

namespace hb {

RnnCell lstm_cell(const Attrs& attrs);
RnnCell gru_cell(const Attrs& attrs);
RnnCell rnn_cell(const Attrs& attrs);
using CellOf = RnnCell (*)(const Attrs&);

inline bool has_gates(RnnCell cell) { return cell <= kGruBefore; }
inline bool time_first(const Attrs& attrs) { return attrs.b("time_major", false); }

// Which input is what; -1: absent.
struct RnnInputs {
    int xw = 0, h0 = 1, c0 = -1, r, bias = -1, mask_h = -1, mask = -1, count;
    RnnInputs(RnnCell cell, const Attrs& attrs) {
        count = 2;
        if (cell == kLstm) c0 = count++;
        r = count++;
        if (attrs.b("has_recurrent_bias", false)) bias = count++;
        if (attrs.b("has_recurrent_mask", false)) mask_h = count++;
        if (attrs.b("has_mask", false)) mask = count++;
    }
};

struct RnnGradInputs {
    int r = 0, h0 = 1, c0 = -1, y, gates = -1, saved = -1, dh_last, dc_last = -1, dy = -1,
        mask_h = -1, mask = -1, count;
    RnnGradInputs(RnnCell cell, const Attrs& attrs) {
        count = 2;
        if (cell == kLstm) c0 = count++;
        y = count++;
        if (has_gates(cell)) gates = count++, saved = count++;
        dh_last = count++;
        if (cell == kLstm) dc_last = count++;
        if (attrs.b("has_dy", true)) dy = count++;
        if (attrs.b("has_recurrent_mask", false)) mask_h = count++;
        if (attrs.b("has_mask", false)) mask = count++;
    }
};

// The gradient rules of the sequences, and of their gradients, which have none.
std::vector<Tensor> lstm_gradient(const GradCtx& c);
std::vector<Tensor> gru_gradient(const GradCtx& c);
std::vector<Tensor> rnn_gradient(const GradCtx& c);
std::vector<Tensor> no_second_gradient(const GradCtx& c);

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
