// What the attention ops share: which input is what, and the rules that are written out with ops.
#pragma once

#include "ops/ops.h"

namespace hb {

// Optional inputs behind the `given` ones; -1: absent.
struct AttentionInputs {
    int bias = -1, mask = -1, seed = -1, count;
    AttentionInputs(const Attrs& attrs, int given) : count(given) {
        if (attrs.b("has_bias", false)) bias = count++;
        if (attrs.b("has_mask", false)) mask = count++;
        if (attrs.f("rate", 0) > 0) seed = count++;
    }
};

// Gradients that need every score, so their memory grows with T * S; inputs as of attention_grad.
Tensor attention_bias_grad(const Attrs& attrs, const std::vector<Tensor>& inputs);
std::vector<Tensor> attention_second_grad(const GradCtx& c);

}  // namespace hb
