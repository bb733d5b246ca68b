// Many steps in one call: each takes its rows straight from the caller's arrays.
#include <chrono>

#include "program/program.h"

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

int64_t row_size(const TensorType& type) {
    return type.shape.empty() || type.shape[0] == 0 ? 0 : volume(type.shape) / type.shape[0];
}

// Input `type` (rows of one step) from source rows at[0..], or from `first` on where at is null.
void gather(char* to, const TensorType& type, const Tensor& source, const int64_t* at,
            int64_t first) {
    const int64_t rows = type.shape[0], size = row_size(type);
    const size_t from_bytes = size_t(size) * dtype_size(source.dtype());
    const char* from = source.as<char>();
    if (at == nullptr) {
        convert_elements(to, type.dtype, from + size_t(first) * from_bytes, source.dtype(),
                         rows * size);
        return;
    }
    const size_t to_bytes = size_t(size) * dtype_size(type.dtype);
    for (int64_t r = 0; r < rows; ++r)
        convert_elements(to + size_t(r) * to_bytes, type.dtype, from + size_t(at[r]) * from_bytes,
                         source.dtype(), size);
}

void check_source(size_t k, const Tensor& source, const TensorType& type) {
    Shape row(source.shape().begin() + (source.ndim() ? 1 : 0), source.shape().end());
    Shape wanted(type.shape.begin() + (type.shape.empty() ? 0 : 1), type.shape.end());
    if (source.ndim() == 0 || type.shape.empty() || row != wanted)
        fail_value(
            "Program.run_steps: input {} takes rows of shape {}. Received: an array of shape {}.",
            k, wanted, source.shape());
}
}  // namespace

int64_t Program::run_steps(const Feed& feed, int64_t steps, const std::function<bool()>& keep_going,
                           std::vector<Tensor>* last) {
    using Clock = std::chrono::steady_clock;
    constexpr auto kAskEvery = std::chrono::milliseconds(50);
    if (feed.sources.size() != num_inputs())
        fail_value("Program.run_steps: takes {} arrays. Received: {}.", num_inputs(),
                   feed.sources.size());
    for (size_t k = 0; k < feed.sources.size(); ++k)
        check_source(k, feed.sources[k], input_type(k));
    const int64_t batch = num_inputs() ? input_type(0).shape[0] : 0;

    Lease lease(*this);
    Instance& instance = *lease;
    const auto collect = [&](int64_t step) {
        for (size_t k = 0; k < feed.collect.size(); ++k) {
            if (!feed.collect[k].defined()) continue;
            const size_t bytes = output_type(k).bytes();
            std::memcpy(feed.collect[k].as<char>() + size_t(step) * bytes +
                            size_t(feed.first) * size_t(row_size(output_type(k))) *
                                dtype_size(output_type(k).dtype),
                        instance.outputs[k], bytes);
        }
    };
    auto asked = Clock::now();
    const auto prepare = [&](int64_t step) {
        if (step > 0) collect(step - 1);
        if (keep_going && Clock::now() - asked > kAskEvery) {
            asked = Clock::now();
            if (!keep_going()) return false;
        }
        const int64_t first = feed.first + step * batch;
        for (size_t k = 0; k < feed.sources.size(); ++k)
            gather(instance.inputs[k], input_type(k), feed.sources[k],
                   feed.rows ? feed.rows + first : nullptr, first);
        return true;
    };
    const int64_t done =
        execute(Job{&instance.list, instance.first_effect}, instance.threads, steps, prepare);
    if (done > 0 && done == steps) collect(done - 1);
    if (last && done > 0) *last = outputs_of(instance);
    return done;
}

}  // namespace hb
