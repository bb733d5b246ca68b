// Threads, levels, memory.
#include <chrono>

#include "bindings/bindings.h"
#include "core/allocator.h"
#include "kernels/measure.h"
#include "program/executor.h"
#include "program/threads.h"

namespace hb {

namespace {
using Clock = std::chrono::steady_clock;

double seconds(const InstrList& list, int threads) {
    const auto start = Clock::now();
    execute(list, threads);
    return std::chrono::duration<double>(Clock::now() - start).count();
}

constexpr int64_t kAlways = int64_t(1) << 40;  // a cost that all threads share

// Best of a few short runs, in GFLOP/s.
double measure_fma_peak(int threads) {
    constexpr int64_t kRounds = 50000;
    const MeasureKernels& measure = *kernels().measure;
    const int shares = num_shares(threads);  // each does all the rounds
    std::vector<float> sink(size_t(shares) * 16);
    const FmaPeakArgs args{kRounds, sink.data()};
    InstrList list;
    list.instrs.push_back({measure.fma_peak, &args, kAlways, false});
    double best = 1e9;
    for (int i = 0; i < 5; ++i) best = std::min(best, seconds(list, threads));
    return double(kRounds) * measure.fma_flops_per_round * shares / best * 1e-9;
}

// Best of a few passes over 3 x 64 MB, in GB/s (12 bytes an element, as STREAM counts).
double measure_triad(int threads) {
    constexpr int64_t kElements = int64_t(1) << 24;
    const size_t bytes = size_t(kElements) * sizeof(float);
    Buffer a(bytes), b(bytes), c(bytes);
    for (Buffer* buffer : {&a, &b, &c}) std::memset(buffer->data(), 0, bytes);
    const TriadArgs args{static_cast<float*>(a.data()), static_cast<float*>(b.data()),
                         static_cast<float*>(c.data()), kElements};
    InstrList list;
    list.instrs.push_back({kernels().measure->triad, &args, kAlways, false});
    double best = 1e9;
    for (int i = 0; i < 7; ++i) best = std::min(best, seconds(list, threads));
    return 3.0 * double(bytes) / best * 1e-9;
}

// Best of the passes in which each share reads `bytes` of its own again and again, in GB/s.
double measure_read(int threads, int64_t bytes, int passes) {
    if (bytes < 512) fail_value("measure_read: at least 512 bytes a share. Received: {}.", bytes);
    const int shares = num_shares(threads);
    const int64_t n = bytes / 512 * 128;
    const int64_t rounds = std::max<int64_t>(1, (int64_t(1) << 24) / n);
    Buffer a(size_t(n * shares) * sizeof(float));
    std::memset(a.data(), 0, a.bytes());
    std::vector<float> sink(size_t(shares) * 16);
    const ReadArgs args{static_cast<float*>(a.data()), n, rounds, sink.data()};
    InstrList list;
    list.instrs.push_back({kernels().measure->read, &args, kAlways, false});
    double best = 1e9;
    for (int i = 0; i < passes; ++i) best = std::min(best, seconds(list, threads));
    return double(a.bytes()) * double(rounds) / best * 1e-9;
}

// Seconds that an instruction shared by all threads costs beyond its work: shares and a barrier.
double measure_barrier(int threads) {
    constexpr int kInstrs = 2000;
    std::vector<float> sink(size_t(num_shares(threads)) * 16);
    const FmaPeakArgs args{0, sink.data()};
    InstrList list;
    for (int i = 0; i < kInstrs; ++i)
        list.instrs.push_back({kernels().measure->fma_peak, &args, kAlways, false});
    double best = 1e9;
    for (int i = 0; i < 5; ++i) best = std::min(best, seconds(list, threads));
    return best / kInstrs;
}
}  // namespace

void register_info(py::module_& m) {
    m.def("num_threads", &num_threads);
    m.def("set_num_threads", &set_num_threads, py::arg("threads"));
    m.def("isa", [] { return std::string(kernels().isa); });
    m.def("isa_levels", &isa_levels, "The levels that this CPU runs, best last.");
    m.def("set_isa", &set_isa, py::arg("level"));
    m.def("has_openmp", &has_openmp);
    m.def("compiler", [] {
        return std::string(
#if defined(__clang__)
            "clang " __clang_version__
#else
        "gcc " __VERSION__
#endif
        );
    });
    m.def("measure_fma_peak", &measure_fma_peak, py::arg("threads"), "GFLOP/s of multiply-adds.");
    m.def("measure_triad", &measure_triad, py::arg("threads"), "GB/s of a[i] = b[i] + s * c[i].");
    m.def("measure_read", &measure_read, py::arg("threads"), py::arg("bytes"),
          py::arg("passes") = 5,
          "GB/s of reading `bytes` a share, again and again; of the best pass.");
    m.def("measure_barrier", &measure_barrier, py::arg("threads"),
          "Seconds that sharing an instruction costs.");
    m.def("cached_bytes", &cached_bytes);
    m.def("release_cached_memory", &release_cached_memory);
}

}  // namespace hb
