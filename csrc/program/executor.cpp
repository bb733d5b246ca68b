#include "program/executor.h"

#include <sched.h>

#include <atomic>
#include <exception>
#include <memory>

#include "program/threads.h"

#ifdef _OPENMP
#include <omp.h>
#endif

namespace hb {

namespace {
constexpr int kSpins = 4000;

// The shares of one instruction: each thread does its own, in order, and then those that others
// have not begun. In the quiet case a thread sees the same share of every instruction, warm in its
// cache.
class Shares {
  public:
    explicit Shares(int threads)
        : threads_(threads), total_(num_shares(threads)), next_(new Next[size_t(threads)]) {}

    void run(const Instr& instr, int thread) {
        for (int k = 0; k < threads_; ++k) {
            const int owner = (thread + k) % threads_;
            const Range own = split(total_, owner, threads_);
            std::atomic<int>& next = next_[size_t(owner)].value;
            while (true) {
                const int64_t share = own.begin + next.fetch_add(1, std::memory_order_relaxed);
                if (share >= own.end) break;
                instr.fn(instr.args, int(share), total_);
            }
        }
    }
    void reset() {
        for (int t = 0; t < threads_; ++t)
            next_[size_t(t)].value.store(0, std::memory_order_relaxed);
    }

  private:
    struct alignas(64) Next {
        std::atomic<int> value{0};
    };
    const int threads_, total_;
    std::unique_ptr<Next[]> next_;
};

// Threads meet here; the last one to come makes all shares free again and opens the gate.
class Barrier {
  public:
    Barrier(int threads, Shares& shares) : threads_(threads), shares_(shares) {}

    void wait() {
        const unsigned gate = gate_.load(std::memory_order_relaxed);
        if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
            shares_.reset();
            arrived_.store(0, std::memory_order_relaxed);
            gate_.store(gate + 1, std::memory_order_release);
            return;
        }
        for (int spin = 0; gate_.load(std::memory_order_acquire) == gate; ++spin) {
            if (spin < kSpins)
                pause();
            else
                sched_yield();
        }
    }

  private:
    static void pause() {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        asm volatile("yield");
#endif
    }

    const int threads_;
    Shares& shares_;
    alignas(64) std::atomic<int> arrived_{0};
    alignas(64) std::atomic<unsigned> gate_{0};
};

std::span<const Instr> loads_of(const Job& job) {
    return job.loads ? std::span<const Instr>(job.loads->instrs) : std::span<const Instr>();
}

bool is_parallel(const Instr& instr) { return !instr.serial && instr.cost >= kParallelCost; }

void check(const InstrList& list) {
    for (const ErrorCheck& check : list.checks) {
        if (check.slot->position == 0) continue;
        const ErrorSlot slot = *check.slot;
        for (const ErrorCheck& other : list.checks) *const_cast<ErrorSlot*>(other.slot) = {0, 0};
        throw check.op->describe_error(slot, check.in, check.attrs);
    }
}

bool found_error(const InstrList& list) {
    for (const ErrorCheck& check : list.checks)
        if (check.slot->position != 0) return true;
    return false;
}

int64_t execute_serial(const Job& job, int64_t steps, const std::function<bool(int64_t)>& prepare) {
    const std::vector<Instr>& instrs = job.list->instrs;
    for (int64_t step = 0; step < steps; ++step) {
        if (prepare && !prepare(step)) return step;
        for (const Instr& instr : loads_of(job)) instr.fn(instr.args, 0, 1);
        for (size_t i = 0; i < instrs.size(); ++i) {
            if (i == job.first_effect) check(*job.list);
            instrs[i].fn(instrs[i].args, 0, 1);
        }
        check(*job.list);
    }
    return steps;
}

#ifdef _OPENMP
int64_t execute_parallel(const Job& job, int threads, int64_t steps,
                         const std::function<bool(int64_t)>& prepare) {
    const std::vector<Instr>& instrs = job.list->instrs;
    Shares shares(threads);
    Barrier barrier(threads, shares);
    // What thread 0 says at a meeting, in two places by turns: another thread may still read the
    // last answer when thread 0 is on its way to the next meeting, but not to the one after it.
    bool answers[2] = {};
    int64_t done = 0;
    std::exception_ptr error;
#pragma omp parallel num_threads(threads)
    {
        const int thread = omp_get_thread_num();
        const bool all_came = omp_get_num_threads() == threads;
        const int team = all_came ? threads : 1;
        unsigned meetings = 0;
        const auto agree = [&](auto&& ask) {
            bool& answer = answers[meetings++ % 2];
            if (thread == 0) answer = ask();
            if (team > 1) barrier.wait();
            return answer;
        };
        const auto ended = [&](int64_t step) {
            if (found_error(*job.list)) return true;
            try {
                return prepare && !prepare(step);
            } catch (...) {
                error = std::current_exception();
                return true;
            }
        };
        bool stop = !all_came && thread != 0;
        for (int64_t step = 0; step < steps && !stop; ++step) {
            if ((prepare || step > 0) && agree([&] { return ended(step); })) break;
            bool alone = true;  // nothing since the last meeting that other threads wait for
            const auto run = [&](const Instr& instr) {
                if (team > 1 && is_parallel(instr)) {
                    if (!alone) barrier.wait();
                    shares.run(instr, thread);
                    barrier.wait();
                    alone = true;
                } else {
                    if (thread == 0) instr.fn(instr.args, 0, 1);
                    alone = false;
                }
            };
            for (const Instr& instr : loads_of(job)) run(instr);
            for (size_t i = 0; i < instrs.size(); ++i) {
                if (i == job.first_effect) {
                    if (team > 1 && !alone) barrier.wait();
                    alone = true;
                    stop = agree([&] { return found_error(*job.list); });
                    if (stop) break;
                }
                run(instrs[i]);
            }
            if (team > 1 && !alone) barrier.wait();
            if (thread == 0 && !stop) done = step + 1;
        }
    }
    if (error) std::rethrow_exception(error);
    check(*job.list);
    return done;
}
#endif
}  // namespace

int64_t execute(const Job& job, int threads, int64_t steps,
                const std::function<bool(int64_t)>& prepare) {
#ifdef _OPENMP
    bool worth = false;
    if (threads > 1 && !omp_in_parallel())
        for (const Instr& instr : job.list->instrs) worth |= is_parallel(instr);
    if (worth) return execute_parallel(job, threads, steps, prepare);
#else
    (void)threads;
#endif
    return execute_serial(job, steps, prepare);
}

}  // namespace hb
