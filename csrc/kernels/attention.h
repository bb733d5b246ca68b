// Scaled dot-product attention, block by block: scores are never written out in full.
#pragma once

#include "kernels/float_pair.h"

namespace hb {

// q (n,t,h,d)  k (n,s,g,d)  v (n,s,g,dv)  y (n,t,h,dv)  lse (n,h,t)
// Head i of q meets head i / (h / g) of k and v. Hidden pairs get a huge negative score, so a row
// that sees nothing takes the mean of v, and its lse is that score.
struct AttentionArgs {
    const void *q, *k, *v;
    const void* bias;  // added to the scores, or null; strides of (n,h,t,s), 0 where it repeats
    const bool* mask;  // true where attention may go, or null
    int64_t bias_strides[4], mask_strides[4];
    const int64_t* seed;  // of the dropout of the probabilities, or null
    uint32_t threshold;   // word i of the stream keeps element i of (n,h,t,s) if 24 bits reach it
    double keep_scale;
    void *y, *lse;
    int64_t n, h, g, t, s, d, dv;
    double scale;
    bool causal;  // place i of q sees the places up to i
    char* scratch;
    int64_t scratch_stride;  // bytes a share
};

// y and lse are those of the call above.
struct AttentionGradArgs {
    AttentionArgs a;
    const void* dy;
    void *dq, *dk, *dv;
    int64_t parts;  // of the keys; each has a dq (n,t,h,d) of its own, one after the other
};

inline constexpr int64_t kAttentionRows = 66;   // of q in a block, at most
inline constexpr int64_t kAttentionKeys = 256;  // of k in a block, at most

// Keys of a block of the gradient: seven blocks of them share the L2 cache.
static inline int64_t attention_grad_keys(int64_t d, int64_t dv) {
    return d + dv <= 160 ? kAttentionKeys : kAttentionKeys / 2;
}

static inline int64_t attention_pad(int64_t n) { return (n + 63) / 64 * 64; }  // whole panels
// Rows of scores: never a multiple of 4096 bytes apart.
static inline int64_t attention_stride(int64_t keys) { return attention_pad(keys) + 16; }

static inline int64_t attention_scratch(int64_t s, int64_t d, int64_t dv) {  // elements
    const int64_t keys = attention_pad(s), wide = attention_pad(d), tall = attention_pad(dv);
    return keys * (d + tall) + kAttentionRows * (wide + tall + attention_stride(kAttentionKeys));
}
static inline int64_t attention_grad_scratch(int64_t d, int64_t dv) {
    const int64_t wide = attention_pad(d), tall = attention_pad(dv);
    const int64_t keys = attention_grad_keys(d, dv);
    const int64_t most = keys > wide ? (keys > tall ? keys : tall) : wide > tall ? wide : tall;
    return keys * (3 * wide + 2 * tall) +
           kAttentionRows * (wide + tall + 2 * attention_stride(keys) + most) + 64;
}

struct AttentionKernels {
    FloatPair forward;  // AttentionArgs
    FloatPair grad;     // AttentionGradArgs
};
HB_DECLARE_KERNELS(AttentionKernels, attention_kernels)

}  // namespace hb
