// Element types, shapes, and the two together.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "core/shape.h"
#include "kernels/kernel.h"

namespace hb {

size_t dtype_size(DType dtype);
const char* dtype_name(DType dtype);
DType dtype_from_name(std::string_view name);
inline bool is_half(DType dtype) { return dtype == DType::f16 || dtype == DType::bf16; }
inline bool is_float(DType dtype) {
    return dtype == DType::f32 || dtype == DType::f64 || is_half(dtype);
}
inline bool is_integer(DType dtype) { return !is_float(dtype) && dtype != DType::b8; }
// The dtype in which ops on a storage dtype compute; any other dtype is its own.
DType carrier(DType dtype);
// The dtype that holds both, by Keras' rules: any integer with a float is that float, float16 with
// bfloat16 is float32, int64 with uint64 is float32.
DType promote(DType a, DType b);
std::ostream& operator<<(std::ostream& out, DType dtype);

int64_t volume(const Shape& shape);
inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
std::string to_string(const Shape& shape);  // as Python prints a tuple
std::ostream& operator<<(std::ostream& out, const Shape& shape);
// NumPy's broadcasting; `what` begins the error.
Shape broadcast_shapes(const Shape& a, const Shape& b, std::string_view what);
// Axis in [-ndim, ndim) to [0, ndim).
int normalize_axis(int64_t axis, int ndim, std::string_view what);

struct TensorType {
    DType dtype = DType::f32;
    Shape shape;
    size_t bytes() const { return size_t(volume(shape)) * dtype_size(dtype); }
    bool operator==(const TensorType&) const = default;
};

}  // namespace hb
