// Reads vector files. What is not of the format throws; `replay_vectors` is the edge that catches.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "chain/vectors.h"
#include "common/bytes.h"

namespace chain::vectors {

using nlohmann::json;

[[noreturn]] inline void malformed(const std::string& what) { throw std::invalid_argument(what); }

// A number that fits, written as a number or as a decimal string (JSON readers lose bits above
// 2^53).
template <std::integral T>
T integer(const json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<uint64_t>();
    if (std::in_range<T>(number)) return static_cast<T>(number);
  } else if (value.is_number_integer()) {
    const auto number = value.get<int64_t>();
    if (std::in_range<T>(number)) return static_cast<T>(number);
  } else if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    T number{};
    const auto [end, trouble] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (trouble == std::errc{} && end == text.data() + text.size()) return number;
  }
  malformed("not an integer of " + std::to_string(8 * sizeof(T)) + " bits: " + value.dump());
}

template <std::integral T>
T integer(const json& object, const char* key) {
  return integer<T>(object.at(key));
}

inline const std::string& text(const json& object, const char* key) {
  return object.at(key).get_ref<const std::string&>();
}

inline common::Bytes bytes(const json& value) {
  const auto out = common::from_hex(value.get_ref<const std::string&>());
  if (!out) malformed("not hexadecimal: " + value.dump());
  return *out;
}

template <size_t N>
std::array<uint8_t, N> fixed_bytes(const json& value) {
  const common::Bytes out = bytes(value);
  if (out.size() != N) malformed("not " + std::to_string(N) + " bytes: " + value.dump());
  std::array<uint8_t, N> fixed;
  std::copy(out.begin(), out.end(), fixed.begin());
  return fixed;
}

// Collects what differs in one case.
class Comparison {
 public:
  Comparison(Replay& replay, std::string name)
      : replay_(replay), name_(std::move(name)), before_(replay.differences.size()) {}
  ~Comparison() {
    ++replay_.cases;
    if (replay_.differences.size() == before_) ++replay_.matching;
  }
  Comparison(const Comparison&) = delete;
  Comparison& operator=(const Comparison&) = delete;

  // Both are shown as JSON.
  void expect(const std::string& what, const json& expected, const json& got) {
    if (expected == got) return;
    replay_.differences.push_back(name_ + ": " + what + ": expected " + expected.dump() + ", got " +
                                  got.dump());
  }

 private:
  Replay& replay_;
  std::string name_;
  size_t before_;
};

inline std::string hex(common::ByteView value) { return "0x" + common::to_hex(value); }

// One a format. They throw std::exception for what is not of it.
Replay replay_epochs(const json& file);
Replay replay_keys(const json& file);
Replay replay_extrinsics(const json& file);

}  // namespace chain::vectors
