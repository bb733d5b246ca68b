// From dy (N,T,U) and the last states' gradients to dxw (N,T,G*U), dh0 and dc0 (N,U); h_prev
// (N,T,U) is what the gradient of R needs: one product of all steps, afterwards. Only the product
// of the gates' gradients with R^T runs step by step, on blocks of rows as in the forward pass.
#include "cpu/rnn.h"

namespace hb::HB_ISA {
namespace {

template <RnnCell cell, class T>
struct Backward {
    using V = Vec<T>;
    using X = typename V::type;
    static constexpr int64_t G = cell == kLstm ? 4 : cell <= kGruBefore ? 3 : 1;

    const RnnGradArgs& p;
    const int64_t u;
    RnnBlock<T> dz, dh, dc, product,
        waiting;  // waiting: dy of masked steps, for the step they repeat

    Backward(const RnnGradArgs& args, T* scratch) : p(args), u(args.u) {
        RnnScratch<T> s{scratch};
        dz = s.take(G * u);
        dh = s.take(u), dc = s.take(u), product = s.take(u), waiting = s.take(u);
    }

    static HB_INLINE X sigmoid_slope(X y) { return y * (V::splat(T(1)) - y); }
    static HB_INLINE X tanh_slope(X y) { return V::splat(T(1)) - y * y; }

    bool masked(int64_t at) const { return p.mask && !p.mask[at]; }
    // dh += (dz R^T) * mask_h over gates [first, last).
    void multiply(int64_t first, int64_t last, int64_t rows, int64_t row0) const {
        const T* r = static_cast<const T*>(p.r);
        if (!p.mask_h) {
            rnn_product<T>(dh, {dz.data + first * u, dz.stride}, r + first * u * kPanel<T>,
                           G * u * kPanel<T>, rows, u, (last - first) * u, true, nullptr);
            return;
        }
        for (int64_t g = first; g < last; ++g) {
            multiply_gate(g, rows);
            for (int64_t i = 0; i < rows; ++i) {
                const T* mask = mask_row(row0 + i, g);
                for_vectors<T>(u, [&](int64_t j, int64_t lanes) {
                    const X d = V::load(product.row(i) + j, lanes) * V::load(mask + j, lanes);
                    V::store(dh.row(i) + j, V::load(dh.row(i) + j, lanes) + d, lanes);
                });
            }
        }
    }
    void multiply_gate(int64_t g, int64_t rows) const {
        rnn_product<T>(product, {dz.data + g * u, dz.stride},
                       static_cast<const T*>(p.r) + g * u * kPanel<T>, G * u * kPanel<T>, rows, u,
                       u, false, nullptr);
    }
    const T* mask_row(int64_t row, int64_t g) const {
        return static_cast<const T*>(p.mask_h) + (row * G + g) * u;
    }

    // The states that the steps of a row began with.
    void states_row(int64_t row) const {
        const T* state = static_cast<const T*>(p.h0) + row * u;
        for (int64_t s = 0; s < p.t; ++s) {
            const int64_t at = row * p.t + (p.reverse ? p.t - 1 - s : s);
            copy_row(static_cast<T*>(p.h_prev) + at * u, state, u);
            if (!masked(at)) state = static_cast<const T*>(p.y) + at * u;
        }
    }

    void masked_row(int64_t i, int64_t at) const {
        if (p.dy && !p.zero_output)
            for_vectors<T>(u, [&](int64_t j, int64_t lanes) {
                const X d = V::load(static_cast<const T*>(p.dy) + at * u + j, lanes);
                V::store(waiting.row(i) + j, V::load(waiting.row(i) + j, lanes) + d, lanes);
            });
        zero_row(dz.row(i), G * u);
        zero_row(static_cast<T*>(p.dxw) + at * G * u, G * u);
        if (cell == kGruAfter) zero_row(static_cast<T*>(p.dproduct) + at * G * u, G * u);
    }

    // One row of one step: dh becomes the part of the gradient that does not pass through R.
    void step_row(int64_t i, int64_t at, const T* c_prev) const {
        const T *gates = static_cast<const T*>(p.gates) + at * G * u,
                *saved = static_cast<const T*>(p.saved) + at * u,
                *y = static_cast<const T*>(p.y) + at * u,
                *h_prev = static_cast<const T*>(p.h_prev) + at * u,
                *dy = p.dy ? static_cast<const T*>(p.dy) + at * u : nullptr;
        T *dxw = static_cast<T*>(p.dxw) + at * G * u,
          *dproduct = static_cast<T*>(p.dproduct) + at * G * u, *dzr = dz.row(i), *dhr = dh.row(i),
          *dcr = dc.row(i), *wr = waiting.row(i);
        for_vectors<T>(
            u, [&](int64_t j, int64_t lanes) __attribute__((always_inline)) {
                const auto gate = [&](int64_t g) { return V::load(gates + g * u + j, lanes); };
                const auto give = [&](int64_t g, X d) {
                    V::store(dzr + g * u + j, d, lanes);
                    V::store(dxw + g * u + j, d, lanes);
                    if constexpr (cell == kGruAfter) V::store(dproduct + g * u + j, d, lanes);
                };
                const X one = V::splat(T(1));
                X d = V::load(dhr + j, lanes), direct = V::zero();
                if (dy) d += V::load(dy + j, lanes);
                if (p.mask) {
                    d += V::load(wr + j, lanes);
                    V::store(wr + j, V::zero(), lanes);
                }
                if constexpr (cell == kLstm) {
                    const X in = gate(0), forget = gate(1), value = gate(2), out = gate(3);
                    const X shown = Math<T>::tanh(V::load(saved + j, lanes));
                    const X d_cell = V::fma(d * out, tanh_slope(shown), V::load(dcr + j, lanes));
                    give(0, d_cell * value * sigmoid_slope(in));
                    give(1, d_cell * V::load(c_prev + j, lanes) * sigmoid_slope(forget));
                    give(2, d_cell * in * tanh_slope(value));
                    give(3, d * shown * sigmoid_slope(out));
                    V::store(dcr + j, d_cell * forget, lanes);
                } else if constexpr (cell == kGruAfter || cell == kGruBefore) {
                    const X update = gate(0), value = gate(2), before = V::load(h_prev + j, lanes);
                    const X d_value = d * (one - update) * tanh_slope(value);
                    direct = d * update;
                    give(0, d * (before - value) * sigmoid_slope(update));
                    give(2, d_value);
                    if constexpr (cell == kGruAfter) {
                        const X reset = gate(1);
                        give(1, d_value * V::load(saved + j, lanes) * sigmoid_slope(reset));
                        V::store(dzr + 2 * u + j, d_value * reset, lanes);
                        V::store(dproduct + 2 * u + j, d_value * reset, lanes);
                    }
                } else {
                    const X out = V::load(y + j, lanes);
                    give(0, cell == kRnnTanh ? d * tanh_slope(out)
                                             : V::select(out > V::zero(), d, V::zero()));
                }
                V::store(dhr + j, direct, lanes);
            });
    }

