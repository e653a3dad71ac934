#include "chain/substrate/weight_setter.h"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "chain/substrate/query.h"
#include "common/log.h"

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;
using common::milliseconds;

constexpr int kAttemptsMax = 4;
constexpr milliseconds kPause{2'000};
constexpr size_t kSaltSize = 8;

bool may_pass(const Error& error) {
  return error.code == Code::kTimeout || error.code == Code::kUnavailable ||
         error.code == Code::kConflict;
}

Error too_fast(const WeightRules& rules, uint64_t block) {
  const uint64_t wait = std::max<uint64_t>(rules.wait_blocks(block), 1);
  return {Code::kRefused, "weights were set at block " + std::to_string(rules.last_update) +
                              ", and the subnet takes them every " +
                              std::to_string(rules.rate_limit) + " blocks: wait " +
                              std::to_string(wait) + " block" + (wait == 1 ? "" : "s")};
}

std::vector<uint16_t> uids_of(std::span<const Weight> weights) {
  std::vector<uint16_t> out;
  for (const Weight& weight : weights) out.push_back(weight.uid.index);
  return out;
}
std::vector<uint16_t> values_of(std::span<const Weight> weights) {
  std::vector<uint16_t> out;
  for (const Weight& weight : weights) out.push_back(weight.value);
  return out;
}

// The chain scales a row so that its largest is 65,535; one in rounding is no other row.
bool same_row(const std::vector<Weight>& row, std::span<const Weight> weights) {
  if (row.size() != weights.size()) return false;
  uint32_t largest = 1;
  for (const Weight& weight : weights) largest = std::max<uint32_t>(largest, weight.value);
  for (size_t i = 0; i < row.size(); ++i) {
    const uint64_t scaled = uint64_t{weights[i].value} * 65'535 / largest;
    const uint64_t held = row[i].value;
    if (row[i].uid != weights[i].uid || held > scaled + 1 || held + 1 < scaled) return false;
  }
  return true;
}

Result<std::optional<Value>> one_item(ChainReader& chain, const View& at, std::string_view item,
                                      const Json& keys) {
  Query query(at);
  const size_t place = query.ask(kSubtensor, item, keys);
  TRY_VOID(query.fetch(chain));
  auto value = query.value(place);
  TRY_VOID(query.finish());
  return value;
}

Result<std::vector<Weight>> row_of(ChainReader& chain, uint16_t netuid, uint16_t uid,
                                   const View& at) {
  Query query(at);
  const size_t place = query.ask(kSubtensor, "Weights", Json::array({netuid, uid}));
  TRY_VOID(query.fetch(chain));
  auto row = query.row(place);
  TRY_VOID(query.finish());
  return row;
}

// (hash, and three numbers whose meaning the runtime's age decides) of a commit on the chain.
struct CommitOnChain {
  std::array<uint64_t, 3> numbers{};
};
Result<std::optional<CommitOnChain>> find_commit(ChainReader& chain, uint16_t netuid,
                                                 const AccountId& hotkey, const Hash& hash,
                                                 const View& at) {
  TRY(const auto value,
      one_item(chain, at, "WeightCommits", Json::array({netuid, key_of(hotkey)})));
  const Value::List* list = value ? value->list() : nullptr;
  if (list == nullptr) return std::optional<CommitOnChain>();
  for (const Value& entry : *list) {
    const Value* name = entry.at(size_t{0});
    if (name == nullptr || name->hash() != hash) continue;
    CommitOnChain out;
    for (size_t i = 0; i < out.numbers.size(); ++i) {
      const Value* number = entry.at(i + 1);
      out.numbers[i] = number ? number->number<uint64_t>().value_or(0) : 0;
    }
    return std::optional(out);
  }
  return std::optional<CommitOnChain>();
}

}  // namespace

Result<void> WeightSetter::set(const Keypair& hotkey, std::span<const Weight> weights,
                               uint64_t version_key) {
  Attempt attempt{weights, version_key};
  auto done = try_until_over(hotkey, attempt);
  if (done) return done;
  const bool only_early = done.error().message.find(": wait ") != std::string::npos;
  if (!only_early && done.error().code != Code::kCancelled) {
    common::log_error("WEIGHTS ARE NOT ON THE CHAIN (W49), subnet {}: {}", netuid_,
                      done.error().message);
  }
  return done;
}

Result<void> WeightSetter::try_until_over(const Keypair& hotkey, Attempt& attempt) {
  if (auto revealed = reveal_due(hotkey); !revealed) {
    common::log_error("the weights committed before are not revealed: {}",
                      revealed.error().message);
  }
  std::optional<Error> last;
  uint64_t over_at = 0;
  for (int i = 0; i < kAttemptsMax; ++i) {
    TRY(const View at, chain_.head());
    TRY(const WeightRules rules, read_weight_rules(chain_, netuid_, hotkey.account(), at));
    const uint64_t block = at.block.number.index;
    if (!last) {
      attempt.began_at = block;
      over_at = block + std::max<uint64_t>(rules.tempo, 1);
    } else {
      TRY(const bool there, stands(hotkey, attempt, at, rules));
      if (there) return {};
      if (block >= over_at) break;
    }
    if (rules.wait_blocks(block) > 0) return last ? *last : too_fast(rules, block);
    auto done = once(hotkey, attempt, at, rules);
    if (done || !may_pass(done.error())) return done;
    common::log_warning("weights: {}: tried again", done.error().message);
    last = done.error();
    if (!clock_.sleep(kPause)) return Error{Code::kCancelled, "told to stop while setting weights"};
  }
  return *last;
}

