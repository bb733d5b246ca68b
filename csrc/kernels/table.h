// All kernels of one ISA level.
#pragma once

#include "kernels/kernel.h"

namespace hb {

struct GemmKernels;
struct GemmRowsKernels;
struct ConvKernels;
struct ElementwiseKernels;
struct ReduceKernels;
struct SoftmaxKernels;
struct NormKernels;
struct BatchNormKernels;
struct MaxPoolKernels;
struct AvgPoolKernels;
struct LayoutKernels;
struct IndexKernels;
struct RandomKernels;
struct OptimKernels;
struct RnnKernels;
struct AttentionKernels;
struct MeasureKernels;

struct KernelTable {
    const char* isa;
    const GemmKernels* gemm;
    const GemmRowsKernels* gemm_rows;
    const ConvKernels* conv;
    const ElementwiseKernels* elementwise;
    const ReduceKernels* reduce;
    const SoftmaxKernels* softmax;
    const NormKernels* norm;
    const BatchNormKernels* batch_norm;
    const MaxPoolKernels* max_pool;
    const AvgPoolKernels* avg_pool;
    const LayoutKernels* layout;
    const IndexKernels* index;
    const RandomKernels* random;
    const OptimKernels* optim;
    const RnnKernels* rnn;
    const AttentionKernels* attention;
    const MeasureKernels* measure;
};

}  // namespace hb
