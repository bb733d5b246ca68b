// Streaming: the weights are read where they lie, once, and nothing is kept between calls.
#include "program/rnn_step.h"

#include "ops/linear.h"
#include "ops/ops.h"
#include "program/executor.h"
#include "program/threads.h"

namespace hb {

namespace {
class StepEmitter {
  public:
    StepEmitter(Emit& e, const RnnStep& s)
        : e_(e), s_(s), size_(int64_t(dtype_size(s.dtype))), width_(rnn_gates(s.cell) * s.u) {}

    void run() {
        RnnStepArgs a{s_.cell, nullptr, nullptr, s_.h, s_.c, nullptr, s_.n, s_.u, 0};
        const int64_t gates = width_ / s_.u;
        a.from_x = product(s_.x, s_.inputs, s_.w, 0, gates, s_.bias);
        if (s_.cell != kGruBefore) {
            a.from_h = product(s_.h, s_.u, s_.r, 0, gates, s_.recurrent_bias);
        } else {
            a.from_h = product(s_.h, s_.u, s_.r, 0, 2, nullptr);
            a.reset_h = memory(s_.u);
            gate(a);
            a.phase = 1;
            a.from_h = product(a.reset_h, s_.u, s_.r, 2, 3, nullptr);
        }
        gate(a);
    }

  private:
    void* memory(int64_t columns) { return e_.workspace(size_t(s_.n * columns * size_)); }
    void gate(const RnnStepArgs& a) {
        e_.run(kernel_for(e_.kernels.rnn->step, s_.dtype), a, 40 * s_.n * width_, Serial{});
    }
    // (n,k) times gates [first, last) of b (k,G*u).
    void* product(const void* a, int64_t k, const void* b, int64_t first, int64_t last,
                  const void* bias) {
        const int64_t n = (last - first) * s_.u;
        Product p{};
        p.dtype = s_.dtype, p.a = a;
        p.b = static_cast<const char*>(b) + first * s_.u * size_;
        p.epilogue.bias = bias, p.c = memory(n);
        p.m = s_.n, p.n = n, p.k = k;
        p.a_row = k, p.a_col = 1, p.b_row = width_, p.b_col = 1;
        emit_product(e_, p);
        return p.c;
    }

    Emit& e_;
    const RnnStep& s_;
    const int64_t size_, width_;
};
}  // namespace

void rnn_step(const RnnStep& step) {
    if (step.n * step.u == 0) return;
    const int threads = num_threads(), shares = num_shares(threads);
    const OpDef& op = op_def(Op::matmul);
    const Attrs none;
    thread_local InstrList list;
    thread_local std::unique_ptr<Buffer> workspace;
    size_t size = workspace ? workspace->bytes() : 0, needed = 0;
    for (bool ready = false; !ready; ready = size >= needed) {
        if (needed > size) workspace = std::make_unique<Buffer>(size = needed);
        list.clear();
        Emit emit(op, none, kernels(), shares, {}, {}, list,
                  workspace ? workspace->data() : nullptr);
        StepEmitter(emit, step).run();
        needed = emit.workspace_used();
    }
    execute(list, threads);
}

}  // namespace hb
