// Errors in the user's terms. The bindings turn them into Python's ValueError, TypeError and
// IndexError.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace hb {

enum class ErrorKind { value, type, index, runtime };

class Error : public std::runtime_error {
  public:
    Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
    ErrorKind kind() const { return kind_; }

  private:
    ErrorKind kind_;
};

namespace detail {
inline void format_into(std::ostringstream& out, std::string_view text) { out << text; }

template <class First, class... Rest>
void format_into(std::ostringstream& out, std::string_view text, const First& first,
                 const Rest&... rest) {
    const size_t hole = text.find("{}");
    if (hole == std::string_view::npos) {
        out << text;
        return;
    }
    out << text.substr(0, hole) << first;
    format_into(out, text.substr(hole + 2), rest...);
}
}  // namespace detail

// Puts each argument into the next "{}" of text; anything with operator<< will do.
template <class... Args>
std::string format(std::string_view text, const Args&... args) {
    std::ostringstream out;
    detail::format_into(out, text, args...);
    return out.str();
}

template <class... Args>
[[noreturn]] void fail_value(std::string_view text, const Args&... args) {
    throw Error(ErrorKind::value, format(text, args...));
}
template <class... Args>
[[noreturn]] void fail_type(std::string_view text, const Args&... args) {
    throw Error(ErrorKind::type, format(text, args...));
}
template <class... Args>
[[noreturn]] void fail_index(std::string_view text, const Args&... args) {
    throw Error(ErrorKind::index, format(text, args...));
}

}  // namespace hb
