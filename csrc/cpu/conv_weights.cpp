// The gradient of convolution weights: for each slice of taps, dw (KH*KW*C, F) += x^T dy over the
// pixels of a chunk (for each tap, dw (C, F), where taps of a row are not neighbours). A is the
// window of x read through strides (no transpose) or, where there are channels enough to fill
// tiles, copied into tiles of them; B is the chunk of dy in panels, the batch its rows. Threads
// share panels and partial sums; each partial owns a fixed range of chunks and another kernel adds
// them up, so the bits do not depend on the number of threads.
#include "cpu/conv_blocked.h"

namespace hb::HB_ISA {
namespace {

// Panels [p0, p1) of a chunk of dy, zeros past f: dst (p1 - p0, size), of which the chunk's pixels
// begin at dst. Pixels are read once, in long runs. Returns where the next chunk's begin.
template <class T>
T* load_panels(const ConvWeightsArgs& a, const Chunk& chunk, int64_t p0, int64_t p1, T* dst,
               int64_t size) {
    using V = Vec<T>;
    constexpr int64_t panel = kPanel<T>, lanes = V::lanes;
    const ConvDim* d = a.window.dim;
    const int64_t z = chunk.image * d[0].out + chunk.depth;
    const T* dy = (const T*)a.dy + chunk.group * a.f + p0 * panel +
                  ((z * d[1].out + chunk.row) * d[2].out + chunk.col) * a.features;
    const int64_t count =
        a.f - p0 * panel < (p1 - p0) * panel ? a.f - p0 * panel : (p1 - p0) * panel;
    for (int64_t r = 0; r < chunk.rows; ++r) {
        const T* src = dy + r * d[2].out * a.features;
        for (int64_t c = 0; c < chunk.cols; ++c, src += a.features, dst += panel) {
            T* to = dst;
            int64_t j = 0;
            for (; j + panel <= count; j += panel, to += size)
#pragma GCC unroll 4
                for (int64_t l = 0; l < panel; l += lanes) V::store(to + l, V::load(src + j + l));
            for (int64_t l = 0; j < count && l < panel; l += lanes)
                V::store(to + l, count - j > l ? V::load(src + j + l, count - j - l) : V::zero());
        }
    }
    return dst;
}

// All tiles of dw at one panel: (+)= the sum over chunks, or zeros where there is none.
template <class T>
void sum_chunk(const ConvWeightsArgs& a, Tile<T>& t, const Window<T>& view, T* dw, int64_t p,
               const int64_t* from, const int64_t* to) {
    constexpr int64_t panel = kPanel<T>;
    const ConvWindow& w = a.window;
    const ConvDim* d = w.dim;
    const int n = int(a.f - p * panel < panel ? a.f - p * panel : panel);
    const int64_t across = w.merge_taps ? 1 : d[2].taps, down = w.merge_taps ? 1 : d[1].taps;
    const TileRows tiles(conv_weights_rows(w));
    const int64_t taps = d[0].taps * down * across;
    for (int64_t tap = 0; tap < taps; ++tap) {
        const int64_t kw = tap % across, kh = tap / across % down, kd = tap / across / down;
        t.a = view.data + kd * view.slice + kh * d[1].dilation * view.row +
              kw * d[2].dilation * view.pixel;
        t.c = dw + tap * tiles.rows * a.features + p * panel;
        for (int64_t i = 0; i < tiles.count; ++i) {
            t.a_rows = from + tiles.begin(i);
            t.c_rows = to + tiles.begin(i);
            tile_fn<T>(tiles.size(i), n)(t, n);
        }
    }
}

// The same from a window in tiles of channels; offsets, more: of its rows, for tiles of each size.
template <class T>
void sum_blocked(const ConvWeightsArgs& a, Tile<T>& t, const Blocked& shape, const TileRows& tiles,
                 const T* window, T* dw, int64_t p, const int64_t* offsets, const int64_t* more,
                 const int64_t* to) {
    constexpr int64_t panel = kPanel<T>;
    const ConvDim* d = a.window.dim;
    const int n = int(a.f - p * panel < panel ? a.f - p * panel : panel);
    const int least = int(tiles.rows / tiles.count);
    t.c_rows = to;
    for (int64_t i = 0; i < tiles.count; ++i) {
        const int m = tiles.size(i);
        t.a_offset = m == least ? offsets : more;
        for (int64_t tap = 0; tap < conv_taps(a.window); ++tap) {
            const int64_t kw = tap % d[2].taps, kh = tap / d[2].taps % d[1].taps;
            const int64_t at = shape.tap(d, tap / d[2].taps / d[1].taps, kh, kw);
            t.a = window + shape.template tile<T>(tiles, i) + at * m;
            t.c = dw + (tap * tiles.rows + tiles.begin(i)) * a.features + p * panel;
            tile_fn<T>(m, n, true)(t, n);
        }
    }
}

template <class T>
void weights(const void* args, int thread, int threads) {
    const ConvWeightsArgs& a = *static_cast<const ConvWeightsArgs*>(args);
    constexpr int64_t panel = kPanel<T>;
    const ConvWindow& w = a.window;
    const ConvDim* d = w.dim;
    const Chunks chunks(w);
    const int64_t panels = (a.f + panel - 1) / panel;
    const double chunks_each = double(chunks.count) / double(a.partials);
    const double pixels = chunks_each * double(w.rows * w.cols), size = sizeof(T);
    const Grid mine = grid(w.groups * a.partials, panels,
                           {.flops = 2 * pixels * double(conv_taps(w) * w.c * panel),
                            .row_bytes = chunks_each * double(conv_window_elements(w, w.c)) * size,
                            .col_bytes = 0},
                           thread, threads);
    if (mine.cols.begin == mine.cols.end) return;

    Scratch scratch{a.scratch + thread * a.scratch_stride};
    const Window<T> shape = window_shape<T>(w);
    const int64_t rows = conv_weights_rows(w), across = w.merge_taps ? d[2].taps * w.c : rows;
    int64_t* from = scratch.take<int64_t>(rows);
    int64_t* to = scratch.take<int64_t>(rows);
    for (int64_t i = 0; i < rows; ++i) {
        from[i] = i / across * d[1].dilation * shape.row + i % across;
        to[i] = i * a.features;
    }
    const TileRows tiles(w.c);
    const int64_t least = tiles.rows / tiles.count;
    const Blocked blocked(w, a.together);
    int64_t* a_offset = scratch.take<int64_t>(w.rows * a.together);
    int64_t* more = scratch.take<int64_t>(w.rows * a.together);  // of a tile with one more row
    int64_t* b_offset = scratch.take<int64_t>(w.rows * a.together);
    const int64_t dy_size = a.together * w.rows * w.cols * panel;
    T* dy = scratch.take<T>(a.panels * dy_size);
    const int64_t window = w.in_place ? 0 : conv_window_elements(w, w.c);
    T* buffer = scratch.take<T>(a.blocked ? blocked.elements<T>(tiles) : a.together * window);

    Tile<T> t{};
    t.a_step = d[2].stride * shape.pixel;
    t.ldb = panel;
    t.a_offset = a_offset;
    t.b_offset = b_offset;
    for (int64_t u = mine.rows.begin; u < mine.rows.end; ++u) {
        const int64_t group = u / a.partials, partial = u % a.partials;
        const Range range = split(chunks.count, int(partial), int(a.partials));
        T* dw = (T*)a.dw + partial * conv_taps(w) * w.c * a.features + group * a.f;
        t.accumulate = false;
        for (int64_t index = range.begin; index < range.end; index += a.together) {
            const int64_t count = range.end - index < a.together ? range.end - index : a.together;
            const int64_t first = group * chunks.count + index;
            Window<T> view{};
            t.batch = 0;
            for (int64_t i = 0, pixels = 0; i < count; ++i) {
                const Chunk chunk = chunks.at(w, first + i);
                t.depth = chunk.cols;
                if (a.blocked) {
                    load_blocked<T>(w, blocked, tiles, (const T*)a.x, chunk, i, buffer);
                    for (int64_t r = 0; r < chunk.rows; ++r, ++t.batch, pixels += chunk.cols) {
                        const int64_t at = i * blocked.chunk + r * d[1].stride * blocked.row;
                        a_offset[t.batch] = at * least;
                        more[t.batch] = at * (least + 1);
                        b_offset[t.batch] = pixels * panel;
                    }
                    continue;
                }
                const Window<T> next = load_window<T>(w, (const T*)a.x, chunk, buffer + i * window);
                if (i == 0) view = next;
                for (int64_t r = 0; r < chunk.rows; ++r, ++t.batch, pixels += chunk.cols) {
                    a_offset[t.batch] = next.data - view.data + r * d[1].stride * view.row;
                    b_offset[t.batch] = pixels * panel;
                }
            }
            for (int64_t p0 = mine.cols.begin; p0 < mine.cols.end; p0 += a.panels) {
                const int64_t p1 = mine.cols.end - p0 < a.panels ? mine.cols.end : p0 + a.panels;
                T* end = dy;
                for (int64_t i = 0; i < count; ++i)
                    end = load_panels<T>(a, chunks.at(w, first + i), p0, p1, end, dy_size);
                for (int64_t p = p0; p < p1; ++p) {
                    t.b = dy + (p - p0) * dy_size;
                    if (a.blocked)
                        sum_blocked(a, t, blocked, tiles, buffer, dw, p, a_offset, more, to);
                    else
                        sum_chunk(a, t, view, dw, p, from, to);
                }
            }
            t.accumulate = true;
        }
        if (range.begin == range.end) {
            t.batch = 0;
            t.a_offset = a_offset;
            for (int64_t p = mine.cols.begin; p < mine.cols.end; ++p)
                sum_chunk(a, t, shape, dw, p, from, to);
        }
    }
}

}  // namespace

void conv_weights_float(const void* args, int thread, int threads) {
    weights<float>(args, thread, threads);
}
void conv_weights_double(const void* args, int thread, int threads) {
    weights<double>(args, thread, threads);
}

}  // namespace hb::HB_ISA
