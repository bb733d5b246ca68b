// Convolution as batch-reduce GEMM: a tile is 6 output pixels by a panel of features, its batch the
// taps. With dilation 1 a row of taps and its channels are contiguous, so K is KW * C; there is no
// im2col; where all of K is short, flat tiles walk through it in one loop. Threads share chunks of
// outputs and panels of features. Loops as in Georganas et al., arXiv 1808.05567.
#include "kernels/conv.h"

#include "cpu/conv_window.h"
#include "cpu/flat_tile.h"
#include "cpu/gemm_pack.h"

namespace hb::HB_ISA {
namespace {

constexpr int64_t kPanelBytes =
    48 * 1024;  // of a panel of weights that is swept over the tiles at once

template <class T>
void pack(const void* args, int thread, int threads) {
    const ConvPackArgs& p = *static_cast<const ConvPackArgs*>(args);
    constexpr int64_t panel = kPanel<T>;
    const ConvDim* d = p.dim;
    const int64_t taps = d[0].taps * d[1].taps * d[2].taps, panels = (p.f + panel - 1) / panel;
    const Range range = split(p.groups * panels * taps, thread, threads);
    for (int64_t u = range.begin; u < range.end; ++u) {
        const int64_t t = u % taps, j = u / taps % panels * panel, g = u / taps / panels;
        int64_t k[3] = {t / d[2].taps / d[1].taps, t / d[2].taps % d[1].taps, t % d[2].taps};
        for (int i = 0; i < 3; ++i) k[i] = d[i].w_first + k[i] * d[i].w_step;
        const int64_t tap = (k[0] * d[1].w_size + k[1]) * d[2].w_size + k[2];
        const T* src = (const T*)p.w + tap * p.tap_stride + g * p.group_stride + j * p.col;
        pack_panel<T>((T*)p.packed + u * p.c * panel, src, p.row, p.col, p.c,
                      p.f - j < panel ? p.f - j : panel);
    }
}

// Where the window's pixels and the outputs of a chunk `cols` wide are.
template <class T>
void place_pixels(const ConvArgs& a, const Window<T>& view, int64_t cols, int64_t* from,
                  int64_t* to) {
    const ConvWindow& w = a.window;
    const ConvDim* d = w.dim;
    for (int64_t r = 0, i = 0; r < w.rows; ++r)
        for (int64_t c = 0; c < cols; ++c, ++i) {
            from[i] = r * d[1].stride * view.row + c * d[2].stride * view.pixel;
            to[i] = (r * d[1].y_step * d[2].y_size + c * d[2].y_step) * a.features;
        }
}

// Where each tap's channels are in a window, in bytes.
template <class T>
void place_taps(const ConvWindow& w, const Window<T>& shape, int64_t* at) {
    const ConvDim* d = w.dim;
    for (int64_t t = 0; t < conv_taps(w); ++t) {
        const int64_t kw = t % d[2].taps, kh = t / d[2].taps % d[1].taps;
        const int64_t kd = t / d[2].taps / d[1].taps;
        const int64_t tap =
            kd * shape.slice + kh * d[1].dilation * shape.row + kw * d[2].dilation * shape.pixel;
        for (int64_t c = 0; c < w.c; ++c) *at++ = (tap + c) * int64_t(sizeof(T));
    }
}

// A chunk at one panel of n columns, by tiles of pixels of one row.
template <class T>
void flat_chunk(const ConvArgs& a, FlatTile<T>& t, const Window<T>& view, const Chunk& chunk, T* c,
                int n) {
    const ConvDim* d = a.window.dim;
    constexpr int lanes = Vec<T>::lanes;
    const int most = flat_rows((n + lanes - 1) / lanes);
    const int tiles = int((chunk.cols + most - 1) / most);
    const T* other = t.finish.other;
    for (int64_t r = 0; r < chunk.rows; ++r)
        for (int i = 0; i < tiles; ++i) {
            const Range cols = split(chunk.cols, i, tiles);
            t.a = view.data + r * d[1].stride * view.row + cols.begin * d[2].stride * view.pixel;
            const int64_t to = r * d[1].y_step * d[2].y_size * a.features + cols.begin * t.c_row;
            t.c = c + to;
            if (other) t.finish.other = other + to;
            flat_tile_fn<T>(int(cols.end - cols.begin), n)(t, n);
        }
}

template <class T>
void run(const void* args, int thread, int threads) {
    const ConvArgs& a = *static_cast<const ConvArgs*>(args);
    constexpr int64_t panel = kPanel<T>;
    const ConvWindow& w = a.window;
    const ConvDim* d = w.dim;
    const Chunks chunks(w);
    const int64_t panels = (a.f + panel - 1) / panel, all_taps = conv_taps(w);
    const double size = sizeof(T), weights = double(all_taps * w.c * panel) * size;
    const Grid mine = grid(w.groups * chunks.count, panels,
                           {.flops = weights / size * 2 * double(w.rows * w.cols),
                            .row_bytes = double(conv_window_elements(w, w.c)) * size,
                            .col_bytes = weights},
                           thread, threads);
    if (mine.cols.begin == mine.cols.end || mine.rows.begin == mine.rows.end) return;

    Scratch scratch{a.scratch + thread * a.scratch_stride};
    const Window<T> shape = window_shape<T>(w);
    const int64_t taps = w.merge_taps ? d[0].taps * d[1].taps : all_taps;
    const int64_t depth = w.merge_taps ? d[2].taps * w.c : w.c;
    FlatTile<T> flat{};
    if (a.flat) {
        int64_t* at = scratch.take<int64_t>(all_taps * w.c);
        place_taps(w, shape, at);
        flat.a_at = at;
        flat.a_row = d[2].stride * shape.pixel * int64_t(sizeof(T));
        flat.depth = all_taps * w.c;
        flat.c_row = d[2].y_step * a.features;
        const int64_t y = w.images * d[0].y_size * d[1].y_size * d[2].y_size * a.features;
        flat.past_caches = beyond_caches(y * int64_t(sizeof(T))) && a.f % panel == 0 &&
                           uintptr_t(a.y) % kVecBytes == 0;
    }
    int64_t* a_offset = scratch.take<int64_t>(a.flat ? 0 : taps);
    int64_t* b_offset = scratch.take<int64_t>(a.flat ? 0 : taps);
    for (int64_t t = 0; t < (a.flat ? 0 : taps); ++t) {
        const int64_t across = w.merge_taps ? 1 : d[2].taps, kw = t % across, kh = t / across;
        a_offset[t] = kh / d[1].taps * shape.slice + kh % d[1].taps * d[1].dilation * shape.row +
                      kw * d[2].dilation * shape.pixel;
        b_offset[t] = t * depth * panel;
    }
    int64_t* from = scratch.take<int64_t>(a.flat ? 0 : w.rows * w.cols);
    int64_t* to = scratch.take<int64_t>(a.flat ? 0 : w.rows * w.cols);
    T* buffer = w.in_place ? nullptr : scratch.take<T>(conv_window_elements(w, w.c));
    int64_t placed = 0;  // the width of the chunk that `from` and `to` are for

    Tile<T> t{};
    t.a_step = 1;
    t.ldb = panel;
    t.depth = depth;
    const int64_t tap_bytes = depth * panel * int64_t(sizeof(T));
    int64_t step = tap_bytes > 0 ? kPanelBytes / tap_bytes : taps;
    if (step < 1) step = 1;
    for (int64_t u = mine.rows.begin; u < mine.rows.end; ++u) {
        const Chunk chunk = chunks.at(w, u);
        const Window<T> view = load_window<T>(w, (const T*)a.x, chunk, buffer);
        if (!a.flat && chunk.cols != placed) place_pixels(a, view, placed = chunk.cols, from, to);
        const int64_t z = chunk.image * d[0].y_size + d[0].y_first + chunk.depth * d[0].y_step;
        const int64_t y = z * d[1].y_size + d[1].y_first + chunk.row * d[1].y_step;
        const int64_t pixel = y * d[2].y_size + d[2].y_first + chunk.col * d[2].y_step;
        T* c = (T*)a.y + pixel * a.features + chunk.group * a.f;
        const T* b = (const T*)a.w + chunk.group * panels * panel * all_taps * w.c;
        const TileRows tiles(chunk.rows * chunk.cols);
        t.a = view.data;
        for (int64_t p = mine.cols.begin; p < mine.cols.end; ++p) {
            const int64_t j = p * panel;
            const int n = int(a.f - j < panel ? a.f - j : panel);
            t.b = b + j * all_taps * w.c;
            t.c = c + j;
            if (a.flat) {
                flat.b = t.b;
                flat.finish = Finish<T>(a.epilogue, chunk.group * a.f + j, t.c - (T*)a.y);
                flat_chunk(a, flat, view, chunk, c + j, n);
                continue;
            }
            int64_t tap = 0;
            do {
                const int64_t left = taps - tap;
                t.batch = left < step ? left : step;
                t.a_offset = a_offset + tap;
                t.b_offset = b_offset + tap;
                t.accumulate = tap > 0;
                tap += t.batch;
                const bool ends = tap >= taps;
                t.finish = ends ? Finish<T>(a.epilogue, chunk.group * a.f + j, t.c - (T*)a.y)
                                : Finish<T>();
                for (int64_t i = 0; i < tiles.count; ++i) {
                    const int64_t at = tiles.begin(i);
                    t.a_rows = from + at;
                    t.c_rows = to + at;
                    tile_fn<T>(tiles.size(i), n)(t, n);
                }
            } while (tap < taps);
        }
    }
    finish_stores(flat.past_caches);
}

}  // namespace

void conv_weights_float(const void*, int, int);
void conv_weights_double(const void*, int, int);
void spread_float(const void*, int, int);
void spread_double(const void*, int, int);
void winograd_pack(const void*, int, int);
void winograd_run(const void*, int, int);
void winograd_weights_run(const void*, int, int);
void winograd_weights_finish(const void*, int, int);
void depthwise_float(const void*, int, int);
void depthwise_double(const void*, int, int);
void depthwise_weights_float(const void*, int, int);
void depthwise_weights_double(const void*, int, int);
void depthwise_tiles_float(const void*, int, int);
void depthwise_tiles_double(const void*, int, int);
void depthwise_tiles_weights_float(const void*, int, int);
void depthwise_tiles_weights_double(const void*, int, int);

constinit const ConvKernels conv_kernels = {
    .pack_f32 = pack<float>,
    .pack_f64 = pack<double>,
    .run_f32 = run<float>,
    .run_f64 = run<double>,
    .weights_f32 = conv_weights_float,
    .weights_f64 = conv_weights_double,
    .depthwise_f32 = depthwise_float,
    .depthwise_f64 = depthwise_double,
    .depthwise_weights_f32 = depthwise_weights_float,
    .depthwise_weights_f64 = depthwise_weights_double,
    .depthwise_tiles_f32 = depthwise_tiles_float,
    .depthwise_tiles_f64 = depthwise_tiles_double,
    .depthwise_tiles_weights_f32 = depthwise_tiles_weights_float,
    .depthwise_tiles_weights_f64 = depthwise_tiles_weights_double,
    .spread_f32 = spread_float,
    .spread_f64 = spread_double,
    .winograd_pack_f32 = winograd_pack,
    .winograd_f32 = winograd_run,
    .winograd_weights_f32 = winograd_weights_run,
    .winograd_finish_f32 = winograd_weights_finish,
    .nr_f32 = kPanel<float>,
    .nr_f64 = kPanel<double>,
    .panel_vectors = kTileVecs,
};

}  // namespace hb::HB_ISA
