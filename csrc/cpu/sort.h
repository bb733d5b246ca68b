// Stable sorting of lines. Elements become unsigned keys in the same order; short lines are sorted
// by insertion, long ones by radix (8 bits a pass, from the lowest; passes in which all agree are
// left out). The first k of many: a list of the best so far. Threads share the lines.
#pragma once

#include "kernels/index.h"

namespace hb::HB_ISA {
namespace {

constexpr int64_t kInsertionLimit = 48;
constexpr int64_t kListLimit = 64;  // longest list of the best

inline uint32_t sort_key(float v) {
    uint32_t bits;
    v = v == 0 ? 0.0f : v;
    __builtin_memcpy(&bits, &v, 4);
    return v != v ? ~0u : bits >> 31 ? ~bits : bits | 1u << 31;
}
inline uint64_t sort_key(double v) {
    uint64_t bits;
    v = v == 0 ? 0.0 : v;
    __builtin_memcpy(&bits, &v, 8);
    return v != v ? ~uint64_t(0) : bits >> 63 ? ~bits : bits | uint64_t(1) << 63;
}
inline uint32_t sort_key(int32_t v) { return uint32_t(v) ^ 1u << 31; }
inline uint64_t sort_key(int64_t v) { return uint64_t(v) ^ uint64_t(1) << 63; }
inline uint32_t sort_key(uint8_t v) { return v; }

template <class K>
void insertion_sort(K* key, int32_t* index, int64_t n) {
    for (int64_t i = 1; i < n; ++i) {
        const K k = key[i];
        const int32_t x = index[i];
        int64_t j = i;
        for (; j > 0 && k < key[j - 1]; --j) {
            key[j] = key[j - 1];
            index[j] = index[j - 1];
        }
        key[j] = k;
        index[j] = x;
    }
}

// Sorts key and index; other_* have as much room. Returns where the indices are in the end.
template <class K>
const int32_t* radix_sort(K* key, int32_t* index, K* other_key, int32_t* other_index, int64_t n) {
    constexpr int kPasses = int(sizeof(K));
    uint32_t count[kPasses][256] = {};
    for (int64_t i = 0; i < n; ++i)
        for (int pass = 0; pass < kPasses; ++pass) ++count[pass][key[i] >> (8 * pass) & 255];
    for (int pass = 0; pass < kPasses; ++pass) {
        uint32_t* start = count[pass];
        if (start[key[0] >> (8 * pass) & 255] == n) continue;
        uint32_t sum = 0;
        for (int digit = 0; digit < 256; ++digit) {
            const uint32_t here = start[digit];
            start[digit] = sum;
            sum += here;
        }
        for (int64_t i = 0; i < n; ++i) {
            const uint32_t to = start[key[i] >> (8 * pass) & 255]++;
            other_key[to] = key[i];
            other_index[to] = index[i];
        }
        K* const k = key;
        int32_t* const x = index;
        key = other_key, index = other_index;
        other_key = k, other_index = x;
    }
    return index;
}

template <class T>
void sort_line(const SortArgs& a, const T* x, T* values, int32_t* indices, char* scratch) {
    using K = decltype(sort_key(T()));
    K* key = reinterpret_cast<K*>(scratch);
    int32_t* index = reinterpret_cast<int32_t*>(scratch + 16 * a.n);
    const K flip = a.descending ? ~K(0) : K(0);
    const int32_t* order = index;
    if (a.k < a.n && a.k <= kListLimit) {
        int64_t length = 0;
        for (int64_t i = 0; i < a.n; ++i) {
            const K k = sort_key(x[i * a.inner]) ^ flip;
            if (length == a.k && !(k < key[length - 1])) continue;
            int64_t j = length < a.k ? length++ : length - 1;
            for (; j > 0 && k < key[j - 1]; --j) {
                key[j] = key[j - 1];
                index[j] = index[j - 1];
            }
            key[j] = k;
            index[j] = int32_t(i);
        }
    } else {
        for (int64_t i = 0; i < a.n; ++i) {
            key[i] = sort_key(x[i * a.inner]) ^ flip;
            index[i] = int32_t(i);
        }
        if (a.n <= kInsertionLimit)
            insertion_sort(key, index, a.n);
        else
            order = radix_sort(key, index, key + a.n, index + a.n, a.n);
    }
    for (int64_t i = 0; values && i < a.k; ++i) values[i * a.inner] = x[order[i] * a.inner];
    for (int64_t i = 0; indices && i < a.k; ++i) indices[i * a.inner] = order[i];
}

template <class T>
void sort_lines(const SortArgs& a, int thread, int threads) {
    const Range share = split(a.outer * a.inner, thread, threads);
    for (int64_t line = share.begin; line < share.end; ++line) {
        const int64_t outer = line / a.inner, inner = line % a.inner;
        const int64_t from = outer * a.n * a.inner + inner, to = outer * a.k * a.inner + inner;
        sort_line(a, static_cast<const T*>(a.x) + from,
                  a.values ? static_cast<T*>(a.values) + to : nullptr,
                  a.indices ? a.indices + to : nullptr, a.scratch + thread * a.scratch_stride);
    }
}

void sort(const void* pod, int thread, int threads) {
    const auto& a = *static_cast<const SortArgs*>(pod);
    switch (a.dtype) {
        case DType::f32:
            return sort_lines<float>(a, thread, threads);
        case DType::f64:
            return sort_lines<double>(a, thread, threads);
        case DType::i32:
            return sort_lines<int32_t>(a, thread, threads);
        case DType::i64:
            return sort_lines<int64_t>(a, thread, threads);
        default:
            return sort_lines<uint8_t>(a, thread, threads);
    }
}

}  // namespace
}  // namespace hb::HB_ISA
