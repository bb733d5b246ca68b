// x W and h R in parts of rows, then the gates: h, c (M,U) in place. Products are bound by reading
// the weights, once; gates meet the parts' sums in a fixed order, whoever made them.
#include "kernels/rnn_step.h"

#include "cpu/rnn.h"
#include "kernels/gemm.h"

namespace hb::HB_ISA {

void gemv_float(const void* args, int thread, int threads);
void gemv_double(const void* args, int thread, int threads);

namespace {

// Part i of `parts` of k rows, in eights: what the kernel below takes at a time.
HB_INLINE Range rows_of_part(int64_t k, int64_t i, int64_t parts) {
    const Range eights = split((k + 7) / 8, int(i), int(parts));
    return {eights.begin * 8, eights.end * 8 < k ? eights.end * 8 : k};
}

template <class T>
void multiply_part(const RnnPartsArgs& p, int64_t m, int64_t i) {
    const Range rows = rows_of_part(p.k, i, p.parts);
    const int64_t zero = 0;
    GemvArgs g{};
    g.a = static_cast<const T*>(p.a) + rows.begin;
    g.b = static_cast<const T*>(p.b) + rows.begin * p.b_row;
    g.c = static_cast<T*>(p.c) + i * m * p.n;
    g.batch = 1, g.m = m, g.n = p.n, g.k = rows.end - rows.begin;
    g.a_offset = g.b_offset = &zero;
    g.a_row = p.k, g.a_col = 1, g.b_row = p.b_row, g.b_col = 1;
    (sizeof(T) == 4 ? gemv_float : gemv_double)(&g, 0, 1);
}

// The sums of a product at column j of row i.
template <class T>
struct PartsSum {
    using V = Vec<T>;
    const T *at, *bias;
    int64_t step, parts;
    HB_INLINE PartsSum(const RnnPartsArgs& p, const void* plus, int64_t m, int64_t i)
        : at(static_cast<const T*>(p.c) + i * p.n),
          bias(static_cast<const T*>(plus)),
          step(m * p.n),
          parts(p.parts) {}
    HB_INLINE typename V::type operator()(int64_t j, int64_t lanes) const {
        typename V::type sum = V::load(at + j, lanes);
        for (int64_t k = 1; k < parts; ++k) sum += V::load(at + k * step + j, lanes);
        if (bias) sum += V::load(bias + j, lanes);
        return sum;
    }
};

// Units [begin, end) of row i.
template <RnnCell cell, class T>
void gates_of_row(const RnnStepPhaseArgs& p, int64_t i, int64_t begin, int64_t end) {
    using V = Vec<T>;
    using X = typename V::type;
    const int64_t u = p.u;
    const PartsSum<T> from_x(p.from_x, p.bias, p.m, i), from_h(p.from_h, p.recurrent_bias, p.m, i);
    T* update_at = static_cast<T*>(p.from_x.c) + i * p.from_x.n;
    T *h = static_cast<T*>(p.h) + i * u, *c = static_cast<T*>(p.c) + i * u,
      *q = static_cast<T*>(p.reset_h) + i * u;
    for_vectors<T>(end - begin, [&](int64_t at, int64_t lanes) __attribute__((always_inline)) {
        const int64_t j = begin + at;
        const auto sum = [&](int64_t g) __attribute__((always_inline)) {
            return from_x(g * u + j, lanes) + from_h(g * u + j, lanes);
        };
        const X before = V::load(h + j, lanes), one = V::splat(T(1));
        if constexpr (cell == kLstm) {
            const X inner = V::fma(gate<T>(sum(1)), V::load(c + j, lanes),
                                   gate<T>(sum(0)) * gate_tanh<T>(sum(2)));
            V::store(c + j, inner, lanes);
            V::store(h + j, gate<T>(sum(3)) * gate_tanh<T>(inner), lanes);
        } else if constexpr (cell == kGruAfter) {
            const X update = gate<T>(sum(0)), inner = from_h(2 * u + j, lanes);
            const X value = gate_tanh<T>(V::fma(gate<T>(sum(1)), inner, from_x(2 * u + j, lanes)));
            V::store(h + j, V::fma(update, before, (one - update) * value), lanes);
        } else if constexpr (cell == kGruBefore) {
            if (p.phase == kStepReset) {
                V::store(q + j, gate<T>(sum(1)) * before, lanes);
                V::store(update_at + j, gate<T>(sum(0)), lanes);
                return;
            }
            const X update = V::load(update_at + j, lanes);
            const X value = gate_tanh<T>(from_x(2 * u + j, lanes) + from_h(j, lanes));
            V::store(h + j, V::fma(update, before, (one - update) * value), lanes);
        } else {
            const X total = sum(0);
            V::store(h + j, cell == kRnnTanh ? gate_tanh<T>(total) : V::max(total, V::zero()),
                     lanes);
        }
    });
}

struct Step {
    template <RnnCell cell, class T>
    static void call(const void* args, int thread, int threads) {
        const auto& p = *static_cast<const RnnStepPhaseArgs*>(args);
        if (p.phase == kStepProducts) {
            const Range parts = split(p.from_x.parts + p.from_h.parts, thread, threads);
            for (int64_t i = parts.begin; i < parts.end; ++i)
                i < p.from_x.parts ? multiply_part<T>(p.from_x, p.m, i)
                                   : multiply_part<T>(p.from_h, p.m, i - p.from_x.parts);
            return;
        }
        constexpr int64_t line = 64 / int64_t(sizeof(T));
        const int64_t lines = (p.u + line - 1) / line;
        const Range own = split(p.m * lines, thread, threads);
        for (int64_t at = own.begin; at < own.end;) {
            const int64_t i = at / lines, first = at % lines;
            const int64_t last = first + (own.end - at) < lines ? first + (own.end - at) : lines;
            gates_of_row<cell, T>(p, i, first * line, last * line < p.u ? last * line : p.u);
            at += last - first;
        }
    }
};

}  // namespace

void rnn_step_float(const void* args, int thread, int threads) {
    rnn_any<Step, RnnStepPhaseArgs, float>(args, thread, threads);
}
void rnn_step_double(const void* args, int thread, int threads) {
    rnn_any<Step, RnnStepPhaseArgs, double>(args, thread, threads);
}

}  // namespace hb::HB_ISA
