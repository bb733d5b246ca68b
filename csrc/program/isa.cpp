// One table of kernels per ISA level; the best that the CPU runs is taken at the first use.
#include <cstdlib>

#include "core/error.h"
#include "kernels/attention.h"
#include "kernels/conv.h"
#include "kernels/elementwise.h"
#include "kernels/gemm.h"
#include "kernels/gemm_rows.h"
#include "kernels/index.h"
#include "kernels/layout.h"
#include "kernels/measure.h"
#include "kernels/norm.h"
#include "kernels/optim.h"
#include "kernels/pool.h"
#include "kernels/random.h"
#include "kernels/reduce.h"
#include "kernels/rnn.h"
#include "kernels/softmax.h"
#include "program/threads.h"

namespace hb {

namespace {
#define HB_TABLE(level)                                                                   \
    KernelTable {                                                                         \
        #level, &level::gemm_kernels, &level::gemm_rows_kernels, &level::conv_kernels,    \
            &level::elementwise_kernels, &level::reduce_kernels, &level::softmax_kernels, \
            &level::norm_kernels, &level::batch_norm_kernels, &level::max_pool_kernels,   \
            &level::avg_pool_kernels, &level::layout_kernels, &level::index_kernels,      \
            &level::random_kernels, &level::optim_kernels, &level::rnn_kernels,           \
            &level::attention_kernels, &level::measure_kernels                            \
    }

const KernelTable base_table = HB_TABLE(base);
#ifdef HB_HAS_v3
const KernelTable v3_table = HB_TABLE(v3);
bool runs_v3() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
#endif
#ifdef HB_HAS_v4
const KernelTable v4_table = HB_TABLE(v4);
bool runs_v4() {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

std::vector<const KernelTable*> available() {
    std::vector<const KernelTable*> tables = {&base_table};
#ifdef HB_HAS_v3
    if (runs_v3()) tables.push_back(&v3_table);
#endif
#ifdef HB_HAS_v4
    if (runs_v4()) tables.push_back(&v4_table);
#endif
    return tables;
}

const KernelTable* find(const std::string& level) {
    std::string names;
    for (const KernelTable* table : available()) {
        if (level == table->isa) return table;
        names += names.empty() ? table->isa : std::string(", ") + table->isa;
    }
    fail_value("HORNBEAM_ISA: this CPU runs the levels {}. Received: '{}'.", names, level);
}

const KernelTable*& current() {
    static const KernelTable* table = [] {
        const char* wanted = std::getenv("HORNBEAM_ISA");
        return wanted && *wanted ? find(wanted) : available().back();
    }();
    return table;
}
}  // namespace

const KernelTable& kernels() { return *current(); }

std::vector<std::string> isa_levels() {
    std::vector<std::string> names;
    for (const KernelTable* table : available()) names.push_back(table->isa);
    return names;
}

void set_isa(const std::string& level) { current() = find(level); }

}  // namespace hb
