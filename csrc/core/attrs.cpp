#include "core/attrs.h"

namespace hb {

void Attrs::set(std::string name, Value value) {
    for (Item& item : items_)
        if (item.name == name) {
            item.value = std::move(value);
            return;
        }
    items_.push_back({std::move(name), std::move(value)});
}

const Attrs::Value* Attrs::find(std::string_view name) const {
    for (const Item& item : items_)
        if (item.name == name) return &item.value;
    return nullptr;
}

const Attrs::Value& Attrs::get(std::string_view name) const {
    if (const Value* value = find(name)) return *value;
    fail_type("missing attribute '{}'.", name);
}

bool Attrs::b(std::string_view name) const {
    const Value& value = get(name);
    if (auto* v = std::get_if<bool>(&value)) return *v;
    if (auto* v = std::get_if<int64_t>(&value)) return *v != 0;
    fail_type("attribute '{}' must be a bool.", name);
}

int64_t Attrs::i(std::string_view name) const {
    const Value& value = get(name);
    if (auto* v = std::get_if<int64_t>(&value)) return *v;
    if (auto* v = std::get_if<bool>(&value)) return *v;
    fail_type("attribute '{}' must be an integer.", name);
}

double Attrs::f(std::string_view name) const {
    const Value& value = get(name);
    if (auto* v = std::get_if<double>(&value)) return *v;
    if (auto* v = std::get_if<int64_t>(&value)) return double(*v);
    if (auto* v = std::get_if<bool>(&value)) return *v;
    fail_type("attribute '{}' must be a number.", name);
}

const std::vector<int64_t>& Attrs::ints(std::string_view name) const {
    if (auto* v = std::get_if<std::vector<int64_t>>(&get(name))) return *v;
    fail_type("attribute '{}' must be a list of integers.", name);
}

const LoopBody& Attrs::body(std::string_view name) const {
    if (auto* v = std::get_if<std::shared_ptr<const LoopBody>>(&get(name))) return **v;
    fail_type("attribute '{}' must be the body of a loop.", name);
}

const std::string& Attrs::s(std::string_view name) const {
    if (auto* v = std::get_if<std::string>(&get(name))) return *v;
    fail_type("attribute '{}' must be a string.", name);
}

}  // namespace hb
