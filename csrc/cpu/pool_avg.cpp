// Pooling by the mean, and its gradient.
#include "cpu/pool_pairs.h"

namespace hb::HB_ISA {
namespace {

template <class T, int NV>
HB_INLINE void avg_block(const PoolArgs& a, const Pixel& at, const T* x, T* y, int64_t n) {
    using V = Vec<T>;
    const PoolDim &pd = a.dim[0], &ph = a.dim[1], &pw = a.dim[2];
    const PoolSpan d = pd.taps[at.d], h = ph.taps[at.h], w = pw.taps[at.w];
    typename V::type sum[NV] = {};
    for (int64_t i = d.begin; i < d.end; ++i)
        for (int64_t j = h.begin; j < h.end; ++j) {
            const int64_t row =
                (at.d * pd.stride - pd.low + i) * ph.in + at.h * ph.stride - ph.low + j;
            const T* p = x + (row * pw.in + at.w * pw.stride - pw.low + w.begin) * a.channels;
            for (int64_t k = w.begin; k < w.end; ++k, p += a.channels)
#pragma GCC unroll 4
                for (int v = 0; v < NV; ++v)
                    sum[v] += NV > 1 ? V::load(p + v * V::lanes) : V::load(p, n);
        }
    const T count = T((d.end - d.begin) * (h.end - h.begin) * (w.end - w.begin));
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) V::store(y + v * V::lanes, sum[v] / V::splat(count), n);
}

template <class T, int NV>
HB_INLINE void avg_grad_block(const PoolArgs& a, const Pixel& at, const T* dy, T* dx, int64_t n) {
    using V = Vec<T>;
    const PoolDim &pd = a.dim[0], &ph = a.dim[1], &pw = a.dim[2];
    const PoolSpan d = pd.windows[at.d], h = ph.windows[at.h], w = pw.windows[at.w];
    typename V::type sum[NV] = {};
    for (int64_t i = d.begin; i < d.end; ++i)
        for (int64_t j = h.begin; j < h.end; ++j)
            for (int64_t k = w.begin; k < w.end; ++k) {
                const PoolSpan ti = pd.taps[i], tj = ph.taps[j], tk = pw.taps[k];
                const T count = T((ti.end - ti.begin) * (tj.end - tj.begin) * (tk.end - tk.begin));
                const T* p = dy + ((i * ph.out + j) * pw.out + k) * a.channels;
#pragma GCC unroll 4
                for (int v = 0; v < NV; ++v) {
                    const auto value = NV > 1 ? V::load(p + v * V::lanes) : V::load(p, n);
                    sum[v] += value * V::splat(T(1) / count);
                }
            }
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) V::store(dx + v * V::lanes, sum[v], n);
}

template <class T>
void avg_grad_tiled(const PoolArgs& a, int thread, int threads) {
    using V = Vec<T>;
    const T* dy = static_cast<const T*>(a.x);
    const auto share = V::splat(T(1) / T(a.dim[0].window * a.dim[1].window * a.dim[2].window));
    tiled_grad<T>(a, thread, threads, [&](int64_t at, int64_t, int64_t lanes) {
        return V::load(dy + at, lanes) * share;
    });
}

