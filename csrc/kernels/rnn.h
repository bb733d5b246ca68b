// Recurrent layers over whole sequences: the product x W + b is done before.
//
// A sequence is a list of phases: one a step, two where the reset gate acts before the product (the
// second takes what the gate let through). An instruction runs phases on blocks of rows, each block
// by itself, or one phase on slices of the units, so that a thread meets the same slice of the
// weights at every step; the instructions in a row are what keeps the threads in step.
#pragma once

#include "kernels/float_pair.h"

namespace hb {

// Gates in Keras' order: LSTM i, f, c, o; GRU z, r, h (the reset gate after the recurrent product
// or before it); a simple cell has one.
enum RnnCell { kLstm, kGruAfter, kGruBefore, kRnnTanh, kRnnRelu };

static inline int64_t rnn_gates(RnnCell cell) {
    return cell == kLstm ? 4 : cell <= kGruBefore ? 3 : 1;
}
static inline int64_t rnn_phases(RnnCell cell) { return cell == kGruBefore ? 2 : 1; }

// Sequences: xw (n,t,G*u); y, saved (n,t,u), or time first; states (n,u). A masked step
// keeps the states.
struct RnnArgs {
    RnnCell cell;
    const void *xw, *h0, *c0;
    const void* r;       // recurrent weights (u,G*u), a gate after the other in panels
    const void* bias;    // (G*u), of the recurrent product, or null
    const void* mask_h;  // (n,G,u) factors of h in the products, or null
    const bool* mask;    // (n,t) or null
    void *y, *h_last, *c_last;
    // For the gradient, null where nobody asks for it:
    void* gates;  // after their activations, as xw, which it may overwrite; kGruBefore has it
    void* saved;  // LSTM: c; GRU: the product that the reset gate scales, or r * h where it is
                  // before, zeros in masked steps
    int64_t n, t, u;
    int64_t row_step, time_step;  // of sequences, in steps
    bool reverse, zero_output;    // zero_output: of masked steps, which else repeat the last output
    void *h, *c, *q;              // (n, rnn_stride(u)): the states, and r * h of kGruBefore
    void* operand[2];  // (n, stride) what the products take, of this step and of the next one
    int64_t operand_stride;
    int64_t* begins;  // (n): the first step that is not masked
};

struct RnnGradArgs {
    RnnCell cell;
    const void *h0, *c0, *y, *gates, *saved;  // of the call above
    const void *dy, *dh_last, *dc_last;       // dy may be null
    const void* r;                            // transposed, (G*u,u) in panels
    const void* mask_h;
    const bool* mask;
    void* dxw;  // may overwrite gates
    void *dh0, *dc0;
    void* h_prev;    // (n,t,u): the state that each step began with
    void* dproduct;  // (n,t,G*u), of the recurrent product, where it is not dxw (kGruAfter)
    int64_t n, t, u;
    int64_t row_step, time_step;  // of sequences, in steps
    bool reverse, zero_output;
    void *dh, *dc, *waiting;  // (n, rnn_stride(u)); waiting: dy of masked steps, for the step that
                              // they repeat
    void* dz[2];              // (n, rnn_stride(G*u)): of this step and of the one after it in time
};

// Phases [begin, end) of a sequence, or of its gradient, where the last ones come first and one
// more than there are ends it.
template <class Args>
struct RnnPhases {
    const Args* args;
    int64_t begin, end;
    int64_t block;    // rows that go through the phases together
    bool by_columns;  // shares are slices of the units, not blocks of rows
};

inline constexpr int64_t kRnnRows = 64;  // of a block, at most

// Rows of scratch matrices: never a multiple of 4096 bytes apart.
static inline int64_t rnn_stride(int64_t columns) { return (columns + 15) / 16 * 16 + 16; }

struct RnnKernels {
    FloatPair start;       // RnnArgs: the states before the first step; shares are rows
    FloatPair forward;     // RnnPhases<RnnArgs>
    FloatPair grad_start;  // RnnGradArgs
    FloatPair grad;        // RnnPhases<RnnGradArgs>
    FloatPair step;        // RnnStepPhaseArgs (kernels/rnn_step.h)
};
HB_DECLARE_KERNELS(RnnKernels, rnn_kernels)

}  // namespace hb
