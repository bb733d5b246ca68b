// Turns a copy between any two strided views into what the kernel wants: few dims, a good panel,
// blocks.
#include <algorithm>

#include "ops/layout.h"

namespace hb {

namespace {
constexpr int64_t kBlock = 1 << 14;  // elements of a unit of work
constexpr int64_t kTile = 64;        // edge of a unit of a transposition

struct Dim {
    int64_t n, dst, src;
};

// Drops dims of one element and joins neighbours that are one run on both sides.
std::vector<Dim> collapse(const Shape& dims, const Shape& dst, const Shape& src) {
    std::vector<Dim> out;
    for (int i = 0; i < dims.ndim(); ++i) {
        const Dim d{dims[i], dst[i], src[i]};
        if (d.n == 1) continue;
        if (!out.empty() && out.back().dst == d.dst * d.n && out.back().src == d.src * d.n)
            out.back() = {out.back().n * d.n, d.dst, d.src};
        else
            out.push_back(d);
    }
    return out;
}
}  // namespace

Shape row_major_strides(const Shape& shape) {
    Shape strides(shape.size(), 1);
    for (int i = shape.ndim() - 2; i >= 0; --i) strides[i] = strides[i + 1] * shape[i + 1];
    return strides;
}

int64_t offset_of(const Shape& index, const Shape& strides) {
    int64_t offset = 0;
    for (int i = 0; i < index.ndim(); ++i) offset += index[i] * strides[i];
    return offset;
}

void CopyList::add(void* dst, int64_t dst_offset, const void* src, int64_t src_offset,
                   const Shape& dims, const Shape& dst_strides, const Shape& src_strides) {
    const int64_t n = volume(dims);
    if (n == 0) return;
    std::vector<Dim> all = collapse(dims, dst_strides, src_strides);
    if (int(all.size()) > kCopyMaxDims - 2)
        fail_value("a tensor of {} dimensions is more than can be copied.", dims.ndim());
    while (all.size() < 2) all.insert(all.begin(), all.empty() ? Dim{1, 1, 1} : Dim{1, 0, 0});
    const size_t last = all.size() - 1;
    bool tiled = false;
    if (all[last].dst == 1 && all[last].src != 1 && all[last].src != 0)
        for (size_t i = 0; i < last; ++i)
            if (all[i].src == 1) {  // rows of the panel are what lies together in src
                std::rotate(all.begin() + long(i), all.begin() + long(i) + 1,
                            all.begin() + long(last));
                tiled = true;
                break;
            }
    const int64_t rows = all[last - 1].n, cols = all[last].n;
    tiled = tiled && cols > 7 && rows > 3;
    Copy copy{};
    copy.dst = static_cast<char*>(dst) + dst_offset * size_;
    copy.src = static_cast<const char*>(src) + src_offset * size_;
    copy.ndim = int32_t(all.size());
    copy.size = int32_t(size_);
    copy.block_cols = std::min(cols, tiled ? kTile : kBlock);
    copy.block_rows =
        std::min(rows, tiled ? kTile : std::max<int64_t>(1, kBlock / copy.block_cols));
    copy.units = n / (rows * cols) * ((rows + copy.block_rows - 1) / copy.block_rows) *
                 ((cols + copy.block_cols - 1) / copy.block_cols);
    for (size_t i = 0; i < all.size(); ++i) {
        copy.dims[i] = all[i].n;
        copy.dst_strides[i] = all[i].dst;
        copy.src_strides[i] = all[i].src;
    }
    copies_.push_back(copy);
    elements_ += n;
}

void CopyList::run(Emit& e) {
    if (copies_.empty()) return;
    e.run(e.kernels.layout->copy,
          CopyArgs{e.store(copies_.data(), copies_.size()), int64_t(copies_.size())},
          2 * elements_ * size_);
}

}  // namespace hb
