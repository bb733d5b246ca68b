// The elementwise interpreter: every tile of kEwTile outputs goes through the whole program while
// its registers are in L1. Cost: one indirect call per instruction and tile (~3 ns per 512).
#include "cpu/elementwise.h"

#include "cpu/philox.h"
#include "cpu/stream.h"

namespace hb::HB_ISA {
namespace {

// n elements at the given stride; dst has room for kEwSlack more bytes.
template <class U>
inline void copy_run(U* dst, const U* src, int64_t stride, int64_t n) {
    typedef U Chunk __attribute__((vector_size(kEwSlack), aligned(alignof(U)), may_alias));
    if (stride == 0) {
        const Chunk v = *src - Chunk{};
        for (int64_t i = 0; i < n; i += kEwSlack / int(sizeof(U))) *(Chunk*)(dst + i) = v;
    } else if (stride == 1) {
        for (int64_t i = 0; i < n; ++i) dst[i] = src[i];
    } else {
        for (int64_t i = 0; i < n; ++i) dst[i] = src[i * stride];
    }
}

// Outputs [start, start + n) of a broadcast or strided input.
template <class U>
void expand(U* dst, const EwInput& in, const EwArgs& p, int64_t start, int64_t n) {
    int64_t index[kEwMaxDims];
    const U* src = static_cast<const U*>(in.data);
    const int last = p.ndim - 1;
    for (int d = last; d >= 0; --d) {
        index[d] = start % p.dims[d];
        start /= p.dims[d];
        src += index[d] * in.strides[d];
    }
    const int64_t inner = p.dims[last], stride = in.strides[last];
    while (true) {
        const int64_t rest = inner - index[last], run = rest < n ? rest : n;
        copy_run(dst, src, stride, run);
        dst += run;
        n -= run;
        if (n == 0) return;
        src -= index[last] * stride;
        index[last] = 0;
        int d = last - 1;
        for (; index[d] + 1 == p.dims[d]; --d) {
            src -= index[d] * in.strides[d];
            index[d] = 0;
        }
        ++index[d];
        src += in.strides[d];
    }
}

// src, period elements long, repeated over n elements.
template <class U>
void unroll(U* dst, const void* data, int64_t period, int64_t n) {
    const U* src = static_cast<const U*>(data);
    for (int64_t i = 0; i < n; i += period)
        copy_run(dst + i, src, 1, period < n - i ? period : n - i);
}

template <class U>
void splat(U* dst, const void* data, int64_t n) {
    copy_run(dst, static_cast<const U*>(data), 0, n);
}

EwTileFn tile_of(const EwInstr& i) {
    if (i.op == EwOp::cast) return ew_cast_tile(i.type, i.result);
    const EwTileFn fn = ew_arithmetic_tile(i.op, i.type);
    return fn ? fn : ew_math_tile(i.op, i.type);
}

// Once per thread: scalars and short periods are unrolled for all tiles of n elements or less.
void prepare(const EwInput& in, char* dst, int64_t n) {
    const int64_t size = size_of(in.dtype);
    const bool scalar = in.access == EwAccess::scalar;
    if (!scalar) n += in.period;
    if (size == 8)
        scalar ? splat((uint64_t*)dst, in.data, n) : unroll((uint64_t*)dst, in.data, in.period, n);
    else if (size == 4)
        scalar ? splat((uint32_t*)dst, in.data, n) : unroll((uint32_t*)dst, in.data, in.period, n);
    else if (size == 2)
        scalar ? splat((uint16_t*)dst, in.data, n) : unroll((uint16_t*)dst, in.data, in.period, n);
    else
        scalar ? splat((uint8_t*)dst, in.data, n) : unroll((uint8_t*)dst, in.data, in.period, n);
}

char* strided_input(const EwInput& in, char* dst, const EwArgs& p, int64_t start, int64_t n) {
    const int64_t size = size_of(in.dtype), phase = in.period ? start % in.period : 0;
    if (phase + n <= in.period)
        return const_cast<char*>(static_cast<const char*>(in.data)) + phase * size;
    if (size == 8)
        expand((uint64_t*)dst, in, p, start, n);
    else if (size == 4)
        expand((uint32_t*)dst, in, p, start, n);
    else if (size == 2)
        expand((uint16_t*)dst, in, p, start, n);
    else
        expand((uint8_t*)dst, in, p, start, n);
    return dst;
}

// Word i of the stream decides about element i. Tiles begin at whole blocks of the stream.
void draw(const EwInput& in, uint8_t* keep, int64_t start, int64_t n) {
    static_assert(kEwTile % 4 == 0 && kEwTile / 4 <= kPhiloxTile);
    alignas(64) uint32_t words[4 * kPhiloxTile];
    philox_tile(static_cast<const int64_t*>(in.data), start / 4, words, (n + 3) / 4);
    const int32_t threshold = int32_t(in.threshold);
    for (int64_t i = 0; i < n; ++i) keep[i] = int32_t(words[i] >> 8) >= threshold;
}

void run(const void* args, int thread, int threads) {
    const EwArgs& p = *static_cast<const EwArgs*>(args);
    const Range blocks = split((p.volume + kEwBlock - 1) / kEwBlock, thread, threads);
    const int64_t begin = blocks.begin * kEwBlock;
    const int64_t end = blocks.end * kEwBlock < p.volume ? blocks.end * kEwBlock : p.volume;
    if (begin >= end) return;

    char* regs[kEwMaxRegs];
    EwTileFn tiles[kEwMaxRegs];
    char* scratch = p.scratch + thread * p.scratch_stride;
    for (int r = 0; r < p.num_regs; ++r)
        regs[r] = p.offsets[r] < 0 ? nullptr : scratch + p.offsets[r];
    for (int i = 0; i < p.num_instrs; ++i) tiles[i] = tile_of(p.instrs[i]);
    const int64_t longest = end - begin < kEwTile ? end - begin : kEwTile;
    for (int i = 0; i < p.num_inputs; ++i) {
        const EwAccess access = p.inputs[i].access;
        if (access == EwAccess::scalar || access == EwAccess::periodic)
            prepare(p.inputs[i], regs[i], longest);
    }

    for (int64_t start = begin; start < end; start += kEwTile) {
        const int64_t n = end - start < kEwTile ? end - start : kEwTile;
        for (int i = 0; i < p.num_inputs; ++i) {
            const EwInput& in = p.inputs[i];
            const int64_t size = size_of(in.dtype);
            if (in.access == EwAccess::direct)
                regs[i] = const_cast<char*>(static_cast<const char*>(in.data)) + start * size;
            else if (in.access == EwAccess::periodic)
                regs[i] = scratch + p.offsets[i] + (start % in.period) * size;
            else if (in.access == EwAccess::strided)
                regs[i] = strided_input(in, scratch + p.offsets[i], p, start, n);
            else if (in.access == EwAccess::drawn)
                draw(in, reinterpret_cast<uint8_t*>(regs[i]), start, n);
        }
        for (int o = 0; o < p.num_outputs; ++o) {
            const EwOutput& out = p.outputs[o];
            if (!out.at_end)
                regs[out.reg] = static_cast<char*>(out.data) + start * size_of(out.dtype);
        }
        for (int i = 0; i < p.num_instrs; ++i) {
            const EwInstr& in = p.instrs[i];
            tiles[i](regs[in.dst], regs[in.a], regs[in.b], regs[in.c], n);
        }
        for (int o = 0; o < p.num_outputs; ++o) {
            const EwOutput& out = p.outputs[o];
            const int64_t size = size_of(out.dtype);
            char* to = static_cast<char*>(out.data) + start * size;
            if (out.past_caches)
                copy_past_caches(to, regs[out.reg], n * size);
            else if (out.at_end)
                __builtin_memcpy(to, regs[out.reg], size_t(n * size));
        }
    }
    for (int o = 0; o < p.num_outputs; ++o) finish_stores(p.outputs[o].past_caches);
}

}  // namespace

extern const ElementwiseKernels elementwise_kernels = {run};

}  // namespace hb::HB_ISA
