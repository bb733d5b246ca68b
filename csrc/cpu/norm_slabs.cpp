// Batch normalisation's sums where its input, or the gradient that comes to it, is made: a slab of
// a convolution's or a product's results is computed into memory that stays in L2, summed there,
// and then goes past the caches to where it belongs. Reading it again from memory is saved, and so
// is reading the lines it is written to. Slabs depend on shapes alone.
#include "cpu/stream.h"
#include "kernels/conv.h"
#include "kernels/gemm.h"
#include "kernels/slabs.h"
#include "kernels/winograd.h"

namespace hb::HB_ISA {
namespace {

template <class T>
HB_INLINE const void* moved(const void* p, int64_t elements) {
    return p ? static_cast<const T*>(p) + elements : nullptr;
}

// `a` with the epilogue of the elements from `first` on, its results in `y`, and this thread's
// scratch as that of the only one.
template <class T, class Args>
HB_INLINE Args of_slab(const void* args, int64_t first, int thread) {
    Args a = *static_cast<const Args*>(args);
    a.epilogue.other = moved<T>(a.epilogue.other, first);
    if (a.scratch) a.scratch += thread * a.scratch_stride;
    return a;
}

template <class T>
void compute(const SlabArgs& p, const Slab& slab, int64_t first, T* y, int thread) {
    switch (p.kind) {
        case SlabOf::product: {
            GemmArgs g = of_slab<T, GemmArgs>(p.args, first, thread);
            g.a = moved<T>(g.a, slab.image * g.a_row);
            g.c = y;
            g.m = slab.images;
            const int64_t left = p.slabs.images - slab.image - slab.images;
            g.follow = left < p.slabs.slab_images ? left : p.slabs.slab_images;
            return p.compute(&g, 0, 1);
        }
        case SlabOf::conv: {
            ConvArgs c = of_slab<T, ConvArgs>(p.args, first, thread);
            ConvDim(&d)[3] = c.window.dim;
            c.x = moved<T>(c.x, slab.image * d[0].in * d[1].in * d[2].in * c.window.channels);
            c.y = y;
            c.window.images = slab.images;
            d[1].first += slab.row * d[1].stride;
            d[1].out = d[1].y_size = slab.rows;
            return p.compute(&c, 0, 1);
        }
        case SlabOf::winograd: {
            WinogradArgs w = of_slab<T, WinogradArgs>(p.args, first, thread);
            WinogradShape& s = w.shape;
            w.x = moved<T>(w.x, slab.image * s.in_h * s.in_w * s.channels);
            w.y = y;
            s.images = slab.images;
            s.first_h += slab.row;
            s.out_h = slab.rows;
            return p.compute(&w, 0, 1);
        }
    }
}

template <class T>
void run(const void* args, int thread, int threads) {
    const SlabArgs& p = *static_cast<const SlabArgs*>(args);
    const Slabs& s = p.slabs;
    T* y = (T*)(p.scratch + thread * p.scratch_stride);
    const Range range = split(slab_count(s), thread, threads);
    for (int64_t i = range.begin; i < range.end; ++i) {
        const Slab slab = slab_at(s, i);
        const int64_t rows = slab.images * slab.rows * s.pixels;
        const int64_t first = (slab.image * s.rows + slab.row) * s.pixels * s.n;
        T* partial = (T*)p.partial + i * 2 * s.n;
        compute<T>(p, slab, first, y, thread);
        if (p.x) {
            const BatchGradArgs sums{
                moved<T>(p.x, first), p.mean, y, p.relu, partial, rows, s.n, 1, p.fold};
            p.measure(&sums, 0, 1);
        } else {
            const BatchStatsArgs stats{y, partial, rows, s.n, 1, p.fold};
            p.measure(&stats, 0, 1);
        }
        copy_past_caches((char*)((T*)p.y + first), (const char*)y, rows * s.n * int64_t(sizeof(T)));
    }
    finish_stores(true);
}

}  // namespace

void batch_slabs_float(const void* args, int thread, int threads) {
    run<float>(args, thread, threads);
}
void batch_slabs_double(const void* args, int thread, int threads) {
    run<double>(args, thread, threads);
}

}  // namespace hb::HB_ISA
