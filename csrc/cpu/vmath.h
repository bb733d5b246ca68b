// Transcendental functions of a whole vector, one formula per function for float and double.
// Within 3 ulp (float) and 4 ulp (double); NaN, infinities, signed zeros and denormals as in C.
// exp, log (float): Cephes; log (double): fdlibm; erf (float): N. Juffa's polynomials.
#pragma once

#include "cpu/vec.h"

namespace hb::HB_ISA {
namespace {

// The same for i in [0, n), without a loop.
#define HB_EACH(n) _Pragma("GCC unroll 16") for (int i = 0; i < n; ++i)

template <class T>
struct MathConstants;
template <>
struct MathConstants<float> {
    using Unsigned = uint32_t;
    static constexpr int mantissa = 23, bias = 127;
    static constexpr float magic = 0x1.8p23f;  // adding it rounds to an integer in the low bits
    static constexpr float ln2_hi = 0.693359375f, ln2_lo = -2.12194440e-4f;
    static constexpr float exp_min = -104.0f, exp_max = 89.0f;
    static constexpr float smallest_normal = 0x1p-126f, to_normal = 0x1p25f, to_normal_log2 = 25;
    static constexpr int32_t sqrt_half = 0x3f3504f3, mantissa_bits = 0x7fffff, one = 0x3f800000;
};
template <>
struct MathConstants<double> {
    using Unsigned = uint64_t;
    static constexpr int mantissa = 52, bias = 1023;
    static constexpr double magic = 0x1.8p52;
    static constexpr double ln2_hi = 6.93147180369123816490e-01,
                            ln2_lo = 1.90821492927058770002e-10;
    static constexpr double exp_min = -746.0, exp_max = 710.0;
    static constexpr double smallest_normal = 0x1p-1022, to_normal = 0x1p54, to_normal_log2 = 54;
    static constexpr int64_t sqrt_half = 0x3fe6a09e667f3bcd, mantissa_bits = 0xfffffffffffff,
                             one = 0x3ff0000000000000;
};

template <class T>
struct Math {
    using V = Vec<T>;
    using X = typename V::type;
    using M = typename V::mask;
    using C = MathConstants<T>;
    typedef typename C::Unsigned Unsigned __attribute__((vector_size(kVecBytes)));

    static HB_INLINE X splat(T x) { return V::splat(x); }
    // c[0] x^(n-1) + ... + c[n-1]
    template <int n, int N>
    static HB_INLINE void poly(const X (&x)[N], const T (&c)[n], X (&y)[N]) {
        HB_EACH(N) y[i] = splat(c[0]);
#pragma GCC unroll 16
        for (int k = 1; k < n; ++k) HB_EACH(N) y[i] = V::fma(y[i], x[i], splat(c[k]));
    }
    template <int n>
    static HB_INLINE X poly(X x, const T (&c)[n]) {
        X in[1] = {x}, y[1];
        poly(in, c, y);
        return y[0];
    }
    static HB_INLINE X clamp(X x, T low, T high) {  // NaN stays: the second operand wins
        return (X)arch::min(splat(high), (X)arch::max(splat(low), x));
    }
    static HB_INLINE X round_small(X x) { return (x + splat(C::magic)) - splat(C::magic); }
    // 2^n for whole n within the exponent range.
    static HB_INLINE X pow2(X n) {
        return V::from_bits((V::bits(n + splat(C::magic)) + C::bias) << C::mantissa);
    }

