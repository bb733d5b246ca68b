// From dy (N,T,U) and the last states' gradients to dxw (N,T,G*U), dh0 and dc0 (N,U); h_prev
// (N,T,U) is what the gradient of R needs: one product of all steps, afterwards. Only the product
// of the gates' gradients with R^T runs step by step, as in the forward pass: a task first finishes
// dh with what the step after it in time left in dz, then computes the gates' gradients.
#include "cpu/rnn.h"

namespace hb::HB_ISA {
namespace {

template <RnnCell cell, class T>
struct Backward {
    using V = Vec<T>;
    using X = typename V::type;
    static constexpr int64_t G = cell == kLstm ? 4 : cell <= kGruBefore ? 3 : 1;
    static constexpr int64_t P = kPanel<T>;

    const RnnGradArgs& p;
    const int64_t u, stride, dz_stride;
    bool far = false;               // the weights do not stay in the cache
    alignas(64) T z[kRnnRows * P];  // a product of a task

    explicit Backward(const RnnGradArgs& args)
        : p(args), u(args.u), stride(rnn_stride(args.u)), dz_stride(rnn_stride(G * args.u)) {}

    static HB_INLINE T* at(void* base, int64_t offset) { return static_cast<T*>(base) + offset; }
    static HB_INLINE const T* at(const void* base, int64_t offset) {
        return static_cast<const T*>(base) + offset;
    }
    static HB_INLINE X sigmoid_slope(X y) { return y * (V::splat(T(1)) - y); }
    static HB_INLINE X tanh_slope(X y) { return V::splat(T(1)) - y * y; }
    int64_t time(int64_t s) const { return p.reverse ? p.t - 1 - s : s; }
    // Where step t of row i is in a sequence.
    int64_t place(int64_t i, int64_t t) const { return i * p.row_step + t * p.time_step; }
    bool masked(int64_t i, int64_t t) const { return p.mask && !p.mask[i * p.t + t]; }

    template <class F>
    HB_INLINE void units(int64_t panel, F f) const {
        for_vectors<T>(columns(panel),
                       [&](int64_t j, int64_t lanes)
                           __attribute__((always_inline)) { f(panel * P + j, lanes); });
    }
    // f(row, sums, j, lanes) over the rows and vectors of a product.
    template <class F>
    HB_INLINE void each(const RnnRows& rows, int64_t panel, const T* sums, F f) const {
        for (int64_t i = 0; i < rows.count; ++i)
            units(panel, [&](int64_t j, int64_t lanes) __attribute__((always_inline)) {
                f(rows.row[i], V::load(sums + i * P + (j - panel * P)), j, lanes);
            });
    }
    static HB_INLINE void add_to(T* to, X x, int64_t lanes) {
        V::store(to, V::load(to, lanes) + x, lanes);
    }

    int64_t columns(int64_t panel) const { return u - panel * P < P ? u - panel * P : P; }

    // dz R^T over gates [first, last), of panels of units; panel i of them begins at z[i * kSize].
    static constexpr int64_t kSize = kRnnFew * P;
    template <class Fetch>
    void multiply(const RnnRows& rows, const void* dz, int64_t first, int64_t last, int64_t panel,
                  int64_t together, Fetch& fetch) {
        if (rows.count <= kRnnFew) {
            fetch.all();
            RnnFew<T> few;
            for (int64_t i = 0; i < together; ++i)
                few.add(z + i * kSize, at(p.r, ((panel + i) * G * u + first * u) * P), nullptr,
                        columns(panel + i));
            return few.run(P, rows, at(dz, first * u), dz_stride, (last - first) * u);
        }
        rnn_panel<T>(z, P, rows, at(dz, first * u), dz_stride,
                     at(p.r, (panel * G * u + first * u) * P), columns(panel), (last - first) * u,
                     nullptr, far ? at(p.r, ((panel + 1) * G * u + first * u) * P) : nullptr,
                     fetch);
    }
    // dh += (dz R^T) * mask_h over gates [0, gates).
    template <class Fetch>
    void through_weights(const RnnRows& rows, const void* dz, int64_t gates, int64_t panel,
                         int64_t together, Fetch& fetch) {
        const int64_t parts = p.mask_h ? gates : 1, width = gates / parts;
        for (int64_t g = 0; g < parts; ++g) {
            multiply(rows, dz, g * width, (g + 1) * width, panel, together, fetch);
            for (int64_t k = 0; k < together; ++k)
                each(rows, panel + k, z + k * kSize, [&](int64_t i, X d, int64_t j, int64_t lanes) {
                    if (p.mask_h) d *= V::load(at(p.mask_h, (i * G + g) * u + j), lanes);
                    add_to(at(p.dh, i * stride + j), d, lanes);
                });
        }
    }