Result<void> WeightSetter::once(const Keypair& hotkey, Attempt& attempt, const View& at,
                                const WeightRules& rules) {
  switch (rules.way) {
    case WeightsWay::kPlain:
      return set_plain(hotkey, attempt, rules);
    case WeightsWay::kHashed:
      return commit_hashed(hotkey, attempt, at);
    case WeightsWay::kTimelocked:
      return commit_timelocked(hotkey, attempt, at, rules);
  }
  CHECK(false);
}

// A rate limit that the chain sees and we did not is said in blocks, too.
Result<Outcome> WeightSetter::submit(const Keypair& hotkey, const NamedCall& call) {
  SubmitOptions options;
  options.finalized = true;
  auto outcome = submitter_.try_submit(hotkey, call, options);
  if (outcome) return *std::move(outcome);
  const std::string& reason = outcome.error().reason;
  if (reason == "custom 6" || reason.ends_with("TooFast")) {
    TRY(const View at, chain_.head());
    TRY(const WeightRules rules, read_weight_rules(chain_, netuid_, hotkey.account(), at));
    const Error wait = too_fast(rules, at.block.number.index);
    return Error{Code::kRefused, outcome.error().error.message + "; " + wait.message};
  }
  return std::move(outcome.error().error);
}

Result<void> WeightSetter::set_plain(const Keypair& hotkey, const Attempt& attempt,
                                     const WeightRules& rules) {
  const NamedCall call{"SubtensorModule",
                       "set_weights",
                       {{"netuid", netuid_},
                        {"dests", uids_of(attempt.weights)},
                        {"weights", values_of(attempt.weights)},
                        {"version_key", attempt.version_key}}};
  TRY(const Outcome outcome, submit(hotkey, call));
  TRY(const bool there, stands(hotkey, attempt, outcome.at, rules));
  if (there) return {};
  return Error{Code::kConflict, "set_weights succeeded in block " +
                                    std::to_string(outcome.at.block.number.index) +
                                    ", but the chain holds other weights"};
}

Result<void> WeightSetter::commit_hashed(const Keypair& hotkey, Attempt& attempt, const View& at) {
  WeightCommit commit{{}, uids_of(attempt.weights), values_of(attempt.weights), {}, 0, 0};
  commit.version_key = attempt.version_key;
  commit.block = at.block.number.index;
  commit.salt.resize(kSaltSize);
  randombytes_buf(commit.salt.data(), commit.salt.size() * sizeof(uint16_t));
  commit.hash = commit_hash(hotkey.account(), netuid_, commit);
  TRY(const WeightCommitFile file, file_of(hotkey.account()));
  TRY(std::vector<WeightCommit> pending, file.read());
  if (pending.size() >= WeightCommitFile::kCommitsMax) {
    return Error{Code::kExhausted, "too many commits wait to be revealed: wait for their epochs"};
  }
  pending.push_back(commit);
  TRY_VOID(file.write(pending));  // Before the chain hears of it.
  attempt.hashes.push_back(commit.hash);
  TRY(const Outcome outcome,
      submit(hotkey, {"SubtensorModule",
                      "commit_weights",
                      {{"netuid", netuid_}, {"commit_hash", hex0x(commit.hash.bytes)}}}));
  TRY(const auto there, find_commit(chain_, netuid_, hotkey.account(), commit.hash, outcome.at));
  if (there) return {};
  return Error{Code::kConflict, "commit_weights succeeded, but the chain holds no such commit"};
}

Result<void> WeightSetter::commit_timelocked(const Keypair& hotkey, Attempt& attempt,
                                             const View& at, const WeightRules& rules) {
  TRY(const TimelockedWeights hidden,
      timelock_weights(chain_, netuid_, hotkey.account(), attempt.weights, attempt.version_key, at,
                       rules));
  attempt.ciphertexts.push_back(hidden.commit);
  TRY(const Outcome outcome, submit(hotkey, {"SubtensorModule",
                                             "commit_timelocked_weights",
                                             {{"netuid", netuid_},
                                              {"commit", hex0x(hidden.commit)},
                                              {"reveal_round", hidden.reveal_round},
                                              {"commit_reveal_version", rules.commit_version}}}));
  TRY(const WeightRules then, read_weight_rules(chain_, netuid_, hotkey.account(), outcome.at));
  TRY(const bool there, stands(hotkey, attempt, outcome.at, then));
  if (there) return {};
  return Error{Code::kConflict,
               "commit_timelocked_weights succeeded, but the chain holds no such commit"};
}

