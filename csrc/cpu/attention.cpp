// q (n,t,h,d)  k (n,s,g,d)  v (n,s,g,dv)  ->  y (n,t,h,dv), lse (n,h,t)
// Shares take blocks of rows of one head. A head's k (transposed) and v are packed once into
// panels; a block of scores lies in the L2 cache between its two products, and the sums are
// rescaled when a later block has a larger maximum (Milakov and Gimelshein, arXiv 1805.02867; Dao
// et al., arXiv 2205.14135). 2 t s (d + dv) flops a head; memory for one head's k and v a share.
#include "cpu/attention.h"

namespace hb::HB_ISA {
namespace {

template <class T>
struct Forward : Attend<T> {
    using A = Attend<T>;
    using V = Vec<T>;
    using X = typename V::type;
    using A::p;
    static constexpr int64_t kKeys = kAttentionKeys;

    T *keys, *values, *query, *sums, *scores;
    const int64_t wide, tall, stride;
    T top[kAttentionRows], total[kAttentionRows];
    int64_t packed = -1;  // the head whose keys and values are there

    Forward(const AttentionArgs& args, T* scratch)
        : A(args),
          wide(attention_pad(args.d)),
          tall(attention_pad(args.dv)),
          stride(attention_stride(kKeys)) {
        keys = scratch;
        values = keys + attention_pad(p.s) * p.d;
        query = values + attention_pad(p.s) * tall;
        sums = query + kAttentionRows * wide;
        scores = sums + kAttentionRows * tall;
    }

    void pack_head(int64_t b, int64_t g) {
        if (packed == b * p.g + g) return;
        packed = b * p.g + g;
        const T* k = static_cast<const T*>(p.k) + (b * p.s * p.g + g) * p.d;
        const T* v = static_cast<const T*>(p.v) + (b * p.s * p.g + g) * p.dv;
        pack(keys, k, 1, p.g * p.d, p.d, p.s);
        for (int64_t j = 0; j < p.s; j += kKeys)
            pack(values + j * tall, v + j * p.g * p.dv, p.g * p.dv, 1,
                 p.s - j < kKeys ? p.s - j : kKeys, p.dv);
    }

    // One row of a block of scores becomes exponentials; sums of earlier blocks are rescaled.
    HB_INLINE void exponentials(int64_t b, int64_t h, int64_t row, int64_t i, int64_t first,
                                int64_t n, int64_t upto) {
        T* x = scores + i * stride;
        const int64_t seen = A::visible(row, first, n);
        if (!A::plain) A::adjust(x, b, h, row, first, seen);
        T best = reduce_block<Max, T>(x, seen);
        if (!(best < top[i])) {  // or a NaN
            if (first > 0) {
                const X factor = Math<T>::exp_negative(V::splat(top[i] - best));
                T* sum = sums + i * tall;
                for_vectors<T>(p.dv, [&](int64_t j, int64_t lanes) {
                    V::store(sum + j, V::load(sum + j, lanes) * factor, lanes);
                });
                total[i] *= factor[0];
            }
            top[i] = best;
        }
        const X shift = V::splat(top[i]);
        X sum = V::zero();
        for_vectors<T>(seen, [&](int64_t j, int64_t lanes) {
            const X e = Math<T>::exp_negative(V::load(x + j, lanes) - shift);
            V::store(x + j, e, lanes);
            sum += keep_lanes<T>(e, lanes);
        });
        total[i] += V::sum(sum);
        if (p.seed)
            A::for_kept(b, h, row, first, seen, [&](int64_t j, int64_t lanes, X factor) {
                V::store(x + j, V::load(x + j, lanes) * factor, lanes);
            });
        for (int64_t j = seen; j < upto; ++j) x[j] = T(0);
    }

    bool sees_nothing(int64_t rows) const {
        for (int64_t i = 0; i < rows; ++i)
            if (top[i] == kHidden<T>) return true;
        return false;
    }

