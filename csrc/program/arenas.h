// Memory that programs share of which one runs at a time: a model's steps for all its kinds of
// batches. A step for a batch of a new kind then finds pages that others have touched.
#pragma once

#include <mutex>
#include <vector>

#include "core/tensor.h"

namespace hb {

class Arenas {
  public:
    // Grows, and then lies elsewhere; nothing in it outlives a run.
    class Arena {
      public:
        char* data() const { return memory_ ? static_cast<char*>(memory_->data()) : nullptr; }
        size_t bytes() const { return memory_ ? memory_->bytes() : 0; }
        void reserve(size_t bytes);  // for who has taken it

      private:
        friend class Arenas;
        std::unique_ptr<Buffer> memory_;
        bool taken_ = false;
    };
    using ArenaPtr = std::shared_ptr<Arena>;

    bool try_take(Arena& arena);
    // The largest that nobody runs in, or a new one.
    ArenaPtr take();
    void give_back(Arena& arena);

  private:
    std::mutex mutex_;
    std::vector<ArenaPtr> arenas_;
};

}  // namespace hb
