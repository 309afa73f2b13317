// Errors that users see. Every message names the op, the shapes or dtypes that were wrong, and
// the fix; the kind decides which Python exception it becomes (PyTorch's choice in each case).
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace veem {

enum class ErrorKind { Runtime, Index, Value, Type, NotImplemented, Memory };

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind(kind) {}
  const ErrorKind kind;
};

// Raises "op: part part part".
template <class... Parts>
[[noreturn]] void raise(ErrorKind kind, const char* op, const Parts&... parts) {
  std::ostringstream text;
  text << op << ": ";
  (text << ... << parts);
  throw Error(kind, text.str());
}

#define VEEM_CHECK_AS(kind, condition, op, ...)                \
  do {                                                         \
    if (__builtin_expect(!(condition), 0))                     \
      ::veem::raise(::veem::ErrorKind::kind, op, __VA_ARGS__); \
  } while (0)

#define VEEM_CHECK(condition, op, ...) VEEM_CHECK_AS(Runtime, condition, op, __VA_ARGS__)

}  // namespace veem
