// Elementwise functions of floats: vectorised where vmath.h has them, else lane by lane through
// libm.
#include "cpu/elementwise.h"
#include "cpu/vmath.h"

namespace hb::HB_ISA {
namespace {

// One functor per op over a vector X of T.
#define HB_VECTOR(name)              \
    struct name {                    \
        template <class T, class X>  \
        static HB_INLINE X of(X x) { \
            return Math<T>::name(x); \
        }                            \
    };
HB_VECTOR(exp)
HB_VECTOR(expm1)
HB_VECTOR(log)
HB_VECTOR(log2)
HB_VECTOR(log10)
HB_VECTOR(log1p)
HB_VECTOR(tanh)
HB_VECTOR(sinh)
HB_VECTOR(cosh)
HB_VECTOR(sigmoid)
HB_VECTOR(softplus)
HB_VECTOR(erf)
#undef HB_VECTOR

struct sqrt {
    template <class T, class X>
    static HB_INLINE X of(X x) {
        return Vec<T>::sqrt(x);
    }
};
struct rsqrt {
    template <class T, class X>
    static HB_INLINE X of(X x) {
        return T(1) / Vec<T>::sqrt(x);
    }
};
struct reciprocal {
    template <class T, class X>
    static HB_INLINE X of(X x) {
        return T(1) / x;
    }
};
struct floor {
    template <class T, class X>
    static HB_INLINE X of(X x) {
        return Vec<T>::floor(x);
    }
};
struct ceil {
    template <class T, class X>
    static HB_INLINE X of(X x) {
        return Vec<T>::ceil(x);
    }
};
struct round {
    template <class T, class X>
    static HB_INLINE X of(X x) {
        return Vec<T>::rint(x);
    }
};
struct trunc {
    template <class T, class X>
    static HB_INLINE X of(X x) {
        return Vec<T>::trunc(x);
    }
};

template <class F, class T>
void vector_tile(void* dst, const void* a, const void*, const void*, int64_t n) {
    using V = Vec<T>;
    T* y = static_cast<T*>(dst);
    const T* x = static_cast<const T*>(a);
    int64_t i = 0;
    for (; i + V::lanes <= n; i += V::lanes) V::store(y + i, F::template of<T>(V::load(x + i)));
    if (i < n) V::store(y + i, F::template of<T>(V::load(x + i, n - i)), n - i);
}

#define HB_LANES(name)                                                     \
    struct name {                                                          \
        float operator()(float x) const { return __builtin_##name##f(x); } \
        double operator()(double x) const { return __builtin_##name(x); }  \
    };
HB_LANES(sin)
HB_LANES(cos)
HB_LANES(tan)
HB_LANES(asin)
HB_LANES(acos)
HB_LANES(atan)
HB_LANES(asinh)
HB_LANES(acosh)
HB_LANES(atanh)
#undef HB_LANES

template <int n>
double horner(double x, const double (&c)[n]) {
    double y = c[0];
    for (int i = 1; i < n; ++i) y = y * x + c[i];
    return y;
}

// From the normal quantile of Wichura's algorithm AS 241 (1988), good to 1e-16.
double inverse_erf(double x) {
    static constexpr double a[] = {2.5090809287301226727e3, 3.3430575583588128105e4,
                                   6.7265770927008700853e4, 4.5921953931549871457e4,
                                   1.3731693765509461125e4, 1.9715909503065514427e3,
                                   1.3314166789178437745e2, 3.387132872796366608};
    static constexpr double b[] = {5.226495278852545925e3,  2.8729085735721942674e4,
                                   3.9307895800092710610e4, 2.1213794301586595867e4,
                                   5.3941960214247511077e3, 6.8718700749205790830e2,
                                   4.2313330701600911252e1, 1.0};
    static constexpr double c[] = {7.74545014278341407640e-4, 2.27238449892691845833e-2,
                                   2.41780725177450611770e-1, 1.27045825245236838258,
                                   3.64784832476320460504,    5.76949722146069140550,
                                   4.63033784615654529590,    1.42343711074968357734};
    static constexpr double d[] = {1.05075007164441684324e-9, 5.475938084995344946e-4,
                                   1.51986665636164571966e-2, 1.48103976427480074590e-1,
                                   6.89767334985100004550e-1, 1.67638483018380384940,
                                   2.05319162663775882187,    1.0};
    static constexpr double e[] = {2.01033439929228813265e-7, 2.71155556874348757815e-5,
                                   1.24266094738807843860e-3, 2.65321895265761230930e-2,
                                   2.96560571828504891230e-1, 1.78482653991729133580,
                                   5.46378491116411436990,    6.65790464350110377720};
    static constexpr double f[] = {2.04426310338993978564e-15, 1.42151175831644588870e-7,
                                   1.84631831751005468180e-5,  7.86869131145613259100e-4,
                                   1.48753612908506148525e-2,  1.36929880922735805310e-1,
                                   5.99832206555887937690e-1,  1.0};
    constexpr double kRootHalf = 0.70710678118654752440;
    const double size = __builtin_fabs(x), q = 0.5 * x;
    if (!(size <= 1)) return __builtin_nan("");
    if (size == 1) return __builtin_copysign(__builtin_inf(), x);
    if (size <= 0.85) {
        const double r = 0.180625 - q * q;
        return kRootHalf * q * horner(r, a) / horner(r, b);
    }
    const double r = __builtin_sqrt(-__builtin_log(0.5 * (1 - size)));
    const double y =
        r <= 5 ? horner(r - 1.6, c) / horner(r - 1.6, d) : horner(r - 5, e) / horner(r - 5, f);
    return __builtin_copysign(kRootHalf * y, x);
}
struct erfinv {
    template <class T>
    T operator()(T x) const {
        return T(inverse_erf(double(x)));
    }
};

template <class F>
EwTileFn tile_for(DType type) {
    if constexpr (requires(typename Vec<float>::type x) { F::template of<float>(x); })
        return type == DType::f32   ? vector_tile<F, float>
               : type == DType::f64 ? vector_tile<F, double>
                                    : nullptr;
    else
        return type == DType::f32   ? unary_tile<F, float, float>
               : type == DType::f64 ? unary_tile<F, double, double>
                                    : nullptr;
}

}  // namespace

EwTileFn ew_math_tile(EwOp op, DType type) {
    switch (op) {
#define CASE(F)   \
    case EwOp::F: \
        return tile_for<F>(type);
        HB_EW_FLOAT_UNARY(CASE)
#undef CASE
        default:
            return nullptr;
    }
}

}  // namespace hb::HB_ISA
