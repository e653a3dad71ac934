// What a node says of itself in <data>/status.json.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "deploy/net/plan.h"
#include "deploy/net/view.h"

namespace deploy {

// The status file as JSON; null while there is none. Status is for looking: trouble with one is no
// error.
nlohmann::json read_status_file(const Node& node);

// The parts that are there; the others are left as they are. Whatever the file holds, nothing is
// thrown.
void read_node(const nlohmann::json& status, NodeView& node);
std::vector<Judgement> read_judgements(const nlohmann::json& status);
std::vector<std::pair<uint64_t, double>> read_heldout(const nlohmann::json& status);

}  // namespace deploy
