#include "core/tensor.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

#include "core/allocator.h"
#include "kernels/half.h"

namespace hb {

namespace {
uint64_t next_id() {
    static std::atomic<uint64_t> counter{1};
    return counter.fetch_add(1, std::memory_order_relaxed);
}
}  // namespace

Buffer::Buffer(size_t bytes) : data_(allocate(bytes)), bytes_(bytes) {}

Buffer::~Buffer() {
    if (release_)
        release_();
    else
        deallocate(data_, bytes_);
}

Tensor::Tensor(TensorType type) : Tensor(std::move(type), nullptr) {
    impl_->buffer = std::make_shared<Buffer>(impl_->type.bytes());
}

Tensor::Tensor(TensorType type, std::shared_ptr<Buffer> buffer)
    : impl_(std::make_shared<Impl>(Impl{std::move(type), std::move(buffer), {}, next_id()})) {}

Tensor::Tensor(TensorType type, Symbol symbol)
    : impl_(std::make_shared<Impl>(Impl{std::move(type), nullptr, symbol, next_id()})) {}

void* Tensor::data() const {
    if (symbolic())
        fail_type(
            "This tensor of shape {} and dtype {} has no numbers yet: it stands for a value inside "
            "a "
            "step that is being traced. Use hb.ops on it, or compile(..., run_eagerly=True) to run "
            "Python line by line.",
            shape(), dtype());
    return impl_->buffer->data();
}

namespace {
template <class T>
void put(void* where, T value) {
    std::memcpy(where, &value, sizeof(value));
}
template <class T>
double take(const void* where) {
    T value;
    std::memcpy(&value, where, sizeof(value));
    return double(value);
}
}  // namespace

void store_scalar(void* where, DType dtype, double value) {
    switch (dtype) {
        case DType::f32:
            return put(where, float(value));
        case DType::f64:
            return put(where, value);
        case DType::i32:
            return put(where, int32_t(value));
        case DType::i64:
            return put(where, int64_t(value));
        case DType::u8:
            return put(where, uint8_t(int64_t(value)));
        case DType::b8:
            return put(where, uint8_t(value != 0));
        case DType::f16:
            return put(where, f16_of_float(float_to_odd(value)));
        case DType::bf16:
            return put(where, bf16_of_float(float_to_odd(value)));
        case DType::i8:
            return put(where, int8_t(int64_t(value)));
        case DType::i16:
            return put(where, int16_t(int64_t(value)));
        case DType::u16:
            return put(where, uint16_t(int64_t(value)));
        case DType::u32:
            return put(where, uint32_t(int64_t(value)));
        case DType::u64:
            return put(where, value < 0 ? uint64_t(int64_t(value)) : uint64_t(value));
    }
}

double load_scalar(const void* where, DType dtype) {
    switch (dtype) {
        case DType::f32:
            return take<float>(where);
        case DType::f64:
            return take<double>(where);
        case DType::i32:
            return take<int32_t>(where);
        case DType::i64:
            return take<int64_t>(where);
        case DType::u8:
        case DType::b8:
            return take<uint8_t>(where);
        case DType::f16:
            return float_of_f16(*static_cast<const uint16_t*>(where));
        case DType::bf16:
            return float_of_bf16(*static_cast<const uint16_t*>(where));
        case DType::i8:
            return take<int8_t>(where);
        case DType::i16:
            return take<int16_t>(where);
        case DType::u16:
            return take<uint16_t>(where);
        case DType::u32:
            return take<uint32_t>(where);
        case DType::u64:
            return take<uint64_t>(where);
    }
    return 0;
}

}  // namespace hb
