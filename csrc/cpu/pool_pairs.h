// The mean of windows of 2x2 side by side, the usual pooling, and its gradient: nothing is left to
// count, four loads make a vector, and a vector of dy is stored four times.
#pragma once

#include "cpu/pool.h"

namespace hb::HB_ISA {
namespace {

inline bool is_pairs(const PoolArgs& a) {
    const PoolDim *d = &a.dim[0], *h = &a.dim[1], *w = &a.dim[2];
    return is_tiled(a) && d->window == 1 && h->window == 2 && w->window == 2;
}

// f(first element, lanes) for the vectors of n elements in pieces of c; lanes are all that a vector
// has where that many elements follow in [first, room).
template <class T, class F>
HB_INLINE void for_pieces(int64_t n, int64_t c, int64_t room, F f) {
    constexpr int64_t lanes = Vec<T>::lanes;
    for (int64_t p = 0; p < n; p += c)
        for (int64_t b = 0; b < c; b += lanes)
            if (room - p - b >= lanes)
                f(p, b, lanes);
            else
                f(p, b, c - b < lanes ? c - b : lanes);
}

template <class T>
void avg_pairs(const PoolArgs& a, int thread, int threads) {
    using V = Vec<T>;
    const PoolDim &pd = a.dim[0], &ph = a.dim[1], &pw = a.dim[2];
    const int64_t c = a.channels, length = pw.out * c, step = pw.in * c;
    const Range rows = split(a.n * pd.out * ph.out, thread, threads);
    for (int64_t row = rows.begin; row < rows.end; ++row) {
        const int64_t slice = row / ph.out, image = slice / pd.out * pd.in + slice % pd.out;
        const T* x = static_cast<const T*>(a.x) + (image * ph.in + row % ph.out * 2) * step;
        T* y = static_cast<T*>(a.y) + row * length;
        for_pieces<T>(length, c, length,
                      [&](int64_t p, int64_t b, int64_t n) __attribute__((always_inline)) {
                          const T* from = x + 2 * p + b;
                          typename V::type sum = V::load(from, n) + V::load(from + c, n);
                          sum += V::load(from + step, n);
                          sum += V::load(from + step + c, n);
                          V::store(y + p + b, sum * V::splat(T(0.25)), n);
                      });
    }
}

template <class T>
void avg_grad_pairs(const PoolArgs& a, int thread, int threads) {
    using V = Vec<T>;
    const PoolDim &pd = a.dim[0], &ph = a.dim[1], &pw = a.dim[2];
    const int64_t c = a.channels, length = pw.out * c, step = pw.in * c;
    const Range rows = split(a.n * pd.in * ph.out, thread, threads);
    for (int64_t row = rows.begin; row < rows.end; ++row) {
        const int64_t h = row % ph.out;
        const T* dy = static_cast<const T*>(a.x) + row * length;
        T* dx = static_cast<T*>(a.y) + (row / ph.out * ph.in + 2 * h) * step;
        for_pieces<T>(length, c, length,
                      [&](int64_t p, int64_t b, int64_t n) __attribute__((always_inline)) {
                          const auto share = V::load(dy + p + b, n) * V::splat(T(0.25));
                          T* to = dx + 2 * p + b;
                          // the next pixel's first channels may be there already
                          const int64_t m = c > V::lanes && c - b < V::lanes ? c - b : n;
                          V::store(to, share, m);
                          V::store(to + step, share, m);
                          V::store(to + c, share, n);
                          V::store(to + step + c, share, n);
                      });
        for (int64_t i = 2 * length; i < step; ++i) dx[i] = dx[step + i] = T(0);
        if (h == ph.out - 1 && ph.in % 2)
            for (int64_t i = 0; i < step; ++i) dx[2 * step + i] = T(0);
    }
}

}  // namespace
}  // namespace hb::HB_ISA
