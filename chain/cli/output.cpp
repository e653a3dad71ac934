#include "chain/cli/output.h"

#include <algorithm>
#include <charconv>
#include <iomanip>
#include <iostream>
#include <sstream>

#include "chain/ledger.h"
#include "common/check.h"

namespace chain::cli {
namespace {

bool goes_right(const std::string& heading) { return heading.starts_with('>'); }

std::string_view shown(const std::string& heading) {
  return std::string_view(heading).substr(goes_right(heading) ? 1 : 0);
}

void append_cell(std::string& line, std::string_view cell, size_t width, bool right) {
  const std::string padding(width - cell.size(), ' ');
  if (!line.empty()) line += "  ";
  if (right) line += padding;
  line += cell;
  if (!right) line += padding;
}

void append_line(std::string& out, std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + "\n";
}

}  // namespace

std::string render(const Table& table) {
  std::vector<size_t> widths;
  for (const std::string& heading : table.headings) widths.push_back(shown(heading).size());
  for (const auto& row : table.rows) {
    CHECK(row.size() == widths.size());
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  const auto line_of = [&](const auto& cell_at) {
    std::string line;
    for (size_t i = 0; i < widths.size(); ++i) {
      append_cell(line, cell_at(i), widths[i], goes_right(table.headings[i]));
    }
    return line;
  };
  std::string out;
  append_line(out, line_of([&](size_t i) { return shown(table.headings[i]); }));
  for (const auto& row : table.rows) {
    append_line(out, line_of([&](size_t i) { return std::string_view(row[i]); }));
  }
  return out;
}

std::string render_fields(const std::vector<std::pair<std::string, std::string>>& fields) {
  size_t width = 0;
  for (const auto& [name, value] : fields) width = std::max(width, name.size());
  std::string out;
  for (const auto& [name, value] : fields) {
    append_line(out, name + std::string(width - name.size(), ' ') + "  " + value);
  }
  return out;
}

void print(std::string_view text) { std::cout << text << std::flush; }

void print_json(const json& value) {
  // Text from elsewhere may hold bytes that are no UTF-8: shown as U+FFFD rather than refused.
  print(value.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

std::string tao(uint64_t rao) {
  std::string fraction = std::to_string(kRaoPerTao + rao % kRaoPerTao).substr(1);
  fraction.erase(std::max<size_t>(fraction.find_last_not_of('0') + 1, 1));
  return std::to_string(rao / kRaoPerTao) + "." + fraction;
}

std::optional<uint64_t> parse_tao(std::string_view text) {
  constexpr size_t kDecimals = 9;
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction =
      point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  if (whole.empty() || fraction.size() > kDecimals || text.ends_with('.')) return std::nullopt;
  std::string digits(whole);
  digits += fraction;
  digits.append(kDecimals - fraction.size(), '0');
  const bool all_digits =
      std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!all_digits) return std::nullopt;
  uint64_t rao = 0;
  const auto [end, trouble] = std::from_chars(digits.data(), digits.data() + digits.size(), rao);
  if (trouble != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return rao;
}

std::string brief(const common::AccountId& account) {
  const std::string address = account.ss58();
  return address.substr(0, 8) + ".." + address.substr(address.size() - 7);
}

std::string share(uint16_t value) {
  std::ostringstream out;
  out << std::fixed << std::setprecision(4) << value / 65'535.0;
  return out.str();
}

std::string yes_no(bool value) { return value ? "yes" : "no"; }

}  // namespace chain::cli
