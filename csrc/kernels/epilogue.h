// What is done to a product's or convolution's results before they are stored.
#pragma once

#include "kernels/kernel.h"

namespace hb {

// y = relu?((z + bias) scale + shift + other), each where it is not null.
struct Epilogue {
    const void *bias = nullptr, *scale = nullptr, *shift = nullptr;  // (F), of y's last axis
    const void* other = nullptr;                                     // of y's shape
    bool relu = false;

    bool any() const { return bias || scale || shift || other || relu; }
};

}  // namespace hb
