// Matrix products as instructions, for the ops that are made of them.
#pragma once

#include "core/op.h"
#include "kernels/gemm.h"
#include "kernels/gemm_rows.h"

namespace hb {

// c[i] (m,n) = A_i B_i and then the epilogue, A_i (m,k) and B_i (k,n) at any strides (in elements);
// c is dense.
struct Product {
    DType dtype;
    const void *a = nullptr, *b = nullptr;
    void* c = nullptr;
    int64_t m, n, k;
    int64_t a_row, a_col, b_row, b_col;
    Epilogue epilogue = {};
    bool b_invariant = false;                             // as Emit::invariant()
    std::vector<int64_t> a_offset = {0}, b_offset = {0};  // one a product
};
// All of it, or rows [begin, end) * (m / count) of the one product there is: the same bits.
void emit_product(Emit& e, Product p, const Part* part = nullptr);
bool product_in_parts(const Product& p);

// c (m,n) = A^T B of a (k,m) and b (k,n), dense, over all k rows or those of a list; sums (n), or
// null: those of b's rows.
void emit_outer(Emit& e, DType dtype, OuterArgs args);
// Whether that beats a product that knows nothing of the shape: a long sum, few rows and columns.
inline bool is_outer(int64_t m, int64_t n, int64_t k) {
    return k >= 1024 && m >= 48 && m <= 864 && n > 16 && m * n >= 6144;
}

}  // namespace hb
