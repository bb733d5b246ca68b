// What the exact elementwise ops do to one element. Integers wrap around, their division by zero
// gives 0 and never traps; bool arithmetic is C++'s (add is or, mul is and).
#pragma once

#include "kernels/kernel.h"

namespace hb::HB_ISA {
namespace {

// The type in which overflow is harmless.
template <class T>
struct WrapType {
    using type = T;
};
template <>
struct WrapType<int32_t> {
    using type = uint32_t;
};
template <>
struct WrapType<int64_t> {
    using type = uint64_t;
};
template <class T>
using Wrap = typename WrapType<T>::type;

template <class T>
constexpr bool kFloat = false;
template <>
constexpr bool kFloat<float> = true;
template <>
constexpr bool kFloat<double> = true;

inline float fmod_of(float a, float b) { return __builtin_fmodf(a, b); }
inline double fmod_of(double a, double b) { return __builtin_fmod(a, b); }
inline float floor_of(float x) { return __builtin_floorf(x); }
inline double floor_of(double x) { return __builtin_floor(x); }
inline float pow_of(float a, float b) { return __builtin_powf(a, b); }
inline double pow_of(double a, double b) { return __builtin_pow(a, b); }

struct neg {
    template <class T>
    T operator()(T x) const {
        return T(Wrap<T>(0) - Wrap<T>(x));
    }
};
template <>
float neg::operator()(float x) const {
    return -x;
}
template <>
double neg::operator()(double x) const {
    return -x;
}
struct abs {
    float operator()(float x) const { return __builtin_fabsf(x); }
    double operator()(double x) const { return __builtin_fabs(x); }
    template <class T>
    T operator()(T x) const {
        return x < T(0) ? neg{}(x) : x;
    }
};
struct sign {
    template <class T>
    T operator()(T x) const {
        return x > T(0) ? T(1) : x < T(0) ? T(-1) : x != x ? x : T(0);
    }
};
struct square {
    template <class T>
    T operator()(T x) const {
        return T(Wrap<T>(x) * Wrap<T>(x));
    }
};
struct relu {
    template <class T>
    T operator()(T x) const {
        return x < T(0) ? T(0) : x;
    }
};

struct add {
    template <class T>
    T operator()(T a, T b) const {
        return T(Wrap<T>(a) + Wrap<T>(b));
    }
};
struct sub {
    template <class T>
    T operator()(T a, T b) const {
        return T(Wrap<T>(a) - Wrap<T>(b));
    }
};
struct mul {
    template <class T>
    T operator()(T a, T b) const {
        return T(Wrap<T>(a) * Wrap<T>(b));
    }
};
struct div {
    template <class T>
    T operator()(T a, T b) const {
        return a / b;
    }
};
// NaN wins, as in NumPy.
struct maximum {
    template <class T>
    T operator()(T a, T b) const {
        return a > b || a != a ? a : b;
    }
};
struct minimum {
    template <class T>
    T operator()(T a, T b) const {
        return a < b || a != a ? a : b;
    }
};
struct relu_grad {
    template <class T>
    T operator()(T y, T dy) const {
        return y > T(0) ? dy : T(0);
    }
};

// Python's rules: the remainder has the divisor's sign.
struct mod {
    template <class T>
    T operator()(T a, T b) const {
        if constexpr (kFloat<T>) {
            const T r = fmod_of(a, b);
            if (r == T(0)) return __builtin_copysign(T(0), b);
            return (b < T(0)) != (r < T(0)) ? r + b : r;
        } else {
            if (b == T(0) || b == T(-1)) return T(0);
            const T r = T(a % b);
            return r != T(0) && (b < T(0)) != (r < T(0)) ? T(r + b) : r;
        }
    }
};
struct floor_div {
    template <class T>
    T operator()(T a, T b) const {
        if constexpr (kFloat<T>) {
            if (b == T(0)) return a / b;
            const T r = fmod_of(a, b);
            T q = (a - r) / b;
            if (r != T(0) && (b < T(0)) != (r < T(0))) q -= T(1);
            if (q == T(0)) return __builtin_copysign(T(0), a / b);
            const T whole = floor_of(q);
            return q - whole > T(0.5) ? whole + T(1) : whole;
        } else {
            if (b == T(0)) return T(0);
            if (b == T(-1)) return neg{}(a);
            const T q = T(a / b);
            return a % b != T(0) && (a < T(0)) != (b < T(0)) ? T(q - 1) : q;
        }
    }
};
template <>
bool mod::operator()(bool, bool) const {
    return false;
}
template <>
bool floor_div::operator()(bool a, bool b) const {
    return a && b;
}
struct pow {
    template <class T>
    T operator()(T a, T b) const {
        if constexpr (kFloat<T>) {
            return pow_of(a, b);
        } else {
            if (b < T(0)) return a == T(1) ? T(1) : a == T(-1) ? ((b & 1) ? T(-1) : T(1)) : T(0);
            Wrap<T> y = 1, x = Wrap<T>(a);
            for (Wrap<T> k = Wrap<T>(b); k; k = Wrap<T>(k >> 1)) {
                if (k & 1) y = Wrap<T>(y * x);
                x = Wrap<T>(x * x);
            }
            return T(y);
        }
    }
};
template <>
bool pow::operator()(bool a, bool b) const {
    return a || !b;
}
struct atan2 {
    float operator()(float a, float b) const { return __builtin_atan2f(a, b); }
    double operator()(double a, double b) const { return __builtin_atan2(a, b); }
};

struct isnan {
    template <class T>
    bool operator()(T x) const {
        return x != x;
    }
};
struct isfinite {
    template <class T>
    bool operator()(T x) const {
        return x - x == T(0);
    }
};
struct isinf {
    template <class T>
    bool operator()(T x) const {
        return x == x && x - x != T(0);
    }
};

struct equal {
    template <class T>
    bool operator()(T a, T b) const {
        return a == b;
    }
};
struct not_equal {
    template <class T>
    bool operator()(T a, T b) const {
        return a != b;
    }
};
struct less {
    template <class T>
    bool operator()(T a, T b) const {
        return a < b;
    }
};
struct less_equal {
    template <class T>
    bool operator()(T a, T b) const {
        return a <= b;
    }
};
struct greater {
    template <class T>
    bool operator()(T a, T b) const {
        return a > b;
    }
};
struct greater_equal {
    template <class T>
    bool operator()(T a, T b) const {
        return a >= b;
    }
};

struct logical_not {
    bool operator()(bool x) const { return !x; }
};
struct logical_and {
    bool operator()(bool a, bool b) const { return a & b; }
};
struct logical_or {
    bool operator()(bool a, bool b) const { return a | b; }
};
struct logical_xor {
    bool operator()(bool a, bool b) const { return a != b; }
};

struct bitwise_not {
    template <class T>
    T operator()(T x) const {
        return T(~x);
    }
};
template <>
bool bitwise_not::operator()(bool x) const {
    return !x;
}
struct bitwise_and {
    template <class T>
    T operator()(T a, T b) const {
        return a & b;
    }
};
struct bitwise_or {
    template <class T>
    T operator()(T a, T b) const {
        return a | b;
    }
};
struct bitwise_xor {
    template <class T>
    T operator()(T a, T b) const {
        return a ^ b;
    }
};
// Shifts by the width or more give what arithmetic gives: 0, or the sign.
template <class T>
constexpr bool in_width(T b) {
    return b >= T(0) && b < T(8 * sizeof(T));
}
struct left_shift {
    template <class T>
    T operator()(T a, T b) const {
        return in_width(b) ? T(Wrap<T>(a) << b) : T(0);
    }
};
struct right_shift {
    template <class T>
    T operator()(T a, T b) const {
        return in_width(b) ? T(a >> b) : a < T(0) ? T(-1) : T(0);
    }
};
template <>
bool left_shift::operator()(bool a, bool b) const {
    return a && !b;
}
template <>
bool right_shift::operator()(bool a, bool b) const {
    return a && !b;
}

}  // namespace
}  // namespace hb::HB_ISA