    // All units of `panels` at once.
    void masked_row(int64_t i, int64_t t, const Range& panels) const {
        const int64_t begin = panels.begin * P, end = panels.end * P < u ? panels.end * P : u;
        const int64_t width = end - begin, step = place(i, t) * u + begin;
        const int64_t wide = place(i, t) * G * u + begin;
        if (p.dy && !p.zero_output) {
            T* const waiting = at(p.waiting, i * stride + begin);
            const T* const dy = at(p.dy, step);
            for_vectors<T>(width, [=](int64_t j, int64_t lanes) {
                add_to(waiting + j, V::load(dy + j, lanes), lanes);
            });
        }
        for (int64_t g = 0; g < G; ++g) {
            zero_row(at(p.dxw, wide + g * u), width);
            if constexpr (cell == kGruAfter) zero_row(at(p.dproduct, wide + g * u), width);
        }
    }

    // dh becomes the part of the gradient that does not pass through R. Pointers are in registers:
    // what is stored may be anything, so the compiler would load them again.
    HB_INLINE void row(int64_t i, int64_t s, int64_t t, int64_t panel, void* dz) const {
        const int64_t u = this->u, first = panel * P, step = place(i, t) * u + first;
        const int64_t wide = place(i, t) * G * u + first, state = i * stride + first;
        const auto maybe = [](auto* base, int64_t offset) {
            return base ? at(base, offset) : nullptr;
        };
        const T *const gates = maybe(p.gates, wide), *const saved = maybe(p.saved, step);
        const T *const y = at(p.y, step), *const h_prev = at(p.h_prev, step);
        const T *const dy = maybe(p.dy, step), *c_prev = nullptr;
        if constexpr (cell == kLstm)
            c_prev =
                s > 0 ? at(p.saved, place(i, time(s - 1)) * u + first) : at(p.c0, i * u + first);
        T *const dxw = at(p.dxw, wide), *const dproduct = maybe(p.dproduct, wide);
        T *const to = at(dz, i * dz_stride + first), *const dh = at(p.dh, state);
        T *const dc = maybe(p.dc, state), *const waiting = p.mask ? at(p.waiting, state) : nullptr;
        const auto cells = [=](int64_t j, int64_t lanes, X shown) __attribute__((always_inline)) {
            const auto gate = [&](int64_t g) __attribute__((always_inline)) {
                return V::load(gates + g * u + j, lanes);
            };
            const auto give = [&](int64_t g, X d) __attribute__((always_inline)) {
                V::store(to + g * u + j, d, lanes);
                V::store(dxw + g * u + j, d, lanes);
                if constexpr (cell == kGruAfter) V::store(dproduct + g * u + j, d, lanes);
            };
            const X one = V::splat(T(1));
            X d = V::load(dh + j, lanes), direct = V::zero();
            if (dy) d += V::load(dy + j, lanes);
            if (waiting) {
                d += V::load(waiting + j, lanes);
                V::store(waiting + j, V::zero(), lanes);
            }
            if constexpr (cell == kLstm) {
                const X in = gate(0), forget = gate(1), value = gate(2), out = gate(3);
                const X d_cell = V::fma(d * out, tanh_slope(shown), V::load(dc + j, lanes));
                give(0, d_cell * value * sigmoid_slope(in));
                give(1, d_cell * V::load(c_prev + j, lanes) * sigmoid_slope(forget));
                give(2, d_cell * in * tanh_slope(value));
                give(3, d * shown * sigmoid_slope(out));
                V::store(dc + j, d_cell * forget, lanes);
            } else if constexpr (G == 3) {
                const X update = gate(0), value = gate(2), before = V::load(h_prev + j, lanes);
                const X d_value = d * (one - update) * tanh_slope(value);
                direct = d * update;
                if constexpr (cell == kGruAfter) {
                    const X reset = gate(1), d_inner = d_value * reset;
                    give(1, d_value * V::load(saved + j, lanes) * sigmoid_slope(reset));
                    V::store(to + 2 * u + j, d_inner, lanes);
                    V::store(dxw + 2 * u + j, d_value, lanes);
                    V::store(dproduct + 2 * u + j, d_inner, lanes);
                } else {
                    give(2, d_value);
                }
                give(0, d * (before - value) * sigmoid_slope(update));
            } else {
                const X out = V::load(y + j, lanes);
                give(0, cell == kRnnTanh ? d * tanh_slope(out)
                                         : V::select(out > V::zero(), d, V::zero()));
            }
            V::store(dh + j, direct, lanes);
        };
        rnn_vectors<T>(columns(panel),
                       [=]<int N>(int64_t from, int64_t lanes) __attribute__((always_inline)) {
                           X shown[N] = {};
                           if constexpr (cell == kLstm) {
                               HB_EACH(N) shown[i] = V::load(saved + from + i * V::lanes, lanes);
                               Math<T>::template gates<~0u>(shown);
                           }
                           HB_EACH(N) cells(from + i * V::lanes, lanes, shown[i]);
                       });
    }

