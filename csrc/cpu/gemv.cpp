// Products with few rows (m <= 4) are bound by reading B, which is streamed once in the order it
// lies in memory; and products of integers, where right is enough.
#include "cpu/epilogue.h"
#include "kernels/gemm.h"

namespace hb::HB_ISA {
namespace {

// C (M, n) += A (M, 8 steps of k) times 8 rows of B, along the whole of n.
template <class T, int M, int Steps>
void add_rows(const T* a, int64_t a_row, int64_t a_col, const T* b, int64_t b_row, T* c,
              int64_t ldc, int64_t n, bool begins) {
    using V = Vec<T>;
    using v = typename V::type;
    v x[M][Steps];
#pragma GCC unroll 4
    for (int i = 0; i < M; ++i)
#pragma GCC unroll 8
        for (int s = 0; s < Steps; ++s) x[i][s] = V::splat(a[i * a_row + s * a_col]);
    const auto columns = [&]<int NV>(int64_t j, int64_t left) __attribute__((always_inline)) {
        v sum[M][NV];
#pragma GCC unroll 4
        for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
            for (int l = 0; l < NV; ++l)
                sum[i][l] = begins ? v{} : V::load(c + i * ldc + j + l * V::lanes, left);
#pragma GCC unroll 8
        for (int s = 0; s < Steps; ++s)
#pragma GCC unroll 4
            for (int l = 0; l < NV; ++l) {
                const v row = V::load(b + s * b_row + j + l * V::lanes, left);
#pragma GCC unroll 4
                for (int i = 0; i < M; ++i) sum[i][l] += x[i][s] * row;
            }
#pragma GCC unroll 4
        for (int i = 0; i < M; ++i)
#pragma GCC unroll 4
            for (int l = 0; l < NV; ++l) V::store(c + i * ldc + j + l * V::lanes, sum[i][l], left);
    };
    // whole lines of memory: with half a line of each row at a time the rate is half
    constexpr int NV = 64 / int(sizeof(v)), width = NV * int(V::lanes);
    int64_t j = 0;
    for (; j + width <= n; j += width) columns.template operator()<NV>(j, V::lanes);
    for (; j < n; j += V::lanes) columns.template operator()<1>(j, n - j);
}

template <class T, int M>
void gemv_rows(const GemvArgs& g, const T* a, const T* b, T* c, int64_t n) {
    constexpr int steps = M == 1 ? 8 : 4;
    int64_t k = 0;
    for (; k + steps <= g.k; k += steps)
        add_rows<T, M, steps>(a + k * g.a_col, g.a_row, g.a_col, b + k * g.b_row, g.b_row, c, g.n,
                              n, k == 0);
    for (; k < g.k; ++k)
        add_rows<T, M, 1>(a + k * g.a_col, g.a_row, g.a_col, b + k * g.b_row, g.b_row, c, g.n, n,
                          k == 0);
    if (g.k == 0)
        for (int i = 0; i < M; ++i)
            for (int64_t j = 0; j < n; ++j) c[i * g.n + j] = T(0);
}

// Columns of B are contiguous: each element of C is a dot product.
template <class T, int M>
void gemv_dots(const GemvArgs& g, const T* a, const T* b, T* c, int64_t n) {
    using V = Vec<T>;
    using v = typename V::type;
    constexpr int unroll = M == 1 ? 4 : 2;
    for (int64_t j = 0; j < n; ++j) {
        const T* column = b + j * g.b_col;
        v sum[M][unroll] = {};
        int64_t k = 0;
        for (; k + unroll * V::lanes <= g.k; k += unroll * V::lanes)
#pragma GCC unroll 4
            for (int u = 0; u < unroll; ++u) {
                const v y = V::load(column + k + u * V::lanes);
#pragma GCC unroll 4
                for (int i = 0; i < M; ++i)
                    sum[i][u] += V::load(a + i * g.a_row + k + u * V::lanes) * y;
            }
        for (; k < g.k; k += V::lanes) {
            const v y = V::load(column + k, g.k - k);
#pragma GCC unroll 4
            for (int i = 0; i < M; ++i) sum[i][0] += V::load(a + i * g.a_row + k, g.k - k) * y;
        }
#pragma GCC unroll 4
        for (int i = 0; i < M; ++i) {
            v total = sum[i][0];
#pragma GCC unroll 4
            for (int u = 1; u < unroll; ++u) total += sum[i][u];
            c[i * g.n + j] = V::sum(total);
        }
    }
}

template <class T, int M>
void gemv_block(const GemvArgs& g, int64_t product, Range columns) {
    using V = Vec<T>;
    constexpr int64_t chunk = 1024;  // of C: stays in L1 while all of K passes
    const T* a = (const T*)g.a + g.a_offset[product];
    const T* b = (const T*)g.b + g.b_offset[product];
    T* c = (T*)g.c + product * g.m * g.n;
    for (int64_t j = columns.begin; j < columns.end; j += chunk) {
        const int64_t n = columns.end - j < chunk ? columns.end - j : chunk;
        if (g.b_col == 1)
            gemv_rows<T, M>(g, a, b + j, c + j, n);
        else
            gemv_dots<T, M>(g, a, b + j * g.b_col, c + j, n);
        if (!g.epilogue.any()) continue;
        for (int i = 0; i < M; ++i) {
            T* y = c + i * g.n + j;
            const Finish<T> finish(g.epilogue, j, y - (T*)g.c);
            for (int64_t l = 0; l < n; l += V::lanes)
                V::store(y + l, finish(V::load(y + l, n - l), l, l, n - l), n - l);
        }
    }
}

template <class T>
void gemv(const void* args, int thread, int threads) {
    const GemvArgs& g = *static_cast<const GemvArgs*>(args);
    constexpr int64_t unit = 2 * 64 / int64_t(sizeof(T));  // whole cache lines of C
    const int64_t units = (g.n + unit - 1) / unit;
    const Range range = split(g.batch * units, thread, threads);
    for (int64_t u = range.begin; u < range.end;) {
        const int64_t product = u / units, first = u % units;
        int64_t last = first + (range.end - u);
        if (last > units) last = units;
        u += last - first;
        const Range columns{first * unit, last * unit < g.n ? last * unit : g.n};
        switch (g.m) {
            case 1:
                gemv_block<T, 1>(g, product, columns);
                break;
            case 2:
                gemv_block<T, 2>(g, product, columns);
                break;
            case 3:
                gemv_block<T, 3>(g, product, columns);
                break;
            default:
                gemv_block<T, 4>(g, product, columns);
                break;
        }
    }
}

template <class T, class Sum>
void naive(const void* args, int thread, int threads) {
    const GemvArgs& g = *static_cast<const GemvArgs*>(args);
    const Range rows = split(g.batch * g.m, thread, threads);
    for (int64_t r = rows.begin; r < rows.end; ++r) {
        const int64_t product = r / g.m;
        const T* a = (const T*)g.a + g.a_offset[product] + r % g.m * g.a_row;
        const T* b = (const T*)g.b + g.b_offset[product];
        for (int64_t j = 0; j < g.n; ++j) {
            Sum sum = 0;  // unsigned: overflow wraps
            for (int64_t k = 0; k < g.k; ++k)
                sum += Sum(a[k * g.a_col]) * Sum(b[k * g.b_row + j * g.b_col]);
            if (g.epilogue.bias) sum += Sum(((const T*)g.epilogue.bias)[j]);
            T y = T(sum);
            if (g.epilogue.relu && y < 0) y = 0;
            ((T*)g.c)[r * g.n + j] = y;
        }
    }
}

}  // namespace

void gemv_float(const void* args, int thread, int threads) { gemv<float>(args, thread, threads); }
void gemv_double(const void* args, int thread, int threads) { gemv<double>(args, thread, threads); }
void naive_gemm_int32(const void* args, int thread, int threads) {
    naive<int32_t, uint32_t>(args, thread, threads);
}
void naive_gemm_int64(const void* args, int thread, int threads) {
    naive<int64_t, uint64_t>(args, thread, threads);
}
void naive_gemm_uint8(const void* args, int thread, int threads) {
    naive<uint8_t, uint32_t>(args, thread, threads);
}

}  // namespace hb::HB_ISA
