// dy (n,t,h,dv), and what the forward pass left  ->  dq (parts,n,t,h,d), dk (n,s,g,d), dv
// (n,s,g,dv) Shares take a head of k and v and a part of its keys. For each block of keys all rows
// of q that meet it pass by: scores and probabilities are made again, P = exp(S - lse), and with D
// = rowsum(dy y):  dV += P' dy,  dS = P (dy V' - D),  dK += dS' Q,  dQ += dS K (Dao et al., arXiv
// 2205.14135). 2 t s (3 d + 2 dv) flops a head of q.
#include "cpu/attention.h"

namespace hb::HB_ISA {
namespace {

template <class T>
struct Gradient : Attend<T> {
    using A = Attend<T>;
    using V = Vec<T>;
    using X = typename V::type;
    using A::p;
    static constexpr int64_t kRows = kAttentionRows;

    const AttentionGradArgs& grad;
    const int64_t block_keys, wide, tall, stride;
    T *keys_t, *keys, *values_t, *dkeys, *dvalues;  // of a block of keys
    T *query, *dy, *probs, *dscores;                // of a block of rows
    T* tiles;                                       // what is multiplied next, as pack_rows() does
    T lse[kRows], rowsum[kRows];

    Gradient(const AttentionGradArgs& args, T* scratch)
        : A(args.a),
          grad(args),
          block_keys(attention_grad_keys(args.a.d, args.a.dv)),
          wide(attention_pad(args.a.d)),
          tall(attention_pad(args.a.dv)),
          stride(attention_stride(block_keys)) {
        keys_t = scratch;
        keys = keys_t + block_keys * wide;
        dkeys = keys + block_keys * wide;
        values_t = dkeys + block_keys * wide;
        dvalues = values_t + block_keys * tall;
        query = dvalues + block_keys * tall;
        dy = query + kRows * wide;
        probs = dy + kRows * tall;
        dscores = probs + kRows * stride;
        tiles = dscores + kRows * stride;
    }

    HB_INLINE const T* at_key(const void* x, int64_t b, int64_t g, int64_t s, int64_t d) const {
        return static_cast<const T*>(x) + ((b * p.s + s) * p.g + g) * d;
    }
    HB_INLINE const T* at_row(const void* x, int64_t b, int64_t h, int64_t t, int64_t d) const {
        return static_cast<const T*>(x) + ((b * p.t + t) * p.h + h) * d;
    }

    void pack_keys(int64_t b, int64_t g, int64_t first, int64_t n) {
        const T *k = at_key(p.k, b, g, first, p.d), *v = at_key(p.v, b, g, first, p.dv);
        pack(keys_t, k, 1, p.g * p.d, p.d, n);
        scale_rows(keys_t, 0, keys_t, 0, 1, attention_pad(n) * p.d, T(p.scale));
        pack(values_t, v, 1, p.g * p.dv, p.dv, n);
        pack(keys, k, p.g * p.d, 1, n, p.d);
        for (int64_t i = 0; i < n; ++i) {
            for (int64_t j = 0; j < p.d; ++j) dkeys[i * wide + j] = T(0);
            for (int64_t j = 0; j < p.dv; ++j) dvalues[i * tall + j] = T(0);
        }
    }

    void read_rows(int64_t b, int64_t h, int64_t t, int64_t rows) {
        const T *from = at_row(grad.dy, b, h, t, p.dv), *y = at_row(p.y, b, h, t, p.dv);
        pack(query, at_row(p.q, b, h, t, p.d), p.h * p.d, 1, rows, p.d);
        pack(dy, from, p.h * p.dv, 1, rows, p.dv);
        for (int64_t i = 0; i < rows; ++i) {
            X sum = V::zero();
            for_vectors<T>(p.dv, [&](int64_t j, int64_t lanes) {
                sum = V::fma(V::load(from + i * p.h * p.dv + j, lanes),
                             V::load(y + i * p.h * p.dv + j, lanes), sum);
            });
            rowsum[i] = V::sum(sum);
            lse[i] = static_cast<const T*>(p.lse)[(b * p.h + h) * p.t + t + i];
        }
    }

    // From scores and dy V' to what was multiplied by V, and dS.
    HB_INLINE void row(int64_t b, int64_t h, int64_t t, int64_t i, int64_t first, int64_t n) {
        T *x = probs + i * stride, *dx = dscores + i * stride;
        const int64_t seen = A::visible(t, first, n);
        if (!A::plain) A::adjust(x, b, h, t, first, seen);
        const bool blind = lse[i] == kHidden<T>;  // saw nothing: the mean of all values
        const X shift = V::splat(lse[i]), part = V::splat(blind ? T(1) / T(p.s) : T(1)),
                slope = V::splat(blind ? T(0) : T(p.scale)), mean = V::splat(rowsum[i]);
        const auto step = [&](int64_t j, int64_t lanes, X kept) {
            const X e = Math<T>::exp_negative(V::load(x + j, lanes) - shift) * part;
            V::store(x + j, e * kept, lanes);
            V::store(dx + j, e * slope * (V::load(dx + j, lanes) * kept - mean), lanes);
        };
        if (p.seed)
            A::for_kept(b, h, t, first, seen, step);
        else
            for_vectors<T>(seen, [&](int64_t j, int64_t lanes) { step(j, lanes, V::splat(T(1))); });
        for (int64_t j = seen; j < n; ++j) x[j] = dx[j] = T(0);
    }

