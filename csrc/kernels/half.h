// float16 and bfloat16 as bits, to and from float32: to nearest, ties to even. Without branches, so
// that loops over them vectorise.
#pragma once

#include "kernels/kernel.h"

namespace hb {

static inline uint32_t float_bits(float x) {
    uint32_t u;
    __builtin_memcpy(&u, &x, sizeof(u));
    return u;
}
static inline float float_of_bits(uint32_t u) {
    float x;
    __builtin_memcpy(&x, &u, sizeof(x));
    return x;
}

static inline float float_of_bf16(uint16_t h) { return float_of_bits(uint32_t(h) << 16); }

static inline uint16_t bf16_of_float(float x) {
    const uint32_t u = float_bits(x), sign = (u >> 16) & 0x8000u;
    const uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
    return uint16_t(x == x ? rounded : sign | 0x7fc0u);
}

static inline float float_of_f16(uint16_t h) {
    const uint32_t sign = uint32_t(h & 0x8000u) << 16, size = uint32_t(h & 0x7fffu) << 13;
    const uint32_t normal = size + (uint32_t(127 - 15) << 23);
    const uint32_t special = normal + (uint32_t(128 - 16) << 23);  // infinity and NaN
    const uint32_t small = float_bits(float_of_bits(size + (uint32_t(113) << 23)) - 0x1p-14f);
    const uint32_t u = h & 0x7c00u ? ((h & 0x7c00u) == 0x7c00u ? special : normal) : small;
    return float_of_bits(u | sign);
}

static inline uint16_t f16_of_float(float x) {
    const uint32_t bits = float_bits(x), sign = (bits >> 16) & 0x8000u, u = bits & 0x7fffffffu;
    // Below 2^-14, adding 0.5 lets the adder round to the 10 bits that are left.
    const uint32_t small = float_bits(float_of_bits(u) + 0.5f) - float_bits(0.5f);
    const uint32_t normal = (u - (uint32_t(127 - 15) << 23) + 0xfffu + ((u >> 13) & 1u)) >> 13;
    const uint32_t special = u > 0x7f800000u ? 0x7e00u : 0x7c00u;
    const uint32_t h = u < (uint32_t(113) << 23)   ? small
                       : u < (uint32_t(143) << 23) ? normal
                                                   : special;
    return uint16_t(h | sign);
}

// double to float, inexact results to the neighbour with an odd last bit: rounding that once more
// to a half gives what rounding the double gives.
static inline float float_to_odd(double x) {
    const float near = float(x);
    const double back = near;
    const uint32_t u = float_bits(near);
    const bool beyond = __builtin_fabs(back) > __builtin_fabs(x);
    return back == x || x != x ? near : float_of_bits((u - (beyond ? 1u : 0u)) | 1u);
}

}  // namespace hb
