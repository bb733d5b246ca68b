// Ops on storage dtypes (float16, bfloat16, the small and the unsigned integers): the inputs are
// cast to the dtypes that carry them, the op is inferred and run there, and results that follow the
// inputs' dtype are cast back. All casts are ops of their own: tapes see them, and passes fuse
// them.
#pragma once

#include "core/op.h"

namespace hb {

bool needs_carriers(const OpDef& op, const std::vector<TensorType>& in, const Attrs& attrs);
std::vector<Tensor> apply_on_carriers(const OpDef& op, std::vector<Tensor> inputs,
                                      const Attrs& attrs);

}  // namespace hb
