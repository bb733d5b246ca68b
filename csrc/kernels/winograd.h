// Convolutions of 3x3 taps, stride 1 and one group in tiles of 2x2 outputs; float32.
#pragma once

#include "kernels/epilogue.h"

namespace hb {

// y[o] = sum over taps of x[o + first + tap], zero outside of x.
// x (N,H,W,C)  y (N,OH,OW,F)
struct WinogradShape {
    int64_t images, in_h, in_w, out_h, out_w, first_h, first_w, channels, features;
};
inline constexpr int64_t winograd_tiles(const WinogradShape& s) {
    return s.images * ((s.out_h + 1) / 2) * ((s.out_w + 1) / 2);
}

struct WinogradArgs {
    WinogradShape shape;
    const void *x, *u;  // u (16, panels, C, nr), made by winograd_pack
    void* y;
    Epilogue epilogue;
    int64_t tiles, panels;  // of a block; of features at a time
    char* scratch;
    int64_t scratch_stride;  // bytes a thread
};

struct WinogradWeightsArgs {
    WinogradShape shape;
    const void *x, *dy;
    void *m, *dw;  // m (partials, 16, C, panels * nr)
    int64_t partials;
    int64_t tiles;  // of a block
    char* scratch;
    int64_t scratch_stride;  // bytes a thread
};

// Elements of the transformed tiles of a block. Their 16 parts do not start at the same offset of
// a page, nor do the rows: all of them are written side by side.
struct WinogradScratch {
    int64_t v_row, v_stride, m_stride, elements;
};
inline constexpr WinogradScratch winograd_scratch(const WinogradShape& shape, int64_t tiles,
                                                  int64_t panels, int64_t nr) {
    WinogradScratch s{};
    s.v_row = (shape.channels + 15) / 16 * 16;
    if (s.v_row % 256 == 0) s.v_row += 16;
    s.v_stride = tiles * s.v_row + 16;
    s.m_stride = tiles * panels * nr + 16;
    s.elements = 16 * (s.v_stride + s.m_stride) + (s.v_row > nr ? s.v_row : nr);
    return s;
}

}  // namespace hb
