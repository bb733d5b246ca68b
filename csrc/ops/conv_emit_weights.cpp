// How the gradients of convolution weights are computed: as products, by Winograd's tiles,
// depthwise, or as sums over chunks of pixels.
#include <algorithm>

#include "kernels/gemm.h"
#include "ops/conv_plan.h"
#include "ops/linear.h"
#include "ops/winograd.h"

namespace hb {

namespace {
constexpr int64_t kDeepProduct = 64 * 1024;  // elements of dw that blocks of a product suit better
constexpr int64_t kTiledChannels = 16;       // fill tiles
constexpr int64_t kTiledBytes = 256 * 1024;  // of a window in tiles: it is walked through in order
constexpr int64_t kBlockBytes = 2048;        // of the channels whose windows are summed at once
constexpr int64_t kPanelsBytes = 96 * 1024;  // of panels of dy that are copied at once
}  // namespace

void emit_conv_weights(Emit& e, DType dtype, ConvShape s, const void* x, const void* dy, void* dw) {
    const ConvKernels& kernels = *e.kernels.conv;
    const GemmKernels& gemm = *e.kernels.gemm;
    const int64_t volume = s.taps() * s.c() * s.features;
    if (s.pointwise() && volume >= kDeepProduct) {
        emit_product(e, {.dtype = dtype,
                         .a = x,
                         .b = dy,
                         .c = dw,
                         .m = s.channels,
                         .n = s.features,
                         .k = s.n * s.in[0] * s.in[1] * s.in[2],
                         .a_row = 1,
                         .a_col = s.channels,
                         .b_row = s.features,
                         .b_col = 1});
        return;
    }
    const bool f32 = dtype == DType::f32, depthwise = s.depthwise();
    const size_t size = dtype_size(dtype);
    if (volume == 0) return;
    if (tiles_depthwise_weights(s, dtype_size(dtype))) {
        emit_depthwise_tiles_weights(e, dtype, s, x, dy, dw);
        return;
    }
    if (s.pointwise()) {  // all pixels are one long row
        s.in[2] = s.out[2] = s.n * s.in[0] * s.in[1] * s.in[2];
        s.n = s.in[0] = s.in[1] = s.out[0] = s.out[1] = 1;
    }
    ConvWindow w = forward_window(s);
    if (f32 && winograd_pays(w, s.features, s.flops())) {
        emit_winograd_weights(e, w, s.features, x, dy, dw);
        return;
    }
    const int64_t nr = f32 ? kernels.nr_f32 : kernels.nr_f64;
    choose_window(w);
    // Blocks of channels whose windows hold enough pixels, where channels fill tiles.
    const int64_t blocks = ceil_div(s.c() * int64_t(size), kBlockBytes);
    const bool blocked = !depthwise && s.c() >= kTiledChannels;
    const int64_t block = blocked ? ceil_div(s.c(), blocks) : 0;
    if (blocked) w.in_place = false, w.c = block;
    const int64_t panel_bytes = (blocked ? 16 : 24) * 1024;
    const int64_t most_pixels = std::max<int64_t>(128, panel_bytes / (nr * int64_t(size)));
    if (depthwise) w.in_place = !gathers_lines(w, size);
    if (depthwise && !w.in_place)
        choose_depthwise_chunk(w);
    else
        choose_chunk(w, size, most_pixels, blocked ? kTiledBytes : kWindowBytes);

    // Enough partial sums for many threads, as long as they are small; a number that depends on
    // shapes only.
    const int64_t panels = depthwise ? 1 : ceil_div(s.f(), nr) * w.groups;
    const int64_t chunks = std::max<int64_t>(
        1, s.n * s.out[0] * ceil_div(s.out[1], w.rows) * ceil_div(s.out[2], w.cols));
    int64_t partials = std::clamp<int64_t>((int64_t{4} << 20) / (volume * int64_t(size)), 1, 16);
    partials = std::min(std::max(partials, ceil_div(8, panels)), chunks);
    // Small images: several at once, or reading and writing dw would take longer than the sums.
    int64_t together = 1;
    if (!depthwise && w.cols == s.out[2]) {
        const int64_t fit = w.in_place ? chunks
                                       : (blocked ? kTiledBytes : kWindowBytes) /
                                             (conv_window_elements(w, w.c) * int64_t(size));
        together =
            std::clamp<int64_t>(most_pixels / (w.rows * w.cols), 1, std::max<int64_t>(1, fit));
        together = std::min(together, ceil_div(chunks, partials));
    }

    void* sums = partials == 1 ? dw : e.workspace(size_t(partials * volume) * size);
    const int64_t panel_pixels = w.rows * w.cols * together * nr * int64_t(size);
    const int64_t at_once =
        std::clamp<int64_t>(kPanelsBytes / panel_pixels, 1, ceil_div(s.f(), nr));
    const int64_t window =
        blocked ? conv_blocked_elements(w, together, block, nr / kernels.panel_vectors) : 0;
    w.c = s.depthwise() ? s.channels : s.c();
    ConvWeightsArgs args{w,        x,        dy,      sums,  s.features, depthwise ? 1 : s.f(),
                         partials, together, at_once, block, nullptr,    0};
    const int64_t rows = blocked ? 0 : conv_weights_rows(w);
    args.scratch_stride = depthwise
                              ? depthwise_scratch_bytes(w)
                              : scratch_bytes(w, 2 * rows + 3 * w.rows * together,
                                              w.rows * w.cols * nr * together * at_once + window,
                                              blocked ? 0 : together, size);
    args.scratch = static_cast<char*>(e.workspace(size_t(args.scratch_stride) * size_t(e.threads)));
    if (depthwise)
        e.run(f32 ? kernels.depthwise_weights_f32 : kernels.depthwise_weights_f64, args,
              4 * s.flops());
    else
        e.run(f32 ? kernels.weights_f32 : kernels.weights_f64, args, s.flops());
    if (partials == 1) return;
    const SumPartialsArgs sum{sums, dw, volume, partials, 1, {}};
    e.run(f32 ? gemm.sum_f32 : gemm.sum_f64, sum, partials * volume);
}

}  // namespace hb
