// A Tensor is a value: a shape, a dtype, and either memory (row-major, without gaps) or, while a
// step is being traced, the name of a value to come. Copying a Tensor copies a reference.
#pragma once

#include <functional>
#include <memory>

#include "core/types.h"

namespace hb {

// 64-byte aligned memory, or somebody else's with the means to give it back.
class Buffer {
  public:
    explicit Buffer(size_t bytes);
    Buffer(void* data, size_t bytes, std::function<void()> release)
        : data_(data), bytes_(bytes), release_(std::move(release)) {}
    ~Buffer();
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    void* data() const { return data_; }
    size_t bytes() const { return bytes_; }
    bool foreign() const { return bool(release_); }

  private:
    void* data_;
    size_t bytes_;
    std::function<void()> release_;
};

struct Symbol {  // output `output` of node `node` in the graph that is being traced
    const void* graph = nullptr;
    int node = -1;
    int output = 0;
};

class Tensor {
  public:
    Tensor() = default;
    explicit Tensor(TensorType type);  // fresh, uninitialised memory
    Tensor(TensorType type, std::shared_ptr<Buffer> buffer);
    Tensor(TensorType type, Symbol symbol);

    template <class T>
    static Tensor scalar(DType dtype, T value);

    bool defined() const { return impl_ != nullptr; }
    bool symbolic() const { return impl_->symbol.graph != nullptr; }
    const TensorType& type() const { return impl_->type; }
    const Shape& shape() const { return impl_->type.shape; }
    DType dtype() const { return impl_->type.dtype; }
    int64_t size() const { return volume(shape()); }
    int ndim() const { return shape().ndim(); }
    uint64_t id() const { return impl_->id; }
    const Symbol& symbol() const { return impl_->symbol; }
    const std::shared_ptr<Buffer>& buffer() const { return impl_->buffer; }
    bool shared() const { return impl_.use_count() > 1; }
    // Throws for a symbolic tensor: its numbers do not exist yet.
    void* data() const;
    template <class T>
    T* as() const {
        return static_cast<T*>(data());
    }

  private:
    struct Impl {
        TensorType type;
        std::shared_ptr<Buffer> buffer;
        Symbol symbol;
        uint64_t id;
    };
    std::shared_ptr<Impl> impl_;
};

// Writes `value` as an element of `dtype`.
void store_scalar(void* where, DType dtype, double value);
double load_scalar(const void* where, DType dtype);

template <class T>
Tensor Tensor::scalar(DType dtype, T value) {
    Tensor out(TensorType{dtype, {}});
    if (dtype == DType::i64 || dtype == DType::u64)
        *out.as<int64_t>() = int64_t(value);
    else
        store_scalar(out.data(), dtype, double(value));
    return out;
}

}  // namespace hb
