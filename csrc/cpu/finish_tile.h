// The end of a tile: the epilogue on its sums while they are in registers, then its stores.
#pragma once

#include "cpu/epilogue.h"
#include "cpu/stream.h"

namespace hb::HB_ISA {
namespace {

// Row i of C begins row(i) elements behind c and finish.other; the last vector of a row has `last`
// elements if Partial. Whole vectors go past the caches if wanted: then C lies on their boundaries.
template <class T, int M, int NV, bool Partial, class Row>
HB_INLINE void finish_tile(typename Vec<T>::type (&acc)[M][NV], const Finish<T>& finish, T* c,
                           Row row, int last, bool past_caches = false) {
    using V = Vec<T>;
    using v = typename V::type;
    constexpr int lanes = V::lanes;
    const auto load = [last](const T* p, int j) __attribute__((always_inline)) {
        return Partial && j == NV - 1 ? (v)arch::load_lanes<T, v>(p + j * lanes, last)
                                      : (v)V::load(p + j * lanes);
    };
    if (finish.bias) {
#pragma GCC unroll 4
        for (int j = 0; j < NV; ++j) {
            const v bias = load(finish.bias, j);
#pragma GCC unroll 16
            for (int i = 0; i < M; ++i) acc[i][j] += bias;
        }
    }
    if (finish.scale) {
#pragma GCC unroll 4
        for (int j = 0; j < NV; ++j) {
            const v scale = load(finish.scale, j);
#pragma GCC unroll 16
            for (int i = 0; i < M; ++i) acc[i][j] = rounded(acc[i][j] * scale);
        }
    }
    if (finish.shift) {
#pragma GCC unroll 4
        for (int j = 0; j < NV; ++j) {
            const v shift = load(finish.shift, j);
#pragma GCC unroll 16
            for (int i = 0; i < M; ++i) acc[i][j] += shift;
        }
    }
    if (finish.other) {
#pragma GCC unroll 16
        for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
            for (int j = 0; j < NV; ++j) acc[i][j] += load(finish.other + row(i), j);
    }
    if (finish.relu) {
#pragma GCC unroll 16
        for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
            for (int j = 0; j < NV; ++j) acc[i][j] = V::max(acc[i][j], v{});
    }
#pragma GCC unroll 16
    for (int i = 0; i < M; ++i) {
        T* to = c + row(i);
#pragma GCC unroll 4
        for (int j = 0; j < NV; ++j) {
            if (Partial && j == NV - 1)
                arch::store_lanes<T, v>(to + j * lanes, acc[i][j], last);
            else if (!Partial && past_caches)
                store_past_caches(to + j * lanes, acc[i][j]);
            else
                V::store(to + j * lanes, acc[i][j]);
        }
    }
}

}  // namespace
}  // namespace hb::HB_ISA
