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

// Tiles of one size next to one another: pixel q of tile i lies at data + i * step + q * m.
template <class T>
struct SameTiles {
    T* data;
    int64_t step, m, count, channel;  // channel: of the first tile
    HB_INLINE SameTiles(const Blocked& shape, const TileRows& tiles, T* buffer, int64_t first,
                        int64_t last)
        : data(buffer + shape.template tile<T>(tiles, first)),
          step(0),
          m(first < last ? tiles.size(first) : 0),
          count(last - first),
          channel(tiles.begin(first)) {
        step = m * shape.total + Vec<T>::lanes;
    }
    HB_INLINE void clear(int64_t pixel, int64_t pixels) const {
        for (int64_t i = 0; i < count && pixels > 0; ++i)
            __builtin_memset(data + i * step + pixel * m, 0, size_t(pixels * m) * sizeof(T));
    }
    // All channels of a pixel, of which `readable` follow from src on. Whole vectors are stored
    // pixel after pixel, so what they write past one is written over by the next.
    HB_INLINE void copy(int64_t pixel, const T* src, int64_t readable) const {
        using V = Vec<T>;
        T* dst = data + pixel * m;
        int64_t i = 0;
        for (; i < count && (i + 1) * m + V::lanes <= readable; ++i, dst += step, src += m) {
            V::store(dst, V::load(src));
#pragma GCC unroll 4
            for (int64_t j = V::lanes; j < kTileRows; j += V::lanes)
                if (j < m) V::store(dst + j, V::load(src + j));
        }
        for (; i < count; ++i, dst += step, src += m)
            for (int64_t j = 0; j < m; j += V::lanes)
                V::store(dst + j, V::load(src + j, readable - i * m - j));
    }
};

// The chunk's window at the channels from c on, as the `index`th of those that are summed together.
template <class T>
void load_blocked(const ConvWindow& w, const Blocked& shape, const TileRows& tiles, const T* x,
                  const Chunk& chunk, int64_t c, int64_t index, T* buffer) {
    const ConvDim* d = w.dim;
    const int64_t z0 = d[0].first + chunk.depth * d[0].stride;
    const int64_t y0 = d[1].first + chunk.row * d[1].stride;
    const int64_t x0 = d[2].first + chunk.col * d[2].stride, s = d[2].stride;
    x += chunk.image * d[0].in * d[1].in * d[2].in * w.channels + chunk.group * w.c + c;
    const int64_t rows = conv_span(d[1], chunk.rows), cols = conv_span(d[2], chunk.cols);
    const int64_t larger = tiles.rows % tiles.count;
    const SameTiles<T> some(shape, tiles, buffer, 0, larger);
    const SameTiles<T> others(shape, tiles, buffer, larger, tiles.count);
    for (int64_t t = 0; t < d[0].taps; ++t)
        for (int64_t r = 0; r < rows; ++r) {
            if (d[1].taps == 1 && r % d[1].stride) continue;  // of no tap
            const int64_t z = z0 + t * d[0].dilation, y = y0 + r;
            const bool outside = z < 0 || z >= d[0].in || y < 0 || y >= d[1].in;
            const T* line = x + (z * d[1].in + y) * d[2].in * w.channels;
            for (int64_t p = 0; p < (d[2].taps == 1 ? 1 : s); ++p) {
                const int64_t pixel =
                    index * shape.chunk + t * shape.slice + r * shape.row + p * shape.column;
                // columns first + j * s that lie in x: j in [from, to)
                const int64_t first = x0 + p, count = p < cols ? (cols - p - 1) / s + 1 : 0;
                int64_t from = first < 0 ? (-first + s - 1) / s : 0;
                int64_t to = first < d[2].in ? (d[2].in - 1 - first) / s + 1 : 0;
                if (to > count) to = count;
                if (outside || to < from) from = to = 0;
                some.clear(pixel, from);
                others.clear(pixel, from);
                for (int64_t j = from; j < to; ++j) {
                    const T* src = line + (first + j * s) * w.channels;
                    some.copy(pixel + j, src, w.c - c);
                    others.copy(pixel + j, src + others.channel, w.c - c - others.channel);
                }
                some.clear(pixel + to, count - to);
                others.clear(pixel + to, count - to);
            }
        }
}

}  // namespace
}  // namespace hb::HB_ISA
