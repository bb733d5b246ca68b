// How convolutions and the gradients of their inputs are computed: as products, correlations or
// depthwise, and in chunks of which size.
#include <algorithm>

#include "kernels/gemm.h"
#include "ops/conv_plan.h"
#include "ops/linear.h"
#include "ops/winograd.h"

namespace hb {

namespace {
constexpr int64_t kMostPixels = 2048;  // of a chunk
constexpr int64_t kPackShare = 500;    // packed weights are kept where packing takes over 1/500
constexpr int64_t kFlatDepth = 256;    // of sums over taps and channels in one loop
constexpr int64_t kFlatPixels = 8;     // of a row, or tiles would be too short
constexpr int64_t kFewPixels = 48;     // chunks are not cut below that to feed more threads

// More and smaller chunks, if that lets all threads work. Only where chunks do not show in the
// bits.
void feed_threads(ConvWindow& w, int64_t panels, int threads) {
    const auto tasks = [&] {
        return w.groups * w.images * w.dim[0].out * ceil_div(w.dim[1].out, w.rows) *
               ceil_div(w.dim[2].out, w.cols) * std::min<int64_t>(panels, 4);
    };
    while (threads > 1 && tasks() < 4 * threads && w.rows * w.cols >= 2 * kFewPixels)
        (w.rows > 1 ? w.rows : w.cols) = ceil_div(w.rows > 1 ? w.rows : w.cols, 2);
}

struct Correlation {
    ConvWindow window;
    const void *x, *w;
    Epilogue epilogue;
    void* y;
    int64_t features, f;
    bool depthwise, invariant;                   // invariant: w, as Emit::invariant()
    int64_t tap_stride, group_stride, row, col;  // of w
    int64_t flops;
};

ConvPackArgs pack_args(const Correlation& s, void* packed) {
    const ConvWindow& w = s.window;
    return {s.w,
            packed,
            {w.dim[0], w.dim[1], w.dim[2]},
            w.groups,
            w.c,
            s.f,
            s.tap_stride,
            s.group_stride,
            s.row,
            s.col};
}

void emit_correlation(Emit& e, DType dtype, Correlation s) {
    ConvWindow& w = s.window;
    for (const ConvDim& d : w.dim)
        if (d.out <= 0) return;
    if (w.images == 0 || s.features == 0) return;
    const ConvKernels& kernels = *e.kernels.conv;
    const bool f32 = dtype == DType::f32;
    if (f32 && winograd_pays(w, s.f, s.flops)) {
        emit_winograd(e, w, s.f, pack_args(s, nullptr), s.x, s.epilogue, s.y, s.invariant);
        return;
    }
    const size_t size = dtype_size(dtype);
    const int64_t taps = conv_taps(w), nr = f32 ? kernels.nr_f32 : kernels.nr_f64;
    const int64_t panels = ceil_div(s.f, nr);
    choose_window(w);
    if (s.depthwise) w.in_place = !gathers_lines(w, size) || taps < 6 || w.dim[2].stride > 1;
    if (s.depthwise && !w.in_place) {
        choose_depthwise_chunk(w);
    } else {
        choose_chunk(w, size, kMostPixels);
        feed_threads(w, s.depthwise ? 1 : panels, e.threads);
    }

    const bool flat = !s.depthwise && taps * w.c <= kFlatDepth && w.cols >= kFlatPixels;
    ConvArgs args{w, s.x, s.w, s.y, s.features, s.f, s.epilogue, flat, nullptr, 0};
    args.scratch_stride =
        s.depthwise
            ? depthwise_scratch_bytes(w)
            : scratch_bytes(w, flat ? taps * w.c : 2 * taps + 2 * w.rows * w.cols, 0, 1, size);
    args.scratch = static_cast<char*>(e.workspace(size_t(args.scratch_stride) * size_t(e.threads)));
    if (s.depthwise) {
        e.run(f32 ? kernels.depthwise_f32 : kernels.depthwise_f64, args, 4 * s.flops);
        return;
    }
    const int64_t packed = w.groups * panels * nr * taps * w.c;
    const bool once = s.invariant && 4 * packed * kPackShare > s.flops;
    args.w = e.prepared(size_t(packed) * size, once);
    if (packed > 0)
        e.prepare(f32 ? kernels.pack_f32 : kernels.pack_f64,
                  pack_args(s, const_cast<void*>(args.w)), 4 * packed, once);
    e.run(f32 ? kernels.run_f32 : kernels.run_f64, args, s.flops);
}

}  // namespace

bool ConvShape::pointwise() const {
    if (groups != 1) return false;
    for (int i = 0; i < 3; ++i)
        if (kernel[i] != 1 || stride[i] != 1 || low[i] != 0 || in[i] != out[i]) return false;
    return true;
}

void emit_conv(Emit& e, DType dtype, const ConvShape& s, const void* x, const void* w,
               const Epilogue& epilogue, void* y) {
    if (s.pointwise()) {
        emit_product(e, {.dtype = dtype,
                         .a = x,
                         .b = w,
                         .c = y,
                         .m = s.n * s.in[0] * s.in[1] * s.in[2],
                         .n = s.features,
                         .k = s.channels,
                         .a_row = s.channels,
                         .a_col = 1,
                         .b_row = s.features,
                         .b_col = 1,
                         .epilogue = epilogue,
                         .b_invariant = e.invariant(1)});
        return;
    }
    if (tiles_depthwise(s)) {
        emit_depthwise_tiles(e, dtype, s, false, x, w, epilogue, y);
        return;
    }
    emit_correlation(e, dtype,
                     {.window = forward_window(s),
                      .x = x,
                      .w = w,
                      .epilogue = epilogue,
                      .y = y,
                      .features = s.features,
                      .f = s.f(),
                      .depthwise = s.depthwise(),
                      .invariant = e.invariant(1),
                      .tap_stride = s.c() * s.features,
                      .group_stride = s.f(),
                      .row = s.features,
                      .col = 1,
                      .flops = s.flops()});
}

void emit_conv_data(Emit& e, DType dtype, const ConvShape& s, const void* dy, const void* w,
                    const Epilogue& epilogue, void* dx) {
    if (s.pointwise()) {
        emit_product(e, {.dtype = dtype,
                         .a = dy,
                         .b = w,
                         .c = dx,
                         .m = s.n * s.in[0] * s.in[1] * s.in[2],
                         .n = s.channels,
                         .k = s.features,
                         .a_row = s.features,
                         .a_col = 1,
                         .b_row = 1,
                         .b_col = s.features,
                         .epilogue = epilogue,
                         .b_invariant = e.invariant(1)});
        return;
    }
    if (tiles_depthwise(s)) {
        emit_depthwise_tiles(e, dtype, s, true, dy, w, epilogue, dx);
        return;
    }
    if (spread_pays(e, dtype, s)) {
        emit_spread(e, dtype, s, dy, w, epilogue, dx);
        return;
    }
    const int64_t phases = s.stride[0] * s.stride[1] * s.stride[2];
    for (int64_t p = 0; p < phases; ++p) {
        ConvWindow window = forward_window(s);
        window.dim[0] = data_phase(s, 0, p / s.stride[2] / s.stride[1]);
        window.dim[1] = data_phase(s, 1, p / s.stride[2] % s.stride[1]);
        window.dim[2] = data_phase(s, 2, p % s.stride[2]);
        window.channels = s.features;
        window.c = s.depthwise() ? s.features : s.f();
        emit_correlation(e, dtype,
                         {.window = window,
                          .x = dy,
                          .w = w,
                          .epilogue = epilogue,
                          .y = dx,
                          .features = s.channels,
                          .f = s.c(),
                          .depthwise = s.depthwise(),
                          .invariant = e.invariant(1),
                          .tap_stride = s.c() * s.features,
                          .group_stride = s.f(),
                          .row = 1,
                          .col = s.features,
                          .flops = s.flops() / phases});
    }
}

}  // namespace hb
