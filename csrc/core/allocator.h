// Aligned memory. Large blocks that are given back are kept a while: touching fresh pages costs
// more than most of what is computed in them.
#pragma once

#include <cstddef>

namespace hb {

void* allocate(size_t bytes);
void deallocate(void* data, size_t bytes);
size_t cached_bytes();
void release_cached_memory();

}  // namespace hb
