#include "tests/bench/quality_results.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

#include "common/check.h"
#include "common/hash.h"

namespace bench {

using common::Code;
using common::Error;
using common::Result;
using nlohmann::json;

namespace {

// A line that is older than a setting ran with its default.
void complete(json& identity) {
  const json defaults = QualitySettings{}.to_json();
  for (const auto& [key, value] : defaults.items()) {
    if (!identity.contains(key)) identity[key] = value;
  }
}

}  // namespace

Result<QualityResults> QualityResults::open(const std::filesystem::path& file) {
  if (file.has_parent_path()) TRY_VOID(common::make_folder(file.parent_path()));
  QualityResults results(file);
  TRY_VOID(results.refresh());
  return results;
}

Result<void> QualityResults::refresh() {
  lines_.clear();
  known_.clear();
  std::ifstream in(file_);
  for (std::string line; std::getline(in, line);) {
    json parsed = json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!parsed.is_object() || !parsed.contains("settings")) continue;  // Cut off.
    complete(parsed.at("settings"));
    known_.insert(parsed.at("settings").dump());
    lines_.push_back(std::move(parsed));
  }
  return {};
}

bool QualityResults::has(const json& settings) const { return known_.contains(settings.dump()); }

Result<void> QualityResults::add(const json& line) {
  const auto failed = [&](const char* what) {
    return Error{Code::kIo, std::string(what) + " " + file_.string() + ": " + strerror(errno)};
  };
  const int descriptor = ::open(file_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor < 0) return failed("opening");
  char last = '\n';
  if (const off_t end = lseek(descriptor, 0, SEEK_END); end > 0) {
    if (pread(descriptor, &last, 1, end - 1) != 1) last = '\n';
  }
  std::string text;
  if (last != '\n') text += '\n';
  text += line.dump();
  text += '\n';
  // In one piece: two processes' lines do not mix.
  const bool written =
      write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
      fsync(descriptor) == 0;
  const Error error = failed("writing");
  close(descriptor);
  if (!written) return error;
  known_.insert(line.at("settings").dump());
  lines_.push_back(line);
  return {};
}

std::optional<common::FolderLock> QualityResults::claim(const json& settings) const {
  const std::string name = common::blake2b_256(common::view_of(settings.dump())).brief();
  const std::filesystem::path folder = file_.string() + ".running/" + name;
  if (!common::make_folder(folder)) return std::nullopt;
  auto lock = common::FolderLock::take(folder);
  if (!lock) return std::nullopt;
  return std::move(lock).value();
}

}  // namespace bench
