// xw (N,T,G*U)  h0, c0 (N,U)  R (U,G*U)  ->  y (N,T,U), last states, gates (N,T,G*U), saved (N,T,U)
// Threads take rows of N and run the whole sequence on them without a barrier; each step multiplies
// a block of states by R, whose panels stay in L2, and computes the gates while the sums are hot.
// An element is the same sum wherever its row falls, so the bits do not depend on the threads.
#include "cpu/rnn.h"

namespace hb::HB_ISA {
namespace {

template <RnnCell cell, class T>
struct Forward {
    using V = Vec<T>;
    using M = Math<T>;
    using X = typename V::type;
    static constexpr int64_t G = cell == kLstm ? 4 : cell <= kGruBefore ? 3 : 1;

    const RnnArgs& p;
    const int64_t u, panels;
    RnnBlock<T> z, hm, h, c, q;  // products, masked states, states, r * h of kGruBefore
    bool begun[kRnnRows];        // some step of the row was not masked

    Forward(const RnnArgs& args, T* scratch)
        : p(args), u(args.u), panels((args.u + kPanel<T> - 1) / kPanel<T>) {
        RnnScratch<T> s{scratch};
        z = s.take(G * u), hm = s.take(G * u);
        h = s.take(u), c = s.take(u), q = s.take(u);
    }

    // Gates [first, last) of the products.
    void multiply(int64_t first, int64_t last, int64_t rows, bool from_q) const {
        for (int64_t g = first; g < last; ++g) {
            const RnnBlock<T> from = from_q     ? q
                                     : p.mask_h ? RnnBlock<T>{hm.data + g * u, hm.stride}
                                                : h;
            rnn_product<T>({z.data + g * u, z.stride}, from,
                           static_cast<const T*>(p.r) + g * panels * kPanel<T> * u, kPanel<T> * u,
                           rows, u, u, false,
                           p.bias ? static_cast<const T*>(p.bias) + g * u : nullptr);
        }
    }

    // One row of one step: from z and x to the gates, the states and the output.
    void step_row(int64_t i, int64_t at, bool masked) const {
        const T *x = static_cast<const T*>(p.xw) + at * G * u, *zr = z.row(i), *qr = q.row(i);
        T *gates = static_cast<T*>(p.gates) + at * G * u,
          *saved = static_cast<T*>(p.saved) + at * u, *y = static_cast<T*>(p.y) + at * u,
          *hr = h.row(i), *cr = c.row(i);
        const bool repeats = begun[i] && !p.zero_output;
        for_vectors<T>(
            u, [&](int64_t j, int64_t lanes) __attribute__((always_inline)) {
                const auto sum = [&](int64_t g) {
                    return V::load(x + g * u + j, lanes) + V::load(zr + g * u + j, lanes);
                };
                const auto keep = [&](int64_t g, X v) {
                    V::store(gates + g * u + j, v, lanes);
                    return v;
                };
                const X before = V::load(hr + j, lanes), one = V::splat(T(1));
                X after;
                if constexpr (cell == kLstm) {
                    const X in = keep(0, gate<T>(sum(0))), forget = keep(1, gate<T>(sum(1)));
                    const X value = keep(2, M::tanh(sum(2))), out = keep(3, gate<T>(sum(3)));
                    const X cell_before = V::load(cr + j, lanes);
                    X cell_after = V::fma(forget, cell_before, in * value);
                    after = out * M::tanh(cell_after);
                    if (masked) cell_after = cell_before;
                    V::store(cr + j, cell_after, lanes);
                    V::store(saved + j, cell_after, lanes);
                } else if constexpr (cell == kGruAfter || cell == kGruBefore) {
                    const X update = keep(0, gate<T>(sum(0)));
                    X value;
                    if constexpr (cell == kGruAfter) {
                        const X reset = keep(1, gate<T>(sum(1))),
                                inner = V::load(zr + 2 * u + j, lanes);
                        value =
                            keep(2, M::tanh(V::fma(reset, inner, V::load(x + 2 * u + j, lanes))));
                        V::store(saved + j, inner, lanes);
                    } else {
                        value = keep(2, M::tanh(sum(2)));
                        V::store(saved + j, masked ? V::zero() : V::load(qr + j, lanes), lanes);
                    }
                    after = V::fma(update, before, (one - update) * value);
                } else {
                    after = cell == kRnnTanh ? M::tanh(sum(0)) : V::max(sum(0), V::zero());
                }
                if (masked) after = before;
                V::store(hr + j, after, lanes);
                V::store(y + j, masked && !repeats ? V::zero() : after, lanes);
            });
    }

