// The gradient of convolution weights where there are channels enough to fill tiles: for each tap,
// dw (C, F) += x^T dy over the pixels of a chunk, with x copied into tiles of channels and dy into
// panels. Threads share panels, blocks of channels and partial sums, as in conv_weights.cpp.
#include "cpu/conv_blocked.h"
#include "cpu/conv_weights.h"

namespace hb::HB_ISA {
namespace {

// Where the rows of all chunks begin: in tiles of the smaller and of the larger size, and in dy.
struct Rows {
    int64_t *smaller, *larger, *dy;
};

// All tiles of a block of channels at a panel: (+)= the sum over chunks, zeros where there is none.
template <class T>
void sum_tiles(const ConvWeightsArgs& a, Tile<T>& t, const Blocked& shape, const TileRows& tiles,
               const T* window, T* dw, int64_t p, const Rows& rows) {
    constexpr int64_t panel = kPanel<T>;
    const ConvWindow& w = a.window;
    const ConvDim* d = w.dim;
    const int n = int(a.f - p * panel < panel ? a.f - p * panel : panel);
    const int least = int(tiles.rows / tiles.count);
    for (int64_t i = 0; i < tiles.count; ++i) {
        const int m = tiles.size(i);
        t.a_offset = m == least ? rows.smaller : rows.larger;
        for (int64_t tap = 0; tap < conv_taps(w); ++tap) {
            const int64_t kw = tap % d[2].taps, kh = tap / d[2].taps % d[1].taps;
            const int64_t at = shape.tap(d, tap / d[2].taps / d[1].taps, kh, kw);
            t.a = window + shape.template tile<T>(tiles, i) + at * m;
            t.c = dw + (tap * w.c + tiles.begin(i)) * a.features + p * panel;
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
    const int64_t panels = (a.f + panel - 1) / panel, blocks = (w.c + a.channels - 1) / a.channels;
    const double chunks_each = double(chunks.count) / double(a.partials), size = sizeof(T);
    const double pixels = chunks_each * double(w.rows * w.cols), c = double(a.channels);
    const Grid mine =
        grid(w.groups * blocks * a.partials, panels,
             {.flops = 2 * pixels * double(conv_taps(w) * panel) * c,
              .row_bytes = chunks_each * double(conv_window_elements(w, 1)) * c * size,
              .col_bytes = 0},
             thread, threads);
    if (mine.cols.begin == mine.cols.end) return;

    Scratch scratch{a.scratch + thread * a.scratch_stride};
    const Blocked shape(w, a.together);
    const int64_t rows = w.rows * a.together, dy_size = rows * w.cols * panel;
    const Rows at{scratch.take<int64_t>(rows), scratch.take<int64_t>(rows),
                  scratch.take<int64_t>(rows)};
    int64_t to[kTileRows];
    for (int64_t i = 0; i < kTileRows; ++i) to[i] = i * a.features;
    T* dy = scratch.take<T>(a.panels * dy_size);
    T* window = scratch.take<T>(0);  // the rest

    Tile<T> t{};
    t.b_offset = at.dy;
    t.c_rows = to;
    for (int64_t u = mine.rows.begin; u < mine.rows.end; ++u) {
        const int64_t partial = u % a.partials, group = u / a.partials / blocks;
        const int64_t channel = u / a.partials % blocks * a.channels;
        const TileRows tiles(w.c - channel < a.channels ? w.c - channel : a.channels);
        const int64_t least = tiles.rows / tiles.count;
        const Range range = split(chunks.count, int(partial), int(a.partials));
        T* dw = (T*)a.dw + (partial * conv_taps(w) * w.c + channel) * a.features + group * a.f;
        int64_t index = range.begin;
        do {  // once at least: a partial sum of nothing is zero
            const int64_t left = range.end - index, count = left < a.together ? left : a.together;
            const int64_t first = group * chunks.count + index;
            t.batch = 0;
            for (int64_t i = 0, pixels = 0; i < count; ++i) {
                const Chunk chunk = chunks.at(w, first + i);
                load_blocked<T>(w, shape, tiles, (const T*)a.x, chunk, channel, i, window);
                for (int64_t r = 0; r < chunk.rows; ++r, ++t.batch, pixels += chunk.cols) {
                    const int64_t pixel = i * shape.chunk + r * d[1].stride * shape.row;
                    at.smaller[t.batch] = pixel * least;
                    at.larger[t.batch] = pixel * (least + 1);
                    at.dy[t.batch] = pixels * panel;
                }
                t.depth = chunk.cols;
            }
            t.accumulate = index > range.begin;
            for (int64_t p0 = mine.cols.begin; p0 < mine.cols.end; p0 += a.panels) {
                const int64_t p1 = mine.cols.end - p0 < a.panels ? mine.cols.end : p0 + a.panels;
                T* end = dy;
                for (int64_t i = 0; i < count; ++i)
                    end = load_panels<T>(a, chunks.at(w, first + i), p0, p1, end, dy_size);
                for (int64_t p = p0; p < p1; ++p) {
                    t.b = dy + (p - p0) * dy_size;
                    sum_tiles(a, t, shape, tiles, window, dw, p, at);
                }
            }
            index += a.together;
        } while (index < range.end);
    }
}

}  // namespace

void conv_weights_blocked_float(const void* args, int thread, int threads) {
    weights<float>(args, thread, threads);
}
void conv_weights_blocked_double(const void* args, int thread, int threads) {
    weights<double>(args, thread, threads);
}

}  // namespace hb::HB_ISA
