// What a kernel is to the rest of the library: a plain function over a plain struct.
// Nothing here may need the C++ runtime: these headers are compiled into every ISA level.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hb {

// Does the share of `thread` out of `threads`. The bits of the result must not depend on `threads`.
using KernelFn = void (*)(const void* args, int thread, int threads);

// Kernels compute with the first six. The others are storage: they are copied and cast, and an op
// on them runs on the dtype that carries their values (core/storage.h).
enum class DType : uint8_t { f32, f64, i32, i64, u8, b8, f16, bf16, i8, i16, u16, u32, u64 };
inline constexpr int kNumDTypes = 13;

static inline bool is_storage(DType dtype) { return dtype >= DType::f16; }

static inline int64_t size_of(DType dtype) {
    constexpr int8_t sizes[kNumDTypes] = {4, 8, 4, 8, 1, 1, 2, 2, 1, 2, 2, 4, 8};
    return sizes[int(dtype)];
}

// Written by kernels that meet a bad index or label: the first bad flat position + 1 (0 = fine) and
// its value.
struct ErrorSlot {
    int64_t position;
    int64_t value;
};

struct Range {
    int64_t begin, end;
};

// The contiguous share of `thread` in n items.
static inline Range split(int64_t n, int thread, int threads) {
    const int64_t base = n / threads, extra = n % threads;
    const int64_t begin = base * thread + (thread < extra ? thread : extra);
    return {begin, begin + base + (thread < extra ? 1 : 0)};
}

}  // namespace hb

// Declares the table that each ISA level defines for one family.
#define HB_DECLARE_KERNELS(Type, name) \
    namespace base {                   \
    extern const Type name;            \
    }                                  \
    namespace v3 {                     \
    extern const Type name;            \
    }                                  \
    namespace v4 {                     \
    extern const Type name;            \
    }
