// Threads, levels, memory.
#include "bindings/bindings.h"
#include "core/allocator.h"
#include "program/threads.h"

namespace hb {

void register_info(py::module_& m) {
    m.def("num_threads", &num_threads);
    m.def("set_num_threads", &set_num_threads, py::arg("threads"));
    m.def("isa", [] { return std::string(kernels().isa); });
    m.def("isa_levels", &isa_levels, "The levels that this CPU runs, best last.");
    m.def("set_isa", &set_isa, py::arg("level"));
    m.def("has_openmp", &has_openmp);
    m.def("compiler", [] { return std::string(
#if defined(__clang__)
        "clang " __clang_version__
#else
        "gcc " __VERSION__
#endif
        ); });
    m.def("cached_bytes", &cached_bytes);
    m.def("release_cached_memory", &release_cached_memory);
}

}  // namespace hb
