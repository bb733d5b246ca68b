// Pooling by the largest, its gradient, and the transpose of that.
#include "cpu/pool.h"

namespace hb::HB_ISA {
namespace {

// Taps are as wide as T in registers and bytes (or int32) in memory; first n lanes only.
template <class T, class I>
HB_INLINE void store_taps(I* p, typename Vec<T>::mask taps, int64_t n) {
#if defined(__AVX2__)
    if constexpr (sizeof(I) == 1 && sizeof(T) == 4)
        if (n >= Vec<T>::lanes) {
#if defined(__AVX512F__)
            _mm_storeu_si128((__m128i*)p, _mm512_cvtepi32_epi8((__m512i)taps));
#else
            const __m256i i = (__m256i)taps, words = _mm256_packus_epi32(i, i);
            const __m256i bytes = _mm256_packus_epi16(words, words);
            const __m128i low = _mm256_castsi256_si128(bytes),
                          high = _mm256_extracti128_si256(bytes, 1);
            _mm_storel_epi64((__m128i*)p, _mm_unpacklo_epi32(low, high));
#endif
            return;
        }
#endif
    for (int64_t i = 0; i < n && i < Vec<T>::lanes; ++i) p[i] = I(taps[i]);
}

template <class T, class I>
HB_INLINE typename Vec<T>::mask load_taps(const I* p, int64_t n) {
    using M = typename Vec<T>::mask;
#if defined(__AVX2__)
    if constexpr (sizeof(I) == 1 && sizeof(T) == 4)
        if (n >= Vec<T>::lanes) {
#if defined(__AVX512F__)
            return (M)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i*)p));
#else
            return (M)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i*)p));
#endif
        }
#endif
    M taps = {};
    for (int64_t i = 0; i < n && i < Vec<T>::lanes; ++i) taps[i] = p[i];
    return taps;
}

// One output pixel, NV vectors of channels; x points at the image's first of these channels.
template <class T, class I, int NV>
HB_INLINE void max_block(const PoolArgs& a, const Pixel& at, const T* x, T* y, I* index,
                         int64_t n) {
    using V = Vec<T>;
    const PoolDim &pd = a.dim[0], &ph = a.dim[1], &pw = a.dim[2];
    const PoolSpan d = pd.taps[at.d], h = ph.taps[at.h], w = pw.taps[at.w];
    typename V::type best[NV];
    typename V::mask taps[NV];
    const int64_t first = (d.begin * ph.window + h.begin) * pw.window + w.begin;
    for (int v = 0; v < NV; ++v) {
        best[v] = V::splat(T(-__builtin_inff()));
        taps[v] = typename V::mask{} + typename V::Int(first);
    }
    for (int64_t i = d.begin; i < d.end; ++i)
        for (int64_t j = h.begin; j < h.end; ++j) {
            const int64_t row =
                (at.d * pd.stride - pd.low + i) * ph.in + at.h * ph.stride - ph.low + j;
            const T* p = x + (row * pw.in + at.w * pw.stride - pw.low + w.begin) * a.channels;
            int64_t tap = (i * ph.window + j) * pw.window + w.begin;
            for (int64_t k = w.begin; k < w.end; ++k, ++tap, p += a.channels)
#pragma GCC unroll 4
                for (int v = 0; v < NV; ++v) {
                    const auto value = NV > 1 ? V::load(p + v * V::lanes) : V::load(p, n);
                    const auto better = ~(value <= best[v]) & (best[v] == best[v]);  // a NaN stays
                    best[v] = better ? value : best[v];
                    taps[v] = better ? typename V::mask{} + typename V::Int(tap) : taps[v];
                }
        }
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) {
        V::store(y + v * V::lanes, best[v], n);
        store_taps<T>(index + v * V::lanes, taps[v], n);
    }
}

// One pixel of dx: the windows that cover it, in their order. dy and index point at the image.
template <class T, class I, int NV>
HB_INLINE void max_grad_block(const PoolArgs& a, const Pixel& at, const T* dy, const I* index,
                              T* dx, int64_t n) {
    using V = Vec<T>;
    const PoolDim &pd = a.dim[0], &ph = a.dim[1], &pw = a.dim[2];
    const PoolSpan d = pd.windows[at.d], h = ph.windows[at.h], w = pw.windows[at.w];
    typename V::type sum[NV] = {};
    for (int64_t i = d.begin; i < d.end; ++i)
        for (int64_t j = h.begin; j < h.end; ++j)
            for (int64_t k = w.begin; k < w.end; ++k) {
                const int64_t from = ((i * ph.out + j) * pw.out + k) * a.channels;
                const int64_t row =
                    (at.d + pd.low - i * pd.stride) * ph.window + at.h + ph.low - j * ph.stride;
                const auto tap = typename V::Int(row * pw.window + at.w + pw.low - k * pw.stride);
#pragma GCC unroll 4
                for (int v = 0; v < NV; ++v) {
                    const int64_t c = from + v * V::lanes;
                    const auto mine = load_taps<T>(index + c, n) == tap;
                    const auto value = NV > 1 ? V::load(dy + c) : V::load(dy + c, n);
                    sum[v] += V::from_bits(V::bits(value) & mine);
                }
            }
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) V::store(dx + v * V::lanes, sum[v], n);
}