    // exp(x) = 2^n (1 + y) with |x - n ln 2| <= ln(2) / 2, but for a rounding, and y = expm1 of the
    // rest. Where it is asked for, `scale` is 2^n, and 0 for n = -bias. Of N vectors at once, step
    // by step, so that a core has N operations at hand that do not wait for one another.
    template <int N>
    static HB_INLINE void exp_parts(const X (&x)[N], X (&n)[N], X (&y)[N], X* scale = nullptr) {
        const X magic = splat(scale ? C::magic + T(C::bias) : C::magic);
        X r[N];
        HB_EACH(N) y[i] = V::fma(x[i], splat(T(1.44269504088896340736)), magic);
        if (scale) HB_EACH(N) scale[i] = V::from_bits(V::bits(y[i]) << C::mantissa);
        HB_EACH(N) n[i] = y[i] - magic;
        HB_EACH(N) r[i] = V::fma(n[i], splat(-C::ln2_hi), x[i]);
        HB_EACH(N) r[i] = V::fma(n[i], splat(-C::ln2_lo), r[i]);
        if constexpr (sizeof(T) == 4) {
            // minimax, relative to exp(r): 0.03 units in the last place
            static constexpr T c[] = {1.3814539416e-3f, 8.3687454462e-3f, 4.1668388993e-2f,
                                      1.6666521132e-1f, 4.9999994040e-1f};
            poly(r, c, y);
        } else {
            static constexpr T c[] = {1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800,
                                      1.0 / 3628800,    1.0 / 362880,    1.0 / 40320,
                                      1.0 / 5040,       1.0 / 720,       1.0 / 120,
                                      1.0 / 24,         1.0 / 6,         0.5};
            poly(r, c, y);
        }
        HB_EACH(N) y[i] = V::fma(y[i], r[i] * r[i], r[i]);
    }
    static HB_INLINE X exp_parts(X x, X* n, X* scale = nullptr) {
        X in[1] = {x}, whole[1], y[1];
        exp_parts(in, whole, y, scale);
        *n = whole[0];
        return y[0];
    }
    static HB_INLINE X exp(X x) {
        X n;
        const X y = exp_parts(clamp(x, C::exp_min, C::exp_max), &n);
        const X n1 = round_small(n * splat(T(0.5)));  // in two steps, for the ends of the range
        const X s = pow2(n1);
        return V::fma(y, s, s) * pow2(n - n1);
    }
    // For x <= 0: 0 where the result is no normal number (those next to them may still be given).
    static HB_INLINE X exp_negative(X x) {
        constexpr T lowest = -C::bias * T(0.69314718055994530942);  // there 2^n is 0
        X n, s;
        const X y = exp_parts((X)arch::max(splat(lowest), x), &n, &s);
        return V::fma(y, s, s);
    }
    static HB_INLINE X expm1(X x) {
        X n;
        const X y = exp_parts(clamp(x, T(-50), C::exp_max), &n);
        const X n1 = round_small(n * splat(T(0.5))), n2 = n - n1;
        const X s = pow2(n1);
        return V::copysign(V::fma(y, s, s - pow2(-n2)) * pow2(n2), x);
    }

    // x = 2^e m with m in [sqrt(1/2), sqrt(2)); returns log(m) - (m - 1) + (m - 1)^2 / 2, for x >
    // 0.
    static HB_INLINE X log_parts(X x, X* e, X* f) {
        const M tiny = x < splat(C::smallest_normal);
        x = V::select(tiny, x * splat(C::to_normal), x);
        const M i = V::bits(x) + (M{} + (C::one - C::sqrt_half));
        *f = V::from_bits((i & C::mantissa_bits) + C::sqrt_half) - splat(T(1));
        // The exponent, as a number, without a 64-bit conversion: i is positive.
        const M exponent = (M)((Unsigned)i >> C::mantissa) - C::bias;
        *e = V::from_bits(exponent + V::bits(splat(C::magic))) - splat(C::magic);
        *e -= V::select(tiny, splat(C::to_normal_log2), splat(T(0)));
        const X z = *f * *f;
        if constexpr (sizeof(T) == 4) {
            static constexpr T c[] = {7.0376836292e-2f,  -1.1514610310e-1f, 1.1676998740e-1f,
                                      -1.2420140846e-1f, 1.4249322787e-1f,  -1.6668057665e-1f,
                                      2.0000714765e-1f,  -2.4999993993e-1f, 3.3333331174e-1f};
            return poly(*f, c) * *f * z;
        } else {
            static constexpr T c[] = {1.479819860511658591e-01, 1.531383769920937332e-01,
                                      1.818357216161805012e-01, 2.222219843214978396e-01,
                                      2.857142874366239149e-01, 3.999999999940941908e-01,
                                      6.666666666666735130e-01};
            const X s = *f / (splat(T(2)) + *f), w = s * s;
            return s * V::fma(poly(w, c), w, splat(T(0.5)) * z);
        }
    }
    static HB_INLINE X log_edges(X x, X y) {  // 0, infinity, negative numbers, NaN
        const T inf = T(__builtin_inf());
        y = V::select(x == splat(inf), x, y);
        y = V::select(x == splat(T(0)), splat(-inf), y);
        return V::select(x >= splat(T(0)), y, splat(T(__builtin_nan(""))));
    }
    static HB_INLINE X log(X x) {
        X e, f;
        X y = log_parts(x, &e, &f);
        y = V::fma(e, splat(C::ln2_lo), y);
        y = V::fma(f * f, splat(T(-0.5)), y);
        return log_edges(x, V::fma(e, splat(C::ln2_hi), f + y));
    }
    static HB_INLINE X log2(X x) {
        X e, f;
        const X y = log_parts(x, &e, &f);
        const X ln = f + V::fma(f * f, splat(T(-0.5)), y);
        return log_edges(x, V::fma(ln, splat(T(1.44269504088896340736)), e));
    }
    static HB_INLINE X log10(X x) { return log(x) * splat(T(0.43429448190325182765)); }
    static HB_INLINE X log1p(X x) {
        const X one = splat(T(1)), u = one + x;
        const X lost = V::select(x > one, one - (u - x), x - (u - one));
        X y = log(u);
        y = V::select((u > splat(T(0))) & (u < splat(T(__builtin_inf()))), y + lost / u, y);
        return V::select(x == splat(T(0)), x, y);
    }

