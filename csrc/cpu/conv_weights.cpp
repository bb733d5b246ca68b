// The gradient of convolution weights: for each slice of taps, dw (KH*KW*C, F) += x^T dy over the
// pixels of a chunk (for each tap, dw (C, F), where taps of a row are not neighbours). A is the
// window of x read through strides (no transpose), B the chunk of dy in panels, or as it lies where
// a panel holds all features, the batch its rows. Where there are channels enough to fill tiles:
// conv_weights_blocked.cpp. Threads share panels and partial sums; each partial owns a fixed range
// of chunks and another kernel adds them up, so the bits do not depend on the number of threads.
#include "cpu/conv_weights.h"

#include "cpu/strip_tile.h"

namespace hb::HB_ISA {
namespace {

// Runs of neighbouring rows of dw in strips: several runs at once, or pieces of one.
template <class T>
void strip_rows(StripTile<T>& t, const T* x, T* dw, int64_t runs, int64_t run, int n) {
    const int pieces = int((run + kStripRows - 1) / kStripRows);
    const int64_t most = run < kStripRows ? kStripRows / run : 1;
    const int groups = int((runs + most - 1) / most);
    for (int g = 0; g < groups; ++g)
        for (int i = 0; i < pieces; ++i) {
            const Range rows = split(runs, g, groups), part = split(run, i, pieces);
            t.a = x + rows.begin * t.a_run + part.begin;
            t.c = dw + (rows.begin * run + part.begin) * t.c_row;
            strip_tile_fn<T>(rows.end - rows.begin, part.end - part.begin)(t, n);
        }
}

// All tiles of dw at one panel: (+)= the sum over chunks, or zeros where there is none.
template <class T>
void sum_chunk(const ConvWeightsArgs& a, const Tile<T>& t, const Window<T>& view, T* dw, int64_t p,
               const int64_t* from, const int64_t* to) {
    constexpr int64_t panel = kPanel<T>;
    const ConvWindow& w = a.window;
    const ConvDim* d = w.dim;
    const int n = int(a.f - p * panel < panel ? a.f - p * panel : panel);
    const int64_t across = w.merge_taps ? 1 : d[2].taps, down = w.merge_taps ? 1 : d[1].taps;
    const TileRows tiles(conv_weights_rows(w));
    const int64_t run = w.merge_taps ? d[2].taps * w.c : tiles.rows,
                  lines = d[1].dilation * view.row;
    StripTile<T> strip{nullptr,    t.b,     lines,   t.a_step, t.ldb,      t.a_offset,
                       t.b_offset, t.batch, t.depth, nullptr,  a.features, t.accumulate};
    const int64_t taps = d[0].taps * down * across;
    for (int64_t tap = 0; tap < taps; ++tap) {
        const int64_t kw = tap % across, kh = tap / across % down, kd = tap / across / down;
        const T* x = view.data + kd * view.slice + kh * lines + kw * d[2].dilation * view.pixel;
        T* c = dw + tap * tiles.rows * a.features + p * panel;
        if (n <= Vec<T>::lanes) {
            strip_rows(strip, x, c, tiles.rows / run, run, n);
            continue;
        }
        Tile<T> tile = t;
        tile.a = x;
        tile.c = c;
        for (int64_t i = 0; i < tiles.count; ++i) {
            tile.a_rows = from + tiles.begin(i);
            tile.c_rows = to + tiles.begin(i);
            tile_fn<T>(tiles.size(i), n)(tile, n);
        }
    }
}

template <class T>
void weights(const void* args, int thread, int threads) {
    const ConvWeightsArgs& a = *static_cast<const ConvWeightsArgs*>(args);
    constexpr int64_t panel = kPanel<T>, lanes = Vec<T>::lanes;
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
    int64_t* a_offset = scratch.take<int64_t>(w.rows * a.together);
    int64_t* b_offset = scratch.take<int64_t>(w.rows * a.together);
    const int64_t dy_size = a.together * w.rows * w.cols * panel;
    T* dy = scratch.take<T>(a.panels * dy_size);
    const int64_t window = w.in_place ? 0 : conv_window_elements(w, w.c);
    T* buffer = scratch.take<T>(a.together * window);

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
            // A vector that reaches beyond few features reads into the next pixel, but at dy's end.
            const bool direct =
                a.f <= lanes ? index + count < chunks.count : a.f <= panel && a.f % lanes == 0;
            t.ldb = direct ? a.features : panel;
            Window<T> view{};
            t.batch = 0;
            for (int64_t i = 0, pixels = 0; i < count; ++i) {
                const Chunk chunk = chunks.at(w, first + i);
                t.depth = chunk.cols;
                const Window<T> next = load_window<T>(w, (const T*)a.x, chunk, buffer + i * window);
                if (i == 0) view = next;
                for (int64_t r = 0; r < chunk.rows; ++r, ++t.batch, pixels += chunk.cols) {
                    a_offset[t.batch] = next.data - view.data + r * d[1].stride * view.row;
                    b_offset[t.batch] = direct ? dy_row(a, chunk, r) : pixels * panel;
                }
            }
            if (direct) {
                t.b = (const T*)a.dy;
                sum_chunk(a, t, view, dw, 0, from, to);
            }
            for (int64_t p0 = direct ? mine.cols.end : mine.cols.begin; p0 < mine.cols.end;
                 p0 += a.panels) {
                const int64_t p1 = mine.cols.end - p0 < a.panels ? mine.cols.end : p0 + a.panels;
                T* end = dy;
                for (int64_t i = 0; i < count; ++i)
                    end = load_panels<T>(a, chunks.at(w, first + i), p0, p1, end, dy_size);
                for (int64_t p = p0; p < p1; ++p) {
                    t.b = dy + (p - p0) * dy_size;
                    sum_chunk(a, t, view, dw, p, from, to);
                }
            }
            t.accumulate = true;
        }
        if (range.begin == range.end) {
            t.batch = 0;
            for (int64_t p = mine.cols.begin; p < mine.cols.end; ++p)
                sum_chunk(a, t, shape, dw, p, from, to);
        }
    }
}

}  // namespace

void conv_weights_blocked_float(const void*, int, int);
void conv_weights_blocked_double(const void*, int, int);

void conv_weights_float(const void* args, int thread, int threads) {
    const bool blocked = static_cast<const ConvWeightsArgs*>(args)->channels > 0;
    (blocked ? conv_weights_blocked_float : weights<float>)(args, thread, threads);
}
void conv_weights_double(const void* args, int thread, int threads) {
    const bool blocked = static_cast<const ConvWeightsArgs*>(args)->channels > 0;
    (blocked ? conv_weights_blocked_double : weights<double>)(args, thread, threads);
}

}  // namespace hb::HB_ISA
