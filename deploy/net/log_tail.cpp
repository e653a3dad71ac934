#include "deploy/net/log_tail.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

namespace deploy {
namespace {

constexpr std::streamoff kTailBytes = 8192;
constexpr size_t kSentenceMax = 300;

}  // namespace

std::string log_sentence(std::string_view line) {
  std::string text(line);
  const auto object = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (object.is_object() && object.contains("message") && object["message"].is_string()) {
    text = object["message"].get<std::string>();
  }
  std::replace_if(
      text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == 127; }, ' ');
  if (text.size() > kSentenceMax) text.resize(kSentenceMax);
  return text;
}

std::string last_sentence(const std::filesystem::path& log) {
  std::ifstream in(log, std::ios::binary | std::ios::ate);
  if (!in) return "";
  const std::streamoff size = in.tellg();
  in.seekg(std::max<std::streamoff>(0, size - kTailBytes));
  std::string line;
  std::string last;
  while (std::getline(in, line)) {
    if (!line.empty()) last = line;
  }
  return log_sentence(last);
}

}  // namespace deploy
