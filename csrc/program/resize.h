// Programs for batches of sizes that nobody has traced.
#pragma once

#include <memory>
#include <optional>

#include "program/graph.h"

namespace hb {

// What two traces of one function have in common that differ in one size alone, that of a time axis
// say, and in attributes and constants that grow evenly with it. Where the function does the same
// for all sizes, this is its trace for any of them.
class Resizable {
  public:
    // Null where the traces differ in more than that.
    static std::unique_ptr<Resizable> of(const Graph& first, const Graph& second);

    // The trace for inputs of these types, which are those of before but for that size. Nothing
    // where another trace is needed.
    std::optional<Graph> resized(const std::vector<TensorType>& inputs) const;
    // Whether a third trace is what resized() makes for its inputs.
    bool foretells(const Graph& third) const;

  private:
    struct Grown {  // an attribute
        size_t node, item;
        Attrs::Value second;  // in the second trace
    };
    struct GrownConstant {  // all elements are one number
        size_t node;
        Tensor second;
    };
    bool find_size(const Graph& second);
    bool find_grown(const Graph& second);
    std::optional<int64_t> size_in(const std::vector<TensorType>& inputs) const;
    int64_t grown(int64_t first, int64_t second, int64_t size) const;
    Tensor grown(const GrownConstant& at, int64_t size) const;
    Attrs::Value grown(const Grown& at, int64_t size) const;

    Graph graph_;  // the first one
    std::vector<TensorType> inputs_;
    std::vector<std::pair<size_t, int>> free_;  // (input, axis) of the size that differs
    int64_t sizes_[2];                          // of both traces
    std::vector<Grown> grown_;
    std::vector<GrownConstant> constants_;
};

}  // namespace hb
