#include "deploy/net/status_file.h"

#include <nlohmann/json.hpp>

#include "common/files.h"

namespace deploy {
namespace {

using nlohmann::json;

constexpr uint64_t kStatusMax = 4 << 20;

// nlohmann's value() throws for a field of another type: a half-written or strange file must not
// end us.
template <typename T>
T field(const json& object, const char* key, T otherwise) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || found == object.end()) return otherwise;
  if constexpr (std::is_same_v<T, std::string>) {
    return found->is_string() ? found->template get<T>() : otherwise;
  } else {
    return found->is_number() ? found->template get<T>() : otherwise;
  }
}

}  // namespace

json read_status_file(const Node& node) {
  const auto bytes = common::read_file(node.data_folder() / "status.json", kStatusMax);
  return bytes ? json::parse(common::text_of(*bytes), nullptr, /*allow_exceptions=*/false) : json();
}

void read_node(const json& status, NodeView& node) {
  node.phase = field(status, "phase", node.phase);
  node.sealed_bytes = field(status, "sealed_bytes", node.sealed_bytes);
  node.verdict = field(status, "verdict", node.verdict);
}

std::vector<Judgement> read_judgements(const json& status) {
  std::vector<Judgement> judgements;
  if (!status.is_object() || !status.contains("peers")) return judgements;
  for (const json& peer : status["peers"]) {
    judgements.push_back({.uid = field(peer, "uid", uint16_t{0}),
                          .gain = field(peer, "gain", 0.0),
                          .gain_error = field(peer, "gain_error", 0.0),
                          .advantage = field(peer, "advantage", 0.0),
                          .rating = field(peer, "rating", 0.0),
                          .weight = field(peer, "weight", 0.0)});
  }
  return judgements;
}

std::vector<std::pair<uint64_t, double>> read_heldout(const json& status) {
  std::vector<std::pair<uint64_t, double>> history;
  if (!status.is_object() || !status.contains("heldout_history")) return history;
  for (const json& point : status["heldout_history"]) {
    const bool good = point.is_array() && point.size() == 2 && point[0].is_number_unsigned() &&
                      point[1].is_number();
    if (good) history.emplace_back(point[0].get<uint64_t>(), point[1].get<double>());
  }
  return history;
}

}  // namespace deploy