    // kGruBefore, second phase of a step: z is the gradient of r * h.
    void reset_rows(const RnnRows& rows, int64_t t, int64_t panel, void* dz) {
        const auto nothing = [](int64_t) {};
        RnnFetchRows<decltype(nothing)> none{rows, 1, nothing};
        multiply(rows, dz, 2, 3, panel, 1, none);
        each(rows, panel, z, [&](int64_t i, X d, int64_t j, int64_t lanes) {
            const int64_t step = place(i, t), at_r = (step * G + 1) * u + j;
            const X r = V::load(at(p.gates, at_r), lanes);
            const X d_reset = d * V::load(at(p.saved, step * u + j), lanes) * (V::splat(T(1)) - r);
            X through = d * r;
            if (p.mask_h) through *= V::load(at(p.mask_h, (i * G + 2) * u + j), lanes);
            V::store(at(dz, i * dz_stride + u + j), d_reset, lanes);
            V::store(at(p.dxw, at_r), d_reset, lanes);
            add_to(at(p.dh, i * stride + j), through, lanes);
        });
    }

    // What row i takes and leaves.
    HB_INLINE void fetch(int64_t i, int64_t s, int64_t t, int64_t panel) const {
        const int64_t step = place(i, t), j = panel * P;
        for (int64_t g = 0; g < G; ++g) {
            rnn_fetch_panel<1>(at(p.dxw, (step * G + g) * u + j));
            if (G > 1 && p.gates != p.dxw) rnn_fetch_panel<0>(at(p.gates, (step * G + g) * u + j));
            if constexpr (cell == kGruAfter)
                rnn_fetch_panel<1>(at(p.dproduct, (step * G + g) * u + j));
        }
        if (p.dy) rnn_fetch_panel<0>(at(p.dy, step * u + j));
        if constexpr (G == 1) {
            rnn_fetch_panel<0>(at(p.y, step * u + j));
            return;
        }
        rnn_fetch_panel<0>(at(p.saved, step * u + j));
        if constexpr (G == 3) rnn_fetch_panel<0>(at(p.h_prev, step * u + j));
        if constexpr (cell == kLstm)
            if (s > 0) rnn_fetch_panel<0>(at(p.saved, place(i, time(s - 1)) * u + j));
    }

