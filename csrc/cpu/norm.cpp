// Normalisation. Batch statistics: x (rows, n) is read from memory once, in blocks that fit L1;
// each block gets mean and squared differences in two passes, and blocks join by Chan's formula, so
// nothing cancels. Layer and RMS normalisation: one row at a time in L1. Parts are fixed by the
// shape.
#include "kernels/norm.h"

#include "cpu/rows.h"

namespace hb::HB_ISA {
namespace {

constexpr int64_t kChunk = 32;  // rows of a block

// Joins the statistics of `more` rows to those of `count`.
template <class T, class X>
HB_INLINE void join_stats(X& mean, X& m2, T count, X more_mean, X more_m2, T more) {
    using V = Vec<T>;
    const X delta = more_mean - mean;
    const T total = count + more;
    mean += delta * V::splat(more / total);
    m2 += more_m2 + delta * delta * V::splat(count * (more / total));
}

// Calls f(part, its folded rows, first column, columns) for this thread's tasks.
template <class Args, class F>
HB_INLINE void for_tasks(const Args& p, int thread, int threads, F f) {
    const int64_t width = p.n * p.fold, blocks = (width + kNormColumns - 1) / kNormColumns;
    const Range tasks = split(p.parts * blocks, thread, threads);
    for (int64_t task = tasks.begin; task < tasks.end; ++task) {
        const int64_t part = task / blocks, first = task % blocks * kNormColumns,
                      rest = width - first;
        f(part, split(p.rows / p.fold, int(part), int(p.parts)), first,
          rest < kNormColumns ? rest : kNormColumns);
    }
}

template <class T>
void batch_stats(const void* args, int thread, int threads) {
    using V = Vec<T>;
    const BatchStatsArgs& p = *static_cast<const BatchStatsArgs*>(args);
    const int64_t step = p.n * p.fold;
    for_tasks(p, thread, threads, [&](int64_t part, Range rows, int64_t first, int64_t width) {
        alignas(64) T mean[kNormColumns] = {}, m2[kNormColumns] = {};
        for (int64_t row = rows.begin; row < rows.end; row += kChunk) {
            const int64_t k = rows.end - row < kChunk ? rows.end - row : kChunk;
            const T* x = static_cast<const T*>(p.x) + row * step + first;
            for_vectors<T>(width, [&](int64_t c, int64_t lanes) {
                const auto at = [&](int64_t i) { return V::load(x + i * step + c, lanes); };
                typename V::type sum = V::zero(), sum1 = sum, squares = sum, squares1 = sum;
                int64_t i = 0;
                for (; i + 2 <= k; i += 2) sum += at(i), sum1 += at(i + 1);
                if (i < k) sum += at(i);
                const auto center = (sum + sum1) * V::splat(T(1) / T(k));
                for (i = 0; i + 2 <= k; i += 2) {
                    const auto d = at(i) - center, d1 = at(i + 1) - center;
                    squares = V::fma(d, d, squares);
                    squares1 = V::fma(d1, d1, squares1);
                }
                if (i < k) squares = V::fma(at(i) - center, at(i) - center, squares);
                squares += squares1;
                auto m = V::load(mean + c, lanes), s = V::load(m2 + c, lanes);
                join_stats<T>(m, s, T(row - rows.begin), center, squares, T(k));
                V::store(mean + c, m, lanes);
                V::store(m2 + c, s, lanes);
            });
        }
        const T count = T(rows.end - rows.begin);
        for (int64_t k = 1; k < p.fold; ++k)
            for_vectors<T>(p.n, [&](int64_t c, int64_t lanes) {
                auto m = V::load(mean + c, lanes), s = V::load(m2 + c, lanes);
                join_stats<T>(m, s, T(k) * count, V::load(mean + k * p.n + c, lanes),
                              V::load(m2 + k * p.n + c, lanes), count);
                V::store(mean + c, m, lanes);
                V::store(m2 + c, s, lanes);
            });
        T* out = static_cast<T*>(p.partial) + part * 2 * p.n + first;
        const int64_t kept = p.fold > 1 ? p.n : width;
        for (int64_t c = 0; c < kept; ++c) out[c] = mean[c], out[p.n + c] = m2[c];
    });
}

template <class T>
void batch_join(const void* args, int thread, int threads) {
    using V = Vec<T>;
    const BatchJoinArgs& p = *static_cast<const BatchJoinArgs*>(args);
    const T* partial = static_cast<const T*>(p.partial);
    const Range vectors = split((p.n + V::lanes - 1) / V::lanes, thread, threads);
    for (int64_t v = vectors.begin; v < vectors.end; ++v) {
        const int64_t c = v * V::lanes, lanes = p.n - c;
        typename V::type mean = V::zero(), m2 = V::zero();
        for (int64_t part = 0; part < p.parts; ++part) {
            const Range rows = split(p.rows / p.fold, int(part), int(p.parts));
            const T* from = partial + part * 2 * p.n + c;
            join_stats<T>(mean, m2, T(rows.begin * p.fold), V::load(from, lanes),
                          V::load(from + p.n, lanes), T((rows.end - rows.begin) * p.fold));
        }
        V::store(static_cast<T*>(p.mean) + c, mean, lanes);
        V::store(static_cast<T*>(p.var) + c, m2 / V::splat(T(p.rows)), lanes);
    }
}

template <class T>
void batch_grad(const void* args, int thread, int threads) {
    using V = Vec<T>;
    const BatchGradArgs& p = *static_cast<const BatchGradArgs*>(args);
    const int64_t step = p.n * p.fold;
    for_tasks(p, thread, threads, [&](int64_t part, Range rows, int64_t first, int64_t width) {
        alignas(64) T center[kNormColumns], sum[kNormColumns] = {}, product[kNormColumns] = {};
        for (int64_t c = 0; c < width; ++c)
            center[c] = static_cast<const T*>(p.mean)[(first + c) % p.n];
        for (int64_t row = rows.begin; row < rows.end; row += kChunk) {
            const int64_t k = rows.end - row < kChunk ? rows.end - row : kChunk;
            const int64_t at = row * step + first;
            const T *x = static_cast<const T*>(p.x) + at, *dy = static_cast<const T*>(p.dy) + at;
            for_vectors<T>(width, [&](int64_t c, int64_t lanes) {
                const auto mean = V::load(center + c, lanes);
                typename V::type s = V::zero(), q = V::zero();
                for (int64_t i = 0; i < k; ++i) {
                    const auto d = V::load(dy + i * step + c, lanes);
                    s += d;
                    q = V::fma(d, V::load(x + i * step + c, lanes) - mean, q);
                }
                V::store(sum + c, V::load(sum + c, lanes) + s, lanes);
                V::store(product + c, V::load(product + c, lanes) + q, lanes);
            });
        }
        T* out = static_cast<T*>(p.partial) + part * 2 * p.n + first;
        const int64_t kept = p.fold > 1 ? p.n : width;
        for (int64_t c = 0; c < kept; ++c) {
            for (int64_t k = 1; k < p.fold; ++k)
                sum[c] += sum[k * p.n + c], product[c] += product[k * p.n + c];
            out[c] = sum[c], out[p.n + c] = product[c];
        }
    });
}

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
    const T *gamma = static_cast<const T*>(p.gamma), *beta = static_cast<const T*>(p.beta);
    const Range rows = split(p.rows, thread, threads);
    for (int64_t row = rows.begin; row < rows.end; ++row) {
        const T* x = static_cast<const T*>(p.x) + row * p.n;
        T* y = static_cast<T*>(p.y) + row * p.n;
        const T mean = rms ? T(0) : reduce_block<Sum, T>(x, p.n) / T(p.n);
        const T rstd = reciprocal_root<T>(squares_of(x, mean, p.n) / T(p.n) + T(p.epsilon));
        const auto m = V::splat(mean), r = V::splat(rstd);
        for_vectors<T>(p.n, [&](int64_t i, int64_t lanes) {
            const auto xhat = (V::load(x + i, lanes) - m) * r, g = V::load(gamma + i, lanes);
            V::store(y + i, rms ? xhat * g : V::fma(xhat, g, V::load(beta + i, lanes)), lanes);
        });
        if constexpr (!rms) {
            static_cast<T*>(p.mean)[row] = mean;
            static_cast<T*>(p.rstd)[row] = rstd;
        }
    }
}

template <bool rms, class T>
void layer_norm_grad(const void* args, int thread, int threads) {
    using V = Vec<T>;
    const LayerNormGradArgs& p = *static_cast<const LayerNormGradArgs*>(args);
    const T* gamma = static_cast<const T*>(p.gamma);
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
            const auto c1 = V::splat(rms ? T(0) : V::sum(s) / T(p.n)),
                       c2 = V::splat(V::sum(q) / T(p.n));
            for_vectors<T>(p.n, [&](int64_t i, int64_t lanes) {
                const auto d = V::load(dy + i, lanes), xhat = (V::load(x + i, lanes) - m) * r;
                const auto g = d * V::load(gamma + i, lanes);
                V::store(dx + i, r * (g - c1 - xhat * c2), lanes);
                V::store(dgamma + i, V::fma(d, xhat, V::load(dgamma + i, lanes)), lanes);
                if (!rms) V::store(dbeta + i, V::load(dbeta + i, lanes) + d, lanes);
            });
        }
    }
}

}  // namespace

extern const NormKernels norm_kernels = {
    .batch_stats = {batch_stats<float>, batch_stats<double>},
    .batch_join = {batch_join<float>, batch_join<double>},
    .batch_grad = {batch_grad<float>, batch_grad<double>},
    .layer_norm = {layer_norm<false, float>, layer_norm<false, double>},
    .rms_norm = {layer_norm<true, float>, layer_norm<true, double>},
    .layer_norm_grad = {layer_norm_grad<false, float>, layer_norm_grad<false, double>},
    .rms_norm_grad = {layer_norm_grad<true, float>, layer_norm_grad<true, double>},
};

}  // namespace hb::HB_ISA
