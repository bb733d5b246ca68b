// How many threads may work, and which ISA level's kernels run.
#pragma once

#include <string>
#include <vector>

#include "kernels/table.h"

namespace hb {

// What the process may use: affinity, cgroup quota, OMP_NUM_THREADS; 1 in a forked child.
int num_threads();
void set_num_threads(int threads);
// Into how many shares the work of an instruction is cut: more than threads, so that one that the
// system has put aside does not hold up the others.
inline int num_shares(int threads) { return threads == 1 ? 1 : 4 * threads; }
bool has_openmp();

const KernelTable& kernels();
std::vector<std::string> isa_levels();  // those that this CPU can run
void set_isa(const std::string& level);

}  // namespace hb
