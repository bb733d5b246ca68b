// Batch normalisation. Statistics: x (rows, n) is read from memory once, a few rows side by side;
// they get mean and squared differences in registers and join the rows before by Chan's formula, so
// nothing cancels. Parts are fixed by the shape. Sums read, and statistics fetch, one row after the
// other: a single long run is what memory reads fastest. 12 bytes an element forward, 20 backward,
// with a ReLU behind it, too: its mask is computed from x again.
#include "cpu/rows.h"
#include "cpu/stream.h"
#include "kernels/norm.h"

namespace hb::HB_ISA {
namespace {

constexpr int kRowsAtOnce = 8;  // streams that memory is read in

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

// Joins the statistics of `count` rows to those of `done` before them.
template <class T, int count>
HB_INLINE void add_rows(const T* x, int64_t step, int64_t width, int64_t done, T* mean, T* m2) {
    using V = Vec<T>;
    const auto share = V::splat(T(count) / T(done + count));
    const auto weight = V::splat(T(done)) * share, part = V::splat(T(1) / T(count));
    for_vectors<T>(width, [&](int64_t c, int64_t lanes) {
        typename V::type value[count], squares = V::zero();
#pragma GCC unroll 8
        for (int i = 0; i < count; ++i) {
            value[i] = V::load(x + i * step + c, lanes);
            if (step == width) fetch_early(x + count * (step + c) + i * V::lanes);
        }
        typename V::type center = value[0];
#pragma GCC unroll 8
        for (int i = 1; i < count; ++i) center += value[i];
        if constexpr (count > 1) center *= part;
#pragma GCC unroll 8
        for (int i = 0; i < count; ++i) {
            const auto d = value[i] - center;
            squares = V::fma(d, d, squares);
        }
        const auto m = V::load(mean + c), delta = center - m;
        V::store(mean + c, V::fma(delta, share, m));
        V::store(m2 + c, V::load(m2 + c) + V::fma(delta * delta, weight, squares));
    });
}

template <class T>
void batch_stats(const void* args, int thread, int threads) {
    using V = Vec<T>;
    const BatchStatsArgs& p = *static_cast<const BatchStatsArgs*>(args);
    const int64_t step = p.n * p.fold;
    for_tasks(p, thread, threads, [&](int64_t part, Range rows, int64_t first, int64_t width) {
        alignas(64) T mean[kNormColumns] = {}, m2[kNormColumns] = {};
        for (int64_t row = rows.begin; row < rows.end; row += kRowsAtOnce) {
            const T* x = static_cast<const T*>(p.x) + row * step + first;
            const int64_t left = rows.end - row, done = row - rows.begin;
            if (left >= kRowsAtOnce)
                add_rows<T, kRowsAtOnce>(x, step, width, done, mean, m2);
            else
                for (int64_t i = 0; i < left; ++i)
                    add_rows<T, 1>(x + i * step, step, width, done + i, mean, m2);
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

// Four vectors of channels at a time: each waits for the part before.
template <class T>
void batch_join(const void* args, int thread, int threads) {
    using V = Vec<T>;
    constexpr int64_t width = 4 * V::lanes;
    const BatchJoinArgs& p = *static_cast<const BatchJoinArgs*>(args);
    const T rows = T(p.begins[p.parts]);
    const Range groups = split((p.n + width - 1) / width, thread, threads);
    for (int64_t g = groups.begin; g < groups.end; ++g) {
        const int64_t first = g * width, n = p.n - first < width ? p.n - first : width;
        alignas(64) T mean[width] = {}, m2[width] = {};
        for (int64_t part = 0; part < p.parts; ++part) {
            const T* from = static_cast<const T*>(p.partial) + part * 2 * p.n + first;
            const int64_t begin = p.begins[part], count = p.begins[part + 1] - begin;
            for_vectors<T>(n, [&](int64_t c, int64_t lanes) {
                auto m = V::load(mean + c), s = V::load(m2 + c);
                join_stats<T>(m, s, T(begin), V::load(from + c, lanes),
                              V::load(from + p.n + c, lanes), T(count));
                V::store(mean + c, m);
                V::store(m2 + c, s);
            });
        }
        for_vectors<T>(n, [&](int64_t c, int64_t lanes) {
            V::store(static_cast<T*>(p.mean) + first + c, V::load(mean + c), lanes);
            V::store(static_cast<T*>(p.var) + first + c, V::load(m2 + c) / V::splat(rows), lanes);
        });
    }
}

// What a ReLU behind the normalisation lets through of dy.
template <class T, class X>
HB_INLINE X passed(X dy, X centered, X scale, X beta) {
    using V = Vec<T>;
    return V::select(V::fma(centered, scale, beta) > V::zero(), dy, V::zero());
}

template <class T, bool relu>
void batch_sums(const BatchGradArgs& p, int thread, int threads) {
    using V = Vec<T>;
    const int64_t step = p.n * p.fold;
    for_tasks(p, thread, threads, [&](int64_t part, Range rows, int64_t first, int64_t width) {
        alignas(64) T center[kNormColumns], sum[kNormColumns] = {}, product[kNormColumns] = {};
        alignas(64) T scale[relu ? kNormColumns : 1], beta[relu ? kNormColumns : 1];
        for (int64_t c = 0; c < width; ++c) {
            const int64_t channel = (first + c) % p.n;
            center[c] = static_cast<const T*>(p.mean)[channel];
            if constexpr (relu) {
                scale[c] = static_cast<const T*>(p.relu.scale)[channel];
                beta[c] = static_cast<const T*>(p.relu.beta)[channel];
            }
        }
        for (int64_t row = rows.begin; row < rows.end; ++row) {
            const int64_t at = row * step + first;
            const T *x = static_cast<const T*>(p.x) + at, *dy = static_cast<const T*>(p.dy) + at;
            for_vectors<T>(width, [&](int64_t c, int64_t lanes) {
                auto d = V::load(dy + c, lanes);
                const auto centered = V::load(x + c, lanes) - V::load(center + c);
                if constexpr (relu)
                    d = passed<T>(d, centered, V::load(scale + c), V::load(beta + c));
                V::store(sum + c, V::load(sum + c) + d);
                V::store(product + c, V::fma(d, centered, V::load(product + c)));
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
void batch_grad(const void* args, int thread, int threads) {
    const BatchGradArgs& p = *static_cast<const BatchGradArgs*>(args);
    p.relu.scale ? batch_sums<T, true>(p, thread, threads)
                 : batch_sums<T, false>(p, thread, threads);
}

// Vectors over the channels, repeated where several narrow rows are treated as one.
template <class T, int count>
struct PerChannel {
    alignas(64) T repeated[count][kNormFolded];
    const T* of[count];
    int64_t fold;

    PerChannel(const void* const (&vectors)[count], int64_t n) : fold(kNormFolded / n) {
        if (fold < 1) fold = 1;
        for (int i = 0; i < count; ++i) {
            of[i] = static_cast<const T*>(vectors[i]);
            if (fold == 1) continue;
            for (int64_t k = 0; k < fold * n; ++k) repeated[i][k] = of[i][k % n];
            of[i] = repeated[i];
        }
    }
};

// y = f(place in y, place in the vectors, lanes) for this thread's rows.
template <class T, class F>
HB_INLINE void for_rows(T* y, int64_t rows, int64_t n, int64_t fold, int thread, int threads, F f) {
    const bool past_caches = beyond_caches(rows * n * int64_t(sizeof(T)));
    const Range share = split(rows, thread, threads);
    for (int64_t row = share.begin; row < share.end; row += fold) {
        const int64_t k = share.end - row < fold ? share.end - row : fold, at = row * n;
        map_row(y + at, k * n, past_caches,
                [&](int64_t i, int64_t lanes) { return f(at + i, i, lanes); });
    }
    finish_stores(past_caches);
}

template <class T, bool other, bool relu>
void batch_apply_to(const BatchApplyArgs& p, int thread, int threads) {
    using V = Vec<T>;
    const PerChannel<T, 3> vectors({p.mean, p.scale, p.beta}, p.n);
    const T *x = static_cast<const T*>(p.x), *mean = vectors.of[0], *scale = vectors.of[1],
            *beta = vectors.of[2];
    for_rows(static_cast<T*>(p.y), p.rows, p.n, vectors.fold, thread, threads,
             [&](int64_t at, int64_t c, int64_t lanes) {
                 const auto centered = V::load(x + at, lanes) - V::load(mean + c, lanes);
                 auto y = V::fma(centered, V::load(scale + c, lanes), V::load(beta + c, lanes));
                 if constexpr (other) y += V::load(static_cast<const T*>(p.other) + at, lanes);
                 return relu ? V::max(y, V::zero()) : y;
             });
}

template <class T>
void batch_apply(const void* args, int thread, int threads) {
    const BatchApplyArgs& p = *static_cast<const BatchApplyArgs*>(args);
    if (p.other)
        p.relu ? batch_apply_to<T, true, true>(p, thread, threads)
               : batch_apply_to<T, true, false>(p, thread, threads);
    else
        p.relu ? batch_apply_to<T, false, true>(p, thread, threads)
               : batch_apply_to<T, false, false>(p, thread, threads);
}

template <class T, bool relu>
void batch_dx(const BatchGradApplyArgs& p, int thread, int threads) {
    using V = Vec<T>;
    const void* beta_or_mean = relu ? p.relu.beta : p.mean;
    const PerChannel<T, 5> vectors({p.mean, p.slope, p.shift, p.scale, beta_or_mean}, p.n);
    const T *x = static_cast<const T*>(p.x), *dy = static_cast<const T*>(p.dy),
            *mean = vectors.of[0], *slope = vectors.of[1], *shift = vectors.of[2],
            *scale = vectors.of[3], *beta = vectors.of[4];
    for_rows(static_cast<T*>(p.dx), p.rows, p.n, vectors.fold, thread, threads,
             [&](int64_t at, int64_t c, int64_t lanes) {
                 const auto centered = V::load(x + at, lanes) - V::load(mean + c, lanes);
                 const auto times = V::load(scale + c, lanes);
                 auto d = V::load(dy + at, lanes);
                 if constexpr (relu) d = passed<T>(d, centered, times, V::load(beta + c, lanes));
                 const auto moved = d - V::load(shift + c, lanes);
                 return V::fma(-centered, V::load(slope + c, lanes), moved) * times;
             });
}

template <class T>
void batch_grad_apply(const void* args, int thread, int threads) {
    const BatchGradApplyArgs& p = *static_cast<const BatchGradApplyArgs*>(args);
    p.relu.scale ? batch_dx<T, true>(p, thread, threads) : batch_dx<T, false>(p, thread, threads);
}

}  // namespace

void batch_slabs_float(const void*, int, int);
void batch_slabs_double(const void*, int, int);

extern const BatchNormKernels batch_norm_kernels = {
    .stats = {batch_stats<float>, batch_stats<double>},
    .join = {batch_join<float>, batch_join<double>},
    .apply = {batch_apply<float>, batch_apply<double>},
    .grad = {batch_grad<float>, batch_grad<double>},
    .grad_apply = {batch_grad_apply<float>, batch_grad_apply<double>},
    .slabs = {batch_slabs_float, batch_slabs_double},
};

}  // namespace hb::HB_ISA
