// Independent multiply-adds in registers, and STREAM's triad.
#include "kernels/measure.h"

#include "cpu/vec.h"

namespace hb::HB_ISA {

namespace {
constexpr int kChains = 12;  // enough to hide the latency of two units
constexpr int kUnroll = 8;

void fma_peak(const void* p, int thread, int) {
    const auto& args = *static_cast<const FmaPeakArgs*>(p);
    using V = Vec<float>;
    V::type chain[kChains];
    for (int i = 0; i < kChains; ++i) chain[i] = V::splat(float(i));
    const V::type x = V::splat(0.999f), y = V::splat(0.001f);
    for (int64_t r = 0; r < args.rounds; ++r)
#pragma GCC unroll 8
        for (int u = 0; u < kUnroll; ++u)
#pragma GCC unroll 12
            for (int i = 0; i < kChains; ++i) chain[i] = V::fma(chain[i], x, y);
    V::type total = chain[0];
    for (int i = 1; i < kChains; ++i) total = total + chain[i];
    V::store(args.sink + thread * 16, total);
}

void triad(const void* p, int thread, int threads) {
    const auto& args = *static_cast<const TriadArgs*>(p);
    const Range range = split(args.n, thread, threads);
    for (int64_t i = range.begin; i < range.end; ++i) args.a[i] = args.b[i] + 3.0f * args.c[i];
}

void read(const void* p, int thread, int) {
    const auto& args = *static_cast<const ReadArgs*>(p);
    using V = Vec<float>;
    constexpr int kSums = 8;
    V::type sum[kSums];
    for (int i = 0; i < kSums; ++i) sum[i] = V::splat(0);
    const float* from = args.a + thread * args.n;
    for (int64_t r = 0; r < args.rounds; ++r) {
        for (int64_t i = 0; i < args.n; i += kSums * V::lanes)
#pragma GCC unroll 8
            for (int k = 0; k < kSums; ++k) sum[k] = sum[k] + V::load(from + i + k * V::lanes);
        asm volatile("" ::: "memory");  // each round reads anew
    }
    for (int i = 1; i < kSums; ++i) sum[0] = sum[0] + sum[i];
    V::store(args.sink + thread * 16, sum[0]);
}
}  // namespace

extern const MeasureKernels measure_kernels = {fma_peak, triad, read,
                                               2.0 * kChains * kUnroll * Vec<float>::lanes};

}  // namespace hb::HB_ISA
