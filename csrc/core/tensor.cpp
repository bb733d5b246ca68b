#include "core/tensor.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

#include "core/allocator.h"

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

void store_scalar(void* where, DType dtype, double value) {
    switch (dtype) {
        case DType::f32:
            *static_cast<float*>(where) = float(value);
            return;
        case DType::f64:
            *static_cast<double*>(where) = value;
            return;
        case DType::i32:
            *static_cast<int32_t*>(where) = int32_t(value);
            return;
        case DType::i64:
            *static_cast<int64_t*>(where) = int64_t(value);
            return;
        case DType::u8:
            *static_cast<uint8_t*>(where) = uint8_t(value);
            return;
        case DType::b8:
            *static_cast<uint8_t*>(where) = value != 0;
            return;
    }
}

double load_scalar(const void* where, DType dtype) {
    switch (dtype) {
        case DType::f32:
            return *static_cast<const float*>(where);
        case DType::f64:
            return *static_cast<const double*>(where);
        case DType::i32:
            return *static_cast<const int32_t*>(where);
        case DType::i64:
            return double(*static_cast<const int64_t*>(where));
        case DType::u8:
        case DType::b8:
            return *static_cast<const uint8_t*>(where);
    }
    return 0;
}

}  // namespace hb
