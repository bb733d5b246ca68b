// Layer and RMS normalisation: one row at a time in L1, the next one asked for meanwhile. Rows are
// shared among threads; the gradients' sums over rows are of parts that the shape fixes.
#include "kernels/norm.h"

#include "cpu/rows.h"
#include "cpu/stream.h"

namespace hb::HB_ISA {
namespace {

template <class T>
T reciprocal_root(T x) {
    return T(1) / Vec<T>::sqrt(Vec<T>::splat(x))[0];
}

// The sum of (x - mean)^2 over a row, in two chains.
template <class T>
T squares_of(const T* x, T mean, int64_t n) {
    using V = Vec<T>;
    constexpr int L = V::lanes;
    typename V::type a = V::zero(), b = V::zero();
    const auto m = V::splat(mean);
    int64_t i = 0;
    for (; i + 2 * L <= n; i += 2 * L) {
        const auto u = V::load(x + i) - m, v = V::load(x + i + L) - m;
        a = V::fma(u, u, a);
        b = V::fma(v, v, b);
    }
    for_vectors<T>(n - i, [&](int64_t j, int64_t lanes) {
        const auto u = keep_lanes<T>(V::load(x + i + j, lanes) - m, lanes);
        a = V::fma(u, u, a);
    });
    return V::sum(a + b);
}

template <bool rms, class T>
void layer_norm(const void* args, int thread, int threads) {
    using V = Vec<T>;
    const LayerNormArgs& p = *static_cast<const LayerNormArgs*>(args);
    const bool past_caches = beyond_caches(p.rows * p.n * int64_t(sizeof(T)));
    const T *gamma = static_cast<const T*>(p.gamma), *beta = static_cast<const T*>(p.beta);
    const Range rows = split(p.rows, thread, threads);
    for (int64_t row = rows.begin; row < rows.end; ++row) {
        const T* x = static_cast<const T*>(p.x) + row * p.n;
        T* y = static_cast<T*>(p.y) + row * p.n;
        const T mean = rms ? T(0) : reduce_block<Sum, T>(x, p.n) / T(p.n);
        const T rstd = reciprocal_root<T>(squares_of(x, mean, p.n) / T(p.n) + T(p.epsilon));
        const auto m = V::splat(mean), r = V::splat(rstd);
        map_row(y, p.n, past_caches, [&](int64_t i, int64_t lanes) {
            fetch_early(x + p.n + i);
            const auto xhat = (V::load(x + i, lanes) - m) * r, g = V::load(gamma + i, lanes);
            return rms ? xhat * g : V::fma(xhat, g, V::load(beta + i, lanes));
        });
        if constexpr (!rms) {
            static_cast<T*>(p.mean)[row] = mean;
            static_cast<T*>(p.rstd)[row] = rstd;
        }
    }
    finish_stores(past_caches);
}

template <bool rms, class T>
void layer_norm_grad(const void* args, int thread, int threads) {
    using V = Vec<T>;
    const LayerNormGradArgs& p = *static_cast<const LayerNormGradArgs*>(args);
    const T* gamma = static_cast<const T*>(p.gamma);
    const bool past_caches = beyond_caches(p.rows * p.n * int64_t(sizeof(T)));
    const Range parts = split(p.parts, thread, threads);
    for (int64_t part = parts.begin; part < parts.end; ++part) {
        T* dgamma = static_cast<T*>(p.partial) + part * 2 * p.n;
        T* dbeta = dgamma + p.n;
        for (int64_t i = 0; i < 2 * p.n; ++i) dgamma[i] = T(0);
        const Range rows = split(p.rows, int(part), int(p.parts));
        for (int64_t row = rows.begin; row < rows.end; ++row) {
            const int64_t at = row * p.n;
            const T *x = static_cast<const T*>(p.x) + at, *dy = static_cast<const T*>(p.dy) + at;
            T* dx = static_cast<T*>(p.dx) + at;
            const T mean = rms ? T(0) : static_cast<const T*>(p.mean)[row];
            const T rstd =
                rms ? reciprocal_root<T>(squares_of(x, mean, p.n) / T(p.n) + T(p.epsilon))
                    : static_cast<const T*>(p.rstd)[row];
            const auto m = V::splat(mean), r = V::splat(rstd);
            typename V::type s = V::zero(), q = V::zero();
            for_vectors<T>(p.n, [&](int64_t i, int64_t lanes) {  // lanes behind the row: g is 0
                const auto g = V::load(dy + i, lanes) * V::load(gamma + i, lanes);
                s += g;
                q = V::fma(g, (V::load(x + i, lanes) - m) * r, q);
            });
            const auto c1 = V::splat(rms ? T(0) : -V::sum(s) / T(p.n)),
                       c2 = V::splat(-V::sum(q) / T(p.n));
            map_row(dx, p.n, past_caches, [&](int64_t i, int64_t lanes) {
                fetch_early(x + p.n + i);
                fetch_early(dy + p.n + i);
                const auto d = V::load(dy + i, lanes), xhat = (V::load(x + i, lanes) - m) * r;
                const auto g = V::load(gamma + i, lanes);
                V::store(dgamma + i, V::fma(d, xhat, V::load(dgamma + i, lanes)), lanes);
                if (!rms) V::store(dbeta + i, V::load(dbeta + i, lanes) + d, lanes);
                return r * V::fma(xhat, c2, V::fma(d, g, c1));  // the same at a row's ends
            });
        }
    }
    finish_stores(past_caches);
}

}  // namespace

extern const NormKernels norm_kernels = {
    .layer_norm = {layer_norm<false, float>, layer_norm<false, double>},
    .rms_norm = {layer_norm<true, float>, layer_norm<true, double>},
    .layer_norm_grad = {layer_norm_grad<false, float>, layer_norm_grad<false, double>},
    .rms_norm_grad = {layer_norm_grad<true, float>, layer_norm_grad<true, double>},
};

}  // namespace hb::HB_ISA
