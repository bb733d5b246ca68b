// sgd_update(rate, momentum, p..., g..., velocity...) and
// adam_update(rate, beta1, beta2, epsilon, step, weight_decay, p..., g..., m..., v..., v_max...):
// effects on lists of n variables each. Hyperparameters are 0-d tensors, so a schedule changes no
// program.
#include "kernels/optim.h"

#include "core/op.h"

namespace hb {

namespace {
constexpr int kSgdScalars = 2, kAdamScalars = 6;

// Checks `scalars` 0-d tensors, then lists of n tensors alike; returns how many lists there are.
int check_lists(const InferCtx& c, int scalars, int fewest, int most) {
    const int64_t n = c.attrs.i("n");
    const int64_t rest = c.num_in() - scalars, lists = n > 0 ? rest / n : fewest;
    if (n < 0 || rest != lists * n || lists < fewest || lists > most)
        fail_type("{}: takes {} numbers and {} to {} lists of n={} tensors. Received: {} inputs.",
                  c.name, scalars, fewest, most, n, c.num_in());
    for (int i = 0; i < scalars; ++i)
        if (volume(c.in[size_t(i)].shape) != 1)
            fail_value(
                "{}: hyperparameters must be single numbers. Received: input {} of shape {}.",
                c.name, i, c.in[size_t(i)].shape);
    for (int64_t i = 0; i < n; ++i) {
        const TensorType& p = c.in[size_t(scalars + i)];
        if (!is_float(p.dtype))
            fail_type("{}: parameter {} must be float32 or float64. Received: {}.", c.name, i,
                      p.dtype);
        for (int64_t list = 1; list < lists; ++list) {
            const TensorType& other = c.in[size_t(scalars + list * n + i)];
            if (other != p)
                fail_value(
                    "{}: parameter {} has shape {} and dtype {}, but its {} has shape {} and dtype "
                    "{}.",
                    c.name, i, p.shape, p.dtype, list == 1 ? "gradient" : "state", other.shape,
                    other.dtype);
        }
    }
    return int(lists);
}

// The parameters with their lists, and the number of units of work in all.
const OptimParam* collect(Emit& e, int scalars, int n, int64_t* units, int64_t* elements) {
    std::vector<OptimParam> params(static_cast<size_t>(n));
    const int lists = n > 0 ? (e.num_in() - scalars) / n : 0;
    for (int i = 0; i < n; ++i) {
        const auto item = [&](int list) {
            return list < lists ? e.mutable_in(scalars + list * n + i) : nullptr;
        };
        const TensorType& type = e.in_type(scalars + i);
        params[size_t(i)] = {item(0),   item(1), item(2), item(3), item(4), volume(type.shape),
                             type.dtype};
        *units += (params[size_t(i)].n + kOptimUnit - 1) / kOptimUnit;
        *elements += params[size_t(i)].n;
    }
    return e.store(params.data(), params.size());
}

OptimScalar scalar(const Emit& e, int i) { return {e.in(i), e.in_type(i).dtype}; }

std::vector<TensorType> infer_sgd_update(const InferCtx& c) {
    check_lists(c, kSgdScalars, 2, 3);
    return {};
}

void emit_sgd_update(Emit& e) {
    const int n = int(e.attrs.i("n"));
    int64_t units = 0, elements = 0;
    const OptimParam* params = collect(e, kSgdScalars, n, &units, &elements);
    e.run(e.kernels.optim->sgd,
          SgdArgs{params, n, units, scalar(e, 0), scalar(e, 1), e.attrs.b("nesterov", false)},
          20 * elements);
}

std::vector<TensorType> infer_adam_update(const InferCtx& c) {
    const int lists = c.attrs.b("amsgrad", false) ? 5 : 4;
    check_lists(c, kAdamScalars, lists, lists);
    return {};
}

void emit_adam_update(Emit& e) {
    const int n = int(e.attrs.i("n"));
    int64_t units = 0, elements = 0;
    const OptimParam* params = collect(e, kAdamScalars, n, &units, &elements);
    e.run(e.kernels.optim->adam,
          AdamArgs{params, n, units, scalar(e, 0), scalar(e, 1), scalar(e, 2), scalar(e, 3),
                   scalar(e, 4), scalar(e, 5), e.attrs.b("bias_correction", true)},
          28 * elements);
}
}  // namespace

extern const OpDef op_sgd_update = {.infer = infer_sgd_update,
                                    .emit = emit_sgd_update,
                                    .grad = no_gradient,
                                    .flags = kEffect | kLists};
extern const OpDef op_adam_update = {.infer = infer_adam_update,
                                     .emit = emit_adam_update,
                                     .grad = no_gradient,
                                     .flags = kEffect | kLists};

}  // namespace hb
