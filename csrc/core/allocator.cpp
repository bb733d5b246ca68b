#include "core/allocator.h"

#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>
#include <new>
#include <set>

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

// Blocks by when they were given back: the one that has waited longest makes room for the next.
struct Cache {
    struct Block {
        size_t size;
        void* data;
    };

    std::mutex mutex;
    std::map<uint64_t, Block> blocks;              // by age
    std::set<std::pair<size_t, uint64_t>> places;  // (size, age)
    uint64_t clock = 0;
    size_t bytes = 0;

    // The block of this size that was given back last: it may still be in the caches.
    void* take(size_t size) {
        auto place = places.upper_bound({size, clock});
        if (place == places.begin() || (--place)->first != size) return nullptr;
        const auto found = blocks.find(place->second);
        void* data = found->second.data;
        blocks.erase(found);
        places.erase(place);
        bytes -= size;
        return data;
    }
    void keep(size_t size, void* data) {
        drop_down_to(kKeepAtMost - size);
        places.insert({size, ++clock});
        blocks[clock] = {size, data};
        bytes += size;
    }
    void drop_down_to(size_t limit) {
        while (bytes > limit) {
            const auto [age, block] = *blocks.begin();
            std::free(block.data);
            blocks.erase(blocks.begin());
            places.erase({block.size, age});
            bytes -= block.size;
        }
    }
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
        if (void* data = kept.take(size)) return data;
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
    if (size >= kKeepFrom && size <= kKeepAtMost) {
        Cache& kept = cache();
        std::lock_guard lock(kept.mutex);
        return kept.keep(size, data);
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
    kept.drop_down_to(0);
}

}  // namespace hb
