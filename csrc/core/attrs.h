// What an op needs beside its inputs: a few named numbers, lists and strings.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "core/types.h"

namespace hb {

struct LoopBody;  // the traced body of a loop (program/loop.h)

class Attrs {
  public:
    using Value = std::variant<bool, int64_t, double, std::vector<int64_t>, std::string,
                               std::shared_ptr<const LoopBody>>;
    struct Item {
        std::string name;
        Value value;
        bool operator==(const Item&) const = default;
    };

    Attrs() = default;
    Attrs(std::initializer_list<Item> items) : items_(items) {}

    void set(std::string name, Value value);
    bool has(std::string_view name) const { return find(name) != nullptr; }

    bool b(std::string_view name) const;
    bool b(std::string_view name, bool absent) const { return has(name) ? b(name) : absent; }
    int64_t i(std::string_view name) const;
    int64_t i(std::string_view name, int64_t absent) const { return has(name) ? i(name) : absent; }
    double f(std::string_view name) const;
    double f(std::string_view name, double absent) const { return has(name) ? f(name) : absent; }
    const std::vector<int64_t>& ints(std::string_view name) const;
    const LoopBody& body(std::string_view name) const;
    const std::string& s(std::string_view name) const;
    std::string s(std::string_view name, std::string absent) const {
        return has(name) ? s(name) : absent;
    }
    DType dtype(std::string_view name = "dtype") const { return dtype_from_name(s(name)); }
    DType dtype(std::string_view name, DType absent) const {
        return has(name) ? dtype(name) : absent;
    }

    const std::vector<Item>& items() const { return items_; }
    bool operator==(const Attrs&) const = default;

  private:
    const Value* find(std::string_view name) const;
    const Value& get(std::string_view name) const;
    std::vector<Item> items_;
};

}  // namespace hb
