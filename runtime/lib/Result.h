//===- Result.h - a value or why there is none ----------------------------===//
//
// C++20 has no std::expected. An Error is one line for the user: lower case, no
// full stop, with the file and both the found and the expected value; its errno
// is what the C API returns. The fault path does not use it: there EEXIST and
// EAGAIN are ordinary outcomes with enums of their own.
//
//===----------------------------------------------------------------------===//

#ifndef SPACER_RUNTIME_RESULT_H
#define SPACER_RUNTIME_RESULT_H

#include <cassert>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <variant>

namespace spacer {

struct Error {
  int sysErrno = EINVAL; ///< positive, never 0
  std::string context;   ///< the whole message
};

/// `what: strerror(err)`, with the calling thread's errno by default.
inline Error systemError(std::string what, int err = errno) {
  return {err, std::move(what) + ": " + std::strerror(err)};
}

template <class T> class [[nodiscard]] Result {
public:
  Result(T value) : state(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state.index() == 0; }
  T &operator*() & { return value(); }
  const T &operator*() const & { return value(); }
  T &&operator*() && { return std::move(value()); }
  T *operator->() { return &value(); }
  const T *operator->() const { return &value(); }
  const Error &error() const { return *std::get_if<1>(&state); }
  Error takeError() { return std::move(*std::get_if<1>(&state)); }

private:
  T &value() {
    assert(*this);
    return *std::get_if<0>(&state);
  }
  const T &value() const {
    assert(*this);
    return *std::get_if<0>(&state);
  }
  std::variant<T, Error> state;
};

template <> class [[nodiscard]] Result<void> {
public:
  Result() = default;
  Result(Error error) : failed(true), why(std::move(error)) {}

  explicit operator bool() const { return !failed; }
  const Error &error() const { return why; }
  Error takeError() { return std::move(why); }

private:
  bool failed = false;
  Error why;
};

} // namespace spacer

#endif