    void block(int64_t b, int64_t h, int64_t t, int64_t rows) {
        const T* q = static_cast<const T*>(p.q) + ((b * p.t + t) * p.h + h) * p.d;
        pack_rows(query, q, p.h * p.d, 1, rows, p.d);
        scale_rows(query, 0, query, 0, 1, rows * p.d, T(p.scale));
        for (int64_t i = 0; i < rows; ++i) top[i] = kLeast, total[i] = T(0);
        const TileRows tiles(rows);
        for (int64_t first = 0; first < p.s; first += kKeys) {
            const int64_t left = p.s - first < kKeys ? p.s - first : kKeys;
            const int64_t n = A::visible(t + rows - 1, first, left);  // of the last row
            if (n == 0) break;
            if (p.causal && first > t + rows - 1 && !sees_nothing(rows)) break;
            const auto limit = [&](int64_t row, int64_t size) {
                return A::visible(t + row + size - 1, first, n);
            };
            multiply(Product<T>{query, 0, p.d, keys + first * p.d, kPanel<T>, kPanel<T> * p.d,
                                scores, stride, false},
                     rows, n,
                     [&](int64_t row, int64_t size) { return Limit{limit(row, size), p.d}; });
            for (int64_t tile = 0; tile < tiles.count; ++tile) {
                const int64_t begin = tiles.begin(tile), end = tiles.begin(tile + 1);
                for (int64_t i = begin; i < end; ++i)
                    exponentials(b, h, t + i, i, first, n, limit(begin, end - begin));
            }
            multiply(Product<T>{scores, stride, 1, values + first * tall, kPanel<T>,
                                kPanel<T> * left, sums, tall, first > 0},
                     rows, p.dv,
                     [&](int64_t row, int64_t size) { return Limit{p.dv, limit(row, size)}; });
        }
        T* y = static_cast<T*>(p.y) + ((b * p.t + t) * p.h + h) * p.dv;
        T* lse = static_cast<T*>(p.lse) + (b * p.h + h) * p.t + t;
        for_vectors<T>(rows, [&](int64_t i, int64_t lanes) {
            // scores that are all -inf give NaN, as 0 / 0 does
            const X most = V::load(top + i, lanes), least = V::splat(kLeast);
            const X sum =
                V::select(most == least, V::splat(T(__builtin_nan(""))), V::load(total + i, lanes));
            V::store(lse + i, most + Math<T>::log(sum), lanes);
            V::store(total + i, V::splat(T(1)) / sum, lanes);
        });
        for (int64_t i = 0; i < rows; ++i, y += p.h * p.dv)
            if (p.s > 0)
                scale_rows(y, 0, sums + i * tall, 0, 1, p.dv, total[i]);
            else
                for (int64_t j = 0; j < p.dv; ++j) y[j] = T(0);
    }

    static constexpr T kLeast =
        T(sizeof(T) == 4 ? -3.40282346638528859812e38 : -1.79769313486231570815e308);
};

template <class T>
void forward(const void* args, int thread, int threads) {
    const AttentionArgs& p = *static_cast<const AttentionArgs*>(args);
    const RowBlocks blocks(p.t, kAttentionRows);
    const Range tasks = split(p.n * p.h * blocks.count, thread, threads);
    Forward<T> forward(p, (T*)(p.scratch + thread * p.scratch_stride));
    for (int64_t task = tasks.begin; task < tasks.end; ++task) {
        const int64_t head = task / blocks.count, i = task % blocks.count;
        const int64_t b = head / p.h, h = head % p.h;
        forward.pack_head(b, h / (p.h / p.g));
        forward.block(b, h, i * blocks.size, blocks.rows(i));
    }
}

}  // namespace

void attention_grad_float(const void*, int, int);
void attention_grad_double(const void*, int, int);

constinit const AttentionKernels attention_kernels = {
    .forward = {forward<float>, forward<double>},
    .grad = {attention_grad_float, attention_grad_double},
};

}  // namespace hb::HB_ISA
