// The results of the quality study: one JSON line a run, added and synced when the run is over.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/files.h"
#include "common/result.h"
#include "tests/bench/quality_settings.h"

namespace bench {

// A run's line:
//
//   settings    every field of QualitySettings, and "data" and "precision"
//   parameters, windows, tokens, bytes_sent
//   curve       [[tokens, loss, standard error, train loss, bytes sent] ...] over the first
//               sequences
//   loss, standard_error, flushed_loss (or null), losses  at the end, over all held-out sequences
//   wall_seconds, cpu_seconds
//   diverged    a sentence, instead of a loss, of a run that did not end
class QualityResults {
 public:
  // `file` need not be there. A last line that a crash cut off is ignored, and ended before the
  // next is added.
  static common::Result<QualityResults> open(const std::filesystem::path& file);

  const std::vector<nlohmann::json>& lines() const { return lines_; }
  bool has(const nlohmann::json& settings) const;
  // Reads what other processes have added.
  common::Result<void> refresh();
  common::Result<void> add(const nlohmann::json& line);
  // The run is ours alone while the lock lives; nothing if another process is at it.
  std::optional<common::FolderLock> claim(const nlohmann::json& settings) const;

 private:
  explicit QualityResults(std::filesystem::path file) : file_(std::move(file)) {}

  std::filesystem::path file_;
  std::vector<nlohmann::json> lines_;
  std::set<std::string> known_;  // Settings, as text.
};

}  // namespace bench
