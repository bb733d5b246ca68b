// How a product is computed: which kernel, what is packed, and whether K is split.
#include <algorithm>

#include "ops/epilogue.h"
#include "ops/linear.h"

namespace hb {

namespace {
constexpr int64_t kFewRows = 4;           // then B is streamed
constexpr int64_t kNearBytes = 64 << 10;  // smaller matrices are read in place from the caches
constexpr int64_t kPackRows = 32;         // from so many rows of A on, packing B pays
constexpr int64_t kSplitDepth = 1024;     // the least worth a partial sum of its own
constexpr int64_t kSplitTiles = 64;       // with so many tiles K is not split
constexpr int64_t kTileRowsGuess = 6;
// Few elements of a long sum over rows of A and B, as weights have for a gradient: shares that cut
// the elements would all copy most of A or B, those that cut K copy each row once.
constexpr int64_t kFewElements = 1 << 15;
constexpr int64_t kRowParts = 8;
constexpr int64_t kRowDepth = 256;        // a block of K, the least of such a part
constexpr int64_t kHoistRows = 2048;      // so many rows of A take 50 times what packing B takes
constexpr int64_t kPackedTilePanels = 8;  // from so many panels of B on, packing A pays

// So few rows of A a share, and shares cut columns: A had better be packed once for all of them.
constexpr int64_t kTogether = 96;
constexpr int64_t kTogetherFlops = 1 << 27;  // of products that this pays for

// One B for all products, and A's rows without gaps between them: a single product with more rows.
void merge_products(Product& p) {
    const int64_t batch = int64_t(p.a_offset.size());
    for (int64_t i = 0; i < batch; ++i)
        if (p.b_offset[size_t(i)] != p.b_offset[0] ||
            p.a_offset[size_t(i)] != p.a_offset[0] + i * p.m * p.a_row)
            return;
    p.m *= batch;
    p.a_offset.resize(1);
    p.b_offset.resize(1);
}

// Products too small in M and N to feed the threads sum K in a number of parts that depends on
// shapes only.
int64_t choose_split(const Product& p, int nr) {
    if (p.a_offset.size() == 1 && p.a_col != 1 && p.m * p.n < kFewElements && p.k >= 4 * kRowDepth)
        return ceil_div(ceil_div(p.k, kRowParts), kRowDepth) * kRowDepth;
    const int64_t tiles = ceil_div(p.m, kTileRowsGuess) * ceil_div(p.n, nr);
    if (p.a_offset.size() > 1 || tiles >= kSplitTiles || p.k < 2 * kSplitDepth) return p.k;
    const int64_t parts = std::min({int64_t{16}, p.k / kSplitDepth, ceil_div(kSplitTiles, tiles)});
    return ceil_div(ceil_div(p.k, parts), 256) * 256;
}

bool of_features(const Epilogue& e) { return e.bias || e.scale || e.shift; }
}  // namespace

bool product_in_parts(const Product& p) {
    return is_float(p.dtype) && p.a_offset.size() == 1 && p.n > 1 && p.m > kFewRows &&
           p.k < 2 * kSplitDepth;
}

void emit_product(Emit& e, Product p, const Part* part) {
    merge_products(p);
    const int64_t batch = int64_t(p.a_offset.size());
    if (batch * p.m * p.n == 0) return;
    if (p.n == 1 && p.b_row != 1) p.b_col = 1;
    const GemmKernels& kernels = *e.kernels.gemm;
    const bool f32 = p.dtype == DType::f32;
    const int64_t flops = 2 * batch * p.m * p.n * std::max<int64_t>(p.k, 1);

    // A column is the row of the transposed product.
    if (is_float(p.dtype) && p.n == 1 && !of_features(p.epilogue) && p.m > kFewRows && batch == 1 &&
        (p.a_col == 1 || p.a_row == 1)) {
        std::swap(p.a, p.b);
        std::swap(p.a_offset, p.b_offset);
        const int64_t row = p.a_row, col = p.a_col;
        p.a_row = p.b_col, p.a_col = p.b_row;
        p.b_row = col, p.b_col = row;
        std::swap(p.m, p.n);
        p.b_invariant = false;
    }

    const int64_t* a_offset = e.store(p.a_offset.data(), p.a_offset.size());
    const int64_t* b_offset = e.store(p.b_offset.data(), p.b_offset.size());
    const GemvArgs plain{p.a,      p.b,      p.c,     batch,   p.m,     p.n,     p.k,
                         a_offset, b_offset, p.a_row, p.a_col, p.b_row, p.b_col, p.epilogue};
    if (!is_float(p.dtype)) {
        e.run(p.dtype == DType::i32   ? kernels.naive_i32
              : p.dtype == DType::i64 ? kernels.naive_i64
                                      : kernels.naive_u8,
              plain, 4 * flops);
        return;
    }
    const bool dots = p.b_row == 1 && p.a_col == 1;
    if (p.m <= kFewRows && (p.b_col == 1 || dots)) {
        e.run(f32 ? kernels.gemv_f32 : kernels.gemv_f64, plain, flops);
        return;
    }

    const size_t size = dtype_size(p.dtype);
    const GemmShape& shape = f32 ? kernels.f32 : kernels.f64;
    // A dense transposed A and a dense B, and nothing to be done to the result.
    const bool plain_outer = p.a_row == 1 && p.a_col == p.m && p.b_row == p.n && p.b_col == 1 &&
                             !p.epilogue.any() && !e.attrs.has(kStatistics);
    if (plain_outer && batch == 1 && !part && is_outer(p.m, p.n, p.k)) {
        emit_outer(e, p.dtype, {p.a, p.b, p.c, nullptr, nullptr, p.m, p.n, p.k, nullptr, 0});
        return;
    }
    const int64_t panels = ceil_div(p.n, shape.nr);
    GemmArgs g{p.a,     p.b,           p.c,      batch,   p.m,     p.n,
               p.k,     a_offset,      b_offset, p.a_row, p.a_col, p.b_row,
               p.b_col, BLayout::rows, shape.nr, false,   nullptr, p.epilogue,
               1,       p.k,           nullptr,  0,       0};
    const bool hoist = p.b_invariant && p.m <= kHoistRows && !part;
    const bool wide = p.n > shape.nr / 2;
    const bool far = p.b_row * int64_t(size) >= 1024 && p.k * p.n * int64_t(size) > kNearBytes;
    if (p.b_col != 1 || (wide && p.m >= kPackRows) || (panels > 1 && far))
        g.b_layout = p.m <= 2 * shape.rows && !hoist && !part ? BLayout::strided : BLayout::panels;
    // Columns are long runs as they are; a B in the caches needs none.
    if (far && p.b_col == 1) g.copied = std::min(shape.copied, panels * shape.nr);
    g.pack_a =
        g.b_layout != BLayout::rows && p.m > 2 * kTileRowsGuess && panels >= kPackedTilePanels;
    if (g.b_layout == BLayout::panels) {
        // A B that several products share is packed once.
        std::vector<int64_t> sources, packed;
        for (int64_t offset : p.b_offset) {
            auto found = std::find(sources.begin(), sources.end(), offset);
            packed.push_back((found - sources.begin()) * panels * shape.nr * p.k);
            if (found == sources.end()) sources.push_back(offset);
        }
        const int64_t matrices = int64_t(sources.size());
        void* b = e.prepared(size_t(matrices * panels * shape.nr * p.k) * size, hoist);
        const PackArgs pack{
            p.b, b, e.store(sources.data(), sources.size()), matrices, p.k, p.n, p.b_row, p.b_col};
        if (!part || part->begin == part->end)
            e.prepare(f32 ? kernels.pack_f32 : kernels.pack_f64, pack, matrices * p.k * p.n * 4,
                      hoist);
        g.b = b;
        g.b_offset = e.store(packed.data(), packed.size());
    }
    const bool whole = batch == 1 && !part && !e.attrs.has(kStatistics);  // not slab by slab
    if (g.pack_a && whole && e.threads > 1 && flops >= kTogetherFlops &&
        p.m <= kTogether * e.threads) {
        void* tiles = e.workspace(size_t(p.m * p.k + 16) * size);
        const PackTilesArgs pack{p.a, tiles, p.m, p.k, p.a_row, p.a_col};
        e.run(f32 ? kernels.pack_tiles_f32 : kernels.pack_tiles_f64, pack, p.m * p.k * 4);
        g.a_tiles = tiles;
    }
    if ((g.pack_a && !g.a_tiles) || g.b_layout == BLayout::strided) {
        if (g.b_layout == BLayout::strided) g.a_copy = std::min(p.k, shape.depth) * g.copied;
        g.scratch_stride =
            g.a_copy * int64_t(size) + (g.pack_a && !g.a_tiles ? shape.a_scratch : 0);
        g.scratch = static_cast<char*>(e.workspace(size_t(g.scratch_stride) * size_t(e.threads)));
    }
    g.split_k = choose_split(p, shape.nr);
    g.splits = std::max<int64_t>(1, ceil_div(p.k, std::max<int64_t>(1, g.split_k)));
    const KernelFn gemm = f32 ? kernels.gemm_f32 : kernels.gemm_f64;
    if (part) {
        if (part->begin == part->end) return;
        const int64_t rows = p.m / part->count, first = part->begin * rows;
        g.m = (part->end - part->begin) * rows;
        g.a = static_cast<const char*>(g.a) + size_t(first * p.a_row) * size;
        g.c = static_cast<char*>(g.c) + size_t(first * p.n) * size;
        if (g.epilogue.other)
            g.epilogue.other =
                static_cast<const char*>(g.epilogue.other) + size_t(first * p.n) * size;
        e.run(gemm, g, 2 * g.m * p.n * p.k);
    } else if (g.splits == 1) {
        e.run(gemm, g, flops);
    }
    if (g.splits == 1) return;
    void* partials = e.workspace(size_t(g.splits * p.m * p.n) * size);
    g.c = partials;
    g.epilogue = {};
    e.run(gemm, g, flops);
    const SumPartialsArgs sum{partials, p.c, p.m * p.n, g.splits, p.n, p.epilogue};
    e.run(f32 ? kernels.sum_f32 : kernels.sum_f64, sum, g.splits * p.m * p.n * int64_t(size));
}

}  // namespace hb