    // kGruBefore: `product` is the gradient of r * h.
    void reset_row(int64_t i, int64_t at, int64_t row) const {
        const T *reset = static_cast<const T*>(p.gates) + (at * G + 1) * u,
                *saved = static_cast<const T*>(p.saved) + at * u;
        const T* mask = p.mask_h ? mask_row(row, 2) : nullptr;
        T *dzr = dz.row(i) + u, *dxw = static_cast<T*>(p.dxw) + (at * G + 1) * u, *dhr = dh.row(i);
        const bool skip = masked(at);
        for_vectors<T>(u, [&](int64_t j, int64_t lanes) {
            const X r = V::load(reset + j, lanes), d = V::load(product.row(i) + j, lanes);
            X through = d * r, d_reset = d * V::load(saved + j, lanes) * (V::splat(T(1)) - r);
            if (mask) through *= V::load(mask + j, lanes);
            if (skip) through = d_reset = V::zero();
            V::store(dzr + j, d_reset, lanes);
            V::store(dxw + j, d_reset, lanes);
            V::store(dhr + j, V::load(dhr + j, lanes) + through, lanes);
        });
    }

    void run(int64_t first, int64_t rows) const {
        for (int64_t i = 0; i < rows; ++i) {
            states_row(first + i);
            copy_row(dh.row(i), static_cast<const T*>(p.dh_last) + (first + i) * u, u);
            if (cell == kLstm)
                copy_row(dc.row(i), static_cast<const T*>(p.dc_last) + (first + i) * u, u);
            zero_row(waiting.row(i), u);
        }
        for (int64_t s = p.t; s-- > 0;) {
            const int64_t t = p.reverse ? p.t - 1 - s : s, t_prev = p.reverse ? t + 1 : t - 1;
            for (int64_t i = 0; i < rows; ++i) {
                const int64_t row = first + i, at = row * p.t + t;
                if (masked(at)) {
                    masked_row(i, at);
                    continue;
                }
                step_row(i, at,
                         s > 0 ? static_cast<const T*>(p.saved) + (row * p.t + t_prev) * u
                               : static_cast<const T*>(p.c0) + row * u);
            }
            if constexpr (cell == kGruBefore) {
                multiply_gate(2, rows);
                for (int64_t i = 0; i < rows; ++i) reset_row(i, (first + i) * p.t + t, first + i);
            }
            multiply(0, cell == kGruBefore ? 2 : G, rows, first);
        }
        for (int64_t i = 0; i < rows; ++i) {
            copy_row(static_cast<T*>(p.dh0) + (first + i) * u, dh.row(i), u);
            if (cell == kLstm) copy_row(static_cast<T*>(p.dc0) + (first + i) * u, dc.row(i), u);
        }
    }
};

template <RnnCell cell, class T>
void backward(const RnnGradArgs& p, int thread, int threads) {
    const Range rows = split(p.n, thread, threads);
    const Backward<cell, T> block(p, (T*)(p.scratch + thread * p.scratch_stride));
    for (int64_t i = rows.begin; i < rows.end; i += kRnnRows)
        block.run(i, rows.end - i < kRnnRows ? rows.end - i : kRnnRows);
}

template <class T>
void backward_any(const void* args, int thread, int threads) {
    const RnnGradArgs& p = *static_cast<const RnnGradArgs*>(args);
    switch (p.cell) {
        case kLstm:
            return backward<kLstm, T>(p, thread, threads);
        case kGruAfter:
            return backward<kGruAfter, T>(p, thread, threads);
        case kGruBefore:
            return backward<kGruBefore, T>(p, thread, threads);
        case kRnnTanh:
            return backward<kRnnTanh, T>(p, thread, threads);
        default:
            return backward<kRnnRelu, T>(p, thread, threads);
    }
}

}  // namespace

void rnn_grad_float(const void* args, int thread, int threads) {
    backward_any<float>(args, thread, threads);
}
void rnn_grad_double(const void* args, int thread, int threads) {
    backward_any<double>(args, thread, threads);
}

}  // namespace hb::HB_ISA
