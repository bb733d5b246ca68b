// What the emitters of convolutions share: geometry, chunks of outputs and their windows, scratch.
#pragma once

#include "ops/conv.h"

namespace hb {

inline constexpr int64_t kWindowBytes = 128 * 1024;  // of x that a chunk is computed from

ConvWindow forward_window(const ConvShape& s);

// Dimension i of the gradient of x at inputs phase, phase + stride, ...: the taps that meet them,
// in the order in which they walk through dy.
ConvDim data_phase(const ConvShape& s, int i, int64_t phase);

// Largest chunks whose window stays in L2, then evened out.
void choose_chunk(ConvWindow& w, size_t size, int64_t most_pixels,
                  int64_t window_bytes = kWindowBytes);

void choose_window(ConvWindow& w);

// Pixels so far from one another would push their neighbours out of L1.
bool gathers_lines(const ConvWindow& w, size_t size);

// Chunks whose window, a cache line of channels a pixel, stays in L1: as square as they can be, for
// then the halo is smallest. The kernel does one line of channels of a chunk after the other.
void choose_depthwise_chunk(ConvWindow& w);

// Offsets of taps; a line of each tap's weights and a window, where lines are gathered.
int64_t depthwise_scratch_bytes(const ConvWindow& w);

// Scratch of a thread: offsets, `extra` elements, windows; each piece rounded up to cache lines.
int64_t scratch_bytes(const ConvWindow& w, int64_t offsets, int64_t extra, int64_t windows,
                      size_t size);

// Whether few channels of dx are better gathered from products that have a column for each tap and
// channel. Costs in multiply-adds of whole vectors; those of a correlation whose tile is one vector
// wide count twice, as measured, and so does a number that is gathered four times.
bool spread_pays(const Emit& e, DType dtype, const ConvShape& s);
void emit_spread(Emit& e, DType dtype, const ConvShape& s, const void* dy, const void* w,
                 const Epilogue& epilogue, void* dx);

// Depthwise convolutions in tiles of outputs that share their inputs, and whether one is such.
bool tiles_depthwise(const ConvShape& s);
bool tiles_depthwise_weights(const ConvShape& s, size_t size);
void emit_depthwise_tiles(Emit& e, DType dtype, const ConvShape& s, bool backward, const void* x,
                          const void* w, const Epilogue& epilogue, void* y);
void emit_depthwise_tiles_weights(Emit& e, DType dtype, const ConvShape& s, const void* x,
                                  const void* dy, void* dw);

}  // namespace hb
