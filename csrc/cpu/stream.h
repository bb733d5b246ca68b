// Stores past the caches, and loads that are asked for early.
#pragma once

#include "cpu/vec.h"
#include "kernels/stream.h"

namespace hb::HB_ISA {
namespace {

// p on a vector's boundary.
template <class T>
HB_INLINE void store_past_caches(T* p, typename Vec<T>::type v) {
#if defined(__AVX512F__)
    _mm512_stream_si512((__m512i*)p, (__m512i)v);
#elif defined(__AVX2__)
    _mm256_stream_si256((__m256i*)p, (__m256i)v);
#elif defined(__x86_64__)
    _mm_stream_si128((__m128i*)p, (__m128i)v);
#else
    Vec<T>::store(p, v);
#endif
}

// Stores past the caches are ordered before what other threads are told afterwards.
HB_INLINE void finish_stores(bool past_caches) {
#if defined(__x86_64__)
    if (past_caches) _mm_sfence();
#else
    (void)past_caches;
#endif
}

HB_INLINE void fetch_early(const void* p) { __builtin_prefetch(p, 0, 3); }

// What lies on vectors' boundaries goes past the caches.
HB_INLINE void copy_past_caches(char* to, const char* from, int64_t bytes) {
    int64_t i = 0;
    if (uintptr_t(to) % kVecBytes == 0)
        for (; i + kVecBytes <= bytes; i += kVecBytes)
            store_past_caches((float*)(to + i), Vec<float>::load((const float*)(from + i)));
    if (i < bytes) __builtin_memcpy(to + i, from + i, size_t(bytes - i));
}

// y[i...] = f(i, lanes) over a row, past the caches if wanted: then vectors lie on boundaries of y.
template <class T, class F>
HB_INLINE void map_row(T* y, int64_t n, bool past_caches, F f) {
    using V = Vec<T>;
    constexpr int64_t L = V::lanes;
    int64_t i = 0;
    if (past_caches) {
        const int64_t ahead = -int64_t(uintptr_t(y) / sizeof(T)) & (L - 1);
        if (ahead) {
            i = ahead < n ? ahead : n;
            V::store(y, f(int64_t(0), i), i);
        }
        for (; i + L <= n; i += L) store_past_caches(y + i, f(i, L));
    } else {
        for (; i + L <= n; i += L) V::store(y + i, f(i, L));
    }
    if (i < n) V::store(y + i, f(i, n - i), n - i);
}

}  // namespace
}  // namespace hb::HB_ISA
