// Exact elementwise ops: plain loops over arithmetic.h that the compiler vectorises.
#include "cpu/arithmetic.h"
#include "cpu/elementwise.h"

namespace hb::HB_ISA {
namespace {

template <class F, bool kFloats, bool kIntegers>
EwTileFn unary_for(DType type) {
    if constexpr (kFloats) {
        if (type == DType::f32) return unary_tile<F, float, float>;
        if (type == DType::f64) return unary_tile<F, double, double>;
    }
    if constexpr (kIntegers) {
        if (type == DType::i32) return unary_tile<F, int32_t, int32_t>;
        if (type == DType::i64) return unary_tile<F, int64_t, int64_t>;
        if (type == DType::u8) return unary_tile<F, uint8_t, uint8_t>;
        if (type == DType::b8) return unary_tile<F, bool, bool>;
    }
    return nullptr;
}

template <class F>
EwTileFn float_test_for(DType type) {
    return type == DType::f32   ? unary_tile<F, bool, float>
           : type == DType::f64 ? unary_tile<F, bool, double>
                                : nullptr;
}

template <class F, bool kFloats, bool kIntegers>
EwTileFn binary_for(DType type) {
    if constexpr (kFloats) {
        if (type == DType::f32) return binary_tile<F, float, float>;
        if (type == DType::f64) return binary_tile<F, double, double>;
    }
    if constexpr (kIntegers) {
        if (type == DType::i32) return binary_tile<F, int32_t, int32_t>;
        if (type == DType::i64) return binary_tile<F, int64_t, int64_t>;
        if (type == DType::u8) return binary_tile<F, uint8_t, uint8_t>;
        if (type == DType::b8) return binary_tile<F, bool, bool>;
    }
    return nullptr;
}

template <class F>
EwTileFn compare_for(DType type) {
    switch (type) {
        case DType::f32:
            return binary_tile<F, bool, float>;
        case DType::f64:
            return binary_tile<F, bool, double>;
        case DType::i32:
            return binary_tile<F, bool, int32_t>;
        case DType::i64:
            return binary_tile<F, bool, int64_t>;
        case DType::u8:
            return binary_tile<F, bool, uint8_t>;
        case DType::b8:
            return binary_tile<F, bool, bool>;
        default:
            return nullptr;
    }
}

// Bits decide, not values, so one loop serves all types of a size.
template <class T>
void where_tile(void* dst, const void* cond, const void* a, const void* b, int64_t n) {
    T* y = static_cast<T*>(dst);
    const uint8_t* c = static_cast<const uint8_t*>(cond);
    const T *x = static_cast<const T*>(a), *z = static_cast<const T*>(b);
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = c[i] ? x[i] : z[i];
}

template <class T>
void copy_tile(void* dst, const void* a, const void*, const void*, int64_t n) {
    if (dst != a) __builtin_memmove(dst, a, size_t(n) * sizeof(T));
}

}  // namespace

EwTileFn ew_arithmetic_tile(EwOp op, DType type) {
    const int64_t size = size_of(type);
    switch (op) {
#define ANY_UNARY(F) \
    case EwOp::F:    \
        return unary_for<F, true, true>(type);
#define BIT_UNARY(F) \
    case EwOp::F:    \
        return unary_for<F, false, true>(type);
#define FLOAT_TEST(F) \
    case EwOp::F:     \
        return float_test_for<F>(type);
#define ANY_BINARY(F) \
    case EwOp::F:     \
        return binary_for<F, true, true>(type);
#define FLOAT_BINARY(F) \
    case EwOp::F:       \
        return binary_for<F, true, false>(type);
#define BIT_BINARY(F) \
    case EwOp::F:     \
        return binary_for<F, false, true>(type);
#define COMPARE(F) \
    case EwOp::F:  \
        return compare_for<F>(type);
        HB_EW_ARITHMETIC_UNARY(ANY_UNARY)
        HB_EW_BIT_UNARY(BIT_UNARY)
        HB_EW_FLOAT_TEST(FLOAT_TEST)
        HB_EW_ARITHMETIC_BINARY(ANY_BINARY)
        HB_EW_FLOAT_BINARY(FLOAT_BINARY)
        HB_EW_BIT_BINARY(BIT_BINARY)
        HB_EW_COMPARE(COMPARE)
        case EwOp::logical_not:
            return unary_tile<logical_not, bool, bool>;
        case EwOp::logical_and:
            return binary_tile<logical_and, bool, bool>;
        case EwOp::logical_or:
            return binary_tile<logical_or, bool, bool>;
        case EwOp::logical_xor:
            return binary_tile<logical_xor, bool, bool>;
        case EwOp::where:
            return size == 8   ? where_tile<uint64_t>
                   : size == 1 ? where_tile<uint8_t>
                               : where_tile<uint32_t>;
        case EwOp::copy:
            return size == 8   ? copy_tile<uint64_t>
                   : size == 4 ? copy_tile<uint32_t>
                   : size == 2 ? copy_tile<uint16_t>
                               : copy_tile<uint8_t>;
        default:
            return nullptr;
    }
}

}  // namespace hb::HB_ISA
