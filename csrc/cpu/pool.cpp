// Pooling. Vectors run over channels, threads share pixels of the output (of dx in gradients: each
// gathers from the windows that cover it, so nothing is added by two threads and dx is written
// once). Windows side by side, the usual case, go row by row. Bytes: forward reads each x window
// times over strides times, from L1 but for the first.
#include "kernels/pool.h"

#include "cpu/vec.h"

namespace hb::HB_ISA {
namespace {

// Walks the pixels [begin, end) of images of the given size.
struct Pixel {
    int64_t image, d, h, w;

    Pixel(int64_t flat, const int64_t (&size)[3])
        : image(flat / (size[0] * size[1] * size[2])),
          d(flat / (size[1] * size[2]) % size[0]),
          h(flat / size[2] % size[1]),
          w(flat % size[2]) {}
    HB_INLINE void next(const int64_t (&size)[3]) {
        if (++w < size[2]) return;
        w = 0;
        if (++h < size[1]) return;
        h = 0;
        if (++d < size[0]) return;
        d = 0;
        ++image;
    }
};

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

// Windows side by side, without padding: each element of dx lies in one window or in none.
inline bool is_tiled(const PoolArgs& a) {
    for (const PoolDim& d : a.dim)
        if (d.stride != d.window || d.low != 0 || d.out * d.window > d.in) return false;
    return true;
}

// Rows of dx for tiled windows: value(window, tap, channel, lanes) of all taps and channels in the
// order of memory, zeros where there is no window. Whole vectors are stored where the row goes on
// behind them, for then what is too much is overwritten by what comes next. `windows` are counted
// over all images, and `left` is what value may read behind its first channel.
template <class T, class Value>
HB_INLINE void tiled_grad(const PoolArgs& a, int thread, int threads, Value value) {
    using V = Vec<T>;
    const PoolDim &pd = a.dim[0], &ph = a.dim[1], &pw = a.dim[2];
    const int64_t c = a.channels, length = pw.in * c, used = pw.out * pw.window * c;
    const int64_t all = a.n * pd.out * ph.out * pw.out * c;  // elements of dy
    const Range rows = split(a.n * pd.in * ph.in, thread, threads);
    for (int64_t row = rows.begin; row < rows.end; ++row) {
        const int64_t h = row % ph.in, slice = row / ph.in, d = slice % pd.in;
        const int64_t od = d / pd.window, oh = h / ph.window;
        T* dx = static_cast<T*>(a.y) + row * length;
        const bool covered = od < pd.out && oh < ph.out;
        if (covered) {
            int64_t window = ((slice / pd.in * pd.out + od) * ph.out + oh) * pw.out;
            const int64_t tap = (d % pd.window * ph.window + h % ph.window) * pw.window;
            T* to = dx;
            for (int64_t w = 0; w < pw.out; ++w, ++window)
                for (int64_t k = 0; k < pw.window; ++k, to += c)
                    for (int64_t b = 0; b < c; b += V::lanes) {
                        const int64_t at = window * c + b, behind = used - (to + b - dx);
                        if (behind >= V::lanes && all - at >= V::lanes)
                            V::store(to + b, value(at, tap + k, int64_t(V::lanes)));
                        else
                            V::store(to + b, value(at, tap + k, c - b), c - b);
                    }
        }
        for (int64_t i = covered ? used : 0; i < length; ++i) dx[i] = T(0);
    }
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

template <int n>
struct Count {
    static constexpr int value = n;
};

// Calls block(vectors, first channel, lanes of each vector) for 4 or 2 full vectors, then for one
// that may be partly full. It is treated as full where a whole vector may be read and written
// behind the channels, since what comes next overwrites it.
template <class T, class Block>
HB_INLINE void for_channels(int64_t channels, bool room, Block&& block) {
    constexpr int64_t kLanes = Vec<T>::lanes;
    int64_t c = 0;
    for (; c + 4 * kLanes <= channels; c += 4 * kLanes) block(Count<4>(), c, kLanes);
    for (; c + 2 * kLanes <= channels; c += 2 * kLanes) block(Count<2>(), c, kLanes);
    for (; c < channels; c += kLanes) block(Count<1>(), c, room ? kLanes : channels - c);
}

// True if a vector fits behind the channels of pixel i of a share that ends at `end`, and behind
// any pixel of an image that is not the last.
template <class T>
HB_INLINE bool has_room(const PoolArgs& a, const Pixel& at, int64_t i, int64_t end) {
    constexpr int64_t kLanes = Vec<T>::lanes;
    return at.image + kLanes < a.n && (end - i - 1) * a.channels >= kLanes;
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
template <class T>
void avg(const void* pod, int thread, int threads) {
    const auto& a = *static_cast<const PoolArgs*>(pod);
    is_tiled(a) ? avg_tiled<T>(a, thread, threads) : avg_pixels<T>(a, thread, threads);
}
template <class T>
void avg_grad(const void* pod, int thread, int threads) {
    const auto& a = *static_cast<const PoolArgs*>(pod);
    is_tiled(a) ? avg_grad_tiled<T>(a, thread, threads) : avg_grad_pixels<T>(a, thread, threads);
}

}  // namespace

extern const PoolKernels pool_kernels = {
    max<float>,         max<double>, max_grad<float>, max_grad<double>, max_gather<float>,
    max_gather<double>, avg<float>,  avg<double>,     avg_grad<float>,  avg_grad<double>};

}  // namespace hb::HB_ISA
