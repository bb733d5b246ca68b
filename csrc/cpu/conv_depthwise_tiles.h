// Tiles of depthwise convolutions of 3x3 taps: which inputs and outputs they have and where those
// are.
#pragma once

#include "cpu/conv_window.h"

namespace hb::HB_ISA {
namespace {

constexpr int kTaps = 3;  // each way

// Which tap an output and an input of a tile meet at, along either axis; -1: none.
template <int Stride, int Rows, int Cols>
struct Forward {
    static constexpr int out_rows = Rows, out_cols = Cols;
    static constexpr int in_rows = (Rows - 1) * Stride + kTaps;
    static constexpr int in_cols = (Cols - 1) * Stride + kTaps;
    static constexpr int tap(int out, int in) {
        const int tap = in - out * Stride;
        return tap >= 0 && tap < kTaps ? tap : -1;
    }
};
// Inputs are dy, two neighbours each way; outputs a pair of dx: the first meets both, at the last
// tap and at the first.
struct Backward {
    static constexpr int out_rows = 2, out_cols = 2, in_rows = 2, in_cols = 2;
    static constexpr int tap(int out, int in) { return out == 0 ? 2 - 2 * in : in == 1 ? 1 : -1; }
};

// A tile's inputs and outputs at channel 0. At an edge each for itself: zeros in the place of
// inputs that there are not, and where outputs that there are not may go.
template <class T, class G>
struct Place {
    const T* x;
    T* y;
    int64_t pixel, x_row, y_row;
    const T* at[G::in_rows][G::in_cols];
    int64_t to[G::out_rows * G::out_cols];  // from y on
    bool there[G::out_rows * G::out_cols];
};

template <class T, class G>
HB_INLINE void place_edge(const DepthwiseTiles& a, Place<T, G>& here, const T* image,
                          int64_t in_row, int64_t in_col, int64_t out_row, int64_t out_col,
                          const T* zeros, const T* nowhere) {
    const auto inside = [](int64_t i, int64_t n) { return i >= 0 && i < n; };
    for (int i = 0; i < G::in_rows; ++i)
        for (int q = 0; q < G::in_cols; ++q) {
            const int64_t row = in_row + i, col = in_col + q;
            const bool there = inside(row, a.rows.in) && inside(col, a.cols.in);
            here.at[i][q] = there ? image + row * here.x_row + col * here.pixel : zeros;
        }
    for (int i = 0; i < G::out_rows * G::out_cols; ++i) {
        const int64_t row = i / G::out_cols, col = i % G::out_cols;
        here.there[i] = inside(out_row + row, a.rows.out) && inside(out_col + col, a.cols.out);
        here.to[i] = here.there[i] ? row * here.y_row + col * here.pixel : nowhere - here.y;
    }
}

// inner(place) or edge(place) for all tiles of a range of their rows.
template <class T, class G, class Inner, class Edge>
HB_INLINE void walk(const DepthwiseTiles& a, Range range, const T* zeros, T* nowhere, Inner inner,
                    Edge edge) {
    const DepthwiseAxis &rows = a.rows, &cols = a.cols;
    Place<T, G> here;
    here.pixel = a.channels;
    here.x_row = cols.in * a.channels, here.y_row = cols.out * a.channels;
    for (int64_t u = range.begin; u < range.end; ++u) {
        const int64_t image = u / rows.tiles, r = u % rows.tiles;
        const T* x = (const T*)a.x + image * rows.in * here.x_row;
        T* y = (T*)a.y + image * rows.out * here.y_row;
        const int64_t in_row = rows.in_first + r * rows.in_step;
        const int64_t out_row = rows.out_first + r * G::out_rows;
        const bool whole = in_row >= 0 && in_row + G::in_rows <= rows.in && out_row >= 0 &&
                           out_row + G::out_rows <= rows.out;
        for (int64_t t = 0; t < cols.tiles; ++t) {
            const int64_t in_col = cols.in_first + t * cols.in_step;
            const int64_t out_col = cols.out_first + t * G::out_cols;
            here.y = y + out_row * here.y_row + out_col * here.pixel;
            if (whole && in_col >= 0 && in_col + G::in_cols <= cols.in && out_col >= 0 &&
                out_col + G::out_cols <= cols.out) {
                here.x = x + in_row * here.x_row + in_col * here.pixel;
                inner(here);
            } else {
                place_edge(a, here, x, in_row, in_col, out_row, out_col, zeros, (const T*)nowhere);
                edge(here);
            }
        }
    }
}

}  // namespace
}  // namespace hb::HB_ISA
