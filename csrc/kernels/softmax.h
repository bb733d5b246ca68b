// Softmax and what goes with it.
#pragma once

#include "kernels/float_pair.h"

namespace hb {

inline constexpr int kSoftmaxColumns = 128;  // columns that one task treats at once where inner > 1

// x (outer, n, inner) -> y of the same shape, or (outer, inner) for logsumexp.
struct SoftmaxArgs {
    const void* x;
    void* y;
    int64_t outer, n, inner;
    void* scratch = nullptr;     // rows of results past the caches are made in it
    int64_t scratch_stride = 0;  // elements a thread
};

// softmax: dx = y (dy - sum(dy y));  log_softmax: dx = dy - exp(y) sum(dy).
struct SoftmaxGradArgs {
    const void *y, *dy;
    void* dx;
    int64_t outer, n, inner;
};

// Cross-entropy of rows. Targets are rows of weights (targets), or one label a row (labels).
struct XentArgs {
    const void *logits, *targets;  // (rows, n)
    const void* labels;            // (rows,) of label_type
    DType label_type;
    void *loss, *probs;  // (rows,), (rows, n)
    int64_t rows, n;
};

// dlogits = dloss (probs sum(targets) - targets)
struct XentGradArgs {
    const void *probs, *targets, *labels, *dloss;
    DType label_type;
    void* dlogits;
    int64_t rows, n;
};

struct LabelCheckArgs {
    const void* labels;
    DType label_type;
    int64_t rows, n;
    ErrorSlot* slot;
};

struct SoftmaxKernels {
    FloatPair softmax, log_softmax, logsumexp;  // SoftmaxArgs
    FloatPair softmax_grad, log_softmax_grad;   // SoftmaxGradArgs
    FloatPair xent, sparse_xent;                // XentArgs
    FloatPair xent_grad, sparse_xent_grad;      // XentGradArgs
    KernelFn check_labels;                      // LabelCheckArgs, on one thread
};
HB_DECLARE_KERNELS(SoftmaxKernels, softmax_kernels)

}  // namespace hb
