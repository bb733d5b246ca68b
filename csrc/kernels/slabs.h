// A convolution or product computed slab by slab, and batch normalisation's sums over each slab
// while it is in the caches.
#pragma once

#include "kernels/norm.h"

namespace hb {

enum class SlabOf : uint8_t { product, conv, winograd };

// y (images, rows, pixels, n) in slabs of some whole images or of some rows of one; a product's
// rows are images of one pixel.
struct Slabs {
    int64_t images, rows, pixels, n;
    int64_t slab_images, slab_rows;
};

struct Slab {
    int64_t image, images, row, rows;
};
static inline int64_t slab_count(const Slabs& s) {
    return (s.images + s.slab_images - 1) / s.slab_images *
           ((s.rows + s.slab_rows - 1) / s.slab_rows);
}
static inline Slab slab_at(const Slabs& s, int64_t index) {
    const int64_t down = (s.rows + s.slab_rows - 1) / s.slab_rows;
    const int64_t image = index / down * s.slab_images, row = index % down * s.slab_rows;
    const int64_t images = s.images - image, rows = s.rows - row;
    return {image, images < s.slab_images ? images : s.slab_images, row,
            rows < s.slab_rows ? rows : s.slab_rows};
}

// partial (slabs, 2, n): as `measure` makes it, of y alone (BatchStatsArgs) or, where x is there,
// of y as dy (BatchGradArgs).
struct SlabArgs {
    SlabOf kind;
    KernelFn compute;  // with `args`, all of y: GemmArgs, ConvArgs or WinogradArgs
    const void* args;
    Slabs slabs;
    KernelFn measure;
    int64_t fold;
    const void *x, *mean;
    BatchRelu relu;
    void *y, *partial;
    char* scratch;           // a slab of y for each thread
    int64_t scratch_stride;  // bytes
};

}  // namespace hb
