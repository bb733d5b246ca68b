// The gates of one step: from_x, from_h (N,G*U)  h, c (N,U) in place. Bytes: those, once.
#include "cpu/rnn.h"

namespace hb::HB_ISA {
namespace {

template <RnnCell cell, class T>
void step_row(const RnnStepArgs& p, int64_t i) {
    using V = Vec<T>;
    using X = typename V::type;
    constexpr int64_t G = cell == kLstm ? 4 : cell <= kGruBefore ? 3 : 1;
    const int64_t u = p.u;
    const T* x = static_cast<const T*>(p.from_x) + i * G * u;
    // of kGruBefore the gates z and r in the first phase, then the candidate's product
    const int64_t width = cell != kGruBefore ? G * u : p.phase == 0 ? 2 * u : u;
    const T* y = static_cast<const T*>(p.from_h) + i * width;
    T *h = static_cast<T*>(p.h) + i * u, *c = static_cast<T*>(p.c) + i * u,
      *q = static_cast<T*>(p.reset_h) + i * u;
    for_vectors<T>(u, [&](int64_t j, int64_t lanes) __attribute__((always_inline)) {
        const auto from_x = [&](int64_t g) { return V::load(x + g * u + j, lanes); };
        const auto sum = [&](int64_t g) { return from_x(g) + V::load(y + g * u + j, lanes); };
        const X before = V::load(h + j, lanes), one = V::splat(T(1));
        if constexpr (cell == kLstm) {
            const X inner = V::fma(gate<T>(sum(1)), V::load(c + j, lanes),
                                   gate<T>(sum(0)) * gate_tanh<T>(sum(2)));
            V::store(c + j, inner, lanes);
            V::store(h + j, gate<T>(sum(3)) * gate_tanh<T>(inner), lanes);
        } else if constexpr (cell == kGruAfter) {
            const X update = gate<T>(sum(0)), inner = V::load(y + 2 * u + j, lanes);
            const X value = gate_tanh<T>(V::fma(gate<T>(sum(1)), inner, from_x(2)));
            V::store(h + j, V::fma(update, before, (one - update) * value), lanes);
        } else if constexpr (cell == kGruBefore) {
            if (p.phase == 0) {
                V::store(q + j, gate<T>(sum(1)) * before, lanes);
                V::store(const_cast<T*>(x) + j, gate<T>(sum(0)), lanes);  // z, for later
                return;
            }
            const X update = from_x(0);
            const X value = gate_tanh<T>(from_x(2) + V::load(y + j, lanes));
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
        const auto& p = *static_cast<const RnnStepArgs*>(args);
        const Range rows = split(p.n, thread, threads);
        for (int64_t i = rows.begin; i < rows.end; ++i) step_row<cell, T>(p, i);
    }
};

}  // namespace

void rnn_step_float(const void* args, int thread, int threads) {
    rnn_any<Step, RnnStepArgs, float>(args, thread, threads);
}
void rnn_step_double(const void* args, int thread, int threads) {
    rnn_any<Step, RnnStepArgs, double>(args, thread, threads);
}

}  // namespace hb::HB_ISA
