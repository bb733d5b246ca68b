// c[i] = a[i] B + bias for the rows i of a list: a (m,k), B (k,n) in panels, c (m,n), whose other
// rows become zeros. Tiles take their rows from anywhere, so nothing is moved; a block of rows is
// copied, without the strides at which rows fall onto each other in the caches.
// Shares: a grid over tiles of listed rows and panels. An element is the same sum whatever rows are
// listed. flops: 2 n k for each listed row; bytes: those rows, B once a share, c.
#include "kernels/gemm_rows.h"

#include "cpu/gemm_outer.h"
#include "cpu/grid.h"
#include "cpu/rows.h"

namespace hb::HB_ISA {
namespace {

constexpr int64_t kBlockTiles = 32;
constexpr int64_t kBlockRows = kBlockTiles * kTileRows;

// Between copied rows: no multiple of 4 KB.
int64_t copied_stride(int64_t k) {
    return k < kOuterDepth ? (k + 31) / 32 * 32 + 16 : kOuterDepth + 16;
}

void list(const void* args, int, int) {
    const ListRowsArgs& p = *static_cast<const ListRowsArgs*>(args);
    int64_t count = 0;
    for (int64_t i = 0; i < p.n; ++i) count += p.keep[i];
    p.rows[0] = count;
    int64_t *on = p.rows + 1, *off = on + count;
    for (int64_t i = 0; i < p.n; ++i) *(p.keep[i] ? on : off)++ = i;
}

// Where rows from `row` on begin in an ascending list.
int64_t position(const int64_t* list, int64_t n, int64_t row) {
    int64_t begin = 0;
    while (begin < n) {
        const int64_t middle = (begin + n) / 2;
        if (list[middle] < row)
            begin = middle + 1;
        else
            n = middle;
    }
    return begin;
}

template <class T>
void product(const void* args, int thread, int threads) {
    const RowsProductArgs& p = *static_cast<const RowsProductArgs*>(args);
    constexpr int64_t panel = kPanel<T>, size = sizeof(T);
    const int64_t on = p.rows[0], off = p.m - on;
    const int64_t *kept = p.rows + 1, *others = kept + on;
    const int64_t skipped = position(kept, on, p.first);
    const int64_t count = position(kept, on, p.end) - skipped;
    kept += skipped;
    const int64_t none = position(others, off, p.first);
    const T* a = static_cast<const T*>(p.a);
    T* c = static_cast<T*>(p.c);
    const Range zeros = split(position(others, off, p.end) - none, thread, threads);
    for (int64_t i = none + zeros.begin; i < none + zeros.end; ++i)
        __builtin_memset(c + others[i] * p.n, 0, size_t(p.n * size));
    if (count == 0) return;

    const TileRows tiles(count);
    const Grid mine = grid(tiles.count, (p.n + panel - 1) / panel,
                           {.flops = 2 * double(p.k) * double(kTileRows * panel),
                            .row_bytes = double(p.k * kTileRows * size),
                            .col_bytes = double(p.k * panel * size)},
                           thread, threads);
    T* copy = reinterpret_cast<T*>(p.scratch + thread * p.scratch_stride);
    const int64_t zero = 0, stride = copied_stride(p.k);
    int64_t a_rows[kBlockRows], c_rows[kBlockRows];
    for (int64_t i = 0; i < kBlockRows; ++i) a_rows[i] = i * stride;
    Tile<T> t{};
    t.a_step = 1;
    t.ldb = panel;
    t.a_offset = t.b_offset = &zero;
    t.batch = 1;
    for (int64_t first = mine.rows.begin; first < mine.rows.end; first += kBlockTiles) {
        const int64_t end =
            first + kBlockTiles < mine.rows.end ? first + kBlockTiles : mine.rows.end;
        const int64_t row0 = tiles.begin(first), rows = tiles.begin(end) - row0;
        for (int64_t i = 0; i < rows; ++i) c_rows[i] = kept[row0 + i] * p.n;
        int64_t k = 0;
        do {
            t.depth = p.k - k < kOuterDepth ? p.k - k : kOuterDepth;
            t.accumulate = k > 0;
            for (int64_t i = 0; i < rows; ++i)
                __builtin_memcpy(copy + a_rows[i], a + kept[row0 + i] * p.k + k,
                                 size_t(t.depth * size));
            for (int64_t j = mine.cols.begin; j < mine.cols.end; ++j) {
                const int n = int(p.n - j * panel < panel ? p.n - j * panel : panel);
                t.b = static_cast<const T*>(p.b) + (j * p.k + k) * panel;
                t.c = c + j * panel;
                t.finish.bias = p.bias && k + t.depth == p.k
                                    ? static_cast<const T*>(p.bias) + j * panel
                                    : nullptr;
                Fetch<T> next(j + 1 < mine.cols.end ? t.b + p.k * panel : nullptr, t.depth * panel,
                              end - first);
                for (int64_t i = first; i < end; ++i) {
                    const int64_t at = tiles.begin(i) - row0;
                    t.a = copy + at * stride;
                    t.a_rows = a_rows;
                    t.c_rows = c_rows + at;
                    next.some();
                    const int m = tiles.size(i);
                    tile_fn<T>(m, n)(t, n);
                }
            }
            k += t.depth;
        } while (k < p.k);
    }
}

int64_t product_bytes(const RowsProductArgs& p, int64_t size) {
    return (p.m < kBlockRows ? p.m : kBlockRows) * copied_stride(p.k) * size;
}

int64_t outer_bytes(const OuterArgs& p, int64_t size) {
    const int64_t tiles = TileRows(p.m).count;
    return ((tiles < kOuterTiles ? tiles : kOuterTiles) * kOuterTile +
            2 * kOuterPanels * (size == 4 ? kOuterPanel<float> : kOuterPanel<double>)) *
           size;
}

}  // namespace

void gemm_outer_float(const void*, int, int);
void gemm_outer_double(const void*, int, int);

constinit const GemmRowsKernels gemm_rows_kernels = {
    .list = list,
    .product = {product<float>, product<double>},
    .outer = {gemm_outer_float, gemm_outer_double},
    .product_bytes = product_bytes,
    .outer_bytes = outer_bytes,
};

}  // namespace hb::HB_ISA
