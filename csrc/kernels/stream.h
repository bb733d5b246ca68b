// When results go past the caches.
#pragma once

#include "kernels/kernel.h"

namespace hb {

// An output as large as this is out of the caches before anybody reads it. Written past them, its
// lines are not read first and what is in the caches stays.
inline constexpr int64_t kStreamFrom = int64_t(16) << 20;

static inline bool beyond_caches(int64_t bytes) { return bytes >= kStreamFrom; }

}  // namespace hb
