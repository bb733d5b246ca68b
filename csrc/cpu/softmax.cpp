// Softmax along an axis: rows (inner = 1) live in L1 between the passes max, exp and sum, scale;
// other axes go in blocks of columns. About 10 flops and 8 bytes an element. Rows are shared among
// threads.
#include "kernels/softmax.h"

#include "cpu/rows.h"
#include "cpu/stream.h"
#include "cpu/vmath.h"

namespace hb::HB_ISA {
namespace {

template <class T>
T log_of(T x) {
    return Math<T>::log(Vec<T>::splat(x))[0];
}

template <class T>
T finite_or_zero(T x) {
    return x - x == T(0) ? x : T(0);
}

// y = exp(x - shift); returns the sum. y may be null. The row behind x is asked for meanwhile.
// `below`: no x is larger than shift.
template <bool below, class T>
T exp_row(const T* x, T shift, T* y, int64_t n) {
    using V = Vec<T>;
    typename V::type total = V::zero();
    for_vectors<T>(n, [&](int64_t i, int64_t lanes) {
        fetch_early(x + n + i);
        const auto d = V::load(x + i, lanes) - V::splat(shift);
        const auto e = below ? Math<T>::exp_negative(d) : Math<T>::exp(d);
        if (y) V::store(y + i, e, lanes);
        total += keep_lanes<T>(e, lanes);
    });
    return V::sum(total);
}

// y = x factor - shift
template <class T>
void scale_row(const T* x, T factor, T shift, T* y, int64_t n, bool past_caches = false) {
    using V = Vec<T>;
    map_row(y, n, past_caches, [&](int64_t i, int64_t lanes) {
        return V::load(x + i, lanes) * V::splat(factor) - V::splat(shift);
    });
}

enum class Kind { softmax, log_softmax, logsumexp };

// Past the caches, exponentials wait in `scratch` (n).
template <Kind kind, class T>
void softmax_row(const T* x, T* y, int64_t n, T* scratch) {
    const bool past_caches = scratch != nullptr;
    const T top = reduce_block<Max, T>(x, n);
    if constexpr (kind == Kind::softmax) {
        T* e = past_caches ? scratch : y;
        const T sum = exp_row<true>(x, top, e, n);
        scale_row(e, T(1) / sum, T(0), y, n, past_caches);
    } else {
        const T shift = finite_or_zero(top);
        T* const none = nullptr;
        const T sum =
            shift == top ? exp_row<true>(x, shift, none, n) : exp_row<false>(x, shift, none, n);
        const T lse = shift + log_of(sum);
        if constexpr (kind == Kind::logsumexp)
            *y = lse;
        else
            scale_row(x, T(1), lse, y, n, past_caches);
    }
}

// The same for `width` neighbouring columns, step elements from row to row.
template <Kind kind, class T>
void softmax_columns(const T* x, T* y, int64_t n, int64_t step, int64_t width) {
    using V = Vec<T>;
    T top[kSoftmaxColumns], sum[kSoftmaxColumns];
    for (int64_t c = 0; c < width; ++c) top[c] = kLowest<T>, sum[c] = T(0);
    for (int64_t k = 0; k < n; ++k)
        for_vectors<T>(width, [&](int64_t c, int64_t lanes) {
            V::store(top + c, V::max(V::load(top + c, lanes), V::load(x + k * step + c, lanes)),
                     lanes);
        });
    if (kind != Kind::softmax)
        for (int64_t c = 0; c < width; ++c) top[c] = finite_or_zero(top[c]);
    for (int64_t k = 0; k < n; ++k)
        for_vectors<T>(width, [&](int64_t c, int64_t lanes) {
            const auto e = Math<T>::exp(V::load(x + k * step + c, lanes) - V::load(top + c, lanes));
            if (kind == Kind::softmax) V::store(y + k * step + c, e, lanes);
            V::store(sum + c, V::load(sum + c, lanes) + e, lanes);
        });
    for_vectors<T>(width, [&](int64_t c, int64_t lanes) {
        const auto s = V::load(sum + c, lanes);
        V::store(sum + c,
                 kind == Kind::softmax ? T(1) / s : V::load(top + c, lanes) + Math<T>::log(s),
                 lanes);
        if (kind == Kind::logsumexp) V::store(y + c, V::load(sum + c, lanes), lanes);
    });
    if (kind == Kind::logsumexp) return;
    for (int64_t k = 0; k < n; ++k)
        for_vectors<T>(width, [&](int64_t c, int64_t lanes) {
            const auto s = V::load(sum + c, lanes);
            T* to = y + k * step + c;
            V::store(to,
                     kind == Kind::softmax ? V::load(to, lanes) * s
                                           : V::load(x + k * step + c, lanes) - s,
                     lanes);
        });
}

// Calls f(outer index, first column, width) for this thread's blocks of columns.
template <class F>
HB_INLINE void for_blocks(int64_t outer, int64_t inner, int thread, int threads, F f) {
    const int64_t blocks = (inner + kSoftmaxColumns - 1) / kSoftmaxColumns;
    const Range tasks = split(outer * blocks, thread, threads);
    for (int64_t task = tasks.begin; task < tasks.end; ++task) {
        if (blocks == 1) {  // divisions take longer than short rows
            f(task, int64_t(0), inner);
            continue;
        }
        const int64_t first = task % blocks * kSoftmaxColumns, rest = inner - first;
        f(task / blocks, first, rest < kSoftmaxColumns ? rest : kSoftmaxColumns);
    }
}

template <Kind kind, class T>
void softmax(const void* args, int thread, int threads) {
    const SoftmaxArgs& p = *static_cast<const SoftmaxArgs*>(args);
    const T* x = static_cast<const T*>(p.x);
    T* y = static_cast<T*>(p.y);
    const int64_t y_outer = kind == Kind::logsumexp ? p.inner : p.n * p.inner;
    T* scratch = p.scratch ? static_cast<T*>(p.scratch) + thread * p.scratch_stride : nullptr;
    for_blocks(p.outer, p.inner, thread, threads, [&](int64_t o, int64_t first, int64_t width) {
        const T* from = x + o * p.n * p.inner + first;
        T* to = y + o * y_outer + first;
        if (p.inner == 1)
            softmax_row<kind>(from, to, p.n, scratch);
        else
            softmax_columns<kind>(from, to, p.n, p.inner, width);
    });
    finish_stores(scratch != nullptr);
}

template <bool is_log, class T>
void softmax_grad(const void* args, int thread, int threads) {
    using V = Vec<T>;
    const SoftmaxGradArgs& p = *static_cast<const SoftmaxGradArgs*>(args);
    const bool past_caches = beyond_caches(p.outer * p.n * p.inner * int64_t(sizeof(T)));
    for_blocks(p.outer, p.inner, thread, threads, [&](int64_t o, int64_t first, int64_t width) {
        const int64_t start = o * p.n * p.inner + first;
        const T *y = static_cast<const T*>(p.y) + start, *dy = static_cast<const T*>(p.dy) + start;
        T* dx = static_cast<T*>(p.dx) + start;
        const auto weight = [&](int64_t i, int64_t lanes) {
            const auto d = V::load(dy + i, lanes);
            return is_log ? d : d * V::load(y + i, lanes);
        };
        const auto result = [&](int64_t i, int64_t lanes, typename V::type sum) {
            const auto v = V::load(y + i, lanes), d = V::load(dy + i, lanes);
            return is_log ? d - Math<T>::exp_negative(v) * sum : v * (d - sum);
        };
        if (p.inner == 1) {
            typename V::type sum = V::zero();
            for_vectors<T>(p.n, [&](int64_t i, int64_t lanes) { sum += weight(i, lanes); });
            const auto total = V::splat(V::sum(sum));
            map_row(dx, p.n, past_caches,
                    [&](int64_t i, int64_t lanes) { return result(i, lanes, total); });
            return;
        }
        T sums[kSoftmaxColumns];
        for (int64_t c = 0; c < width; ++c) sums[c] = T(0);
        for (int64_t k = 0; k < p.n; ++k)
            for_vectors<T>(width, [&](int64_t c, int64_t lanes) {
                V::store(sums + c, V::load(sums + c, lanes) + weight(k * p.inner + c, lanes),
                         lanes);
            });
        for (int64_t k = 0; k < p.n; ++k)
            for_vectors<T>(width, [&](int64_t c, int64_t lanes) {
                const int64_t i = k * p.inner + c;
                V::store(dx + i, result(i, lanes, V::load(sums + c, lanes)), lanes);
            });
    });
    finish_stores(past_caches);
}

int64_t label_at(const void* labels, DType type, int64_t i) {
    if (type == DType::i64) return static_cast<const int64_t*>(labels)[i];
    if (type == DType::i32) return static_cast<const int32_t*>(labels)[i];
    return static_cast<const uint8_t*>(labels)[i];
}

void check_labels(const void* args, int, int) {
    const LabelCheckArgs& p = *static_cast<const LabelCheckArgs*>(args);
    for (int64_t i = 0; i < p.rows; ++i) {
        const int64_t label = label_at(p.labels, p.label_type, i);
        if (label >= 0 && label < p.n) continue;
        *p.slot = {i + 1, label};
        return;
    }
}

template <bool sparse, class T>
void xent(const void* args, int thread, int threads) {
    using V = Vec<T>;
    const XentArgs& p = *static_cast<const XentArgs*>(args);
    const Range rows = split(p.rows, thread, threads);
    for (int64_t row = rows.begin; row < rows.end; ++row) {
        const T* x = static_cast<const T*>(p.logits) + row * p.n;
        T* probs = static_cast<T*>(p.probs) + row * p.n;
        const T top = reduce_block<Max, T>(x, p.n);
        const T sum = exp_row<true>(x, top, probs, p.n);
        scale_row(probs, T(1) / sum, T(0), probs, p.n);
        const T lse = top + log_of(sum);
        T loss;
        if constexpr (sparse) {
            const int64_t label = label_at(p.labels, p.label_type, row);
            loss = label >= 0 && label < p.n ? lse - x[label] : T(0);
        } else {
            const T* t = static_cast<const T*>(p.targets) + row * p.n;
            typename V::type total = V::zero();
            for_vectors<T>(p.n, [&](int64_t i, int64_t lanes) {
                // A zero target takes no part, even where its logit is -inf.
                const auto w = V::load(t + i, lanes);
                total += V::select(w == V::zero(), w, w * (V::splat(lse) - V::load(x + i, lanes)));
            });
            loss = V::sum(total);
        }
        static_cast<T*>(p.loss)[row] = loss;
    }
}

template <bool sparse, class T>
void xent_grad(const void* args, int thread, int threads) {
    using V = Vec<T>;
    const XentGradArgs& p = *static_cast<const XentGradArgs*>(args);
    const Range rows = split(p.rows, thread, threads);
    for (int64_t row = rows.begin; row < rows.end; ++row) {
        const T* probs = static_cast<const T*>(p.probs) + row * p.n;
        T* dx = static_cast<T*>(p.dlogits) + row * p.n;
        const T dloss = static_cast<const T*>(p.dloss)[row];
        if constexpr (sparse) {
            scale_row(probs, dloss, T(0), dx, p.n);
            const int64_t label = label_at(p.labels, p.label_type, row);
            if (label >= 0 && label < p.n) dx[label] = dloss * (probs[label] - T(1));
        } else {
            const T* t = static_cast<const T*>(p.targets) + row * p.n;
            const T sum = reduce_block<Sum, T>(t, p.n);
            for_vectors<T>(p.n, [&](int64_t i, int64_t lanes) {
                const auto v = V::load(probs + i, lanes) * V::splat(sum) - V::load(t + i, lanes);
                V::store(dx + i, v * V::splat(dloss), lanes);
            });
        }
    }
}

}  // namespace

extern const SoftmaxKernels softmax_kernels = {
    .softmax = {softmax<Kind::softmax, float>, softmax<Kind::softmax, double>},
    .log_softmax = {softmax<Kind::log_softmax, float>, softmax<Kind::log_softmax, double>},
    .logsumexp = {softmax<Kind::logsumexp, float>, softmax<Kind::logsumexp, double>},
    .softmax_grad = {softmax_grad<false, float>, softmax_grad<false, double>},
    .log_softmax_grad = {softmax_grad<true, float>, softmax_grad<true, double>},
    .xent = {xent<false, float>, xent<false, double>},
    .sparse_xent = {xent<true, float>, xent<true, double>},
    .xent_grad = {xent_grad<false, float>, xent_grad<false, double>},
    .sparse_xent_grad = {xent_grad<true, float>, xent_grad<true, double>},
    .check_labels = check_labels,
};

}  // namespace hb::HB_ISA
