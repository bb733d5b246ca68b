// Convolution over up to three spatial dimensions; 1-D and 2-D have leading dimensions of size 1.
// x (N,D,H,W,C)  w (KD,KH,KW,C/groups,F)  y (N,OD,OH,OW,F)
#pragma once

#include "kernels/epilogue.h"

namespace hb {

// Output o and tap t of a dimension meet at x[first + o * stride + t * dilation], zero outside of
// x. Output o is y[y_first + o * y_step]; tap t is w[w_first + t * w_step].  The gradient of x is
// of this form too: one such correlation for each phase of the stride.
struct ConvDim {
    int64_t in, out, taps, first, dilation, stride;
    int64_t y_size, y_first, y_step;
    int64_t w_size, w_first, w_step;
};

// Outputs are computed in chunks of rows x cols, each from a window of x with its halo of zeros.
struct ConvWindow {
    ConvDim dim[3];
    int64_t images, groups;
    int64_t channels, c;  // of x; of one group
    int64_t rows, cols;   // of outputs in a chunk
    bool in_place;        // no halo: the window is x itself
    bool merge_taps;      // the taps of a row and their channels are contiguous in the window
};

// Taps times (c,f) matrices of w to panels: (group, panel, tap, c, nr)
struct ConvPackArgs {
    const void* w;
    void* packed;
    ConvDim dim[3];
    int64_t groups, c, f;
    int64_t tap_stride, group_stride, row, col;  // of w, in elements
};

struct ConvArgs {
    ConvWindow window;
    const void *x, *w;  // w packed (depthwise: as it is)
    void* y;
    int64_t features, f;  // of y; of one group
    Epilogue epilogue;
    bool flat;  // sums over taps and channels in one loop: they are short
    char* scratch;
    int64_t scratch_stride;  // bytes a thread
};

// dw (partials, KD,KH,KW,C/groups,F): partial p sums over its own chunks
struct ConvWeightsArgs {
    ConvWindow window;
    const void *x, *dy;
    void* dw;
    int64_t features, f, partials;
    int64_t together;  // chunks that are summed in registers at once; 1 unless they are whole rows
    int64_t panels;    // of dy that are copied at once
    int64_t channels;  // of a block, whose windows are copied into tiles of channels; or 0
    char* scratch;
    int64_t scratch_stride;
};

// Tap k and output o of a dimension meet at x[o * stride + k * dilation - low].
struct SpreadDim {
    int64_t in, out, taps, stride, low, dilation;
};

// dx (N,D,H,W,C) from dy (N,OD,OH,OW,F) where C is small: w packed as (KD*KH) taps of (F, KW*C)
struct ConvSpreadArgs {
    SpreadDim dim[3];
    int64_t images, channels, features;
    int64_t together;  // images whose rows are computed at once
    const void *dy, *w;
    void* dx;
    Epilogue epilogue;
    char* scratch;
    int64_t scratch_stride;  // bytes a thread
};

// Tile t of an axis: outputs from out_first + t * outputs on, of inputs from in_first + t * in_step
// on.
struct DepthwiseAxis {
    int64_t in, out, stride, outputs, tiles, out_first, in_first, in_step;
};

// Depthwise 3x3, dilation 1, strides of 1 or 2: x (N,H,W,C), y (N,OH,OW,C).
struct DepthwiseTiles {
    DepthwiseAxis rows, cols;
    int64_t images, channels;
    const void* x;
    void* y;
};

// w in panels (panel, tap, c). Tiles of outputs: 2x2 or 4x1 at strides of 1, 2x1 of 2.
// Backward, at strides of 2: x is dy and y is dx, tiles are 2x2.
struct DepthwiseTilesArgs {
    DepthwiseTiles tiles;
    const void* w;
    bool backward;
    Epilogue epilogue;
    char* scratch;
    int64_t scratch_stride;  // bytes a thread: twice the channels of a pixel
};

// dw (partials, 3,3,1,C) of x and, in the place of y, dy: partial p sums over its own rows of
// tiles, which are 2x2 or 4x1 at strides of 1, 2x1 or 4x1 of 2.
struct DepthwiseTilesWeightsArgs {
    DepthwiseTiles tiles;
    void* dw;
    int64_t partials;
    char* scratch;
    int64_t scratch_stride;  // bytes a thread: the channels of a pixel, and dw in panels
};

struct ConvKernels {
    KernelFn pack_f32, pack_f64;            // ConvPackArgs
    KernelFn run_f32, run_f64;              // ConvArgs
    KernelFn weights_f32, weights_f64;      // ConvWeightsArgs
    KernelFn depthwise_f32, depthwise_f64;  // ConvArgs with c = f = 1: vectors of channels
    KernelFn depthwise_weights_f32, depthwise_weights_f64;  // ConvWeightsArgs
    KernelFn depthwise_tiles_f32, depthwise_tiles_f64;      // DepthwiseTilesArgs
    KernelFn depthwise_tiles_weights_f32, depthwise_tiles_weights_f64;
    KernelFn spread_f32, spread_f64;                     // ConvSpreadArgs
    KernelFn winograd_pack_f32;                          // ConvPackArgs
    KernelFn winograd_f32;                               // WinogradArgs
    KernelFn winograd_weights_f32, winograd_finish_f32;  // WinogradWeightsArgs
    int nr_f32, nr_f64;                                  // columns of a panel
    int panel_vectors;                                   // vectors of a panel
};
HB_DECLARE_KERNELS(ConvKernels, conv_kernels)

// Numbers of elements in a window; shared by those who size the scratch and those who fill it.
inline constexpr int64_t conv_span(const ConvDim& d, int64_t outputs) {
    return (outputs - 1) * d.stride + (d.taps > 0 ? (d.taps - 1) * d.dilation : 0) + 1;
}
inline constexpr int64_t conv_window_elements(const ConvWindow& w, int64_t channels) {
    return w.dim[0].taps * conv_span(w.dim[1], w.rows) * conv_span(w.dim[2], w.cols) * channels;
}
// Elements of windows in tiles of c channels; each tile may be written a vector past its end.
inline constexpr int64_t conv_blocked_elements(const ConvWindow& w, int64_t together, int64_t c,
                                               int64_t lanes) {
    const int64_t stride = w.dim[2].stride;
    const int64_t row = (conv_span(w.dim[2], w.cols) + stride - 1) / stride * stride;
    return w.dim[0].taps * conv_span(w.dim[1], w.rows) * row * together * c + c * lanes;
}
// Rows of dw that are computed at once.
inline constexpr int64_t conv_weights_rows(const ConvWindow& w) {
    return w.merge_taps ? w.dim[1].taps * w.dim[2].taps * w.c : w.c;
}
inline constexpr int64_t conv_taps(const ConvWindow& w) {
    return w.dim[0].taps * w.dim[1].taps * w.dim[2].taps;
}

}  // namespace hb
