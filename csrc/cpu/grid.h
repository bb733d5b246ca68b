// Shares of a kernel as a grid over rows x columns of equal tasks.
#pragma once

#include "cpu/vec.h"
#include "kernels/kernel.h"

namespace hb::HB_ISA {
namespace {

// What the tasks cost: the arithmetic of one, and what a share reads for each of its rows and each
// of its columns.
struct GridCost {
    double flops, row_bytes, col_bytes;
    int64_t item = int64_t{1} << 62;  // rows that have the same columns: others read their own
};

struct Grid {
    Range rows, cols;
};

// The grid whose largest share costs least. Cutting columns makes every share read the rows that
// it has in common with others once more, which on long rows costs more than an even cut saves.
HB_INLINE Grid grid(int64_t rows, int64_t cols, const GridCost& cost, int thread, int threads) {
    constexpr double kFlopsPerByte = 8;  // of a core: multiply-adds against memory
    int across = 1;
    double best = 0;
    for (int n = 1; n <= threads; ++n) {
        if (threads % n) continue;
        const int m = threads / n;
        const int64_t most = (rows + m - 1) / m;
        const double r = double(most), c = double((cols + n - 1) / n),
                     items = double((most + cost.item - 1) / cost.item);
        const double share =
            r * c * cost.flops + kFlopsPerByte * (r * cost.row_bytes + items * c * cost.col_bytes);
        if (n == 1 || share < best) best = share, across = n;
    }
    return {split(rows, thread / across, threads / across), split(cols, thread % across, across)};
}

}  // namespace
}  // namespace hb::HB_ISA
