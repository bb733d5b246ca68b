// The geometry that conv, conv_backward_data and conv_backward_weights share, and their
// instructions.
#pragma once

#include "core/op.h"
#include "kernels/conv.h"

namespace hb {

// x (n, in..., channels)  w (kernel..., channels/groups, features)  y (n, out..., features)
struct ConvShape {
    int64_t n, channels, features, groups;
    int64_t in[3], out[3], kernel[3], stride[3], low[3], dilation[3];

    int64_t c() const { return channels / groups; }
    int64_t f() const { return features / groups; }
    int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
    bool depthwise() const { return groups > 1 && channels == groups && features == groups; }
    bool pointwise() const;  // 1x1, nothing skipped or padded: a matrix product
    int64_t flops() const { return 2 * n * out[0] * out[1] * out[2] * taps() * c() * features; }
};

void emit_conv(Emit& e, DType dtype, const ConvShape& s, const void* x, const void* w,
               const Epilogue& epilogue, void* y);
void emit_conv_data(Emit& e, DType dtype, const ConvShape& s, const void* dy, const void* w,
                    const Epilogue& epilogue, void* dx);
void emit_conv_weights(Emit& e, DType dtype, ConvShape s, const void* x, const void* dy, void* dw);

}  // namespace hb