Result<bool> WeightSetter::stands(const Keypair& hotkey, const Attempt& attempt, const View& at,
                                  const WeightRules& rules) {
  for (const Hash& hash : attempt.hashes) {
    TRY(const auto found, find_commit(chain_, netuid_, hotkey.account(), hash, at));
    if (found) return true;
  }
  // A commit stands under the epoch that it was made in; an epoch may just have begun.
  for (uint64_t back = 0; !attempt.ciphertexts.empty() && back <= 1; ++back) {
    const uint64_t epoch = rules.epoch.value_or(0);
    for (const uint64_t of : {epoch + back, epoch - std::min(epoch, back)}) {
      TRY(const auto value,
          one_item(chain_, at, "TimelockedWeightCommits", Json::array({netuid_, of})));
      const Value::List* list = value ? value->list() : nullptr;
      for (const Value& entry : list ? *list : Value::List{}) {
        const Value* bytes = entry.at(size_t{2});
        for (const Bytes& sent : attempt.ciphertexts) {
          if (bytes && bytes->bytes() && *bytes->bytes() == sent) return true;
        }
      }
    }
  }
  if (rules.way != WeightsWay::kPlain) return false;
  TRY(const std::vector<Weight> row, row_of(chain_, netuid_, rules.uid, at));
  TRY(const WeightRules now, read_weight_rules(chain_, netuid_, hotkey.account(), at));
  return now.last_update >= attempt.began_at && same_row(row, attempt.weights);
}

// -- revealing ------------------------------------------------------------------------------------

Result<WeightCommitFile> WeightSetter::file_of(const AccountId& hotkey) {
  if (folder_.empty()) {
    return Error{Code::kInvalidArgument,
                 "there is no folder to keep a commit's salt in: set MUSTER_STATE to one"};
  }
  TRY(const Hash genesis, chain_.genesis());
  return WeightCommitFile(folder_, genesis, netuid_, hotkey);
}

Result<void> WeightSetter::reveal_due(const Keypair& hotkey) {
  if (folder_.empty()) return {};
  TRY(const WeightCommitFile file, file_of(hotkey.account()));
  TRY(const std::vector<WeightCommit> pending, file.read());
  if (pending.empty()) return {};
  TRY(const View at, chain_.head());
  TRY(const WeightRules rules, read_weight_rules(chain_, netuid_, hotkey.account(), at));
  std::vector<WeightCommit> left;
  std::optional<Error> trouble;
  for (const WeightCommit& commit : pending) {
    auto kept = reveal(hotkey, commit, at, rules);
    if (!kept) {
      trouble = kept.error();
      left.push_back(commit);
    } else if (*kept) {
      left.push_back(**kept);
    }
  }
  if (left != pending) {
    TRY_VOID(file.write(left));
  }
  if (trouble) return *trouble;
  return {};
}

// The commit, if it must wait; nothing if it is done with.
Result<std::optional<WeightCommit>> WeightSetter::reveal(const Keypair& hotkey,
                                                         const WeightCommit& commit, const View& at,
                                                         const WeightRules& rules) {
  constexpr uint64_t kArrivesWithin = 80;  // Blocks: an era, and some.
  const uint64_t block = at.block.number.index;
  TRY(const auto found, find_commit(chain_, netuid_, hotkey.account(), commit.hash, at));
  if (!found) {
    if (block < commit.block + kArrivesWithin) return std::optional(commit);
    common::log_warning("a commit of block {} is not on the chain any more: forgotten",
                        commit.block);
    return std::optional<WeightCommit>();
  }
  // Before spec 424: (block, first block, last block). Since: (epoch, block, unused).
  const uint64_t now = rules.epoch ? *rules.epoch : block + 1;
  const uint64_t first = rules.epoch ? found->numbers[0] + rules.reveal_period : found->numbers[1];
  const uint64_t last = rules.epoch ? first : found->numbers[2];
  if (now < first) return std::optional(commit);
  if (now > last) {
    common::log_error(
        "WEIGHTS ARE LOST (W49), subnet {}: the commit of block {} was to be "
        "revealed before",
        netuid_, commit.block);
    return std::optional<WeightCommit>();
  }
  const NamedCall call{"SubtensorModule",
                       "reveal_weights",
                       {{"netuid", netuid_},
                        {"uids", commit.uids},
                        {"values", commit.values},
                        {"salt", commit.salt},
                        {"version_key", commit.version_key}}};
  TRY(const Outcome outcome, submit(hotkey, call));
  common::log_info("weights of block {} revealed in block {}", commit.block,
                   outcome.at.block.number.index);
  return std::optional<WeightCommit>();
}

std::filesystem::path default_state_folder() {
  const auto environment = [](const char* name) -> std::filesystem::path {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  if (const auto own = environment("MUSTER_STATE"); !own.empty()) return own;
  if (const auto state = environment("XDG_STATE_HOME"); !state.empty()) return state / "muster";
  if (const auto home = environment("HOME"); !home.empty()) return home / ".local/state/muster";
  return {};
}

}  // namespace chain::substrate