// Sums in the order of the windows' taps, as in avg_block.
template <class T>
void avg_tiled(const PoolArgs& a, int thread, int threads) {
    using V = Vec<T>;
    const PoolDim &pd = a.dim[0], &ph = a.dim[1], &pw = a.dim[2];
    const int64_t c = a.channels, length = pw.out * c, step = pw.in * c;
    const auto count = V::splat(T(pd.window * ph.window * pw.window));
    const T* const end = static_cast<const T*>(a.x) + a.n * pd.in * ph.in * step;
    const Range rows = split(a.n * pd.out * ph.out, thread, threads);
    for (int64_t row = rows.begin; row < rows.end; ++row) {
        const int64_t h = row % ph.out, slice = row / ph.out, d = slice % pd.out;
        const int64_t image = slice / pd.out * pd.in;
        const T* x =
            static_cast<const T*>(a.x) + ((image + d * pd.window) * ph.in + h * ph.window) * step;
        T* y = static_cast<T*>(a.y) + row * length;
        const T* last = x + ((pd.window - 1) * ph.in + ph.window - 1) * step;  // row of a window
        const auto pixel = [&](int64_t w, int64_t b, int64_t lanes) {
            typename V::type sum = V::zero();
            const T* from = x + w * pw.window * c + b;
            for (int64_t i = 0; i < pd.window; ++i, from += ph.in * step)
                for (int64_t j = 0; j < ph.window; ++j)
                    for (int64_t k = 0; k < pw.window; ++k)
                        sum += V::load(from + j * step + k * c, lanes);
            V::store(y + w * c + b, sum / count, lanes);
        };
        for (int64_t w = 0; w < pw.out; ++w)
            for (int64_t b = 0; b < c; b += V::lanes) {
                const T* furthest = last + ((w + 1) * pw.window - 1) * c + b;
                if (length - w * c - b >= V::lanes && end - furthest >= V::lanes)
                    pixel(w, b, V::lanes);
                else
                    pixel(w, b, c - b);
            }
    }
}

template <class T>
void avg_pixels(const PoolArgs& a, int thread, int threads) {
    const int64_t size[3] = {a.dim[0].out, a.dim[1].out, a.dim[2].out}, c = a.channels;
    const int64_t image = a.dim[0].in * a.dim[1].in * a.dim[2].in * c;
    const Range share = split(a.n * size[0] * size[1] * size[2], thread, threads);
    Pixel at(share.begin, size);
    for (int64_t i = share.begin; i < share.end; ++i, at.next(size)) {
        const T* x = static_cast<const T*>(a.x) + at.image * image;
        T* y = static_cast<T*>(a.y) + i * c;
        for_channels<T>(c, has_room<T>(a, at, i, share.end),
                        [&](auto vectors, int64_t b, int64_t lanes) {
                            avg_block<T, vectors.value>(a, at, x + b, y + b, lanes);
                        });
    }
}

template <class T>
void avg_grad_pixels(const PoolArgs& a, int thread, int threads) {
    const int64_t size[3] = {a.dim[0].in, a.dim[1].in, a.dim[2].in}, c = a.channels;
    const int64_t image = a.dim[0].out * a.dim[1].out * a.dim[2].out * c;
    const Range share = split(a.n * size[0] * size[1] * size[2], thread, threads);
    Pixel at(share.begin, size);
    for (int64_t i = share.begin; i < share.end; ++i, at.next(size)) {
        const T* dy = static_cast<const T*>(a.x) + at.image * image;
        T* dx = static_cast<T*>(a.y) + i * c;
        for_channels<T>(c, has_room<T>(a, at, i, share.end),
                        [&](auto vectors, int64_t b, int64_t lanes) {
                            avg_grad_block<T, vectors.value>(a, at, dy + b, dx + b, lanes);
                        });
    }
}

template <class T>
void avg(const void* pod, int thread, int threads) {
    const auto& a = *static_cast<const PoolArgs*>(pod);
    (is_pairs(a) ? avg_pairs<T> : is_tiled(a) ? avg_tiled<T> : avg_pixels<T>)(a, thread, threads);
}
template <class T>
void avg_grad(const void* pod, int thread, int threads) {
    const auto& a = *static_cast<const PoolArgs*>(pod);
    (is_pairs(a)   ? avg_grad_pairs<T>
     : is_tiled(a) ? avg_grad_tiled<T>
                   : avg_grad_pixels<T>)(a, thread, threads);
}

}  // namespace

extern const AvgPoolKernels avg_pool_kernels = {avg<float>, avg<double>, avg_grad<float>,
                                                avg_grad<double>};

}  // namespace hb::HB_ISA
