// Casts between all pairs of dtypes. Floats truncate towards zero; anything but zero is true.
#include "cpu/elementwise.h"

namespace hb::HB_ISA {
namespace {

template <class R>
struct Cast {
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

template <class A>
EwTileFn cast_from(DType to) {
    switch (to) {
        case DType::f32:
            return unary_tile<Cast<float>, float, A>;
        case DType::f64:
            return unary_tile<Cast<double>, double, A>;
        case DType::i32:
            return unary_tile<Cast<int32_t>, int32_t, A>;
        case DType::i64:
            return unary_tile<Cast<int64_t>, int64_t, A>;
        case DType::u8:
            return unary_tile<Cast<uint8_t>, uint8_t, A>;
        case DType::b8:
            return unary_tile<Cast<bool>, bool, A>;
    }
    return nullptr;
}

}  // namespace

EwTileFn ew_cast_tile(DType from, DType to) {
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
    }
    return nullptr;
}

}  // namespace hb::HB_ISA
