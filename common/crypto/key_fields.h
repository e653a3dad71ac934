// The text members of a key file: one flat JSON object, read without a copy that is not wiped.
//
// Not nlohmann-json, because its lexer leaves the phrase behind in freed memory.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/crypto/secret_bytes.h"
#include "common/result.h"

namespace common::crypto {

class KeyFields {
 public:
  // kInvalidArgument for text that is not one JSON object of texts, numbers, booleans and nulls,
  // that names a member twice, or has more than 64. Numbers, booleans and nulls count as absent.
  static Result<KeyFields> parse(std::string_view json);

  // Empty if absent.
  std::string_view get(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, SecretBytes>> members_;
};

}  // namespace common::crypto
