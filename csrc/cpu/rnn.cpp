// xw (N,T,G*U)  h0, c0 (N,U)  R (U,G*U)  ->  y (N,T,U), last states, gates (N,T,G*U), saved (N,T,U)
// A task is a block of rows by a panel of units: its gates' products with R, then the gates while
// the sums are hot. Rows that are masked take no part. An element is the same sum whichever block
// and share it falls into, so the bits do not depend on the threads.
// flops: 2 N T G U^2; bytes: R once a step and block, from L2 where a thread's slice fits.
#include "cpu/rnn.h"

namespace hb::HB_ISA {
namespace {

template <RnnCell cell, class T>
struct Forward {
    using V = Vec<T>;
    using X = typename V::type;
    static constexpr int64_t G = cell == kLstm ? 4 : cell <= kGruBefore ? 3 : 1;
    static constexpr int64_t P = kPanel<T>;

    const RnnArgs& p;
    const int64_t u, stride;
    bool far = false;                   // the weights do not stay in the cache
    alignas(64) T z[kRnnRows * G * P];  // products of a task

    explicit Forward(const RnnArgs& args) : p(args), u(args.u), stride(rnn_stride(args.u)) {}

    static HB_INLINE T* at(void* base, int64_t offset) { return static_cast<T*>(base) + offset; }
    static HB_INLINE const T* at(const void* base, int64_t offset) {
        return static_cast<const T*>(base) + offset;
    }
    int64_t time(int64_t s) const { return p.reverse ? p.t - 1 - s : s; }
    // Where step t of row i is in a sequence.
    int64_t place(int64_t i, int64_t t) const { return i * p.row_step + t * p.time_step; }

    int64_t columns(int64_t panel) const { return u - panel * P < P ? u - panel * P : P; }
    const T* bias(int64_t gate, int64_t panel) const {
        return p.bias ? at(p.bias, gate * u + panel * P) : nullptr;
    }
    const T* weights(int64_t gate, int64_t panel) const {
        return at(p.r, (gate * ((u + P - 1) / P) + panel) * P * u);
    }

    // Gates [first, last) of the products for panel j; panel j + i begins at z[i * size].
    template <class Fetch>
    void multiply(const RnnRows& rows, int64_t first, int64_t last, int64_t j, int64_t together,
                  int64_t size, const void* from, int64_t from_stride, int64_t gate_step,
                  Fetch& fetch) {
        if (rows.count <= kRnnFew && gate_step == 0) {
            RnnFew<T> few;
            fetch.all();
            for (int64_t i = 0; i < together; ++i)
                for (int64_t g = first; g < last; ++g)
                    few.add(z + i * size + g * P, weights(g, j + i), bias(g, j + i),
                            columns(j + i));
            return few.run(G * P, rows, at(from, 0), from_stride, u);
        }
        for (int64_t g = first; g < last; ++g) {
            const T* next = g + 1 < last ? weights(g + 1, j) : weights(first, j + 1);
            rnn_panel<T>(z + g * P, G * P, rows, at(from, g * gate_step), from_stride,
                         weights(g, j), columns(j), u, bias(g, j), far ? next : nullptr, fetch);
        }
    }

    // f(j, lanes) for the vectors of panel `panel`, which begin at unit j.
    template <class F>
    HB_INLINE void units(int64_t panel, F f) const {
        for_vectors<T>(columns(panel), [&](int64_t j, int64_t lanes) { f(panel * P + j, lanes); });
    }

    // What a row of a step has of a panel; gates are u apart. In registers: what is stored may be
    // anything, so the compiler would load every pointer again.
    struct Cells {
        const T *x, *q;
        T *gates, *saved, *y, *h, *c;
    };
    HB_INLINE Cells cells(int64_t i, int64_t t, int64_t panel) const {
        const int64_t step = place(i, t), first = panel * P, state = i * stride + first;
        const auto kept = [&](void* base, int64_t width) {
            return base ? at(base, step * width + first) : nullptr;
        };
        return {at(p.xw, step * G * u + first),
                cell == kGruBefore ? at(p.q, state) : nullptr,
                kept(p.gates, G * u),
                kept(p.saved, u),
                at(p.y, step * u + first),
                at(p.h, state),
                cell == kLstm ? at(p.c, state) : nullptr};
    }

