// A bug aborts, in every build: a wrong replica is worth less than a stopped one.
#pragma once

#include <string_view>

namespace common {

// Says "CHECK failed: <condition>[: <message>] at <file>:<line>" on standard error and aborts.
[[noreturn]] void check_failed(const char* condition, std::string_view message, const char* file,
                               int line);

}  // namespace common

// What must hold if our own code is right. Never for input: that is a Result or a Verdict.
#define CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::common::check_failed(#condition, {}, __FILE__, __LINE__))

#define CHECK_MSG(condition, message) \
  ((condition) ? static_cast<void>(0) \
               : ::common::check_failed(#condition, (message), __FILE__, __LINE__))
