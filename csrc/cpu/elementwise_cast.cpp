// Casts between the dtypes that kernels compute with, and between each storage dtype and those
// beside it (ew_cast_hop says how the others are reached). Floats truncate towards zero; anything
// but zero is true; halves are rounded to nearest even, once.
#include "cpu/elementwise.h"
#include "kernels/half.h"

namespace hb::HB_ISA {
namespace {

struct F16 {
    uint16_t bits;
};
struct BF16 {
    uint16_t bits;
};

template <class R>
struct Cast {
    float operator()(F16 x) const { return float_of_f16(x.bits); }
    float operator()(BF16 x) const { return float_of_bf16(x.bits); }
    template <class A>
    R operator()(A x) const {
        return R(x);
    }
};
template <>
struct Cast<uint8_t> {
    uint8_t operator()(float x) const { return uint8_t(int32_t(x)); }
    uint8_t operator()(double x) const { return uint8_t(int32_t(x)); }
    template <class A>
    uint8_t operator()(A x) const {
        return uint8_t(x);
    }
};
template <>
struct Cast<bool> {
    template <class A>
    bool operator()(A x) const {
        return x != A(0);
    }
};
template <>
struct Cast<uint64_t> {  // negative floats wrap around
    template <class A>
    uint64_t operator()(A x) const {
        return x < A(0) ? uint64_t(int64_t(x)) : uint64_t(x);
    }
};
template <>
struct Cast<F16> {
    F16 operator()(float x) const { return {f16_of_float(x)}; }
    F16 operator()(double x) const { return {f16_of_float(float_to_odd(x))}; }
};
template <>
struct Cast<BF16> {
    BF16 operator()(float x) const { return {bf16_of_float(x)}; }
    BF16 operator()(double x) const { return {bf16_of_float(float_to_odd(x))}; }
};

template <class R, class A>
constexpr EwTileFn tile = unary_tile<Cast<R>, R, A>;

template <class A>
EwTileFn cast_from(DType to) {
    switch (to) {
        case DType::f32:
            return tile<float, A>;
        case DType::f64:
            return tile<double, A>;
        case DType::i32:
            return tile<int32_t, A>;
        case DType::i64:
            return tile<int64_t, A>;
        case DType::u8:
            return tile<uint8_t, A>;
        case DType::b8:
            return tile<bool, A>;
        default:
            return nullptr;
    }
}

template <class A>
EwTileFn float_to_storage(DType to) {
    if (to == DType::f16) return tile<F16, A>;
    if (to == DType::bf16) return tile<BF16, A>;
    return tile<uint64_t, A>;
}

EwTileFn to_storage(DType from, DType to) {
    if (from == DType::f32) return float_to_storage<float>(to);
    if (from == DType::f64) return float_to_storage<double>(to);
    switch (to) {
        case DType::i8:
            return tile<int8_t, int32_t>;
        case DType::i16:
            return tile<int16_t, int32_t>;
        case DType::u16:
            return tile<uint16_t, int32_t>;
        case DType::u32:
            return tile<uint32_t, int64_t>;
        default:
            return tile<uint64_t, int64_t>;
    }
}

}  // namespace

EwTileFn ew_cast_tile(DType from, DType to) {
    if (is_storage(to)) return to_storage(from, to);
    switch (from) {
        case DType::f32:
            return cast_from<float>(to);
        case DType::f64:
            return cast_from<double>(to);
        case DType::i32:
            return cast_from<int32_t>(to);
        case DType::i64:
            return cast_from<int64_t>(to);
        case DType::u8:
            return cast_from<uint8_t>(to);
        case DType::b8:
            return cast_from<bool>(to);
        case DType::f16:
            return tile<float, F16>;
        case DType::bf16:
            return tile<float, BF16>;
        case DType::i8:
            return tile<int32_t, int8_t>;
        case DType::i16:
            return tile<int32_t, int16_t>;
        case DType::u16:
            return tile<int32_t, uint16_t>;
        case DType::u32:
            return tile<int64_t, uint32_t>;
        case DType::u64:
            return to == DType::f32   ? tile<float, uint64_t>
                   : to == DType::f64 ? tile<double, uint64_t>
                                      : tile<int64_t, uint64_t>;
    }
    return nullptr;
}

}  // namespace hb::HB_ISA