    // kGruBefore: the reset gate, and the states that it lets through.
    void reset_row(int64_t i, int64_t at) const {
        const T *x = static_cast<const T*>(p.xw) + (at * G + 1) * u, *zr = z.row(i) + u;
        const T* from = p.mask_h ? hm.row(i) + 2 * u : h.row(i);
        T* gates = static_cast<T*>(p.gates) + (at * G + 1) * u;
        for_vectors<T>(u, [&](int64_t j, int64_t lanes) {
            const X r = gate<T>(V::load(x + j, lanes) + V::load(zr + j, lanes));
            V::store(gates + j, r, lanes);
            V::store(q.row(i) + j, r * V::load(from + j, lanes), lanes);
        });
    }

    void run(int64_t first, int64_t rows) {
        const T *h0 = static_cast<const T*>(p.h0), *c0 = static_cast<const T*>(p.c0);
        for (int64_t i = 0; i < rows; ++i) {
            copy_row(h.row(i), h0 + (first + i) * u, u);
            if (cell == kLstm) copy_row(c.row(i), c0 + (first + i) * u, u);
            begun[i] = false;
        }
        for (int64_t s = 0; s < p.t; ++s) {
            const int64_t t = p.reverse ? p.t - 1 - s : s;
            if (p.mask_h)
                for (int64_t i = 0; i < rows; ++i)
                    for (int64_t g = 0; g < G; ++g)
                        multiply_row(hm.row(i) + g * u, h.row(i),
                                     static_cast<const T*>(p.mask_h) + ((first + i) * G + g) * u,
                                     u);
            multiply(0, cell == kGruBefore ? 2 : G, rows, false);
            if constexpr (cell == kGruBefore) {
                for (int64_t i = 0; i < rows; ++i) reset_row(i, (first + i) * p.t + t);
                multiply(2, 3, rows, true);
            }
            for (int64_t i = 0; i < rows; ++i) {
                const int64_t at = (first + i) * p.t + t;
                const bool masked = p.mask && !p.mask[at];
                step_row(i, at, masked);
                begun[i] |= !masked;
            }
        }
        for (int64_t i = 0; i < rows; ++i) {
            copy_row(static_cast<T*>(p.h_last) + (first + i) * u, h.row(i), u);
            if (cell == kLstm) copy_row(static_cast<T*>(p.c_last) + (first + i) * u, c.row(i), u);
        }
    }
};

template <RnnCell cell, class T>
void forward(const RnnArgs& p, int thread, int threads) {
    const Range rows = split(p.n, thread, threads);
    Forward<cell, T> block(p, (T*)(p.scratch + thread * p.scratch_stride));
    for (int64_t i = rows.begin; i < rows.end; i += kRnnRows)
        block.run(i, rows.end - i < kRnnRows ? rows.end - i : kRnnRows);
}

template <class T>
void forward_any(const void* args, int thread, int threads) {
    const RnnArgs& p = *static_cast<const RnnArgs*>(args);
    switch (p.cell) {
        case kLstm:
            return forward<kLstm, T>(p, thread, threads);
        case kGruAfter:
            return forward<kGruAfter, T>(p, thread, threads);
        case kGruBefore:
            return forward<kGruBefore, T>(p, thread, threads);
        case kRnnTanh:
            return forward<kRnnTanh, T>(p, thread, threads);
        default:
            return forward<kRnnRelu, T>(p, thread, threads);
    }
}

}  // namespace

void rnn_grad_float(const void*, int, int);
void rnn_grad_double(const void*, int, int);

constinit const RnnKernels rnn_kernels = {
    .forward = {forward_any<float>, forward_any<double>},
    .grad = {rnn_grad_float, rnn_grad_double},
};

}  // namespace hb::HB_ISA
