// What both ways of summing the gradient of convolution weights share: dy in panels.
#pragma once

#include "cpu/conv_window.h"

namespace hb::HB_ISA {
namespace {

// Where row r of a chunk begins in dy.
HB_INLINE int64_t dy_row(const ConvWeightsArgs& a, const Chunk& chunk, int64_t r) {
    const ConvDim* d = a.window.dim;
    const int64_t z = chunk.image * d[0].out + chunk.depth;
    return ((z * d[1].out + chunk.row + r) * d[2].out + chunk.col) * a.features + chunk.group * a.f;
}

// Panels [p0, p1) of a chunk of dy, dst (p1 - p0, size), of which the chunk's pixels
// begin at dst. Pixels are read once, in long runs. Returns where the next chunk's begin.
template <class T>
T* load_panels(const ConvWeightsArgs& a, const Chunk& chunk, int64_t p0, int64_t p1, T* dst,
               int64_t size) {
    using V = Vec<T>;
    constexpr int64_t panel = kPanel<T>, lanes = V::lanes;
    const ConvDim* d = a.window.dim;
    const T* dy = (const T*)a.dy + dy_row(a, chunk, 0) + p0 * panel;
    const int64_t count =
        a.f - p0 * panel < (p1 - p0) * panel ? a.f - p0 * panel : (p1 - p0) * panel;
    const T* end = (const T*)a.dy + a.window.images * d[0].out * d[1].out * d[2].out * a.features;
    for (int64_t r = 0; r < chunk.rows; ++r) {
        const T* src = dy + r * d[2].out * a.features;
        for (int64_t c = 0; c < chunk.cols; ++c, src += a.features, dst += panel) {
            T* to = dst;
            int64_t j = 0;
            for (; j + panel <= count; j += panel, to += size)
#pragma GCC unroll 4
                for (int64_t l = 0; l < panel; l += lanes) V::store(to + l, V::load(src + j + l));
            // a last panel: whole vectors, whose lanes past f are not used, but at dy's end
            for (; j < count; j += lanes, to += lanes)
                V::store(to,
                         end - (src + j) >= lanes ? V::load(src + j) : V::load(src + j, count - j));
        }
    }
    return dst;
}

}  // namespace
}  // namespace hb::HB_ISA
