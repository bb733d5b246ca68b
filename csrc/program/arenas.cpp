#include "program/arenas.h"

#include <algorithm>
#include <utility>

namespace hb {

// By half at least, so that a series of longer and longer batches moves it seldom. Pages that
// nothing was written to are no memory.
void Arenas::Arena::reserve(size_t bytes) {
    if (memory_ && bytes <= memory_->bytes()) return;
    const size_t grown = memory_ ? std::max(bytes, memory_->bytes() * 3 / 2) : bytes;
    memory_.reset();  // before the larger one is there: it may take its place
    memory_ = std::make_unique<Buffer>(grown);
}

bool Arenas::try_take(Arena& arena) {
    std::lock_guard lock(mutex_);
    return !std::exchange(arena.taken_, true);
}

Arenas::ArenaPtr Arenas::take() {
    std::lock_guard lock(mutex_);
    ArenaPtr best;
    for (const ArenaPtr& arena : arenas_)
        if (!arena->taken_ && (!best || arena->bytes() > best->bytes())) best = arena;
    if (!best) arenas_.push_back(best = std::make_shared<Arena>());
    best->taken_ = true;
    return best;
}

void Arenas::give_back(Arena& arena) {
    std::lock_guard lock(mutex_);
    arena.taken_ = false;
}

}  // namespace hb
