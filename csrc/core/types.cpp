#include "core/types.h"

#include <algorithm>

namespace hb {

namespace {
struct DTypeInfo {
    const char* name;
    size_t size;
};
constexpr DTypeInfo kInfo[kNumDTypes] = {{"float32", 4}, {"float64", 8}, {"int32", 4},
                                         {"int64", 8},   {"uint8", 1},   {"bool", 1}};
}  // namespace

size_t dtype_size(DType dtype) { return kInfo[int(dtype)].size; }
const char* dtype_name(DType dtype) { return kInfo[int(dtype)].name; }

DType dtype_from_name(std::string_view name) {
    for (int i = 0; i < kNumDTypes; ++i)
        if (name == kInfo[i].name) return DType(i);
    if (name == "float") return DType::f32;
    if (name == "int") return DType::i32;
    fail_type(
        "dtype: '{}' is not supported. Expected one of float32, float64, int32, int64, uint8, "
        "bool.",
        name);
}

DType promote(DType a, DType b) {
    if (a == b) return a;
    const auto rank = [](DType d) {
        switch (d) {
            case DType::b8:
                return 0;
            case DType::u8:
                return 1;
            case DType::i32:
                return 2;
            case DType::i64:
                return 3;
            case DType::f32:
                return 4;
            case DType::f64:
                return 5;
        }
        return 5;
    };
    return rank(a) > rank(b) ? a : b;
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
