// Chunks of outputs and the windows of x that they are computed from: the rows of x with their halo
// of zeros, copied once per chunk into memory of the thread's own, so that the loops over it have
// no edges.
#pragma once

#include "cpu/gemm_tile.h"
#include "cpu/grid.h"
#include "kernels/conv.h"

namespace hb::HB_ISA {
namespace {

struct Chunk {
    int64_t group, image, depth, row, col;  // of the first output
    int64_t rows, cols;
};

struct Chunks {
    int64_t row_blocks, col_blocks, count;  // count: of one group
    HB_INLINE explicit Chunks(const ConvWindow& w)
        : row_blocks((w.dim[1].out + w.rows - 1) / w.rows),
          col_blocks((w.dim[2].out + w.cols - 1) / w.cols),
          count(w.images * w.dim[0].out * row_blocks * col_blocks) {}

    HB_INLINE Chunk at(const ConvWindow& w, int64_t index) const {
        Chunk c{};
        c.col = index % col_blocks * w.cols;
        index /= col_blocks;
        c.row = index % row_blocks * w.rows;
        index /= row_blocks;
        c.depth = index % w.dim[0].out;
        index /= w.dim[0].out;
        c.image = index % w.images;
        c.group = index / w.images;
        c.rows = w.dim[1].out - c.row < w.rows ? w.dim[1].out - c.row : w.rows;
        c.cols = w.dim[2].out - c.col < w.cols ? w.dim[2].out - c.col : w.cols;
        return c;
    }
};

// Element (tap slice, row, column, channel) of a chunk's window.
template <class T>
struct Window {
    const T* data;
    int64_t slice, row, pixel;
};

// Strides are those of full chunks, so they are the same for all chunks.
template <class T>
HB_INLINE Window<T> window_shape(const ConvWindow& w) {
    const ConvDim* d = w.dim;
    if (w.in_place) {
        const int64_t row = d[2].in * w.channels;
        return {nullptr, d[0].dilation * d[1].in * row, row, w.channels};
    }
    const int64_t pixel = w.c, row = conv_span(d[2], w.cols) * pixel;
    return {nullptr, conv_span(d[1], w.rows) * row, row, pixel};
}

template <class T>
Window<T> load_window(const ConvWindow& w, const T* x, const Chunk& chunk, T* buffer) {
    const ConvDim* d = w.dim;
    Window<T> view = window_shape<T>(w);
    const int64_t z0 = d[0].first + chunk.depth * d[0].stride;
    const int64_t y0 = d[1].first + chunk.row * d[1].stride;
    const int64_t x0 = d[2].first + chunk.col * d[2].stride;
    const T* image = x + chunk.image * d[0].in * d[1].in * d[2].in * w.channels + chunk.group * w.c;
    if (w.in_place) {
        view.data = image + ((z0 * d[1].in + y0) * d[2].in + x0) * w.channels;
        return view;
    }
    view.data = buffer;
    const int64_t rows = conv_span(d[1], chunk.rows), cols = conv_span(d[2], chunk.cols);
    int64_t left = x0 < 0 ? -x0 : 0, right = x0 + cols > d[2].in ? x0 + cols - d[2].in : 0;
    if (left > cols) left = cols;
    if (right > cols - left) right = cols - left;
    const int64_t middle = cols - left - right;
    for (int64_t t = 0; t < d[0].taps; ++t) {
        const int64_t z = z0 + t * d[0].dilation;
        for (int64_t r = 0; r < rows; ++r) {
            const int64_t y = y0 + r;
            T* dst = buffer + t * view.slice + r * view.row;
            if (z < 0 || z >= d[0].in || y < 0 || y >= d[1].in || middle == 0) {
                __builtin_memset(dst, 0, size_t(cols * view.pixel) * sizeof(T));
                continue;
            }
            const T* src = image + ((z * d[1].in + y) * d[2].in + x0 + left) * w.channels;
            if (left) __builtin_memset(dst, 0, size_t(left * view.pixel) * sizeof(T));
            dst += left * view.pixel;
            if (w.c == w.channels) {
                __builtin_memcpy(dst, src, size_t(middle * w.c) * sizeof(T));
            } else {
                for (int64_t i = 0; i < middle; ++i)
                    for (int64_t c = 0; c < w.c; ++c) dst[i * w.c + c] = src[i * w.channels + c];
            }
            dst += middle * view.pixel;
            if (right) __builtin_memset(dst, 0, size_t(right * view.pixel) * sizeof(T));
        }
    }
    return view;
}

// Takes pieces of a thread's scratch, each on its own cache lines.
struct Scratch {
    char* at;
    template <class T>
    HB_INLINE T* take(int64_t n) {
        T* here = (T*)at;
        at += (n * int64_t(sizeof(T)) + 63) / 64 * 64;
        return here;
    }
};

}  // namespace
}  // namespace hb::HB_ISA
