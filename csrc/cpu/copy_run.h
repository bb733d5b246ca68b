// Copies of short runs of bytes, which would lose their time in memcpy's preamble.
#pragma once

#include "kernels/kernel.h"

namespace hb::HB_ISA {
namespace {

// bytes >= 8, no overlap.
inline void copy_run(char* d, const char* s, int64_t bytes) {
    if (bytes > 256) {
        __builtin_memcpy(d, s, size_t(bytes));
    } else if (bytes >= 16) {
        for (int64_t i = 0; i + 16 < bytes; i += 16) __builtin_memcpy(d + i, s + i, 16);
        __builtin_memcpy(d + bytes - 16, s + bytes - 16, 16);
    } else {
        uint64_t low, high;
        __builtin_memcpy(&low, s, 8);
        __builtin_memcpy(&high, s + bytes - 8, 8);
        __builtin_memcpy(d, &low, 8);
        __builtin_memcpy(d + bytes - 8, &high, 8);
    }
}

}  // namespace
}  // namespace hb::HB_ISA
