#include "validator/heldout.h"

#include <map>

namespace validator {

std::optional<double> heldout_loss(const WindowEvidence& evidence) {
  std::map<uint64_t, double> loss_of;  // By sequence: peers share them.
  for (const Evidence& row : evidence.peers) {
    for (size_t i = 0; i < row.common.samples.size(); ++i) {
      loss_of.emplace(row.common.samples[i], row.common.before[i]);
    }
  }
  if (loss_of.empty()) return std::nullopt;
  double sum = 0;
  for (const auto& [sample, loss] : loss_of) sum += loss;
  return sum / static_cast<double>(loss_of.size());
}

std::vector<std::pair<uint64_t, double>> heldout_history(const ScoreStore& scores) {
  std::vector<std::pair<uint64_t, double>> history;
  const auto windows = scores.windows();
  if (!windows) return history;
  for (const Window window : *windows) {
    const auto record = scores.read(window);
    const auto loss = record ? heldout_loss(record->evidence) : std::nullopt;
    if (loss) history.emplace_back(window.index, *loss);
  }
  return history;
}

}  // namespace validator
