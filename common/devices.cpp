#include "common/devices.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace common {
namespace {

constexpr int kNumberMax = 1024;

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value < 0 || value > kNumberMax) return std::nullopt;
  return value;
}

// Of one item between commas; nothing if it is not one.
std::vector<std::string> expand(std::string_view item) {
  const size_t colon = item.find(':');
  const std::string_view kind = item.substr(0, colon);
  if (kind != "cpu" && kind != "cuda") return {};
  if (colon == std::string_view::npos) return {kind == "cpu" ? "cpu" : "cuda:0"};
  const std::string_view which = item.substr(colon + 1);
  if (kind == "cpu") {
    const auto threads = number(which);
    if (!threads || *threads == 0) return {};
    return {fmt::format("cpu:{}", *threads)};
  }
  const size_t dash = which.find('-');
  const auto first = number(which.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : number(which.substr(dash + 1));
  if (!first || !last || *last < *first) return {};
  std::vector<std::string> cards;
  for (int card = *first; card <= *last; ++card) cards.push_back(fmt::format("cuda:{}", card));
  return cards;
}

// What is wrong with all of them together; empty if nothing is.
std::string objection(const std::vector<std::string>& devices) {
  const auto is_card = [](const std::string& device) { return device.starts_with("cuda"); };
  if (devices.size() > kDevicesMax) return fmt::format("should be {} at most", kDevicesMax);
  const auto cards = static_cast<size_t>(std::ranges::count_if(devices, is_card));
  if (cards > 0 && cards < devices.size()) return "should be all CPUs or all GPUs";
  std::vector<std::string> sorted = devices;
  std::ranges::sort(sorted);
  const auto twice = std::ranges::adjacent_find(sorted);
  if (cards > 0 && twice != sorted.end()) return "should name " + *twice + " once";
  return "";
}

}  // namespace

Result<std::vector<std::string>> parse_devices(std::string_view text) {
  const auto refused = [](std::string why) { return Error{Code::kInvalidArgument, why}; };
  std::vector<std::string> devices;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    const std::vector<std::string> found = expand(text.substr(at, end - at));
    if (found.empty()) {
      return refused(
          "should be cpu, cpu:THREADS, cuda:NUMBER, or several with commas between (cuda:0,cuda:2; "
          "cuda:0-7)");
    }
    devices.insert(devices.end(), found.begin(), found.end());
    if (const std::string why = objection(devices); !why.empty()) return refused(why);
    at = end + 1;
  }
  return devices;
}

}  // namespace common
