#include "validator/report.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace validator {
namespace {

using nlohmann::json;

// JSON knows no infinity: "inf" and "-inf" are texts.
json number(double value) {
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

json numbers(const std::vector<double>& values) {
  json list = json::array();
  for (const double value : values) list.push_back(number(value));
  return list;
}

json to_json(const Losses& losses) {
  return {{"samples", losses.samples},
          {"before", numbers(losses.before)},
          {"after", numbers(losses.after)}};
}

json to_json(const Evidence& row) {
  return {{"uid", row.uid.index},
          {"hotkey", row.hotkey.ss58()},
          {"verdict", common::name(row.verdict)},
          {"contribution", row.contribution.hex()},
          {"sealed_size", row.sealed_size},
          {"common", to_json(row.common)},
          {"own", {{"trained", to_json(row.own.trained)}, {"control", to_json(row.own.control)}}},
          {"overlap", row.overlap},
          {"overlap_z", row.overlap_z},
          {"overlap_with", row.overlap_with.index}};
}

json to_json(const Standing& standing) {
  return {{"uid", standing.uid.index},
          {"hotkey", standing.hotkey.ss58()},
          {"mu", standing.mu},
          {"sigma", standing.sigma},
          {"advantage", standing.advantage},
          {"multiplier", standing.multiplier},
          {"judged_count", standing.judged_count},
          {"waited", standing.waited},
          {"absent", standing.absent},
          {"last_gain", number(standing.last_gain)},
          {"last_gain_error", standing.last_gain_error},
          {"last_advantage_z", number(standing.last_advantage_z)},
          {"last_verdict", common::name(standing.last_verdict)}};
}

}  // namespace

json record_json(const Record& record) {
  json evidence = json::array();
  for (const Evidence& row : record.evidence.peers) evidence.push_back(to_json(row));
  json standings = json::array();
  for (const Standing& standing : record.board.standings) standings.push_back(to_json(standing));
  json shares = json::array();
  for (const Share& share : record.weights) {
    shares.push_back({{"uid", share.uid.index}, {"share", share.share}});
  }
  return {{"version", 1},
          {"window", record.evidence.window.index},
          {"manifest", record.evidence.manifest.hex()},
          {"base_root", record.evidence.base_root.hex()},
          {"seed_block", record.evidence.seed_block.hex()},
          {"evidence", std::move(evidence)},
          {"standings", std::move(standings)},
          {"weights", std::move(shares)},
          {"previous", record.previous.hex()},
          {"hash", record.hash.hex()}};
}

std::string score_report(const Record& record, const common::Keypair& hotkey) {
  json report = record_json(record);
  report["signer"] = hotkey.account().ss58();
  report["signature"] = common::to_hex(hotkey.sign(record.hash.bytes));
  return report.dump();
}

}  // namespace validator
