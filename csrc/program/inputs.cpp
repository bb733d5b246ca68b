#include "program/inputs.h"

#include <cstring>

#include "kernels/kernel.h"

namespace hb {

namespace {
template <class To, class From>
void convert(To* to, const From* from, int64_t n) {
    for (int64_t i = 0; i < n; ++i) to[i] = To(from[i]);
}

template <class To>
void convert_from(To* to, const void* from, DType dtype, int64_t n) {
    switch (dtype) {
        case DType::f32:
            return convert(to, static_cast<const float*>(from), n);
        case DType::f64:
            return convert(to, static_cast<const double*>(from), n);
        case DType::i32:
            return convert(to, static_cast<const int32_t*>(from), n);
        case DType::i64:
            return convert(to, static_cast<const int64_t*>(from), n);
        case DType::u8:
        case DType::b8:
            return convert(to, static_cast<const uint8_t*>(from), n);
        default:
            return;
    }
}

void convert_elements(void* to, DType to_dtype, const void* from, DType from_dtype, int64_t n) {
    if (to_dtype == from_dtype) {
        std::memcpy(to, from, size_t(n) * dtype_size(to_dtype));
        return;
    }
    if (is_storage(to_dtype) || is_storage(from_dtype)) {
        const size_t to_size = dtype_size(to_dtype), from_size = dtype_size(from_dtype);
        for (size_t i = 0; i < size_t(n); ++i)
            store_scalar(static_cast<char*>(to) + i * to_size, to_dtype,
                         load_scalar(static_cast<const char*>(from) + i * from_size, from_dtype));
        return;
    }
    switch (to_dtype) {
        case DType::f32:
            return convert_from(static_cast<float*>(to), from, from_dtype, n);
        case DType::f64:
            return convert_from(static_cast<double*>(to), from, from_dtype, n);
        case DType::i32:
            return convert_from(static_cast<int32_t*>(to), from, from_dtype, n);
        case DType::i64:
            return convert_from(static_cast<int64_t*>(to), from, from_dtype, n);
        case DType::u8:
            return convert_from(static_cast<uint8_t*>(to), from, from_dtype, n);
        case DType::b8:
            return convert_from(static_cast<bool*>(to), from, from_dtype, n);
        default:
            return;
    }
}
}  // namespace

void copy_rows(const void* args, int thread, int threads) {
    const Rows& rows = *static_cast<const Rows*>(args);
    const Range own = split(rows.count, thread, threads);
    const int64_t to_size = int64_t(dtype_size(rows.to_dtype)),
                  from_size = int64_t(dtype_size(rows.from_dtype)), size = rows.runs * rows.run;
    const auto copy = [&](int64_t to, int64_t from, int64_t n) {
        convert_elements(rows.to + to * to_size, rows.to_dtype,
                         static_cast<const char*>(rows.from) + from * from_size, rows.from_dtype,
                         n);
    };
    if (!rows.at && !rows.by_runs)
        return copy(own.begin * size, (rows.first + own.begin) * size,
                    (own.end - own.begin) * size);
    for (int64_t r = own.begin; r < own.end; ++r) {
        const int64_t from = (rows.at ? rows.at[rows.first + r] : rows.first + r) * size;
        if (!rows.by_runs) {
            copy(r * size, from, size);
            continue;
        }
        for (int64_t j = 0; j < rows.runs; ++j)
            copy((j * rows.count + r) * rows.run, from + j * rows.run, rows.run);
    }
}

}  // namespace hb
