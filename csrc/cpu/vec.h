// One vector register of T, on the compiler's vector extensions. The level's flags decide the
// width: 16 bytes (SSE2, NEON), 32 (v3: AVX2+FMA) or 64 (v4: AVX-512).
//
//     using V = Vec<float>;
//     V::type x = V::load(p), y = V::load(q, n);      // n lanes, the others 0
//     V::store(p, V::select(x < y, V::max(x, y), x * V::splat(2.0f)));
//
// `V::type` has the arithmetic, comparison and bit operators of GCC's vectors; a comparison gives a
// `V::mask` (integers of the same width, 0 or -1). Everything is inlined and has internal linkage,
// so no code of one level can be linked into another.
#pragma once

#include "kernels/kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define HB_INLINE inline __attribute__((always_inline))

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi"  // vectors are never passed between translation units
#if defined(__AVX512F__)                  // GCC's own headers
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#endif

namespace hb::HB_ISA {
namespace {

#if defined(__AVX512F__)
inline constexpr int kVecBytes = 64;
#elif defined(__AVX2__)
inline constexpr int kVecBytes = 32;
#else
inline constexpr int kVecBytes = 16;
#endif

template <class T>
struct IntOf;  // the signed integer as wide as T
template <>
struct IntOf<float> {
    using type = int32_t;
};
template <>
struct IntOf<double> {
    using type = int64_t;
};
template <>
struct IntOf<int32_t> {
    using type = int32_t;
};
template <>
struct IntOf<uint32_t> {
    using type = int32_t;
};
template <>
struct IntOf<int64_t> {
    using type = int64_t;
};
template <>
struct IntOf<uint64_t> {
    using type = int64_t;
};
template <>
struct IntOf<uint8_t> {
    using type = int8_t;
};
template <>
struct IntOf<int8_t> {
    using type = int8_t;
};

template <class T>
inline constexpr bool kIsFloat = false;
template <>
inline constexpr bool kIsFloat<float> = true;
template <>
inline constexpr bool kIsFloat<double> = true;

enum class Rounding { nearest, floor, ceil, trunc };

// What the levels do differently: masked memory, min, max, fma, square root, rounding.
namespace arch {

#if defined(__AVX512F__)
using F = __m512;
using D = __m512d;
template <class T, class V>
HB_INLINE V load_lanes(const T* p, int n) {
    if constexpr (sizeof(T) == 4)
        return (V)_mm512_maskz_loadu_epi32(__mmask16((1u << n) - 1), p);
    else if constexpr (sizeof(T) == 8)
        return (V)_mm512_maskz_loadu_epi64(__mmask8((1u << n) - 1), p);
    else
        return (V)_mm512_maskz_loadu_epi8(__mmask64((uint64_t(1) << n) - 1), p);
}
template <class T, class V>
HB_INLINE void store_lanes(T* p, V v, int n) {
    if constexpr (sizeof(T) == 4)
        _mm512_mask_storeu_epi32(p, __mmask16((1u << n) - 1), (__m512i)v);
    else if constexpr (sizeof(T) == 8)
        _mm512_mask_storeu_epi64(p, __mmask8((1u << n) - 1), (__m512i)v);
    else
        _mm512_mask_storeu_epi8(p, __mmask64((uint64_t(1) << n) - 1), (__m512i)v);
}
HB_INLINE F max(F a, F b) { return _mm512_max_ps(a, b); }
HB_INLINE D max(D a, D b) { return _mm512_max_pd(a, b); }
HB_INLINE F min(F a, F b) { return _mm512_min_ps(a, b); }
HB_INLINE D min(D a, D b) { return _mm512_min_pd(a, b); }
HB_INLINE F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
HB_INLINE D fma(D a, D b, D c) { return _mm512_fmadd_pd(a, b, c); }
HB_INLINE F sqrt(F a) { return _mm512_sqrt_ps(a); }
HB_INLINE D sqrt(D a) { return _mm512_sqrt_pd(a); }
template <Rounding R>
HB_INLINE F round(F a) {
    return _mm512_roundscale_ps(a, int(R) | 8);
}
template <Rounding R>
HB_INLINE D round(D a) {
    return _mm512_roundscale_pd(a, int(R) | 8);
}

#elif defined(__AVX2__)
using F = __m256;
using D = __m256d;
template <class T, class V>
HB_INLINE V load_lanes(const T* p, int n) {
    if constexpr (sizeof(T) == 4) {
        const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        return (V)_mm256_maskload_epi32((const int*)p,
                                        _mm256_cmpgt_epi32(_mm256_set1_epi32(n), lane));
    } else if constexpr (sizeof(T) == 8) {
        const __m256i lane = _mm256_setr_epi64x(0, 1, 2, 3);
        return (V)_mm256_maskload_epi64((const long long*)p,
                                        _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), lane));
    } else {
        V v = {};
        for (int i = 0; i < n; ++i) v[i] = p[i];
        return v;
    }
}
// In pieces: a masked store costs 20 cycles on AMD's cores.
template <class T, class V>
HB_INLINE void store_lanes(T* p, V v, int n) {
    if constexpr (sizeof(T) == 4) {
        __m128 part = _mm256_castps256_ps128((__m256)v);
        T* at = p;
        if (n & 4) {
            _mm_storeu_ps((float*)at, part);
            part = _mm256_extractf128_ps((__m256)v, 1);
            at += 4;
        }
        if (n & 2) {
            _mm_storel_pi((__m64*)at, part);
            part = _mm_movehl_ps(part, part);
            at += 2;
        }
        if (n & 1) __builtin_memcpy(at, &part, 4);
    } else if constexpr (sizeof(T) == 8) {
        __m128d part = _mm256_castpd256_pd128((__m256d)v);
        T* at = p;
        if (n & 2) {
            _mm_storeu_pd((double*)at, part);
            part = _mm256_extractf128_pd((__m256d)v, 1);
            at += 2;
        }
        if (n & 1) __builtin_memcpy(at, &part, 8);
    } else {
        for (int i = 0; i < n; ++i) p[i] = v[i];
    }
}
HB_INLINE F max(F a, F b) { return _mm256_max_ps(a, b); }
HB_INLINE D max(D a, D b) { return _mm256_max_pd(a, b); }
HB_INLINE F min(F a, F b) { return _mm256_min_ps(a, b); }
HB_INLINE D min(D a, D b) { return _mm256_min_pd(a, b); }
HB_INLINE F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
HB_INLINE D fma(D a, D b, D c) { return _mm256_fmadd_pd(a, b, c); }
HB_INLINE F sqrt(F a) { return _mm256_sqrt_ps(a); }
HB_INLINE D sqrt(D a) { return _mm256_sqrt_pd(a); }
template <Rounding R>
HB_INLINE F round(F a) {
    return _mm256_round_ps(a, int(R) | 8);
}
template <Rounding R>
HB_INLINE D round(D a) {
    return _mm256_round_pd(a, int(R) | 8);
}

#else
typedef float F __attribute__((vector_size(16)));
typedef double D __attribute__((vector_size(16)));
template <class T, class V>
HB_INLINE V load_lanes(const T* p, int n) {
    T lanes[16 / sizeof(T)] = {};
    for (int i = 0; i < n; ++i) lanes[i] = p[i];
    V v;
    __builtin_memcpy(&v, lanes, sizeof v);
    return v;
}
template <class T, class V>
HB_INLINE void store_lanes(T* p, V v, int n) {
    T lanes[16 / sizeof(T)];
    __builtin_memcpy(lanes, &v, sizeof v);
    for (int i = 0; i < n; ++i) p[i] = lanes[i];
}
template <class V>
HB_INLINE V fma(V a, V b, V c) {
    return a * b + c;
}
#if defined(__aarch64__)
HB_INLINE F max(F a, F b) { return a > b ? a : b; }
HB_INLINE D max(D a, D b) { return a > b ? a : b; }
HB_INLINE F min(F a, F b) { return a < b ? a : b; }
HB_INLINE D min(D a, D b) { return a < b ? a : b; }
HB_INLINE F sqrt(F a) { return (F)vsqrtq_f32((float32x4_t)a); }
HB_INLINE D sqrt(D a) { return (D)vsqrtq_f64((float64x2_t)a); }
template <Rounding R>
HB_INLINE F round(F a) {
    const float32x4_t x = (float32x4_t)a;
    if constexpr (R == Rounding::nearest)
        return (F)vrndnq_f32(x);
    else if constexpr (R == Rounding::floor)
        return (F)vrndmq_f32(x);
    else if constexpr (R == Rounding::ceil)
        return (F)vrndpq_f32(x);
    else
        return (F)vrndq_f32(x);
}
template <Rounding R>
HB_INLINE D round(D a) {
    const float64x2_t x = (float64x2_t)a;
    if constexpr (R == Rounding::nearest)
        return (D)vrndnq_f64(x);
    else if constexpr (R == Rounding::floor)
        return (D)vrndmq_f64(x);
    else if constexpr (R == Rounding::ceil)
        return (D)vrndpq_f64(x);
    else
        return (D)vrndq_f64(x);
}
#else
HB_INLINE F max(F a, F b) { return _mm_max_ps(a, b); }
HB_INLINE D max(D a, D b) { return _mm_max_pd(a, b); }
HB_INLINE F min(F a, F b) { return _mm_min_ps(a, b); }
HB_INLINE D min(D a, D b) { return _mm_min_pd(a, b); }
HB_INLINE F sqrt(F a) { return _mm_sqrt_ps(a); }
HB_INLINE D sqrt(D a) { return _mm_sqrt_pd(a); }
// SSE2 cannot round: adding and subtracting 2^(mantissa bits) does; larger numbers are whole
// already.
template <Rounding R, class V, class I>
HB_INLINE V round_by_adding(V a, I sign, V magic) {
    const V size = (V)((I)a & ~sign);
    V whole = (V)((I)((size + magic) - magic) | ((I)a & sign));
    const V one = (V)((I)(magic - magic + 1) | ((I)a & sign));  // 1 with a's sign
    if constexpr (R == Rounding::floor) whole = whole > a ? whole - 1 : whole;
    if constexpr (R == Rounding::ceil) whole = whole < a ? whole + 1 : whole;
    if constexpr (R == Rounding::trunc) whole = (V)((I)whole & ~sign) > size ? whole - one : whole;
    whole = (V)((I)whole | ((I)a & sign));  // ceil(-0.5) is -0
    return size < magic ? whole : a;
}
template <Rounding R>
HB_INLINE F round(F a) {
    typedef int32_t I __attribute__((vector_size(16)));
    return round_by_adding<R>(a, I{} + int32_t(0x80000000u), F{} + 0x1p23f);
}
template <Rounding R>
HB_INLINE D round(D a) {
    typedef int64_t I __attribute__((vector_size(16)));
    return round_by_adding<R>(a, I{} + int64_t(0x8000000000000000u), D{} + 0x1p52);
}
#endif
#endif

}  // namespace arch

