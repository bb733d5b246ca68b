// Lists of strided copies, for the ops of the layout family and whoever else moves elements.
//     CopyList copies(dtype);
//     copies.add(dst, src, dims, dst_strides, src_strides);   // strides in elements
//     copies.fill(dst, value, dims, dst_strides);
//     copies.run(e);                                          // one instruction for all of them
#pragma once

#include <vector>

#include "core/op.h"
#include "kernels/layout.h"

namespace hb {

Shape row_major_strides(const Shape& shape);
// Where the element at `index` lies.
int64_t offset_of(const Shape& index, const Shape& strides);

class CopyList {
  public:
    explicit CopyList(DType dtype) : size_(int64_t(dtype_size(dtype))) {}

    // The places written by the copies of one list must be disjoint.
    void add(void* dst, int64_t dst_offset, const void* src, int64_t src_offset, const Shape& dims,
             const Shape& dst_strides, const Shape& src_strides);
    // `value` is one element, alive until run() has stored it.
    void fill(void* dst, int64_t dst_offset, const void* value, const Shape& dims,
              const Shape& dst_strides) {
        add(dst, dst_offset, value, 0, dims, dst_strides, Shape(dims.size(), 0));
    }
    void run(Emit& e);

  private:
    int64_t size_;
    int64_t elements_ = 0;
    std::vector<Copy> copies_;
};

}  // namespace hb
