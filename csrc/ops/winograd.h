// Convolutions that are computed in Winograd's tiles: when, and their instructions.
#pragma once

#include "core/op.h"
#include "kernels/conv.h"

namespace hb {

// Whether the tiles are cheaper than the direct sum of `flops` over window `w` to f features.
bool winograd_pays(const ConvWindow& w, int64_t f, int64_t flops);

// `weights` says where the taps are; its `packed` is not looked at.
void emit_winograd(Emit& e, const ConvWindow& w, int64_t f, ConvPackArgs weights, const void* x,
                   const Epilogue& epilogue, void* y, bool weights_invariant);
void emit_winograd_weights(Emit& e, const ConvWindow& w, int64_t f, const void* x, const void* dy,
                           void* dw);

}  // namespace hb