template <class T>
struct Vec {
    static constexpr int lanes = kVecBytes / int(sizeof(T));
    using Int = typename IntOf<T>::type;
    typedef T type __attribute__((vector_size(kVecBytes)));
    typedef Int mask
        __attribute__((vector_size(kVecBytes)));  // also the integers of to_int and bits
    typedef T unaligned __attribute__((vector_size(kVecBytes), aligned(alignof(T)), may_alias));

    static HB_INLINE type load(const T* p) { return *(const unaligned*)p; }
    static HB_INLINE void store(T* p, type v) { *(unaligned*)p = v; }
    // The first n lanes, 0 <= n <= lanes; no other memory is touched.
    static HB_INLINE type load(const T* p, int64_t n) {
        return n >= lanes ? load(p) : arch::load_lanes<T, type>(p, int(n));
    }
    static HB_INLINE void store(T* p, type v, int64_t n) {
        if (n >= lanes)
            store(p, v);
        else
            arch::store_lanes<T, type>(p, v, int(n));
    }
    static HB_INLINE type splat(T x) { return x - type{}; }  // x + type{} would cost an addition
    static HB_INLINE type zero() { return type{}; }
    static HB_INLINE mask iota() {
        mask m;
        for (int i = 0; i < lanes; ++i) m[i] = Int(i);
        return m;
    }
    static HB_INLINE mask first(int64_t n) { return iota() < Int(n); }  // true in the first n lanes