    // Phases count backwards in time: the last step first, then the others, then the states before
    // the first.
    void run(int64_t phase, int64_t first, int64_t last, const Range& panels) {
        constexpr int64_t phases = cell == kGruBefore ? 2 : 1;
        const int64_t s = p.t - 1 - phase / phases, t = time(s);
        void *dz = p.dz[(s + 2) % 2], *dz_after = p.dz[(s + 1) % 2];
        RnnRows on, off, after, unused;
        if (s >= 0) rnn_rows(p.mask, p.t, t, first, last, &on, &off);
        if (s < p.t - 1) rnn_rows(p.mask, p.t, time(s + 1), first, last, &after, &unused);
        const bool resets = cell == kGruBefore && phase % 2 == 1;
        for (int64_t i = 0; !resets && i < off.count; ++i) masked_row(off.row[i], t, panels);
        const int64_t group = after.count <= kRnnFew && !resets ? kRnnPanels : 1;
        for (int64_t begin = panels.begin; begin < panels.end; begin += group) {
            const int64_t together = panels.end - begin < group ? panels.end - begin : group;
            if (resets) {
                reset_rows(on, t, begin, dz);
                continue;
            }
            const RnnAhead ahead(panels, begin, group);
            const int64_t next_s = ahead.next_step ? s - 1 : s;
            const auto ask = [&](int64_t i) __attribute__((always_inline)) {
                for (int64_t k = ahead.panels.begin; next_s >= 0 && k < ahead.panels.end; ++k)
                    fetch(i, next_s, time(next_s), k);
            };
            RnnFetchRows<decltype(ask)> fetch_rows{on, p.mask_h ? G : 1, ask};
            through_weights(after, dz_after, cell == kGruBefore ? 2 : G, begin, together,
                            fetch_rows);
            fetch_rows.all();
            for (int64_t j = begin; j < begin + together; ++j) {
                for (int64_t i = 0; i < on.count; ++i) row(on.row[i], s, t, j, dz);
                if (s < 0)
                    for (int64_t i = first; i < last; ++i) end_row(i, j);
            }
        }
    }

    HB_INLINE void end_row(int64_t i, int64_t panel) const {
        units(panel, [&](int64_t j, int64_t lanes) {
            V::store(at(p.dh0, i * u + j), V::load(at(p.dh, i * stride + j), lanes), lanes);
            if constexpr (cell == kLstm)
                V::store(at(p.dc0, i * u + j), V::load(at(p.dc, i * stride + j), lanes), lanes);
        });
    }

    // What the first phase meets, and the states that the steps of a row began with.
    void start(int64_t i) const {
        copy_row(at(p.dh, i * stride), at(p.dh_last, i * u), u);
        if constexpr (cell == kLstm) copy_row(at(p.dc, i * stride), at(p.dc_last, i * u), u);
        zero_row(at(p.waiting, i * stride), u);
        const T* state = at(p.h0, i * u);
        for (int64_t s = 0; s < p.t; ++s) {
            const int64_t step = place(i, time(s));
            copy_row(at(p.h_prev, step * u), state, u);
            if (!masked(i, time(s))) state = at(p.y, step * u);
        }
    }
};

struct Start {
    template <RnnCell cell, class T>
    static void call(const void* args, int thread, int threads) {
        const RnnGradArgs& p = *static_cast<const RnnGradArgs*>(args);
        const Backward<cell, T> rows(p);
        const Range range = split(p.n, thread, threads);
        for (int64_t i = range.begin; i < range.end; ++i) rows.start(i);
    }
};

struct Run {
    template <RnnCell cell, class T>
    static void call(const void* args, int thread, int threads) {
        const auto& phases = *static_cast<const RnnPhases<RnnGradArgs>*>(args);
        Backward<cell, T> rows(*phases.args);
        rnn_run(rows, phases, thread, threads);
    }
};

}  // namespace

void rnn_grad_start_float(const void* args, int thread, int threads) {
    rnn_any<Start, RnnGradArgs, float>(args, thread, threads);
}
void rnn_grad_start_double(const void* args, int thread, int threads) {
    rnn_any<Start, RnnGradArgs, double>(args, thread, threads);
}
void rnn_grad_float(const void* args, int thread, int threads) {
    rnn_phases_any<Run, RnnGradArgs, float>(args, thread, threads);
}
void rnn_grad_double(const void* args, int thread, int threads) {
    rnn_phases_any<Run, RnnGradArgs, double>(args, thread, threads);
}

}  // namespace hb::HB_ISA
