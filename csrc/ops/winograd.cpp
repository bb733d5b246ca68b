#include "ops/winograd.h"

#include <algorithm>

#include "kernels/winograd.h"

namespace hb {

namespace {
constexpr int64_t kTiles = 24;     // of a block: four tiles of rows
constexpr int64_t kPanels = 8;     // of features whose products stay in L2
constexpr int64_t kSumTiles = 64;  // of a block whose products are added up
constexpr int64_t kPartialBytes = int64_t{8} << 20;

WinogradShape shape_of(const ConvWindow& w, int64_t f) {
    const ConvDim &h = w.dim[1], &v = w.dim[2];
    return {w.images, h.in, v.in, h.out, v.out, h.first, v.first, w.c, f};
}

int64_t scratch_bytes(const WinogradShape& s, int64_t tiles, int64_t panels, int64_t nr) {
    return ceil_div(winograd_scratch(s, tiles, panels, nr).elements * 4, 64) * 64;
}
}  // namespace

// The transforms are counted in flops of the same time, as measured: 8 for a transformed number of
// a tile, 16 for one of the weights.
bool winograd_pays(const ConvWindow& w, int64_t f, int64_t flops) {
    const ConvDim* d = w.dim;
    if (w.groups != 1 || w.c != w.channels || d[0].taps != 1 || d[0].in != 1 || d[0].out != 1 ||
        d[0].first != 0)
        return false;
    for (int i = 1; i < 3; ++i)
        if (d[i].taps != 3 || d[i].dilation != 1 || d[i].stride != 1 || d[i].y_step != 1 ||
            d[i].out != d[i].y_size)
            return false;
    const double tiles = double(winograd_tiles(shape_of(w, f))), c = double(w.c);
    const double cost =
        16 * (tiles * (2 * c * double(f) + 8 * (c + double(f))) + 16 * c * double(f));
    return cost < 0.9 * double(flops);
}

void emit_winograd(Emit& e, const ConvWindow& w, int64_t f, ConvPackArgs weights, const void* x,
                   const Epilogue& epilogue, void* y, bool weights_invariant) {
    const ConvKernels& kernels = *e.kernels.conv;
    const int64_t nr = kernels.nr_f32, panels = ceil_div(f, nr);
    const WinogradShape shape = shape_of(w, f);
    weights.packed = e.prepared(size_t(16 * panels * nr * w.c) * 4, weights_invariant);
    WinogradArgs args{shape, x, weights.packed, y, epilogue, 0, 0, nullptr, 0};
    args.tiles = std::min(kTiles, ceil_div(winograd_tiles(shape), e.threads));
    args.panels = std::min(kPanels, panels);
    args.scratch_stride = scratch_bytes(shape, args.tiles, args.panels, nr);
    args.scratch = static_cast<char*>(e.workspace(size_t(args.scratch_stride * e.threads)));
    e.prepare(kernels.winograd_pack_f32, weights, 16 * 16 * w.c * f, weights_invariant);
    e.run(kernels.winograd_f32, args, 32 * winograd_tiles(shape) * w.c * f);
}

void emit_winograd_weights(Emit& e, const ConvWindow& w, int64_t f, const void* x, const void* dy,
                           void* dw) {
    const ConvKernels& kernels = *e.kernels.conv;
    const int64_t nr = kernels.nr_f32, panels = ceil_div(f, nr);
    const WinogradShape shape = shape_of(w, f);
    const int64_t total = winograd_tiles(shape), elements = 16 * w.c * panels * nr;
    WinogradWeightsArgs args{shape, x, dy, nullptr, dw, 1, 0, nullptr, 0};
    // Enough partial sums for many threads, as long as they are small: by the shapes alone.
    args.partials = std::clamp<int64_t>(kPartialBytes / (elements * 4), 1, 16);
    args.partials = std::min(args.partials, ceil_div(total, kSumTiles));
    args.tiles = std::min(kSumTiles, ceil_div(total, args.partials));
    args.m = e.workspace(size_t(args.partials * elements) * 4);
    args.scratch_stride = scratch_bytes(shape, args.tiles, panels, nr);
    args.scratch = static_cast<char*>(e.workspace(size_t(args.scratch_stride * e.threads)));
    e.run(kernels.winograd_weights_f32, args, 32 * total * w.c * f);
    e.run(kernels.winograd_finish_f32, args, args.partials * elements);
}

}  // namespace hb