    static HB_INLINE type select(mask m, type a, type b) { return m ? a : b; }
    // A NaN in either operand is the result, as in NumPy.
    static HB_INLINE type max(type a, type b) {
        if constexpr (kIsFloat<T>)
            return a == a ? (type)arch::max(a, b) : a;
        else
            return a > b ? a : b;
    }
    static HB_INLINE type min(type a, type b) {
        if constexpr (kIsFloat<T>)
            return a == a ? (type)arch::min(a, b) : a;
        else
            return a < b ? a : b;
    }
    static HB_INLINE type fma(type a, type b, type c) {
        if constexpr (kIsFloat<T>)
            return (type)arch::fma(a, b, c);
        else
            return a * b + c;
    }
    static HB_INLINE type sqrt(type a) { return (type)arch::sqrt(a); }
    static HB_INLINE type rint(type a) { return (type)arch::round<Rounding::nearest>(a); }
    static HB_INLINE type floor(type a) { return (type)arch::round<Rounding::floor>(a); }
    static HB_INLINE type ceil(type a) { return (type)arch::round<Rounding::ceil>(a); }
    static HB_INLINE type trunc(type a) { return (type)arch::round<Rounding::trunc>(a); }
    static HB_INLINE type abs(type a) {
        if constexpr (kIsFloat<T>)
            return from_bits(bits(a) & ~sign_bit());
        else
            return a < T(0) ? -a : a;
    }
    static HB_INLINE type copysign(type size, type sign) {
        return from_bits((bits(size) & ~sign_bit()) | (bits(sign) & sign_bit()));
    }

