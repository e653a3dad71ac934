// The vectors under tests/common/data.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "common/bytes.h"

namespace common {

inline nlohmann::json data_file(const std::string& name) {
  const std::string path = std::string(MUSTER_SOURCE_DIR) + "/tests/common/data/" + name;
  std::ifstream in(path);
  EXPECT_TRUE(in) << path;
  return nlohmann::json::parse(in);
}

// The text of such a file's member; clang finds no == between a std::string and JSON.
inline std::string said(const nlohmann::json& text) { return text.get<std::string>(); }

// The bytes of a hex text in such a file.
inline Bytes hex_of(const nlohmann::json& text) {
  const auto bytes = from_hex(text.get<std::string>());
  EXPECT_TRUE(bytes.has_value()) << text;
  return bytes.value_or(Bytes());
}

template <size_t N>
std::array<uint8_t, N> array_of(const nlohmann::json& text) {
  const Bytes bytes = hex_of(text);
  EXPECT_EQ(bytes.size(), N);
  return ByteReader(bytes).array<N>();
}

}  // namespace common