    // tanh(x) = q / (q + 2), q = exp(2x) - 1, which for both signs loses no bits around 0; only
    // -0 becomes 0.
    static HB_INLINE X tanh_unsigned_zero(X x) {
        X y[1] = {x};
        gates<1>(y);
        return y[0];
    }
    // x[i] = q / (q + 2), q = expm1(2 x), where bit i of `tanhs` is set: tanh; else the sigmoid
    // q / (q + 1), q = exp(x). That ends at the smallest normal number, which saves the exponential
    // its last step.
    template <unsigned tanhs, int N>
    static HB_INLINE void gates(X (&x)[N]) {
        constexpr T most = sizeof(T) == 4 ? T(87) : T(708), end = sizeof(T) == 4 ? T(18.1) : T(38);
        X n[N], q[N], s[N];
        HB_EACH(N) x[i] = tanhs >> i & 1 ? clamp(x[i] + x[i], -end, end) : clamp(x[i], -most, most);
        exp_parts(x, n, q, s);
        HB_EACH(N) q[i] = V::fma(q[i], s[i], tanhs >> i & 1 ? s[i] - splat(T(1)) : s[i]);
        HB_EACH(N) x[i] = q[i] / (q[i] + splat(tanhs >> i & 1 ? T(2) : T(1)));
    }
    static HB_INLINE X tanh(X x) { return V::copysign(tanh_unsigned_zero(x), x); }
    static HB_INLINE X sigmoid(X x) {
        const X e = exp(-V::abs(x)), one = splat(T(1));
        return V::select(x < splat(T(0)), e, one) / (one + e);
    }
    static HB_INLINE X softplus(X x) { return V::max(x, splat(T(0))) + log1p(exp(-V::abs(x))); }
    static HB_INLINE X sinh(X x) {
        const X half = splat(T(0.5)), size = V::abs(x);
        const X q = expm1(size), root = exp(size * half);
        const X y = half * (q + q / (q + splat(T(1))));
        return V::copysign(V::select(size < splat(T(C::exp_max - 1)), y, half * root * root), x);
    }
    static HB_INLINE X cosh(X x) {
        const X half = splat(T(0.5)), size = V::abs(x);
        const X e = exp(size), root = exp(size * half);  // e may overflow where cosh does not
        const X y = half * e + half / e;
        return V::select(size < splat(T(C::exp_max - 1)), y, half * root * root);
    }

    static HB_INLINE X erf(X x) {
        if constexpr (sizeof(T) == 4) {
            const X t = clamp(V::abs(x), T(0), T(4)), s = t * t;
            static constexpr T c[] = {-5.96761703e-4f, 4.99119423e-3f,  -2.67681349e-2f,
                                      1.12819925e-1f,  -3.76125336e-1f, 1.28379166e-1f};
            const X near = V::fma(poly(s, c), x, x);
            const X r = V::fma(splat(-1.72853470e-5f), t, splat(3.83197126e-4f));
            const X u = V::fma(splat(-3.88396438e-3f), t, splat(2.42546219e-2f));
            X p = V::fma(r, s, u);
            p = V::fma(p, t, splat(-1.06777877e-1f));
            p = V::fma(p, t, splat(-6.34846687e-1f));
            p = V::fma(p, t, splat(-1.28717512e-1f));
            p = V::fma(p, t, -t);
            const X far = splat(1.0f) - exp_negative(p);
            return V::copysign(V::select(t < splat(0.927734375f), near, far), x);
        } else {
            for (int i = 0; i < V::lanes; ++i) x[i] = __builtin_erf(x[i]);
            return x;
        }
    }
};

}  // namespace
}  // namespace hb::HB_ISA
