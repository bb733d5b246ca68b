// Depthwise convolutions of 3x3 taps, and their gradients, in tiles.
#include <algorithm>

#include "kernels/gemm.h"
#include "ops/conv_plan.h"

namespace hb {

namespace {
constexpr int64_t kTaps = 3;
constexpr int64_t kPackShare = 500;  // as in conv_emit.cpp
constexpr int64_t kPartials = 16;    // of the gradient of the weights
constexpr int64_t kTallRows = 16;    // of an image: fewer leave a part of tall tiles empty
constexpr int64_t kNearBytes = 256;  // from one pixel to the next

// Tall tiles read each row of x 1.5 times instead of twice, but each pixel of a row more often.
struct Outputs {
    int64_t rows, cols;
};
Outputs tile_outputs(int64_t rows, int64_t pixel_bytes, int64_t stride) {
    if (stride == 2) return {2, 1};
    return rows >= kTallRows && pixel_bytes >= kNearBytes ? Outputs{4, 1} : Outputs{2, 2};
}

int64_t floor_half(int64_t i) { return (i - (i & 1)) / 2; }

// Tiles of `outputs` each. Strides of 1: the gradient is a correlation with the taps backwards.
DepthwiseAxis forward_axis(int64_t in, int64_t out, int64_t stride, int64_t low, int64_t outputs) {
    return {.in = in,
            .out = out,
            .stride = stride,
            .outputs = outputs,
            .tiles = ceil_div(out, outputs),
            .out_first = 0,
            .in_first = -low,
            .in_step = outputs * stride};
}

// Strides of 2: element i of dx meets, where i + low = 2 j, dy[j] at the first tap and dy[j - 1] at
// the last; where i + low = 2 j + 1, dy[j] at the second. A tile is such a pair of dx.
DepthwiseAxis backward_axis(int64_t dx, int64_t dy, int64_t low) {
    const int64_t first = floor_half(low), last = floor_half(low + dx - 1);
    return {.in = dy,
            .out = dx,
            .stride = 2,
            .outputs = 2,
            .tiles = last - first + 1,
            .out_first = 2 * first - low,
            .in_first = first - 1,
            .in_step = 1};
}

}  // namespace

bool tiles_depthwise(const ConvShape& s) {
    if (!s.depthwise() || s.stride[1] != s.stride[2] || s.stride[1] > 2) return false;
    if (s.kernel[0] != 1 || s.in[0] != 1 || s.out[0] != 1 || s.low[0] != 0) return false;
    for (int i = 1; i < 3; ++i)
        if (s.kernel[i] != kTaps || s.dilation[i] != 1 || s.in[i] == 0 || s.out[i] <= 0)
            return false;
    return s.n > 0;
}

// Small images with many channels read and write more sums than there are inputs.
bool tiles_depthwise_weights(const ConvShape& s, size_t size) {
    return tiles_depthwise(s) && (s.out[1] >= kTallRows || !gathers_lines(forward_window(s), size));
}

void emit_depthwise_tiles(Emit& e, DType dtype, const ConvShape& s, bool backward, const void* x,
                          const void* w, const Epilogue& epilogue, void* y) {
    const ConvKernels& kernels = *e.kernels.conv;
    const bool f32 = dtype == DType::f32, reversed = backward && s.stride[1] == 1;
    DepthwiseTilesArgs args{
        .tiles = {.rows = {}, .cols = {}, .images = s.n, .channels = s.channels, .x = x, .y = y},
        .w = nullptr,
        .backward = backward && !reversed,
        .epilogue = epilogue,
        .scratch = nullptr,
        .scratch_stride = 0};
    ConvPackArgs pack{w, nullptr, {}, 1, 1, s.channels, s.channels, 0, 0, 1};
    for (int i = 0; i < 3; ++i)
        pack.dim[i] = reversed ? data_phase(s, i, 0) : forward_window(s).dim[i];
    const int64_t pixel = s.channels * int64_t(dtype_size(dtype));
    const Outputs tile = tile_outputs(backward ? s.in[1] : s.out[1], pixel, s.stride[1]);
    for (int i = 1; i < 3; ++i) {
        const int64_t outputs = i == 1 ? tile.rows : tile.cols;
        DepthwiseAxis& axis = i == 1 ? args.tiles.rows : args.tiles.cols;
        if (args.backward)
            axis = backward_axis(s.in[i], s.out[i], s.low[i]);
        else if (reversed)
            axis = forward_axis(s.out[i], s.in[i], 1, kTaps - 1 - s.low[i], outputs);
        else
            axis = forward_axis(s.in[i], s.out[i], s.stride[i], s.low[i], outputs);
    }
    args.scratch_stride = 2 * ceil_div(pixel, 64) * 64;
    args.scratch = static_cast<char*>(e.workspace(size_t(args.scratch_stride) * size_t(e.threads)));
    const int64_t nr = f32 ? kernels.nr_f32 : kernels.nr_f64;
    const int64_t packed = ceil_div(s.channels, nr) * nr * kTaps * kTaps;
    const bool once = e.invariant(1) && 4 * packed * kPackShare > s.flops();
    args.w = e.prepared(size_t(packed) * dtype_size(dtype), once);
    pack.packed = const_cast<void*>(args.w);
    e.prepare(f32 ? kernels.pack_f32 : kernels.pack_f64, pack, 4 * packed, once);
    e.run(f32 ? kernels.depthwise_tiles_f32 : kernels.depthwise_tiles_f64, args, 4 * s.flops());
}

void emit_depthwise_tiles_weights(Emit& e, DType dtype, const ConvShape& s, const void* x,
                                  const void* dy, void* dw) {
    const ConvKernels& kernels = *e.kernels.conv;
    const bool f32 = dtype == DType::f32, tall = s.out[1] >= kTallRows;
    const int64_t size = int64_t(dtype_size(dtype)), volume = kTaps * kTaps * s.channels;
    const int64_t wide = !tall && s.stride[2] == 1 ? 2 : 1;
    DepthwiseTilesWeightsArgs args{
        .tiles = {.rows = forward_axis(s.in[1], s.out[1], s.stride[1], s.low[1], tall ? 4 : 2),
                  .cols = forward_axis(s.in[2], s.out[2], s.stride[2], s.low[2], wide),
                  .images = s.n,
                  .channels = s.channels,
                  .x = x,
                  .y = const_cast<void*>(dy)},
        .dw = dw,
        .partials = 1,
        .scratch = nullptr,
        .scratch_stride = 0};
    // Enough partial sums for many threads; a number that depends on shapes only.
    args.partials = std::min(kPartials, s.n * args.tiles.rows.tiles);
    if (args.partials > 1) args.dw = e.workspace(size_t(args.partials * volume * size));
    const int64_t nr = f32 ? kernels.nr_f32 : kernels.nr_f64;
    const int64_t sums = ceil_div(s.channels, nr) * nr * kTaps * kTaps;
    args.scratch_stride = ceil_div(s.channels * size, 64) * 64 + ceil_div(sums * size, 64) * 64;
    args.scratch = static_cast<char*>(e.workspace(size_t(args.scratch_stride) * size_t(e.threads)));
    e.run(f32 ? kernels.depthwise_tiles_weights_f32 : kernels.depthwise_tiles_weights_f64, args,
          4 * s.flops());
    if (args.partials == 1) return;
    const GemmKernels& gemm = *e.kernels.gemm;
    const SumPartialsArgs sum{args.dw, dw, volume, args.partials, 1, {}};
    e.run(f32 ? gemm.sum_f32 : gemm.sum_f64, sum, args.partials * volume);
}

}  // namespace hb
