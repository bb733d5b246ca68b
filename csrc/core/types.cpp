#include "core/types.h"

#include <algorithm>

namespace hb {

namespace {
constexpr const char* kNames[kNumDTypes] = {"float32", "float64", "int32",    "int64", "uint8",
                                            "bool",    "float16", "bfloat16", "int8",  "int16",
                                            "uint16",  "uint32",  "uint64"};

bool is_unsigned(DType d) {
    return d == DType::u8 || d == DType::u16 || d == DType::u32 || d == DType::u64;
}

DType promote_integers(DType a, DType b) {
    if (is_unsigned(a) == is_unsigned(b)) return size_of(a) >= size_of(b) ? a : b;
    const DType sign = is_unsigned(a) ? b : a, none = is_unsigned(a) ? a : b;
    if (size_of(sign) > size_of(none)) return sign;
    switch (none) {
        case DType::u8:
            return DType::i16;
        case DType::u16:
            return DType::i32;
        case DType::u32:
            return DType::i64;
        default:
            return DType::f32;
    }
}
}  // namespace

size_t dtype_size(DType dtype) { return size_t(size_of(dtype)); }
const char* dtype_name(DType dtype) { return kNames[int(dtype)]; }

DType dtype_from_name(std::string_view name) {
    for (int i = 0; i < kNumDTypes; ++i)
        if (name == kNames[i]) return DType(i);
    if (name == "float") return DType::f32;
    if (name == "int") return DType::i32;
    fail_type(
        "dtype: '{}' is not supported. Expected one of float32, float64, float16, bfloat16, int8, "
        "int16, int32, int64, uint8, uint16, uint32, uint64, bool.",
        name);
}

DType carrier(DType dtype) {
    if (is_half(dtype)) return DType::f32;
    if (!is_storage(dtype)) return dtype;
    return size_of(dtype) < 4 ? DType::i32 : DType::i64;
}

DType promote(DType a, DType b) {
    if (a == b || b == DType::b8) return a;
    if (a == DType::b8) return b;
    if (is_float(a) != is_float(b)) return is_float(a) ? a : b;
    if (!is_float(a)) return promote_integers(a, b);
    if (a == DType::f64 || b == DType::f64) return DType::f64;
    return DType::f32;  // two different ones of float32, float16, bfloat16
}

std::ostream& operator<<(std::ostream& out, DType dtype) { return out << dtype_name(dtype); }

int64_t volume(const Shape& shape) {
    int64_t n = 1;
    for (int64_t d : shape) n *= d;
    return n;
}

std::string to_string(const Shape& shape) {
    std::ostringstream out;
    out << shape;
    return out.str();
}

std::ostream& operator<<(std::ostream& out, const Shape& shape) {
    out << '(';
    for (int i = 0; i < shape.ndim(); ++i) out << (i ? ", " : "") << shape[i];
    return out << (shape.ndim() == 1 ? ",)" : ")");
}

Shape broadcast_shapes(const Shape& a, const Shape& b, std::string_view what) {
    if (a == b) return a;
    const int ndim = std::max(a.ndim(), b.ndim());
    Shape out(size_t(ndim), 1);
    for (int i = 0; i < ndim; ++i) {
        const int ia = i - (ndim - a.ndim()), ib = i - (ndim - b.ndim());
        const int64_t da = ia < 0 ? 1 : a[ia], db = ib < 0 ? 1 : b[ib];
        if (da != db && da != 1 && db != 1)
            fail_value("{}: shapes {} and {} do not broadcast: dimension {} is {} and {}.", what, a,
                       b, i, da, db);
        out[i] = da == 1 ? db : da;
    }
    return out;
}

int normalize_axis(int64_t axis, int ndim, std::string_view what) {
    if (axis < -ndim || axis >= ndim)
        fail_value("{}: axis {} is out of range for a tensor of {} dimensions.", what, axis, ndim);
    return int(axis < 0 ? axis + ndim : axis);
}

}  // namespace hb
