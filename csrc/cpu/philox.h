// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
// A 64-bit lane holds one 32-bit word of a block in its lower half; what stands in the upper half
// of c1 and c3 does no harm, since products look at the lower half only. So a round is 2 products
// and 6 bit operations.
#pragma once

#include "cpu/vec.h"

namespace hb::HB_ISA {
namespace {

typedef uint64_t Words __attribute__((vector_size(kVecBytes)));

constexpr int kPhiloxLanes = kVecBytes / 8;
constexpr int64_t kPhiloxTile = 256;  // blocks that philox_tile makes

HB_INLINE Words multiply_low_halves(Words a, Words b) {
#if defined(__AVX512F__)
    return (Words)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
    return (Words)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__x86_64__)
    return (Words)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
    return (a & 0xffffffffu) * (b & 0xffffffffu);
#endif
}

// The block, counted from the first of a vector's, that each lane computes: chosen such that
// interleaving the 64-bit halves of the blocks within 16 bytes leaves them in order.
HB_INLINE Words lane_blocks() {
    Words w;
    for (int i = 0; i < kPhiloxLanes; ++i) w[i] = uint64_t(i % 2 * (kPhiloxLanes / 2) + i / 2);
    return w;
}
template <class W>
HB_INLINE W interleave_low(W a, W b) {
    if constexpr (sizeof(W) == 16)
        return __builtin_shufflevector(a, b, 0, 2);
    else if constexpr (sizeof(W) == 32)
        return __builtin_shufflevector(a, b, 0, 4, 2, 6);
    else
        return __builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14);
}
template <class W>
HB_INLINE W interleave_high(W a, W b) {
    if constexpr (sizeof(W) == 16)
        return __builtin_shufflevector(a, b, 1, 3);
    else if constexpr (sizeof(W) == 32)
        return __builtin_shufflevector(a, b, 1, 5, 3, 7);
    else
        return __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15);
}

// Blocks first_block ... first_block + blocks - 1 of the stream, in order; whole sets of vectors
// are written, never more than a tile.
inline void philox_tile(const int64_t* seed, int64_t first_block, uint32_t* out,
                        int64_t blocks = kPhiloxTile) {
    constexpr int kSets = 2;  // independent vectors at a time, to hide the latency of the products
    const uint64_t key = uint64_t(seed[0]), counter = uint64_t(seed[1]);
    const Words m0 = Words{} + 0xD2511F53u, m1 = Words{} + 0xCD9E8D57u;
    for (int64_t done = 0; done < blocks; done += kSets * kPhiloxLanes) {
        Words c0[kSets], c1[kSets], c2[kSets], c3[kSets];
#pragma GCC unroll 4
        for (int s = 0; s < kSets; ++s) {
            const Words block = lane_blocks() + uint64_t(first_block + done + s * kPhiloxLanes);
            c0[s] = block;
            c1[s] = block >> 32;
            c2[s] = Words{} + counter;
            c3[s] = Words{} + (counter >> 32);
        }
        Words k0 = Words{} + key, k1 = Words{} + (key >> 32);
#pragma GCC unroll 1
        for (int round = 0; round < 10; ++round) {
#pragma GCC unroll 4
            for (int s = 0; s < kSets; ++s) {
                const Words p0 = multiply_low_halves(c0[s], m0),
                            p1 = multiply_low_halves(c2[s], m1);
                c0[s] = (p1 >> 32) ^ c1[s] ^ k0;
                c1[s] = p1;
                c2[s] = (p0 >> 32) ^ c3[s] ^ k1;
                c3[s] = p0;
            }
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
#pragma GCC unroll 4
        for (int s = 0; s < kSets; ++s, out += 4 * kPhiloxLanes) {
            const Words low = (c0[s] & 0xffffffffu) | c1[s] << 32;
            const Words high = (c2[s] & 0xffffffffu) | c3[s] << 32;
            const Words first = interleave_low(low, high), second = interleave_high(low, high);
            __builtin_memcpy(out, &first, sizeof first);
            __builtin_memcpy(out + 2 * kPhiloxLanes, &second, sizeof second);
        }
    }
}

}  // namespace
}  // namespace hb::HB_ISA
