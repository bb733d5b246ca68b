// Runs lists of instructions. The only file with an OpenMP region.
#pragma once

#include <functional>
#include <span>

#include "core/op.h"

namespace hb {

// A step of work: instructions, and where among them the first one that changes a variable stands.
struct Job {
    const InstrList* list;
    size_t first_effect;               // errors found before it end the step with nothing changed
    const InstrList* loads = nullptr;  // before them, what brings a step's inputs
};

// Runs the job `steps` times inside one region; before each step thread 0 calls prepare(step),
// which may return false to stop. Returns the number of steps done. Throws what a kernel reported.
int64_t execute(const Job& job, int threads, int64_t steps,
                const std::function<bool(int64_t)>& prepare);

inline void execute(const InstrList& list, int threads) {
    execute(Job{&list, list.instrs.size()}, threads, 1, nullptr);
}

}  // namespace hb
