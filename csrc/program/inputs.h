// What a program's inputs take from the caller's arrays at each step.
#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace hb {

// Rows at[first], at[first + 1], ... of an array, or from `first` on where `at` is null, converted.
struct Rows {
    const void* from = nullptr;
    DType from_dtype{};
    const int64_t* at = nullptr;
    int64_t first = 0;

    char* to = nullptr;
    DType to_dtype{};
    int64_t count = 0;          // of rows
    int64_t runs = 1, run = 0;  // a row: `runs` times `run` elements
    bool by_runs = false;       // run j of all rows lies before run j + 1 of the first one
};

// Shares are rows.
void copy_rows(const void* args, int thread, int threads);

}  // namespace hb
