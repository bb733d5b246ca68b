// One kernel runs every elementwise op, alone or fused: a small program over tiles that stay in L1.
// A register is a tile of kEwTile elements. Registers are written once (SSA); registers
// 0 .. num_inputs-1 are the inputs. Threads split the output at multiples of kEwBlock.
#pragma once

#include "kernels/kernel.h"

namespace hb {

// The names in these lists are op names, EwOp enumerators and functors in csrc/cpu.
// clang-format off
#define HB_EW_ARITHMETIC_UNARY(X) X(neg) X(abs) X(sign) X(square) X(relu)
#define HB_EW_FLOAT_UNARY(X) \
    X(sqrt) X(rsqrt) X(reciprocal) X(exp) X(expm1) X(log) X(log2) X(log10) X(log1p) \
    X(sin) X(cos) X(tan) X(asin) X(acos) X(atan) X(sinh) X(cosh) X(tanh) \
    X(asinh) X(acosh) X(atanh) X(erf) X(erfinv) X(sigmoid) X(softplus) \
    X(floor) X(ceil) X(round) X(trunc)
#define HB_EW_FLOAT_TEST(X) X(isnan) X(isinf) X(isfinite)
#define HB_EW_BIT_UNARY(X) X(bitwise_not)
#define HB_EW_ARITHMETIC_BINARY(X) \
    X(add) X(sub) X(mul) X(floor_div) X(mod) X(pow) X(maximum) X(minimum) X(relu_grad)
#define HB_EW_FLOAT_BINARY(X) X(div) X(atan2)
#define HB_EW_COMPARE(X) X(equal) X(not_equal) X(less) X(less_equal) X(greater) X(greater_equal)
#define HB_EW_BIT_BINARY(X) \
    X(bitwise_and) X(bitwise_or) X(bitwise_xor) X(left_shift) X(right_shift)
#define HB_EW_LOGICAL(X) X(logical_not) X(logical_and) X(logical_or) X(logical_xor)
#define HB_EW_OTHER(X) X(where) X(cast) X(copy)

#define HB_EW_ALL(X) \
    HB_EW_ARITHMETIC_UNARY(X) HB_EW_FLOAT_UNARY(X) HB_EW_FLOAT_TEST(X) HB_EW_BIT_UNARY(X) \
    HB_EW_ARITHMETIC_BINARY(X) HB_EW_FLOAT_BINARY(X) HB_EW_COMPARE(X) HB_EW_BIT_BINARY(X) \
    HB_EW_LOGICAL(X) HB_EW_OTHER(X)
// clang-format on

#define HB_EW_ENUMERATOR(name) name,
enum class EwOp : uint8_t { HB_EW_ALL(HB_EW_ENUMERATOR) };
#undef HB_EW_ENUMERATOR
#define HB_EW_COUNT(name) +1
inline constexpr int kNumEwOps = HB_EW_ALL(HB_EW_COUNT);
#undef HB_EW_COUNT

inline constexpr int kEwTile = 512;     // elements of a register
inline constexpr int kEwBlock = 2048;   // threads meet at multiples of this
inline constexpr int kEwMaxRegs = 256;  // inputs and instructions of one program
inline constexpr int kEwMaxDims = 16;   // after collapsing
inline constexpr int kEwSlack = 64;     // bytes behind a register that may be overwritten

struct EwInstr {
    EwOp op;
    DType type;    // of the operands (for where: of a and b, the condition is bool)
    DType result;  // of dst
    uint16_t dst, a, b, c;
};

// How an input reaches its register.
enum class EwAccess : uint8_t {
    direct,    // as large as the output and contiguous: read in place
    scalar,    // one element: splatted once per thread
    periodic,  // `period` contiguous elements again and again, period <= kEwTile: unrolled once
    strided,   // expanded tile by tile, in runs; in place where a longer `period` holds the tile
    drawn,     // bool, made here: whether dropout keeps the element; data is its seed
};

struct EwInput {
    const void* data;
    DType dtype;
    EwAccess access;
    int64_t period;               // 0: no such thing
    int64_t strides[kEwMaxDims];  // in elements, over EwArgs::dims; 0 = broadcast
    uint32_t threshold;           // of what is drawn, as in DropoutArgs
};

struct EwOutput {
    void* data;
    DType dtype;
    uint16_t reg;
    bool at_end;  // computed in scratch and copied when the tile is done, so it may overwrite an
                  // input
    bool past_caches;  // copied past the caches
};

struct EwArgs {
    int32_t ndim, num_inputs, num_outputs, num_instrs, num_regs;
    int64_t dims[kEwMaxDims];  // of the output, collapsed
    int64_t volume;
    const EwInput* inputs;
    const EwOutput* outputs;
    const EwInstr* instrs;
    const int32_t* offsets;  // per register: bytes into the thread's scratch, or -1 (in place)
    char* scratch;
    int64_t scratch_stride;  // bytes per thread
};

// Applies one instruction to n elements.
using EwTileFn = void (*)(void* dst, const void* a, const void* b, const void* c, int64_t n);

struct ElementwiseKernels {
    KernelFn run;  // EwArgs
};
HB_DECLARE_KERNELS(ElementwiseKernels, elementwise_kernels)

}  // namespace hb