    // What the products of the next step take of a row, from unit j of a panel on.
    struct Next {
        T* operand;
        const T* factors;
        HB_INLINE void take(int64_t u, int64_t j, X h, int64_t lanes) const {
            if (!factors) return V::store(operand + j, h, lanes);
            for (int64_t g = 0; g < G; ++g)
                V::store(operand + g * u + j, h * V::load(factors + g * u + j, lanes), lanes);
        }
    };
    HB_INLINE Next next_of(void* to, int64_t i, int64_t first) const {
        return {at(to, i * p.operand_stride + first),
                p.mask_h ? at(p.mask_h, i * G * u + first) : nullptr};
    }

    // A row's gates before its new state: two loops, as one would be a single chain of functions,
    // too long for a core to begin the next row meanwhile. `sums` keeps what the second one takes.
    HB_INLINE void open_row(int64_t i, int64_t t, int64_t panel, T* sums) const {
        const int64_t u = this->u;
        const Cells row = cells(i, t, panel);
        const auto open = [=](int64_t j, int64_t lanes) __attribute__((always_inline)) {
            constexpr int count = cell == kLstm ? 4 : 2;
            X x[count];
            HB_EACH(count) x[i] = V::load(row.x + i * u + j, lanes) + V::load(sums + i * P + j);
            Math<T>::template gates<cell == kLstm ? 4u : 0u>(x);
            if (row.gates) HB_EACH(count) V::store(row.gates + i * u + j, x[i], lanes);
            if constexpr (cell == kLstm) {
                const X inner = V::fma(x[1], V::load(row.c + j, lanes), x[0] * x[2]);
                V::store(row.c + j, inner, lanes);
                V::store(sums + 3 * P + j, x[3]);
                if (row.saved) V::store(row.saved + j, inner, lanes);
            } else {
                HB_EACH(2) V::store(sums + i * P + j, x[i]);
            }
        };
        for_vectors<T>(columns(panel), open);
    }

    HB_INLINE void row(int64_t i, int64_t t, int64_t panel, const T* sums, void* to) const {
        const int64_t u = this->u;
        const Cells row = cells(i, t, panel);
        const Next next = next_of(to, i, panel * P);
        rnn_vectors<T>(columns(panel), [=]<int N>(int64_t first,
                                                  int64_t lanes) __attribute__((always_inline)) {
            const auto sum = [&](int64_t g, int64_t j) { return V::load(sums + g * P + j); };
            X x[N];
            HB_EACH(N) {
                const int64_t j = first + i * V::lanes;
                if constexpr (cell == kLstm)
                    x[i] = V::load(row.c + j, lanes);
                else if constexpr (cell == kGruAfter)
                    x[i] = V::fma(sum(1, j), sum(2, j), V::load(row.x + 2 * u + j, lanes));
                else
                    x[i] = V::load(row.x + (G - 1) * u + j, lanes) + sum(G - 1, j);
            }
            if constexpr (cell == kRnnRelu)
                HB_EACH(N) x[i] = V::max(x[i], V::zero());
            else
                Math<T>::template gates<~0u>(x);
            HB_EACH(N) {
                const int64_t j = first + i * V::lanes;
                X after = x[i];
                if constexpr (cell == kLstm) after *= sum(3, j);
                if constexpr (G == 3) {
                    const bool before = cell == kGruBefore;
                    const X update = before ? V::load(row.gates + j, lanes) : sum(0, j);
                    if (row.saved)
                        V::store(row.saved + j, before ? V::load(row.q + j, lanes) : sum(2, j),
                                 lanes);
                    if (row.gates) V::store(row.gates + 2 * u + j, x[i], lanes);
                    after =
                        V::fma(update, V::load(row.h + j, lanes), (V::splat(T(1)) - update) * x[i]);
                }
                V::store(row.h + j, after, lanes);
                V::store(row.y + j, after, lanes);
                next.take(u, j, after, lanes);
            }
        });
    }

