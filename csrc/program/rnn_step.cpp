// Streaming: the weights are read where they lie, once, and nothing is kept between calls.
#include "program/rnn_step.h"

#include <algorithm>

#include "kernels/rnn_step.h"
#include "ops/linear.h"
#include "ops/ops.h"
#include "program/executor.h"
#include "program/threads.h"

namespace hb {

namespace {
constexpr int64_t kFewRows = 4;            // then weights are streamed, else packed
constexpr int64_t kSharedBytes = 1 << 20;  // of weights that take longer than a meeting of threads
constexpr int64_t kParts = 8;              // that all weights are cut into then

class StepEmitter {
  public:
    StepEmitter(const RnnStep& s, InstrList& list, char* workspace)
        : s_(s),
          list_(list),
          workspace_(workspace),
          size_(int64_t(dtype_size(s.dtype))),
          width_(rnn_gates(s.cell) * s.u),
          shared_((s.inputs + s.u) * width_ * size_ >= kSharedBytes) {}

    // Bytes of workspace that it takes.
    size_t run() {
        const int64_t gates = width_ / s_.u;
        // What a share reads is a part of the one or of the other: as long, if may be.
        const int64_t of_x =
            shared_ ? std::clamp<int64_t>(
                          (kParts * s_.inputs + (s_.inputs + s_.u) / 2) / (s_.inputs + s_.u), 1,
                          kParts - 1)
                    : 1;
        const int64_t of_h = shared_ ? kParts - of_x : 1;
        RnnStepPhaseArgs a{};
        a.cell = s_.cell, a.m = s_.n, a.u = s_.u;
        a.bias = s_.bias, a.recurrent_bias = s_.recurrent_bias;
        a.h = s_.h, a.c = s_.c;
        a.from_x = product(s_.x, s_.inputs, s_.w, 0, gates, of_x);
        const bool before = s_.cell == kGruBefore;
        a.from_h = product(s_.h, s_.u, s_.r, 0, before ? 2 : gates, of_h);
        multiply(a, a.from_x, a.from_h);
        if (before) {
            a.reset_h = memory(s_.u);
            phase(a, kStepReset);
            a.from_h = product(a.reset_h, s_.u, s_.r, 2, 3, shared_ ? kParts : 1);
            multiply(a, {}, a.from_h);
        }
        phase(a, kStepGates);
        return used_;
    }

  private:
    void* memory(int64_t columns) {
        const size_t at = used_;
        used_ += (size_t(s_.n * columns * size_) + 63) / 64 * 64;
        return workspace_ + at;
    }
    // a (n,k) times gates [first, last) of b (k,G*u).
    RnnPartsArgs product(const void* a, int64_t k, const void* b, int64_t first, int64_t last,
                         int64_t parts) {
        const int64_t n = (last - first) * s_.u;
        if (s_.n > kFewRows) parts = 1;
        return {a,
                static_cast<const char*>(b) + first * s_.u * size_,
                memory(parts * n),
                n,
                k,
                width_,
                parts};
    }
    void multiply(RnnStepPhaseArgs a, const RnnPartsArgs& from_x, const RnnPartsArgs& from_h) {
        if (s_.n <= kFewRows) {
            a.from_x = from_x, a.from_h = from_h;
            return phase(a, kStepProducts);
        }
        for (const RnnPartsArgs& part : {from_x, from_h})
            if (part.parts > 0) whole(part);
    }
    void phase(RnnStepPhaseArgs a, RnnStepPhase which) {
        a.phase = which;
        const bool serial = !shared_ && s_.n <= kFewRows;
        const int64_t cost =
            which == kStepProducts ? (s_.inputs + s_.u) * width_ * size_ : 40 * s_.n * width_;
        list_.instrs.push_back({kernel_for(kernels().rnn->step, s_.dtype),
                                list_.store(&a, sizeof(a)),
                                shared_ ? std::max(cost, kParallelCost) : cost, serial});
    }
    // A product of many rows.
    void whole(const RnnPartsArgs& part) {
        static const Attrs none;
        Emit e(op_def(Op::matmul), none, kernels(), num_shares(num_threads()), {}, {}, list_,
               workspace_ ? workspace_ + used_ : nullptr);
        Product p{};
        p.dtype = s_.dtype, p.a = part.a, p.b = part.b, p.c = part.c;
        p.m = s_.n, p.n = part.n, p.k = part.k;
        p.a_row = part.k, p.a_col = 1, p.b_row = part.b_row, p.b_col = 1;
        emit_product(e, p);
        used_ += (e.workspace_used() + 63) / 64 * 64;
    }

    const RnnStep& s_;
    InstrList& list_;
    char* const workspace_;
    const int64_t size_, width_;
    const bool shared_;
    size_t used_ = 0;
};
}  // namespace

void rnn_step(const RnnStep& step) {
    if (step.n * step.u == 0) return;
    thread_local InstrList list;
    thread_local std::unique_ptr<Buffer> workspace;
    size_t size = workspace ? workspace->bytes() : 0, needed = 0;
    for (bool ready = false; !ready; ready = size >= needed) {
        if (needed > size) workspace = std::make_unique<Buffer>(size = needed);
        list.clear();
        needed =
            StepEmitter(step, list, workspace ? static_cast<char*>(workspace->data()) : nullptr)
                .run();
    }
    execute(list, num_threads());
}

}  // namespace hb
