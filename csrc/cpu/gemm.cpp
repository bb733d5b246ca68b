// Matrix products from tiles. K is cut into blocks of fixed size, M into blocks whose part of A
// stays in L2; a panel of B (kDepth x kPanel) stays in L1 while it meets all tiles of the block. A
// is read in place, or packed into tiles where many panels meet them: block by block, or as a whole
// beforehand where most shares would pack the same rows. B is read in place, packed beforehand, or
// copied a few panels at a time where few rows of A meet it, the next ones being fetched meanwhile.
#include "kernels/gemm.h"

#include "cpu/gemm_pack.h"
#include "cpu/grid.h"

namespace hb::HB_ISA {
namespace {

constexpr int64_t kDepth = 256;      // of a K block
constexpr int64_t kBlockTiles = 48;  // tiles of an M block, at most
constexpr int64_t kBlockRows = kBlockTiles * kTileRows;
constexpr int64_t kFewTiles = 8;      // panels of B met by fewer are used up before others arrive
constexpr int64_t kCopiedPanels = 8;  // of B at a time: rows are then read in runs of 512 bytes
constexpr int64_t kShortDepth = 128;  // of sums that take no longer than storing them to memory
constexpr int64_t kFarBytes = int64_t{8} << 20;  // a matrix of that size comes from memory

// Elements of a block of A packed into tiles, and what their last store writes past it.
constexpr int64_t kPacked = kBlockRows * kDepth + 16;

template <class T>
constexpr int64_t kCopied = kCopiedPanels * kPanel<T>;  // columns

template <class T>
void pack(const void* args, int thread, int threads) {
    const PackArgs& p = *static_cast<const PackArgs*>(args);
    // Rows that are contiguous are read in runs of many panels, columns in long runs of their own.
    const bool by_rows = p.col == 1;
    const int64_t panel = kPanel<T>, width = by_rows ? kCopied<T> : panel,
                  rows = by_rows ? 64 : 512;
    const int64_t groups = (p.n + width - 1) / width, blocks = (p.k + rows - 1) / rows;
    const int64_t padded = (p.n + panel - 1) / panel * panel;
    const Range range = split(p.matrices * groups * blocks, thread, threads);
    for (int64_t u = range.begin; u < range.end; ++u) {
        const int64_t k = u % blocks * rows, j = u / blocks % groups * width,
                      m = u / blocks / groups;
        T* dst = (T*)p.dst + m * p.k * padded + j * p.k + k * panel;
        const T* src = (const T*)p.src + p.offsets[m] + k * p.row + j * p.col;
        pack_panels<T>(dst, p.k, src, p.row, p.col, p.k - k < rows ? p.k - k : rows,
                       p.n - j < width ? p.n - j : width);
    }
}

template <class T>
void pack_tiles(const void* args, int thread, int threads) {
    const PackTilesArgs& p = *static_cast<const PackTilesArgs*>(args);
    // Rows are long runs, a tile at a time; columns are read in runs of many tiles.
    const bool by_rows = p.col == 1;
    const int64_t depth = by_rows ? p.k : 64, together = by_rows ? 1 : 16;
    const TileRows tiles(p.m);
    const int64_t groups = (tiles.count + together - 1) / together,
                  blocks = (p.k + depth - 1) / depth;
    const Range range = split(groups * blocks, thread, threads);
    for (int64_t u = range.begin; u < range.end; ++u) {
        const int64_t k = u % blocks * depth, first = u / blocks * together;
        const int64_t last = first + together < tiles.count ? first + together : tiles.count;
        // What is written past a tile's end is the next one's, which may be another share's.
        const int64_t steps = p.k - k < depth ? p.k - k : depth, final = u + 1 == range.end;
        for (int64_t i = first; i < last; ++i) {
            const int64_t at = tiles.begin(i), m = tiles.size(i), whole = steps - final;
            T* dst = (T*)p.dst + at * p.k + k * m;
            const T* src = (const T*)p.src + at * p.row + k * p.col;
            pack_tile<T>(dst, src, p.row, p.col, m, whole);
            for (int64_t r = 0; final && r < m; ++r)
                dst[whole * m + r] = src[r * p.row + whole * p.col];
        }
    }
}

// Where element (i, k) of a block of A is: a[i * row + k * col].
template <class T>
struct Rows {
    const T* a;
    int64_t row, col;
};

// What is read next (rows or columns of the next block of A, of the next panels of B), fetched into
// L2 a few cache lines at a time while tiles compute.
struct Ahead {
    const char* at = nullptr;
    int64_t step = 0, rows = 0, lines = 0;  // bytes between rows; rows left; lines of a row
    int64_t each = 0;                       // lines at a time
    int64_t line = 0;

