// Recurrent layers over whole sequences: the product x W + b is done before, the rest is one call.
#pragma once

#include "kernels/float_pair.h"

namespace hb {

// Gates in Keras' order: LSTM i, f, c, o; GRU z, r, h (the reset gate after the recurrent product
// or before it); a simple cell has one.
enum RnnCell { kLstm, kGruAfter, kGruBefore, kRnnTanh, kRnnRelu };

static inline int64_t rnn_gates(RnnCell cell) {
    return cell == kLstm ? 4 : cell <= kGruBefore ? 3 : 1;
}

// Sequences: xw, gates (n,t,G*u); y, saved (n,t,u); states (n,u). A masked step keeps the states.
struct RnnArgs {
    RnnCell cell;
    const void *xw, *h0, *c0;
    const void* r;       // recurrent weights (u,G*u), a gate after the other in panels
    const void* bias;    // (G*u), of the recurrent product, or null
    const void* mask_h;  // (n,G,u) factors of h in the products, or null
    const bool* mask;    // (n,t) or null
    void *y, *h_last, *c_last;
    void* gates;  // after their activations
    void*
        saved;  // LSTM: c; GRU: the product that the reset gate scales, or r * h where it is before
    int64_t n, t, u;
    bool reverse, zero_output;  // zero_output: of masked steps, which else repeat the last output
    char* scratch;
    int64_t scratch_stride;  // bytes a thread
};

struct RnnGradArgs {
    RnnCell cell;
    const void *h0, *c0, *y, *gates, *saved;  // of the call above
    const void *dy, *dh_last, *dc_last;       // dy may be null
    const void* r;                            // transposed, (G*u,u) in panels
    const void* mask_h;
    const bool* mask;
    void *dxw, *dh0, *dc0;
    void* h_prev;    // (n,t,u): the state that each step began with
    void* dproduct;  // (n,t,G*u), of the recurrent product, where it is not dxw (kGruAfter)
    int64_t n, t, u;
    bool reverse, zero_output;
    char* scratch;
    int64_t scratch_stride;
};

inline constexpr int64_t kRnnRows = 48;  // rows of a block

// Rows of scratch matrices: never a multiple of 4096 bytes apart.
static inline int64_t rnn_stride(int64_t columns) { return (columns + 15) / 16 * 16 + 16; }
static inline int64_t rnn_scratch(int64_t u) {  // elements a thread
    return kRnnRows * (2 * rnn_stride(4 * u) + 4 * rnn_stride(u));
}

struct RnnKernels {
    FloatPair forward;  // RnnArgs
    FloatPair grad;     // RnnGradArgs
};
HB_DECLARE_KERNELS(RnnKernels, rnn_kernels)

}  // namespace hb
