// Our own trouble, as a value: a store that times out, a full disk, a chain that refuses.
//
// Three kinds of failure are never mixed. A bug aborts (common/check.h); trouble is a `Result` and
// is handed up until somebody can retry, wait or tell the user; what a peer did wrong is a
// `Verdict` (common/verdict.h) and becomes evidence.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "common/check.h"

namespace common {

// What to do about it is in the code; what happened is in the sentence.
enum class Code {
  kInvalidArgument,  // The user's input: a flag, a config, a file. Say what would be right.
  kNotFound,         // It is not there; somebody answered and said so.
  kAlreadyExists,
  kUnavailable,  // Nobody answered. Retry until the deadline.
  kTimeout,
  kPermission,  // We may not: credentials, file modes, a wrong password.
  kCorrupt,     // Our own data is damaged.
  kExhausted,   // A limit: memory, disk, size, rate.
  kIo,          // The operating system failed us.
  kRefused,     // The chain or a server understood and said no.
  kCancelled,   // We were told to stop.
  kConflict,    // What we hold is not what the network holds.
};

// "unavailable", "not found", ... for messages and logs.
std::string_view name(Code code);

struct Error {
  Code code;
  std::string message;  // One sentence for the user, no full stop at the end.
};

// The same error, said from one floor further up: "reading hparams.json: <message>".
Error within(std::string_view context, Error error);

// A T, or an Error. `tl::expected` with its names; reading the value of an error is a bug (CHECK),
// not an exception.
template <typename T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
  using Base = tl::expected<T, Error>;

 public:
  using Base::Base;
  Result(Error error) : Base(tl::unexpected(std::move(error))) {}  // NOLINT: implicit by design

  decltype(auto) value() & { return checked(), Base::operator*(); }
  decltype(auto) value() const& { return checked(), Base::operator*(); }
  decltype(auto) value() && { return checked(), std::move(Base::operator*()); }
  decltype(auto) operator*() & { return value(); }
  decltype(auto) operator*() const& { return value(); }
  decltype(auto) operator*() && { return std::move(*this).value(); }
  auto* operator->() { return &value(); }
  auto* operator->() const { return &value(); }

 private:
  void checked() const { CHECK_MSG(this->has_value(), this->error().message); }
};

template <>
class [[nodiscard]] Result<void> : public tl::expected<void, Error> {
 public:
  Result() = default;
  Result(Error error)  // NOLINT: implicit by design
      : tl::expected<void, Error>(tl::unexpected(std::move(error))) {}
};

}  // namespace common

#define MUSTER_JOIN_(a, b) a##b
#define MUSTER_JOIN(a, b) MUSTER_JOIN_(a, b)

// TRY(const Bytes bytes, store.get(key));     declares `bytes`, or returns the error to our caller.
#define TRY(declaration, ...)                                                     \
  auto MUSTER_JOIN(result_at_, __LINE__) = (__VA_ARGS__);                         \
  if (!MUSTER_JOIN(result_at_, __LINE__).has_value()) {                           \
    return ::common::Error(std::move(MUSTER_JOIN(result_at_, __LINE__)).error()); \
  }                                                                               \
  declaration = std::move(MUSTER_JOIN(result_at_, __LINE__)).value() /* NOLINT */

// TRY_VOID(store.put(key, bytes));            the same for a call that yields nothing.
#define TRY_VOID(...)                                                             \
  if (auto MUSTER_JOIN(result_at_, __LINE__) = (__VA_ARGS__);                     \
      !MUSTER_JOIN(result_at_, __LINE__).has_value()) {                           \
    return ::common::Error(std::move(MUSTER_JOIN(result_at_, __LINE__)).error()); \
  }
