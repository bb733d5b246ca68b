// Batch, layer and RMS normalisation.
#pragma once

#include "kernels/float_pair.h"

namespace hb {

inline constexpr int kNormColumns = 1024;  // that a task of batch statistics treats at once
inline constexpr int kNormFolded = 128;    // narrower rows are joined up to this width

// x (rows, n) -> partial (parts, 2, n): mean and sum of squared differences of each part's rows.
// `fold` neighbouring rows (it divides `rows`) are read as one, so that narrow arrays fill the
// vectors.
struct BatchStatsArgs {
    const void* x;
    void* partial;
    int64_t rows, n, parts, fold;
};

// The parts' statistics joined: mean (n), var (n), not corrected for bias.
struct BatchJoinArgs {
    const void* partial;
    void *mean, *var;
    int64_t n, parts;
    const int64_t* begins;  // (parts + 1): each part's first row, and how many there are
};

// The ReLU behind a normalisation: its gradient takes dy where (x - mean) scale + beta > 0, with
// the bits of the way there. Null: there is none.
struct BatchRelu {
    const void *scale = nullptr, *beta = nullptr;
};

// partial (parts, 2, n): each part's sums of dy and of dy (x - mean).
struct BatchGradArgs {
    const void *x, *mean, *dy;
    BatchRelu relu;
    void* partial;
    int64_t rows, n, parts, fold;
};

// y = relu?((x - mean) scale + beta + other); other, of x's shape, may be null.
struct BatchApplyArgs {
    const void *x, *mean, *scale, *beta, *other;
    void* y;
    int64_t rows, n;
    bool relu;
};

// dx = (dy - shift - (x - mean) slope) scale
struct BatchGradApplyArgs {
    const void *x, *mean, *slope, *dy, *shift, *scale;
    BatchRelu relu;
    void* dx;
    int64_t rows, n;
};

struct BatchNormKernels {
    FloatPair stats, join, apply;
    FloatPair grad, grad_apply;
    FloatPair slabs;  // SlabArgs (kernels/slabs.h)
};
HB_DECLARE_KERNELS(BatchNormKernels, batch_norm_kernels)

// y = (x - mean) rstd gamma + beta for each row; RMS normalisation has no mean and no beta.
struct LayerNormArgs {
    const void *x, *gamma, *beta;
    void *y, *mean, *rstd;  // mean, rstd (rows,); unused by RMS
    int64_t rows, n;
    double epsilon;
};

// dx (rows, n), and partial (parts, 2, n): each part's sums of dy xhat and of dy.
struct LayerNormGradArgs {
    const void *x, *gamma, *mean, *rstd, *dy;
    void *dx, *partial;
    int64_t rows, n, parts;
    double epsilon;
};

struct NormKernels {
    FloatPair layer_norm, rms_norm;            // LayerNormArgs
    FloatPair layer_norm_grad, rms_norm_grad;  // LayerNormGradArgs
};
HB_DECLARE_KERNELS(NormKernels, norm_kernels)

}  // namespace hb
