#include "chain/substrate/weight_commits.h"

#include <nlohmann/json.hpp>

#include "chain/substrate/scale.h"
#include "common/files.h"

namespace chain::substrate {
namespace {

using common::AccountId;
using common::Code;
using common::Error;
using common::Hash;
using common::Result;
using nlohmann::json;

constexpr int kFormat = 1;
constexpr size_t kFileSizeMax = 4u << 20;
constexpr size_t kWeightsMax = 4096;
constexpr int kOwnerOnly = 0600;

json to_json(const WeightCommit& commit) {
  return {{"hash", commit.hash.hex()},         {"uids", commit.uids},
          {"values", commit.values},           {"salt", commit.salt},
          {"version_key", commit.version_key}, {"block", commit.block}};
}

bool read_numbers(const json& from, const char* name, std::vector<uint16_t>& out) {
  const auto found = from.find(name);
  if (found == from.end() || !found->is_array() || found->size() > kWeightsMax) return false;
  for (const json& one : *found) {
    if (!one.is_number_unsigned() || one.get<uint64_t>() > UINT16_MAX) return false;
    out.push_back(one.get<uint16_t>());
  }
  return true;
}

bool read_number(const json& from, const char* name, uint64_t& out) {
  const auto found = from.find(name);
  if (found == from.end() || !found->is_number_unsigned()) return false;
  out = found->get<uint64_t>();
  return true;
}

std::optional<WeightCommit> of_json(const json& from) {
  if (!from.is_object()) return std::nullopt;
  WeightCommit out;
  const auto hash = from.find("hash");
  if (hash == from.end() || !hash->is_string()) return std::nullopt;
  const auto parsed = Hash::from_hex(hash->get<std::string>());
  const bool whole =
      parsed && read_numbers(from, "uids", out.uids) && read_numbers(from, "values", out.values) &&
      read_numbers(from, "salt", out.salt) && read_number(from, "version_key", out.version_key) &&
      read_number(from, "block", out.block);
  if (!whole) return std::nullopt;
  out.hash = *parsed;
  return out;
}

}  // namespace

Hash commit_hash(const AccountId& hotkey, uint16_t netuid, const WeightCommit& commit) {
  Encoder out;
  out.account(hotkey).number(netuid).numbers(commit.uids).numbers(commit.values);
  out.numbers(commit.salt).number(commit.version_key);
  return common::blake2b_256(out.done());
}

WeightCommitFile::WeightCommitFile(const std::filesystem::path& folder, const Hash& genesis,
                                   uint16_t netuid, const AccountId& hotkey)
    : file_(folder / ("weight-commits-" + genesis.hex().substr(0, 16) + "-" +
                      std::to_string(netuid) + "-" + hotkey.ss58() + ".json")) {}

Result<std::vector<WeightCommit>> WeightCommitFile::read() const {
  const auto bytes = common::read_file(file_, kFileSizeMax);
  if (!bytes && bytes.error().code == Code::kNotFound) return std::vector<WeightCommit>{};
  if (!bytes) return bytes.error();
  const json whole = json::parse(common::text_of(*bytes), nullptr, false);
  const Error damaged{Code::kCorrupt, file_.string() +
                                          " is damaged: the weights committed there cannot be "
                                          "revealed; remove it to commit anew"};
  if (!whole.is_object() || whole.value("format", 0) != kFormat || !whole.contains("commits") ||
      !whole["commits"].is_array() || whole["commits"].size() > kCommitsMax) {
    return damaged;
  }
  std::vector<WeightCommit> out;
  for (const json& one : whole["commits"]) {
    auto commit = of_json(one);
    if (!commit) return damaged;
    out.push_back(*std::move(commit));
  }
  return out;
}

Result<void> WeightCommitFile::write(const std::vector<WeightCommit>& commits) const {
  CHECK(commits.size() <= kCommitsMax);
  json all = json::array();
  for (const WeightCommit& commit : commits) all.push_back(to_json(commit));
  const std::string text = json{{"format", kFormat}, {"commits", all}}.dump() + "\n";
  return common::write_file(file_, common::view_of(text), kOwnerOnly);
}

}  // namespace chain::substrate
