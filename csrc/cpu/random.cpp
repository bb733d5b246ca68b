// Random tensors and dropout. Tiles of 256 Philox blocks are made in L1 and turned into numbers
// there; threads share the tiles, so the bits depend on seed and position alone.
#include "kernels/random.h"

#include "cpu/philox.h"
#include "cpu/vmath.h"

namespace hb::HB_ISA {
namespace {

constexpr int64_t kWords = 4 * kPhiloxTile;

// Calls make(words, first element, elements) for this thread's tiles of `per_tile` elements.
template <class Make>
HB_INLINE void for_tiles(const int64_t* seed, int64_t n, int64_t per_tile, int thread, int threads,
                         Make&& make) {
    alignas(64) uint32_t words[kWords];
    const Range share = split((n + per_tile - 1) / per_tile, thread, threads);
    for (int64_t tile = share.begin; tile < share.end; ++tile) {
        philox_tile(seed, tile * kPhiloxTile, words);
        const int64_t first = tile * per_tile;
        make(words, first, n - first < per_tile ? n - first : per_tile);
    }
}

HB_INLINE uint64_t word64(const uint32_t* words, int64_t i) {
    return words[2 * i] | uint64_t(words[2 * i + 1]) << 32;
}

// [0, 1): 24 bits of a word, or 53 of two.
void uniform(const void* pod, int thread, int threads) {
    const auto& a = *static_cast<const RandomArgs*>(pod);
    if (a.dtype == DType::f32) {
        for_tiles(a.seed, a.n, kWords, thread, threads,
                  [&](const uint32_t* words, int64_t at, int64_t n) {
                      float* y = static_cast<float*>(a.y) + at;
                      for (int64_t i = 0; i < n; ++i)
                          y[i] = float(int32_t(words[i] >> 8)) * 0x1p-24f;
                  });
    } else {
        for_tiles(a.seed, a.n, kWords / 2, thread, threads,
                  [&](const uint32_t* words, int64_t at, int64_t n) {
                      double* y = static_cast<double*>(a.y) + at;
                      for (int64_t i = 0; i < n; ++i)
                          y[i] = double(int64_t(word64(words, i) >> 11)) * 0x1p-53;
                  });
    }
}

template <class T>
struct TurnPolynomials;  // Cephes, on [-pi/4, pi/4]
template <>
struct TurnPolynomials<float> {
    static constexpr float sine[] = {-1.9515295891e-4f, 8.3321608736e-3f, -1.6666654611e-1f};
    static constexpr float cosine[] = {2.443315711809948e-5f, -1.388731625493765e-3f,
                                       4.166664568298827e-2f};
};
template <>
struct TurnPolynomials<double> {
    static constexpr double sine[] = {1.58962301576546568060e-10, -2.50507477628578072866e-8,
                                      2.75573136213857245213e-6,  -1.98412698295895385996e-4,
                                      8.33333333332211858878e-3,  -1.66666666666666307295e-1};
    static constexpr double cosine[] = {-1.13585365213876817300e-11, 2.08757008419747316778e-9,
                                        -2.75573141792967388112e-7,  2.48015872888517045348e-5,
                                        -1.38888888888730564116e-3,  4.16666666666665929218e-2};
};

// Box-Muller: two independent normal numbers from u in (0, 1) and a turn in [0, 1).
template <class T>
HB_INLINE void normal_pair(typename Vec<T>::type u, typename Vec<T>::type turn,
                           typename Vec<T>::type* z0, typename Vec<T>::type* z1) {
    using V = Vec<T>;
    using M = Math<T>;
    using X = typename V::type;
    const X quadrant = V::rint(turn * V::splat(T(4)));
    const X angle = V::fma(quadrant, V::splat(T(-0.25)), turn) * V::splat(T(6.283185307179586477));
    const X square = angle * angle;
    const X s = V::fma(M::poly(square, TurnPolynomials<T>::sine), square * angle, angle);
    const X c = V::fma(M::poly(square, TurnPolynomials<T>::cosine), square * square,
                       V::fma(square, V::splat(T(-0.5)), V::splat(T(1))));
    const typename V::mask q = V::to_int(quadrant);
    const typename V::mask odd = (q & 1) != 0, flip_sine = (q & 2) != 0,
                           flip_cosine = ((q + 1) & 2) != 0;
    const X r = V::sqrt(M::log(u) * V::splat(T(-2)));
    const X sine = r * V::select(odd, c, s), cosine = r * V::select(odd, s, c);
    *z0 = V::select(flip_cosine, -cosine, cosine);
    *z1 = V::select(flip_sine, -sine, sine);
}

// Words 2j and 2j+1 make elements 2j and 2j+1.
HB_INLINE void normal_tile(const uint32_t* words, float* y, int64_t n) {
    using V = Vec<float>;
    const Words low = Words{} + 0xffffffffu;
    for (int64_t i = 0; i < n; i += 2 * V::lanes) {
        const Words a = Vec<uint64_t>::load((const uint64_t*)(words + i));
        const Words b = Vec<uint64_t>::load((const uint64_t*)(words + i + V::lanes));
        const V::mask even =
            (V::mask)(((a & low) >> 1 | (b << 32 & ~low) >> 1) & 0x7fffffff7fffffff);
        const V::mask odd = (V::mask)(((a >> 40) | (b & ~low) >> 8) & 0x00ffffff00ffffff);
        V::type z0, z1;
        normal_pair<float>(V::fma(V::from_int(even), V::splat(0x1p-31f), V::splat(0x1p-32f)),
                           V::from_int(odd) * V::splat(0x1p-24f), &z0, &z1);
        const Words first = ((Words)z0 & low) | (Words)z1 << 32;
        const Words second = (Words)z0 >> 32 | ((Words)z1 & ~low);
        V::store(y + i, (V::type)first, n - i);
        if (n - i > V::lanes) V::store(y + i + V::lanes, (V::type)second, n - i - V::lanes);
    }
}

// 64-bit words 2j and 2j+1 make elements 2j and 2j+1: each vector is computed from both, as pairs.
HB_INLINE void normal_tile(const uint32_t* words, double* y, int64_t n) {
    using V = Vec<double>;
    for (int64_t i = 0; i < n; i += 2 * V::lanes) {
        double u[V::lanes], turn[V::lanes], z[2 * V::lanes];
        for (int j = 0; j < V::lanes; ++j) {
            u[j] = double(int64_t(word64(words, i + 2 * j) >> 12)) * 0x1p-52 + 0x1p-53;
            turn[j] = double(int64_t(word64(words, i + 2 * j + 1) >> 11)) * 0x1p-53;
        }
        V::type z0, z1;
        normal_pair<double>(V::load(u), V::load(turn), &z0, &z1);
        for (int j = 0; j < V::lanes; ++j) {
            z[2 * j] = z0[j];
            z[2 * j + 1] = z1[j];
        }
        V::store(y + i, V::load(z), n - i);
        if (n - i > V::lanes) V::store(y + i + V::lanes, V::load(z + V::lanes), n - i - V::lanes);
    }
}

void normal(const void* pod, int thread, int threads) {
    const auto& a = *static_cast<const RandomArgs*>(pod);
    if (a.dtype == DType::f32)
        for_tiles(a.seed, a.n, kWords, thread, threads,
                  [&](const uint32_t* words, int64_t at, int64_t n) {
                      normal_tile(words, static_cast<float*>(a.y) + at, n);
                  });
    else
        for_tiles(a.seed, a.n, kWords / 2, thread, threads,
                  [&](const uint32_t* words, int64_t at, int64_t n) {
                      normal_tile(words, static_cast<double*>(a.y) + at, n);
                  });
}

// The upper half of a 64-bit word times range: its bias is below range / 2^64.
template <class T>
void integers_of(const RandomArgs& a, int thread, int threads) {
    for_tiles(a.seed, a.n, kWords / 2, thread, threads,
              [&](const uint32_t* words, int64_t at, int64_t n) {
                  T* y = static_cast<T*>(a.y) + at;
                  for (int64_t i = 0; i < n; ++i) {
                      const uint64_t word = word64(words, i);
                      const uint64_t part =
                          a.range ? uint64_t((unsigned __int128)word * a.range >> 64) : word;
                      y[i] = T(uint64_t(a.low) + part);
                  }
              });
}

void integers(const void* pod, int thread, int threads) {
    const auto& a = *static_cast<const RandomArgs*>(pod);
    switch (a.dtype) {
        case DType::i64:
            return integers_of<int64_t>(a, thread, threads);
        case DType::i32:
            return integers_of<int32_t>(a, thread, threads);
        default:
            return integers_of<uint8_t>(a, thread, threads);
    }
}

template <class T>
HB_INLINE void drop(const DropoutArgs& a, const uint32_t* words, int64_t at, int64_t n) {
    const T* x = static_cast<const T*>(a.x) + at;
    T* y = static_cast<T*>(a.y) + at;
    const T scale = T(a.scale);
    const int32_t threshold = int32_t(a.threshold);
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i)
        y[i] = int32_t(words[i] >> 8) >= threshold ? x[i] * scale : T(0);
}

void dropout(const void* pod, int thread, int threads) {
    const auto& a = *static_cast<const DropoutArgs*>(pod);
    for_tiles(a.seed, a.n, kWords, thread, threads,
              [&](const uint32_t* words, int64_t at, int64_t n) {
                  if (a.x == nullptr)
                      for (int64_t i = 0; i < n; ++i)
                          static_cast<uint8_t*>(a.y)[at + i] = words[i] >> 8 >= a.threshold;
                  else if (a.dtype == DType::f32)
                      drop<float>(a, words, at, n);
                  else
                      drop<double>(a, words, at, n);
              });
}

}  // namespace

extern const RandomKernels random_kernels = {uniform, normal, integers, dropout};

}  // namespace hb::HB_ISA
