// What a verb prints: a table for people, JSON for programs.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/keys.h"

namespace chain::cli {

using nlohmann::json;

// Columns in their order; a heading that starts with '>' sets its column to the right (numbers).
struct Table {
  std::vector<std::string> headings;
  std::vector<std::vector<std::string>> rows;  // each as long as `headings`
};

// All cells padded to their column's width, two spaces between; a line a row.
std::string render(const Table& table);
// "name   value" lines, the names padded to the longest.
std::string render_fields(const std::vector<std::pair<std::string, std::string>>& fields);

// Writes to standard output.
void print(std::string_view text);
void print_json(const json& value);

// Exactly: 1'500'000'000 rao is "1.5", 1 rao is "0.000000001".
std::string tao(uint64_t rao);
// The other way; nothing for a sign, an exponent, more than nine decimals, or what does not fit.
std::optional<uint64_t> parse_tao(std::string_view text);

// "5GrwvaEF..HGKutQY", for tables.
std::string brief(const common::AccountId& account);
// A share of 65,535 with four decimals: "0.5000".
std::string share(uint16_t value);
std::string yes_no(bool value);

}  // namespace chain::cli
