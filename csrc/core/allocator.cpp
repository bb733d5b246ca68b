#include "core/allocator.h"

#include <cstdlib>
#include <map>
#include <mutex>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "core/error.h"

namespace hb {

namespace {
constexpr size_t kAlign = 64;
constexpr size_t kKeepFrom = size_t(1) << 16;    // smaller blocks: malloc's own cache serves
constexpr size_t kKeepAtMost = size_t(1) << 28;  // 256 MB in all
constexpr size_t kHugePage = size_t(1) << 21;    // fewer first touches and fewer misses of the TLB

struct Cache {
    std::mutex mutex;
    std::multimap<size_t, void*> blocks;
    size_t bytes = 0;
};

Cache& cache() {
    static Cache* cache = new Cache;  // never destroyed: buffers may outlive static destruction
    return *cache;
}

size_t rounded(size_t bytes) {
    return (bytes + kAlign - 1) / kAlign * kAlign + (bytes == 0) * kAlign;
}
}  // namespace

void* allocate(size_t bytes) {
    if (bytes > (size_t(1) << 46)) fail_value("A tensor of {} bytes cannot be allocated.", bytes);
    const size_t size = rounded(bytes);
    if (size >= kKeepFrom) {
        Cache& kept = cache();
        std::lock_guard lock(kept.mutex);
        auto found = kept.blocks.find(size);
        if (found != kept.blocks.end()) {
            void* data = found->second;
            kept.blocks.erase(found);
            kept.bytes -= size;
            return data;
        }
    }
    const bool large = size >= 2 * kHugePage;
    void* data = nullptr;
    if (posix_memalign(&data, large ? kHugePage : kAlign, size) != 0) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
    if (large) madvise(data, size, MADV_HUGEPAGE);
#endif
    return data;
}

void deallocate(void* data, size_t bytes) {
    const size_t size = rounded(bytes);
    if (size >= kKeepFrom) {
        Cache& kept = cache();
        std::lock_guard lock(kept.mutex);
        if (kept.bytes + size <= kKeepAtMost) {
            kept.blocks.emplace(size, data);
            kept.bytes += size;
            return;
        }
    }
    std::free(data);
}

size_t cached_bytes() {
    std::lock_guard lock(cache().mutex);
    return cache().bytes;
}

void release_cached_memory() {
    Cache& kept = cache();
    std::lock_guard lock(kept.mutex);
    for (auto& [size, data] : kept.blocks) std::free(data);
    kept.blocks.clear();
    kept.bytes = 0;
}

}  // namespace hb
