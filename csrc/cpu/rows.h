// Rows of numbers: what reductions, softmax and normalisation share.
#pragma once

#include "cpu/vec.h"

namespace hb::HB_ISA {
namespace {

// f(i, lanes) for every vector of a row; only the last may have fewer than all lanes.
template <class T, class F>
HB_INLINE void for_vectors(int64_t n, F f) {
    constexpr int64_t L = Vec<T>::lanes;
    int64_t i = 0;
    for (; i + L <= n; i += L) f(i, L);
    if (i < n) f(i, n - i);
}

// v with zeros behind its first n lanes.
template <class T>
HB_INLINE typename Vec<T>::type keep_lanes(typename Vec<T>::type v, int64_t n) {
    using V = Vec<T>;
    return n >= V::lanes ? v : V::select(V::first(n), v, V::zero());
}

template <class T>
constexpr T kLowest = T(0);
template <>
constexpr float kLowest<float> = -__builtin_inff();
template <>
constexpr double kLowest<double> = -__builtin_inf();
template <>
constexpr int32_t kLowest<int32_t> = INT32_MIN;
template <>
constexpr int64_t kLowest<int64_t> = INT64_MIN;
template <class T>
constexpr T kHighest = T(-1);
template <>
constexpr float kHighest<float> = __builtin_inff();
template <>
constexpr double kHighest<double> = __builtin_inf();
template <>
constexpr int32_t kHighest<int32_t> = INT32_MAX;
template <>
constexpr int64_t kHighest<int64_t> = INT64_MAX;

struct Sum {
    template <class T>
    static constexpr T identity = T(0);
    template <class T, class X>
    static HB_INLINE X join(X a, X b) {
        return a + b;
    }
    template <class W>
    static W join_one(W a, W b) {
        return a + b;
    }
};
struct Prod {
    template <class T>
    static constexpr T identity = T(1);
    template <class T, class X>
    static HB_INLINE X join(X a, X b) {
        return a * b;
    }
    template <class W>
    static W join_one(W a, W b) {
        return a * b;
    }
};
struct Max {
    template <class T>
    static constexpr T identity = kLowest<T>;
    template <class T, class X>
    static HB_INLINE X join(X a, X b) {
        return Vec<T>::max(a, b);
    }
    template <class W>
    static W join_one(W a, W b) {
        return a > b || a != a ? a : b;
    }
};
struct Min {
    template <class T>
    static constexpr T identity = kHighest<T>;
    template <class T, class X>
    static HB_INLINE X join(X a, X b) {
        return Vec<T>::min(a, b);
    }
    template <class W>
    static W join_one(W a, W b) {
        return a < b || a != a ? a : b;
    }
};

// The first n lanes of memory, the others neutral.
template <class Op, class T>
HB_INLINE typename Vec<T>::type load_some(const T* p, int64_t n) {
    using V = Vec<T>;
    const typename V::type v = V::load(p, n);
    if constexpr (Op::template identity<T> == T(0)) return v;
    return n >= V::lanes ? v : V::select(V::first(n), v, V::splat(Op::template identity<T>));
}

// Lane i gets lane i ^ width.
template <class T>
HB_INLINE typename Vec<T>::type swap_lanes(typename Vec<T>::type v, int width) {
    const auto from = Vec<T>::iota() ^ typename Vec<T>::Int(width);
#if defined(__clang__)
    auto y = v;
    for (int i = 0; i < Vec<T>::lanes; ++i) y[i] = v[from[i]];
    return y;
#else
    return __builtin_shuffle(v, from);
#endif
}

template <class Op, class T>
HB_INLINE T join_lanes(typename Vec<T>::type v) {
#pragma GCC unroll 8
    for (int width = Vec<T>::lanes / 2; width > 0; width /= 2)
        v = Op::template join<T>(v, swap_lanes<T>(v, width));
    return v[0];
}

template <class Op, class T>
T reduce_block(const T* x, int64_t n) {
    using V = Vec<T>;
    using X = typename V::type;
    constexpr int L = V::lanes;
    X a = V::splat(Op::template identity<T>);
    int64_t i = 0;
    if (n >= 4 * L) {
        X b = a, c = a, d = a;
        for (; i + 4 * L <= n; i += 4 * L) {
            a = Op::template join<T>(a, V::load(x + i));
            b = Op::template join<T>(b, V::load(x + i + L));
            c = Op::template join<T>(c, V::load(x + i + 2 * L));
            d = Op::template join<T>(d, V::load(x + i + 3 * L));
        }
        a = Op::template join<T>(Op::template join<T>(a, b), Op::template join<T>(c, d));
    }
    for (; i + L <= n; i += L) a = Op::template join<T>(a, V::load(x + i));
    if (i < n) a = Op::template join<T>(a, load_some<Op>(x + i, n - i));
    return join_lanes<Op, T>(a);
}

}  // namespace
}  // namespace hb::HB_ISA
