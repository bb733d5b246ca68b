// What follows a product, a convolution or a normalisation, written down on its node by the pass
// that found it (program/epilogue.cpp): the attribute lists the parts, and their operands follow
// those of the op.
#pragma once

#include "core/op.h"
#include "kernels/epilogue.h"

namespace hb {

enum class EpiloguePart : int64_t { bias, scale, shift, other, relu };

inline constexpr const char* kEpilogue = "epilogue";

// Set on a gradient of batch normalisation that does that of the ReLU behind it, too.
inline constexpr const char* kBehindRelu = "behind_relu";

// Set on a convolution or product that finds what a batch normalisation needs of its results, and
// on the normalisation or its gradient (program/statistics.cpp). Two more outputs, mean and
// variance; or, of the gradient (then it is true), one, the sums (2, n), from more inputs: x, mean,
// and where a ReLU is between gamma, var and beta.
inline constexpr const char* kStatistics = "statistics";

// The epilogue of an op with `operands` inputs: as the pass left it, or else one more input, the
// bias, and the attribute `activation`. Before there is memory its pointers are not null, either:
// what is there decides how much workspace is asked for.
Epilogue epilogue_of(const Emit& e, int operands);

// Gradient rules know nothing of epilogues: no one but the pass may set one.
void check_no_epilogue(const InferCtx& c);

}  // namespace hb
