// Gradients of inputs of few channels, gathered from products that have a column for each tap and
// channel.
#include <algorithm>

#include "ops/conv_plan.h"
#include "ops/winograd.h"

namespace hb {

namespace {
constexpr int64_t kSpreadBytes = 24 * 1024;  // of the products that a row is gathered from
constexpr int64_t kSpreadPixels = 24;        // of dy that meet the weights at once

// Columns of the products that a row of dx is gathered from.
int64_t spread_columns(const ConvShape& s, int64_t nr) {
    return ceil_div(s.kernel[2] * s.channels, nr) * nr;
}
}  // namespace

bool spread_pays(const Emit& e, DType dtype, const ConvShape& s) {
    if (s.groups != 1) return false;
    const ConvKernels& kernels = *e.kernels.conv;
    const bool f32 = dtype == DType::f32;
    const int64_t nr = f32 ? kernels.nr_f32 : kernels.nr_f64, lanes = nr / kernels.panel_vectors;
    const int64_t columns = ceil_div(s.kernel[2] * s.channels, lanes) * lanes;
    if (s.out[2] * spread_columns(s, nr) * int64_t(dtype_size(dtype)) > kSpreadBytes) return false;
    if (f32 && s.stride[1] * s.stride[2] == 1) {
        ConvWindow w = forward_window(s);
        for (int i = 0; i < 3; ++i) w.dim[i] = data_phase(s, i, 0);
        w.channels = w.c = s.features;
        if (winograd_pays(w, s.channels, s.flops())) return false;
    }
    const double rows = double(s.out[0] * s.out[1] * s.kernel[0] * s.kernel[1]);
    const double gathered = double(s.in[0] * s.in[1] * s.out[2] * s.kernel[2]);
    const double spread = rows * double(s.out[2] * s.features * columns) +
                          4 * gathered * double(ceil_div(s.channels, lanes) * lanes);
    const double vectors = double(ceil_div(s.channels, lanes));
    double taps = 1;  // that meet a pixel of dx
    for (int i = 0; i < 3; ++i) taps *= double(s.kernel[i]) / double(s.stride[i]);
    const double direct = double(s.in[0] * s.in[1] * s.in[2]) * taps * double(s.features) *
                          double(lanes) * (vectors == 1 ? 2 : vectors);
    return spread < 0.9 * direct;
}

void emit_spread(Emit& e, DType dtype, const ConvShape& s, const void* dy, const void* w,
                 const Epilogue& epilogue, void* dx) {
    if (s.n * s.in[0] * s.in[1] * s.in[2] * s.channels == 0) return;
    const ConvKernels& kernels = *e.kernels.conv;
    const bool f32 = dtype == DType::f32;
    const int64_t nr = f32 ? kernels.nr_f32 : kernels.nr_f64, size = int64_t(dtype_size(dtype));
    const int64_t columns = spread_columns(s, nr), rows = s.kernel[0] * s.kernel[1];
    ConvSpreadArgs args{};
    for (int i = 0; i < 3; ++i)
        args.dim[i] = {s.in[i], s.out[i], s.kernel[i], s.stride[i], s.low[i], s.dilation[i]};
    args.images = s.n;
    args.channels = s.channels;
    args.features = s.features;
    args.together = std::clamp<int64_t>(kSpreadPixels / std::max<int64_t>(1, s.out[2]), 1, s.n);
    const int64_t pixels = args.together * s.out[2], offsets = rows + pixels + s.in[2];
    args.scratch_stride = ceil_div((pixels * columns + nr) * size + 16 * offsets, 64) * 64 + 6 * 64;
    args.scratch = static_cast<char*>(e.workspace(size_t(args.scratch_stride) * size_t(e.threads)));
    const int64_t packed = rows * s.features * columns;
    const bool once = e.invariant(1);
    void* panels = e.prepared(size_t(packed * size), once);
    ConvPackArgs pack{w, panels, {}, 1, s.features, s.kernel[2] * s.channels, 0, 0, 1, s.features};
    pack.tap_stride = pack.f * s.features;
    for (int i = 0; i < 3; ++i) {
        pack.dim[i] = {};
        pack.dim[i].taps = pack.dim[i].w_size = i < 2 ? s.kernel[i] : 1;
        pack.dim[i].w_step = 1;
    }
    args.dy = dy;
    args.w = panels;
    args.dx = dx;
    args.epilogue = epilogue;
    if (packed > 0) e.prepare(f32 ? kernels.pack_f32 : kernels.pack_f64, pack, 4 * packed, once);
    e.run(f32 ? kernels.spread_f32 : kernels.spread_f64, args, s.flops());
}

}  // namespace hb