    static HB_INLINE mask bits(type a) { return (mask)a; }
    static HB_INLINE type from_bits(mask a) { return (type)a; }
    static HB_INLINE mask to_int(type a) {
        return __builtin_convertvector(a, mask);
    }  // toward zero
    static HB_INLINE type from_int(mask a) { return __builtin_convertvector(a, type); }
    static HB_INLINE mask sign_bit() { return mask{} + Int(uint64_t(1) << (8 * sizeof(T) - 1)); }

    static HB_INLINE bool any(mask m) {
        typedef int64_t words __attribute__((vector_size(kVecBytes)));
        const words w = (words)m;
        int64_t all = 0;
        for (int i = 0; i < kVecBytes / 8; ++i) all |= w[i];
        return all != 0;
    }
    static HB_INLINE bool all(mask m) { return !any(~m); }

    // Over the lanes, always in the same tree.
    static HB_INLINE T sum(type v) {
        T x[lanes];
        __builtin_memcpy(x, &v, sizeof v);
#pragma GCC unroll 8
        for (int width = lanes / 2; width > 0; width /= 2) {
#pragma GCC unroll 32
            for (int i = 0; i < width; ++i) x[i] += x[i + width];
        }
        return x[0];
    }
    static HB_INLINE T max_lane(type v) {  // NaN if there is one
        T x[lanes];
        __builtin_memcpy(x, &v, sizeof v);
        T best = x[0];
        for (int i = 1; i < lanes; ++i) best = x[i] > best || x[i] != x[i] ? x[i] : best;
        return best;
    }
    static HB_INLINE T min_lane(type v) {
        T x[lanes];
        __builtin_memcpy(x, &v, sizeof v);
        T best = x[0];
        for (int i = 1; i < lanes; ++i) best = x[i] < best || x[i] != x[i] ? x[i] : best;
        return best;
    }
};

}  // namespace
}  // namespace hb::HB_ISA
