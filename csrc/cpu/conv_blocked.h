// Windows of x copied into tiles of channels: what a packed tile reads is contiguous, whatever the
// tap, and pixels far apart do not fall onto each other in the caches.
#pragma once

#include "cpu/conv_window.h"

namespace hb::HB_ISA {
namespace {

// A window in tiles of channels, of `total` pixels each: (tile, chunk, slice, row, phase, column,
// channel). The columns of a phase of the stride lie side by side, as those of a tap's sum do.
struct Blocked {
    int64_t column, row, slice, chunk, total;  // in pixels
    Blocked(const ConvWindow& w, int64_t together) {
        const ConvDim* d = w.dim;
        column = (conv_span(d[2], w.cols) + d[2].stride - 1) / d[2].stride;
        row = column * d[2].stride;
        slice = conv_span(d[1], w.rows) * row;
        chunk = d[0].taps * slice;
        total = chunk * together;
    }
    int64_t tap(const ConvDim* d, int64_t kd, int64_t kh, int64_t kw) const {
        const int64_t x = kw * d[2].dilation;
        return kd * slice + kh * d[1].dilation * row + x % d[2].stride * column + x / d[2].stride;
    }
    template <class T>
    int64_t elements(const TileRows& tiles) const {
        return tile<T>(tiles, tiles.count);
    }
    // Elements before tile i of the channels: what a whole vector writes past a tile is lost.
    template <class T>
    int64_t tile(const TileRows& tiles, int64_t i) const {
        return tiles.begin(i) * total + i * Vec<T>::lanes;
    }
};

// m channels of every `stride`th pixel; whole vectors are stored one after the other, so what they
// write past a pixel is written over by the next.
template <class T>
T* copy_pixels(T* dst, const T* src, int64_t pixels, int64_t stride, int64_t m, int64_t readable) {
    using V = Vec<T>;
    for (int64_t i = 0; i < pixels; ++i, src += stride, dst += m) {
        if (readable >= V::lanes && m <= V::lanes)
            V::store(dst, V::load(src));
        else
            for (int64_t j = 0; j < m; j += V::lanes)
                V::store(dst + j, V::load(src + j, readable - j));
    }
    return dst;
}

template <class T>
void load_blocked(const ConvWindow& w, const Blocked& shape, const TileRows& tiles, const T* x,
                  const Chunk& chunk, int64_t index, T* buffer) {
    const ConvDim* d = w.dim;
    const int64_t z0 = d[0].first + chunk.depth * d[0].stride;
    const int64_t y0 = d[1].first + chunk.row * d[1].stride;
    const int64_t x0 = d[2].first + chunk.col * d[2].stride, s = d[2].stride;
    x += chunk.image * d[0].in * d[1].in * d[2].in * w.channels + chunk.group * w.c;
    const int64_t rows = conv_span(d[1], chunk.rows);
    const int64_t cols = conv_span(d[2], chunk.cols);
    for (int64_t t = 0; t < d[0].taps; ++t)
        for (int64_t r = 0; r < rows; ++r) {
            const int64_t z = z0 + t * d[0].dilation, y = y0 + r;
            const bool outside = z < 0 || z >= d[0].in || y < 0 || y >= d[1].in;
            const T* line = x + (z * d[1].in + y) * d[2].in * w.channels;
            const int64_t pixel = index * shape.chunk + t * shape.slice + r * shape.row;
            for (int64_t i = 0; i < tiles.count; ++i) {
                const int64_t m = tiles.size(i), c = tiles.begin(i);
                for (int64_t p = 0; p < s; ++p) {
                    T* dst =
                        buffer + shape.template tile<T>(tiles, i) + (pixel + p * shape.column) * m;
                    // columns x0 + p + j * s that lie in x: j in [from, to)
                    const int64_t first = x0 + p, count = p < cols ? (cols - p - 1) / s + 1 : 0;
                    int64_t from = first < 0 ? (-first + s - 1) / s : 0;
                    int64_t to = first < d[2].in ? (d[2].in - 1 - first) / s + 1 : 0;
                    if (to > count) to = count;
                    if (outside || to < from) from = to = 0;
                    __builtin_memset(dst, 0, size_t(from * m) * sizeof(T));
                    dst = copy_pixels(dst + from * m, line + (first + from * s) * w.channels + c,
                                      to - from, s * w.channels, m, w.c - c);
                    __builtin_memset(dst, 0, size_t((count - to) * m) * sizeof(T));
                }
            }
        }
}

}  // namespace
}  // namespace hb::HB_ISA
