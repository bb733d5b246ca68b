// SGD and Adam with Keras 3's formulas. Threads take contiguous shares of the units of all
// parameters.
//   SGD   v = momentum v - rate g;  p += v, with Nesterov p += momentum v - rate g
//         20 bytes an element
//   Adam  m += (g - m)(1 - beta1);  v += (g^2 - v)(1 - beta2);  p -= alpha m / (sqrt(v) + epsilon)
//         28 bytes an element; alpha = rate sqrt(1 - beta2^step) / (1 - beta1^step), in double
//         (Keras does all of it in p's dtype: in float32 its powers carry rounding noise)
// Exact square roots and divisions: the memory is slower than they are.
#include "kernels/optim.h"

#include "cpu/vec.h"

namespace hb::HB_ISA {
namespace {

double read(const OptimScalar& s) {
    switch (s.dtype) {
        case DType::f32:
            return double(*static_cast<const float*>(s.data));
        case DType::f64:
            return *static_cast<const double*>(s.data);
        case DType::i32:
            return double(*static_cast<const int32_t*>(s.data));
        case DType::i64:
            return double(*static_cast<const int64_t*>(s.data));
        default:
            return double(*static_cast<const uint8_t*>(s.data));
    }
}

// Calls update(param, range of its elements) for this thread's share.
template <class Update>
HB_INLINE void for_share(const OptimParam* params, int64_t count, int64_t units, int thread,
                         int threads, Update&& update) {
    const Range share = split(units, thread, threads);
    int64_t first = 0;  // unit of params[i]
    for (int64_t i = 0; i < count && first < share.end; ++i) {
        const OptimParam& param = params[i];
        const int64_t own = (param.n + kOptimUnit - 1) / kOptimUnit;
        const int64_t begin = share.begin > first ? (share.begin - first) * kOptimUnit : 0;
        const int64_t end = share.end - first < own ? (share.end - first) * kOptimUnit : param.n;
        first += own;
        if (begin < end) update(param, Range{begin, end});
    }
}

template <class T>
void sgd_range(const OptimParam& a, Range r, double lr, double mu, bool nesterov) {
    using V = Vec<T>;
    T* p = static_cast<T*>(a.p);
    T* m = static_cast<T*>(a.m);
    const T* g = static_cast<const T*>(a.g);
    const auto rate = V::splat(T(lr)), momentum = V::splat(T(mu));
    for (int64_t i = r.begin; i < r.end; i += V::lanes) {
        const int64_t n = r.end - i;
        const auto step = V::load(g + i, n) * rate;
        auto x = V::load(p + i, n);
        if (m == nullptr) {
            x -= step;
        } else {
            const auto v = V::load(m + i, n) * momentum - step;
            V::store(m + i, v, n);
            x += nesterov ? v * momentum - step : v;
        }
        V::store(p + i, x, n);
    }
}

void sgd(const void* pod, int thread, int threads) {
    const auto& a = *static_cast<const SgdArgs*>(pod);
    const double rate = read(a.rate), momentum = read(a.momentum);
    for_share(a.params, a.count, a.units, thread, threads, [&](const OptimParam& param, Range r) {
        if (param.dtype == DType::f32)
            sgd_range<float>(param, r, rate, momentum, a.nesterov);
        else
            sgd_range<double>(param, r, rate, momentum, a.nesterov);
    });
}

struct AdamScalars {
    double rate, alpha, beta1, beta2, epsilon, weight_decay;
};

double adam_alpha(const AdamArgs& a, const AdamScalars& s) {
    if (!a.bias_correction) return s.rate;
    const double step = read(a.step);
    return s.rate * __builtin_sqrt(1 - __builtin_pow(s.beta2, step)) /
           (1 - __builtin_pow(s.beta1, step));
}

template <class T, bool amsgrad>
void adam_range(const OptimParam& a, Range r, const AdamScalars& s) {
    using V = Vec<T>;
    T *p = static_cast<T*>(a.p), *m = static_cast<T*>(a.m), *v = static_cast<T*>(a.v);
    T* v_max = static_cast<T*>(a.v_max);
    const T* g = static_cast<const T*>(a.g);
    const auto alpha = V::splat(T(s.alpha)), epsilon = V::splat(T(s.epsilon));
    const auto keep1 = V::splat(T(1 - s.beta1)), keep2 = V::splat(T(1 - s.beta2));
    const auto decay = V::splat(T(s.weight_decay)), rate = V::splat(T(s.rate));
    for (int64_t i = r.begin; i < r.end; i += V::lanes) {
        const int64_t n = r.end - i;
        const auto grad = V::load(g + i, n);
        auto mean = V::load(m + i, n), square = V::load(v + i, n), x = V::load(p + i, n);
        mean += (grad - mean) * keep1;
        square += (grad * grad - square) * keep2;
        V::store(m + i, mean, n);
        V::store(v + i, square, n);
        if constexpr (amsgrad) {
            square = V::max(V::load(v_max + i, n), square);
            V::store(v_max + i, square, n);
        }
        x -= x * decay * rate;
        x -= mean * alpha / (V::sqrt(square) + epsilon);
        V::store(p + i, x, n);
    }
}

template <class T>
void adam_param(const OptimParam& param, Range r, const AdamScalars& s) {
    param.v_max ? adam_range<T, true>(param, r, s) : adam_range<T, false>(param, r, s);
}

void adam(const void* pod, int thread, int threads) {
    const auto& a = *static_cast<const AdamArgs*>(pod);
    AdamScalars s{read(a.rate),        0, read(a.beta1), read(a.beta2), read(a.epsilon),
                  read(a.weight_decay)};
    s.alpha = adam_alpha(a, s);
    for_share(a.params, a.count, a.units, thread, threads, [&](const OptimParam& param, Range r) {
        if (param.dtype == DType::f32)
            adam_param<float>(param, r, s);
        else
            adam_param<double>(param, r, s);
    });
}

}  // namespace

extern const OptimKernels optim_kernels = {sgd, adam};

}  // namespace hb::HB_ISA
