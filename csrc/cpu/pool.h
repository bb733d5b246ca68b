// What pooling of either kind shares. Vectors run over channels, threads share pixels of the output
// (of dx in gradients: each gathers from the windows that cover it, so nothing is added by two
// threads and dx is written once). Windows side by side, the usual case, go row by row. Bytes:
// forward reads each x window times over strides times, from L1 but for the first.
#pragma once

#include "cpu/vec.h"
#include "kernels/pool.h"

namespace hb::HB_ISA {
namespace {

// Walks the pixels [begin, end) of images of the given size.
struct Pixel {
    int64_t image, d, h, w;

    Pixel(int64_t flat, const int64_t (&size)[3])
        : image(flat / (size[0] * size[1] * size[2])),
          d(flat / (size[1] * size[2]) % size[0]),
          h(flat / size[2] % size[1]),
          w(flat % size[2]) {}
    HB_INLINE void next(const int64_t (&size)[3]) {
        if (++w < size[2]) return;
        w = 0;
        if (++h < size[1]) return;
        h = 0;
        if (++d < size[0]) return;
        d = 0;
        ++image;
    }
};

template <int n>
struct Count {
    static constexpr int value = n;
};

// Calls block(vectors, first channel, lanes of each vector) for 4 or 2 full vectors, then for one
// that may be partly full. It is treated as full where a whole vector may be read and written
// behind the channels, since what comes next overwrites it.
template <class T, class Block>
HB_INLINE void for_channels(int64_t channels, bool room, Block&& block) {
    constexpr int64_t kLanes = Vec<T>::lanes;
    int64_t c = 0;
    for (; c + 4 * kLanes <= channels; c += 4 * kLanes) block(Count<4>(), c, kLanes);
    for (; c + 2 * kLanes <= channels; c += 2 * kLanes) block(Count<2>(), c, kLanes);
    for (; c < channels; c += kLanes) block(Count<1>(), c, room ? kLanes : channels - c);
}

// True if a vector fits behind the channels of pixel i of a share that ends at `end`, and behind
// any pixel of an image that is not the last.
template <class T>
HB_INLINE bool has_room(const PoolArgs& a, const Pixel& at, int64_t i, int64_t end) {
    constexpr int64_t kLanes = Vec<T>::lanes;
    return at.image + kLanes < a.n && (end - i - 1) * a.channels >= kLanes;
}

// Windows side by side, without padding: each element of dx lies in one window or in none.
inline bool is_tiled(const PoolArgs& a) {
    for (const PoolDim& d : a.dim)
        if (d.stride != d.window || d.low != 0 || d.out * d.window > d.in) return false;
    return true;
}

// Rows of dx for tiled windows: value(window, tap, channel, lanes) of all taps and channels in the
// order of memory, zeros where there is no window. Whole vectors are stored where the row goes on
// behind them, for then what is too much is overwritten by what comes next. `windows` are counted
// over all images, and `left` is what value may read behind its first channel.
template <class T, class Value>
HB_INLINE void tiled_grad(const PoolArgs& a, int thread, int threads, Value value) {
    using V = Vec<T>;
    const PoolDim &pd = a.dim[0], &ph = a.dim[1], &pw = a.dim[2];
    const int64_t c = a.channels, length = pw.in * c, used = pw.out * pw.window * c;
    const int64_t all = a.n * pd.out * ph.out * pw.out * c;  // elements of dy
    const Range rows = split(a.n * pd.in * ph.in, thread, threads);
    for (int64_t row = rows.begin; row < rows.end; ++row) {
        const int64_t h = row % ph.in, slice = row / ph.in, d = slice % pd.in;
        const int64_t od = d / pd.window, oh = h / ph.window;
        T* dx = static_cast<T*>(a.y) + row * length;
        const bool covered = od < pd.out && oh < ph.out;
        if (covered) {
            int64_t window = ((slice / pd.in * pd.out + od) * ph.out + oh) * pw.out;
            const int64_t tap = (d % pd.window * ph.window + h % ph.window) * pw.window;
            T* to = dx;
            for (int64_t w = 0; w < pw.out; ++w, ++window)
                for (int64_t k = 0; k < pw.window; ++k, to += c)
                    for (int64_t b = 0; b < c; b += V::lanes) {
                        const int64_t at = window * c + b, behind = used - (to + b - dx);
                        if (behind >= V::lanes && all - at >= V::lanes)
                            V::store(to + b, value(at, tap + k, int64_t(V::lanes)));
                        else
                            V::store(to + b, value(at, tap + k, c - b), c - b);
                    }
        }
        for (int64_t i = covered ? used : 0; i < length; ++i) dx[i] = T(0);
    }
}

}  // namespace
}  // namespace hb::HB_ISA
