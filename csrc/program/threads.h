// How many threads may work, and which ISA level's kernels run.
#pragma once

#include <string>
#include <vector>

#include "kernels/table.h"

namespace hb {

// What the process may use: affinity, cgroup quota, OMP_NUM_THREADS; 1 in a forked child.
int num_threads();
void set_num_threads(int threads);
bool has_openmp();

const KernelTable& kernels();
std::vector<std::string> isa_levels();  // those that this CPU can run
void set_isa(const std::string& level);

}  // namespace hb