    bool sees_nothing(int64_t rows) const {
        for (int64_t i = 0; i < rows; ++i)
            if (lse[i] == kHidden<T>) return true;
        return false;
    }

    void block(int64_t b, int64_t h, int64_t t, int64_t rows, int64_t first, int64_t n, T* dq) {
        const int64_t last = t + rows - 1;
        if (A::visible(last, first, n) == 0) return;
        read_rows(b, h, t, rows);
        if (p.causal && first > last && !sees_nothing(rows)) return;
        const auto limit = [&](int64_t from, int64_t size) {
            return A::visible(t + from + size - 1, first, n);
        };
        const auto columns = [&](int64_t depth) {
            return [=](int64_t from, int64_t size) { return Limit{limit(from, size), depth}; };
        };
        pack_rows(tiles, at_row(p.q, b, h, t, p.d), p.h * p.d, 1, rows, p.d);
        multiply(
            Product<T>{tiles, 0, p.d, keys_t, kPanel<T>, kPanel<T> * p.d, probs, stride, false},
            rows, n, columns(p.d));
        pack_rows(tiles, at_row(grad.dy, b, h, t, p.dv), p.h * p.dv, 1, rows, p.dv);
        multiply(Product<T>{tiles, 0, p.dv, values_t, kPanel<T>, kPanel<T> * p.dv, dscores, stride,
                            false},
                 rows, n, columns(p.dv));
        for (int64_t i = 0; i < rows; ++i) row(b, h, t + i, i, first, n);
        const int64_t panel = kPanel<T> * rows;
        pack_rows(tiles, probs, 1, stride, n, rows);
        multiply(Product<T>{tiles, 0, rows, dy, kPanel<T>, panel, dvalues, tall, true}, n, p.dv,
                 rows);
        pack_rows(tiles, dscores, 1, stride, n, rows);
        multiply(Product<T>{tiles, 0, rows, query, kPanel<T>, panel, dkeys, wide, true}, n, p.d,
                 rows);
        multiply(
            Product<T>{dscores, stride, 1, keys, kPanel<T>, kPanel<T> * n, dq, p.h * p.d, true},
            rows, p.d, [&](int64_t from, int64_t size) { return Limit{p.d, limit(from, size)}; });
    }

    void run(int64_t b, int64_t g, int64_t part) {
        const RowBlocks rows(p.t, kRows);
        const Range blocks = split((p.s + block_keys - 1) / block_keys, int(part), int(grad.parts));
        const int64_t heads = p.h / p.g;
        T* dq = static_cast<T*>(grad.dq) + part * p.n * p.t * p.h * p.d;
        const auto dq_at = [&](int64_t h, int64_t t) {
            return dq + ((b * p.t + t) * p.h + h) * p.d;
        };
        for (int64_t t = 0; t < p.t; ++t)
            for (int64_t j = 0; j < heads * p.d; ++j) dq_at(g * heads, t)[j] = T(0);
        for (int64_t j = blocks.begin; j < blocks.end; ++j) {
            const int64_t first = j * block_keys,
                          n = p.s - first < block_keys ? p.s - first : block_keys;
            pack_keys(b, g, first, n);
            for (int64_t h = g * heads; h < (g + 1) * heads; ++h)
                for (int64_t i = 0; i < rows.count; ++i)
                    block(b, h, i * rows.size, rows.rows(i), first, n, dq_at(h, i * rows.size));
            scale_rows(const_cast<T*>(at_key(grad.dk, b, g, first, p.d)), p.g * p.d, dkeys, wide, n,
                       p.d, T(1));
            scale_rows(const_cast<T*>(at_key(grad.dv, b, g, first, p.dv)), p.g * p.dv, dvalues,
                       tall, n, p.dv, T(1));
        }
    }
};

template <class T>
void gradient(const void* args, int thread, int threads) {
    const AttentionGradArgs& p = *static_cast<const AttentionGradArgs*>(args);
    Gradient<T> gradient(p, (T*)(p.a.scratch + thread * p.a.scratch_stride));
    const Range tasks = split(p.a.n * p.a.g * p.parts, thread, threads);
    for (int64_t task = tasks.begin; task < tasks.end; ++task) {
        const int64_t head = task / p.parts;
        gradient.run(head / p.a.g, head % p.a.g, task % p.parts);
    }
}

}  // namespace

void attention_grad_float(const void*, int, int);
void attention_grad_double(const void*, int, int);
void attention_grad_float(const void* args, int thread, int threads) {
    gradient<float>(args, thread, threads);
}
void attention_grad_double(const void* args, int thread, int threads) {
    gradient<double>(args, thread, threads);
}

}  // namespace hb::HB_ISA