    HB_INLINE void fetch() {
        for (int64_t i = 0; i < each && rows > 0; ++i) {
            __builtin_prefetch(at + line * 64, 0, 2);
            if (++line == lines) line = 0, --rows, at += step;
        }
    }
};

template <class T>
HB_INLINE Ahead ahead_of(Rows<T> from, int64_t rows, int64_t depth, int64_t calls) {
    const bool across = from.col == 1;
    const int64_t size = sizeof(T), bytes = (across ? depth : rows) * size;
    Ahead ahead{(const char*)from.a, (across ? from.row : from.col) * size, across ? rows : depth,
                (bytes + 63) / 64};
    ahead.each = ahead.lines * ahead.rows / calls + 1;
    return ahead;
}

// One K block: C's rows of tiles [first, last) times panels [p0, p1).
template <class T>
void block(const GemmArgs& g, const T* a, const T* b, T* c, const TileRows& tiles, int64_t first,
           int64_t last, int64_t p0, int64_t p1, int64_t k, int64_t depth, bool begins, bool ends,
           bool past_caches, T* scratch, Ahead ahead) {
    constexpr int64_t panel = kPanel<T>;
    const int64_t row0 = tiles.begin(first), count = last - first, zero = 0;
    a += row0 * g.a_row;
    c += row0 * g.n;
    T* packed = scratch + g.a_copy;
    int64_t begin[kBlockTiles + 1], a_rows[kBlockRows], c_rows[kBlockRows];
    for (int64_t i = 0; i <= count; ++i) begin[i] = tiles.begin(first + i) - row0;
    for (int64_t i = 0; i < begin[count]; ++i) a_rows[i] = i * g.a_row, c_rows[i] = i * g.n;
    for (int64_t i = 0; g.pack_a && !g.a_tiles && i < count; ++i)
        pack_tile<T>(packed + begin[i] * depth, a + begin[i] * g.a_row, g.a_row, g.a_col,
                     begin[i + 1] - begin[i], depth);
    Tile<T> t{};
    t.a = a;
    t.a_step = g.a_col;
    t.a_offset = t.b_offset = &zero;
    t.batch = 1;
    t.depth = depth;
    t.accumulate = !begins;
    t.past_caches = past_caches;
    t.ldb = g.b_layout == BLayout::rows ? g.b_row : panel;
    const int64_t group = g.copied / panel;
    Ahead ahead_b;
    for (int64_t p = p0; p < p1; ++p) {
        const int64_t j = p * panel;
        const int n = int(g.n - j < panel ? g.n - j : panel);
        switch (g.b_layout) {
            case BLayout::rows:
                t.b = b + k * g.b_row + j;
                break;
            case BLayout::panels:
                t.b = b + j * g.k + k * panel;
                if (p + 1 < p1 && count >= kFewTiles)
                    ahead_b = ahead_of<T>({t.b + g.k * panel, 0, 1}, 1, depth * panel, count);
                break;
            case BLayout::strided:
                if ((p - p0) % group == 0) {
                    const int64_t left = (p1 * panel < g.n ? p1 * panel : g.n) - j,
                                  width = left < g.copied ? left : g.copied;
                    const Rows<T> at{b + k * g.b_row + j * g.b_col, g.b_row, g.b_col};
                    pack_panels<T>(scratch, depth, at.a, at.row, at.col, depth, width);
                    const int64_t calls = group * count;
                    if (p + group < p1)
                        ahead_b = ahead_of<T>({at.a + g.copied * at.col, at.row, at.col}, depth,
                                              g.copied, calls);
                    else if (k + depth < g.k)
                        ahead_b = ahead_of<T>(
                            {b + (k + depth) * at.row + p0 * panel * at.col, at.row, at.col}, depth,
                            g.copied, calls);
                }
                t.b = scratch + (p - p0) % group * panel * depth;
                break;
        }
        if (ends) t.finish = Finish<T>(g.epilogue, j, c + j - (T*)g.c);
        for (int64_t i = 0; i < count; ++i) {
            const int64_t at = begin[i];
            const int m = int(begin[i + 1] - at);
            if (g.a_tiles)
                t.a = (const T*)g.a_tiles + (row0 + at) * g.k + k * m;
            else if (g.pack_a)
                t.a = packed + at * depth;
            else
                t.a_rows = a_rows + at;
            t.c = c + j;
            t.c_rows = c_rows + at;
            ahead.fetch();
            ahead_b.fetch();
            if (p + 1 < p1 && !past_caches)  // the same rows at the next panel
                for (int r = 0; r < m; ++r) __builtin_prefetch(t.c + t.c_rows[r] + panel, 1, 2);
            tile_fn<T>(m, n, g.pack_a)(t, n);
        }
    }
}

// Shares form a grid over row tiles (of all products) and panels; any grid gives the same bits.
template <class T>
void gemm(const void* args, int thread, int threads) {
    const GemmArgs& g = *static_cast<const GemmArgs*>(args);
    constexpr int64_t panel = kPanel<T>;
    const TileRows tiles(g.m);
    const int64_t panels = (g.n + panel - 1) / panel;
    const int64_t items = g.batch * g.splits, units = items * tiles.count;
    const double depth = double(g.k) / double(g.splits), size = sizeof(T);
    const double passes = g.b_layout == BLayout::strided ? 3 : 1;  // read, written, read again
    const Grid mine =
        grid(units, panels,
             {.flops = 2 * depth * double(kTileRows * panel),
              .row_bytes = (g.pack_a && !g.a_tiles ? 3 : 1) * depth * double(kTileRows) * size,
              .col_bytes = passes * depth * double(panel) * size,
              .item = tiles.count},
             thread, threads);
    const Range rows = mine.rows, cols = mine.cols;
    if (cols.begin == cols.end) return;
    T* scratch = (T*)(g.scratch + thread * g.scratch_stride);
    const bool past_caches = g.k <= kShortDepth && g.n % panel == 0 && g.splits == 1 &&
                             uintptr_t(g.c) % kVecBytes == 0 &&
                             beyond_caches(g.batch * g.m * g.n * int64_t(sizeof(T)));
    const bool far = !g.a_tiles && (g.a_col == 1 || g.a_row == 1) &&
                     (g.follow > 0 || g.m * g.k * int64_t(sizeof(T)) >= kFarBytes);

    for (int64_t u = rows.begin; u < rows.end;) {
        const int64_t item = u / tiles.count, first = u % tiles.count;
        int64_t last = first + (rows.end - u);
        if (last > tiles.count) last = tiles.count;
        u += last - first;
        const int64_t product = g.splits > 1 ? 0 : item;
        const int64_t k0 = g.splits > 1 ? item * g.split_k : 0;
        const int64_t k1 = g.splits > 1 && k0 + g.split_k < g.k ? k0 + g.split_k : g.k;
        const T* b = (const T*)g.b + g.b_offset[product];
        T* c = (T*)g.c + item * g.m * g.n;
        const T* a = (const T*)g.a + g.a_offset[product];
        const int64_t blocks = (last - first + kBlockTiles - 1) / kBlockTiles,
                      block_tiles = (last - first + blocks - 1) / blocks;
        int64_t k = k0;
        do {
            const int64_t depth = k1 - k < kDepth ? k1 - k : kDepth;
            for (int64_t i = first, end; i < last; i = end) {
                end = i + block_tiles < last ? i + block_tiles : last;
                Ahead ahead;
                const bool same = end < last;  // the next block has the same columns
                const int64_t next_k = same ? k : k + depth;
                if (far && next_k < k1) {
                    const int64_t i0 = same ? end : first;
                    const int64_t i1 = i0 + block_tiles < last ? i0 + block_tiles : last;
                    const int64_t row = tiles.begin(i0);
                    ahead = ahead_of<T>({a + row * g.a_row + next_k * g.a_col, g.a_row, g.a_col},
                                        tiles.begin(i1) - row,
                                        k1 - next_k < kDepth ? k1 - next_k : kDepth,
                                        (end - i) * (cols.end - cols.begin));
                } else if (g.follow > 0 && !same) {
                    ahead = ahead_of<T>({a + g.m * g.a_row, g.a_row, g.a_col}, g.follow,
                                        g.k < kDepth ? g.k : kDepth,
                                        (end - i) * (cols.end - cols.begin));
                }
                block(g, a + k * g.a_col, b, c, tiles, i, end, cols.begin, cols.end, k, depth,
                      k == k0, k + depth == k1, past_caches, scratch, ahead);
            }
            k += depth;
        } while (k < k1);
    }
    finish_stores(past_caches);
}

template <class T>
void sum_partials(const void* args, int thread, int threads) {
    const SumPartialsArgs& s = *static_cast<const SumPartialsArgs*>(args);
    using V = Vec<T>;
    const T* x = (const T*)s.x;
    const bool features = s.epilogue.bias || s.epilogue.scale || s.epilogue.shift;
    const Range blocks = split((s.n + V::lanes - 1) / V::lanes, thread, threads);
    for (int64_t u = blocks.begin; u < blocks.end; ++u) {
        const int64_t i = u * V::lanes, left = s.n - i;
        typename V::type sum = V::load(x + i, left);
        for (int64_t r = 1; r < s.count; ++r) sum += V::load(x + r * s.n + i, left);
        const int64_t f = i % s.period;
        if (f + V::lanes <= s.period || left <= s.period - f || !features) {
            V::store((T*)s.y + i, Finish<T>(s.epilogue, f, i)(sum, 0, 0, left), left);
            continue;
        }
        for (int l = 0; l < V::lanes && l < left; ++l) {  // a vector across rows
            const Finish<T> finish(s.epilogue, (i + l) % s.period, i + l);
            V::store((T*)s.y + i + l, finish(V::splat(sum[l]), 0, 0, 1), 1);
        }
    }
}

template <class T>
constexpr GemmShape shape() {
    return {kPanel<T>, kDepth, kCopied<T>, kPacked * int64_t(sizeof(T)), int(kBlockRows)};
}

}  // namespace

void gemv_float(const void*, int, int);
void gemv_double(const void*, int, int);
void naive_gemm_int32(const void*, int, int);
void naive_gemm_int64(const void*, int, int);
void naive_gemm_uint8(const void*, int, int);

constinit const GemmKernels gemm_kernels = {
    .pack_f32 = pack<float>,
    .pack_f64 = pack<double>,
    .pack_tiles_f32 = pack_tiles<float>,
    .pack_tiles_f64 = pack_tiles<double>,
    .gemm_f32 = gemm<float>,
    .gemm_f64 = gemm<double>,
    .gemv_f32 = gemv_float,
    .gemv_f64 = gemv_double,
    .sum_f32 = sum_partials<float>,
    .sum_f64 = sum_partials<double>,
    .naive_i32 = naive_gemm_int32,
    .naive_i64 = naive_gemm_int64,
    .naive_u8 = naive_gemm_uint8,
    .f32 = shape<float>(),
    .f64 = shape<double>(),
};

}  // namespace hb::HB_ISA