template <class T, class I>
void max_grad_tiled(const PoolArgs& a, int thread, int threads) {
    using V = Vec<T>;
    const T* dy = static_cast<const T*>(a.x);
    const I* index = static_cast<const I*>(a.index);
    tiled_grad<T>(a, thread, threads, [&](int64_t at, int64_t tap, int64_t lanes) {
        const auto mine = load_taps<T>(index + at, lanes) == typename V::Int(tap);
        return V::from_bits(V::bits(V::load(dy + at, lanes)) & mine);
    });
}

template <class T, class I>
void max_pixels(const PoolArgs& a, int thread, int threads) {
    const int64_t size[3] = {a.dim[0].out, a.dim[1].out, a.dim[2].out}, c = a.channels;
    const int64_t image = a.dim[0].in * a.dim[1].in * a.dim[2].in * c;
    const Range share = split(a.n * size[0] * size[1] * size[2], thread, threads);
    Pixel at(share.begin, size);
    for (int64_t i = share.begin; i < share.end; ++i, at.next(size)) {
        const T* x = static_cast<const T*>(a.x) + at.image * image;
        T* y = static_cast<T*>(a.y) + i * c;
        I* index = static_cast<I*>(a.index) + i * c;
        for_channels<T>(c, has_room<T>(a, at, i, share.end),
                        [&](auto vectors, int64_t b, int64_t lanes) {
                            max_block<T, I, vectors.value>(a, at, x + b, y + b, index + b, lanes);
                        });
    }
}

template <class T, class I>
void max_grad_pixels(const PoolArgs& a, int thread, int threads) {
    const int64_t size[3] = {a.dim[0].in, a.dim[1].in, a.dim[2].in}, c = a.channels;
    const int64_t image = a.dim[0].out * a.dim[1].out * a.dim[2].out * c;
    const Range share = split(a.n * size[0] * size[1] * size[2], thread, threads);
    Pixel at(share.begin, size);
    for (int64_t i = share.begin; i < share.end; ++i, at.next(size)) {
        const T* dy = static_cast<const T*>(a.x) + at.image * image;
        const I* index = static_cast<const I*>(a.index) + at.image * image;
        T* dx = static_cast<T*>(a.y) + i * c;
        for_channels<T>(
            c, has_room<T>(a, at, i, share.end), [&](auto vectors, int64_t b, int64_t lanes) {
                max_grad_block<T, I, vectors.value>(a, at, dy + b, index + b, dx + b, lanes);
            });
    }
}

template <class T, class I>
void max_gather_pixels(const PoolArgs& a, int thread, int threads) {
    const PoolDim &pd = a.dim[0], &ph = a.dim[1], &pw = a.dim[2];
    const int64_t size[3] = {pd.out, ph.out, pw.out}, c = a.channels;
    const Range share = split(a.n * size[0] * size[1] * size[2], thread, threads);
    Pixel at(share.begin, size);
    for (int64_t i = share.begin; i < share.end; ++i, at.next(size)) {
        const T* x = static_cast<const T*>(a.x) + at.image * pd.in * ph.in * pw.in * c;
        T* y = static_cast<T*>(a.y) + i * c;
        const I* index = static_cast<const I*>(a.index) + i * c;
        for (int64_t b = 0; b < c; ++b) {
            const int64_t tap = index[b];
            const int64_t d = at.d * pd.stride - pd.low + tap / (ph.window * pw.window);
            const int64_t h = at.h * ph.stride - ph.low + tap / pw.window % ph.window;
            const int64_t w = at.w * pw.stride - pw.low + tap % pw.window;
            const bool inside = d >= 0 && d < pd.in && h >= 0 && h < ph.in && w >= 0 && w < pw.in;
            y[b] = inside ? x[((d * ph.in + h) * pw.in + w) * c + b] : T(0);
        }
    }
}

template <class T>
void max(const void* pod, int thread, int threads) {
    const auto& a = *static_cast<const PoolArgs*>(pod);
    a.wide ? max_pixels<T, int32_t>(a, thread, threads)
           : max_pixels<T, uint8_t>(a, thread, threads);
}
template <class T>
void max_grad(const void* pod, int thread, int threads) {
    const auto& a = *static_cast<const PoolArgs*>(pod);
    if (is_tiled(a))
        return a.wide ? max_grad_tiled<T, int32_t>(a, thread, threads)
                      : max_grad_tiled<T, uint8_t>(a, thread, threads);
    a.wide ? max_grad_pixels<T, int32_t>(a, thread, threads)
           : max_grad_pixels<T, uint8_t>(a, thread, threads);
}
template <class T>
void max_gather(const void* pod, int thread, int threads) {
    const auto& a = *static_cast<const PoolArgs*>(pod);
    a.wide ? max_gather_pixels<T, int32_t>(a, thread, threads)
           : max_gather_pixels<T, uint8_t>(a, thread, threads);
}

}  // namespace

extern const MaxPoolKernels max_pool_kernels = {max<float>,        max<double>,
                                                max_grad<float>,   max_grad<double>,
                                                max_gather<float>, max_gather<double>};

}  // namespace hb::HB_ISA
