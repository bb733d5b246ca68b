#include "program/threads.h"

#ifdef _OPENMP
#include <omp.h>
#endif
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <thread>

namespace hb {

namespace {
std::atomic<bool> forked{false};
std::atomic<int> chosen{0};

double cgroup_cpus() {
    std::string quota;
    double limit = 0, period = 0;
    if (std::ifstream v2("/sys/fs/cgroup/cpu.max"); v2 >> quota >> period && quota != "max")
        return std::atof(quota.c_str()) / period;
    std::ifstream q("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"),
        p("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
    if (q >> limit && p >> period && limit > 0 && period > 0) return limit / period;
    return 1e9;
}

int allowed_threads() {
    if (const char* text = std::getenv("OMP_NUM_THREADS"))
        if (int n = std::atoi(text); n > 0) return n;
    int cpus = int(std::thread::hardware_concurrency());
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) == 0) cpus = CPU_COUNT(&set);
#endif
    const int quota = int(std::min(1e6, std::ceil(cgroup_cpus() - 0.01)));
    return std::max(1, std::min(cpus, quota));
}

#ifdef _OPENMP
// What OpenMP's own setting was when we were loaded. Somebody who lowers it later (threadpoolctl
// does) means us too.
const int openmp_at_first = omp_get_max_threads();

int openmp_limit() {
    const int now = omp_get_max_threads();
    return now < openmp_at_first ? now : 1 << 20;
}
#endif

// OpenMP's workers do not survive a fork: a child that asked for them would wait for ever.
const int registered = pthread_atfork(nullptr, nullptr, [] { forked = true; });
}  // namespace

int num_threads() {
#ifndef _OPENMP
    return 1;
#else
    if (forked) return 1;
    int n = chosen.load(std::memory_order_relaxed);
    if (n == 0) chosen = n = allowed_threads();
    return std::min(n, openmp_limit());
#endif
}

void set_num_threads(int threads) {
    if (threads < 1) threads = 1;
    chosen = std::min(threads, 1024);
}

bool has_openmp() {
#ifdef _OPENMP
    return true;
#else
    return false;
#endif
}

}  // namespace hb