    // kGruBefore, first phase: update and reset gate, and the states that the latter lets through.
    HB_INLINE void reset_row(int64_t i, int64_t t, int64_t panel, const T* sums,
                             const void* now) const {
        const int64_t u = this->u, first = panel * P;
        const Cells row = cells(i, t, panel);
        const T* from = at(now, i * p.operand_stride + (p.mask_h ? 2 * u : 0) + first);
        T* to = at(p.q, i * stride + first);
        for_vectors<T>(
            columns(panel), [=](int64_t j, int64_t lanes) __attribute__((always_inline)) {
                X x[2];
                HB_EACH(2) x[i] = V::load(row.x + i * u + j, lanes) + V::load(sums + i * P + j);
                Math<T>::template gates<0>(x);
                HB_EACH(2) V::store(row.gates + i * u + j, x[i], lanes);
                V::store(to + j, x[1] * V::load(from + j, lanes), lanes);
            });
    }

    // All units of `panels` at once: there is no product whose tiles they would follow.
    void masked_row(int64_t i, int64_t s, int64_t t, const Range& panels, const void* now,
                    void* next) const {
        const int64_t begin = panels.begin * P, end = panels.end * P < u ? panels.end * P : u;
        const int64_t width = end - begin, step = place(i, t) * u + begin;
        const int64_t wide = place(i, t) * G * u + begin, state = i * stride + begin;
        if (!p.zero_output && p.begins[i] < s)
            copy_row(at(p.y, step), at(p.h, state), width);
        else
            zero_row(at(p.y, step), width);
        for (int64_t g = 0; g < (p.mask_h ? G : 1); ++g) {
            const int64_t row = i * p.operand_stride + g * u + begin;
            copy_row(at(next, row), at(now, row), width);
        }
        for (int64_t g = 0; G > 1 && p.gates && g < G; ++g)
            zero_row(at(p.gates, wide + g * u), width);
        if (G == 1 || !p.saved) return;
        if constexpr (cell == kLstm)
            copy_row(at(p.saved, step), at(p.c, state), width);
        else
            zero_row(at(p.saved, step), width);
    }

    void last_row(int64_t i, int64_t panel) const {
        units(panel, [&](int64_t j, int64_t lanes) {
            V::store(at(p.h_last, i * u + j), V::load(at(p.h, i * stride + j), lanes), lanes);
            if constexpr (cell == kLstm)
                V::store(at(p.c_last, i * u + j), V::load(at(p.c, i * stride + j), lanes), lanes);
        });
    }

    // What the gates of row i take and leave.
    HB_INLINE void fetch(int64_t i, int64_t t, int64_t panel) const {
        const int64_t step = place(i, t);
        for (int64_t g = 0; g < G; ++g) {
            const int64_t from = (step * G + g) * u + panel * P;
            if (p.gates != p.xw) rnn_fetch_panel<0>(at(p.xw, from));
            if (p.gates) rnn_fetch_panel<1>(at(p.gates, from));
        }
        rnn_fetch_panel<1>(at(p.y, step * u + panel * P));
        if constexpr (G == 1) return;
        if (p.saved) rnn_fetch_panel<1>(at(p.saved, step * u + panel * P));
    }

    void run(int64_t phase, int64_t first, int64_t last, const Range& panels) {
        const int64_t s = cell == kGruBefore ? phase / 2 : phase, t = time(s);
        const void* now = p.operand[s % 2];
        void* next = p.operand[1 - s % 2];
        const int64_t gate_step = p.mask_h ? u : 0;
        RnnRows on, off;
        rnn_rows(p.mask, p.t, t, first, last, &on, &off);
        const bool resets = cell == kGruBefore && phase % 2 == 0,
                   lets = cell == kGruBefore && !resets;
        for (int64_t i = 0; !resets && i < off.count; ++i)
            masked_row(off.row[i], s, t, panels, now, next);
        const int64_t gates = resets ? 2 : lets ? 1 : G, size = kRnnFew * G * P;
        const int64_t group = on.count <= kRnnFew && gate_step == 0 ? kRnnPanels / gates : 1;
        for (int64_t j = panels.begin; j < panels.end; j += group) {
            const int64_t together = panels.end - j < group ? panels.end - j : group;
            const RnnAhead ahead(panels, j, group);
            const int64_t next_t = !ahead.next_step || resets ? t : s + 1 < p.t ? time(s + 1) : -1;
            const auto ask = [&](int64_t i) __attribute__((always_inline)) {
                for (int64_t k = ahead.panels.begin; next_t >= 0 && k < ahead.panels.end; ++k)
                    fetch(i, next_t, k);
            };
            RnnFetchRows<decltype(ask)> fetch_rows{on, gates, ask};
            if (lets)
                multiply(on, 2, 3, j, together, size, p.q, stride, 0, fetch_rows);
            else
                multiply(on, 0, gates, j, together, size, now, p.operand_stride, gate_step,
                         fetch_rows);
            for (int64_t i = 0; i < together; ++i)
                gates_of(on, first, last, s, t, j + i, z + i * size, resets, now, next);
        }
    }

    HB_INLINE void gates_of(const RnnRows& on, int64_t first, int64_t last, int64_t s, int64_t t,
                            int64_t j, T* sums, bool resets, const void* now, void* next) const {
        if (resets) {
            for (int64_t i = 0; i < on.count; ++i)
                reset_row(on.row[i], t, j, sums + i * G * P, now);
            return;
        }
        if (cell == kLstm || cell == kGruAfter)
            for (int64_t i = 0; i < on.count; ++i) open_row(on.row[i], t, j, sums + i * G * P);
        for (int64_t i = 0; i < on.count; ++i) row(on.row[i], t, j, sums + i * G * P, next);
        if (s == p.t - 1)
            for (int64_t i = first; i < last; ++i) last_row(i, j);
    }

    void start(int64_t i) const {
        copy_row(at(p.h, i * stride), at(p.h0, i * u), u);
        if constexpr (cell == kLstm) copy_row(at(p.c, i * stride), at(p.c0, i * u), u);
        const Next first = next_of(p.operand[0], i, 0);
        for_vectors<T>(u, [&](int64_t j, int64_t lanes) {
            first.take(u, j, V::load(at(p.h0, i * u + j), lanes), lanes);
        });
        p.begins[i] = p.t;
        for (int64_t s = p.t; p.mask && s-- > 0;)
            if (p.mask[i * p.t + time(s)]) p.begins[i] = s;
        if (p.t > 0) return;
        copy_row(at(p.h_last, i * u), at(p.h0, i * u), u);
        if constexpr (cell == kLstm) copy_row(at(p.c_last, i * u), at(p.c0, i * u), u);
    }
};

struct Start {
    template <RnnCell cell, class T>
    static void call(const void* args, int thread, int threads) {
        const RnnArgs& p = *static_cast<const RnnArgs*>(args);
        const Forward<cell, T> rows(p);
        const Range range = split(p.n, thread, threads);
        for (int64_t i = range.begin; i < range.end; ++i) rows.start(i);
    }
};

struct Run {
    template <RnnCell cell, class T>
    static void call(const void* args, int thread, int threads) {
        const auto& phases = *static_cast<const RnnPhases<RnnArgs>*>(args);
        Forward<cell, T> rows(*phases.args);
        rnn_run(rows, phases, thread, threads);
    }
};

}  // namespace

void rnn_grad_start_float(const void*, int, int);
void rnn_grad_start_double(const void*, int, int);
void rnn_grad_float(const void*, int, int);
void rnn_grad_double(const void*, int, int);
void rnn_step_float(const void*, int, int);
void rnn_step_double(const void*, int, int);

constinit const RnnKernels rnn_kernels = {
    .start = {rnn_any<Start, RnnArgs, float>, rnn_any<Start, RnnArgs, double>},
    .forward = {rnn_phases_any<Run, RnnArgs, float>, rnn_phases_any<Run, RnnArgs, double>},
    .grad_start = {rnn_grad_start_float, rnn_grad_start_double},
    .grad = {rnn_grad_float, rnn_grad_double},
    .step = {rnn_step_float, rnn_step_double},
};

}  // namespace hb::HB_ISA
