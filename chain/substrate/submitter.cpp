#include "chain/substrate/submitter.h"

#include <algorithm>
#include <charconv>

#include "chain/substrate/dispatch_error.h"
#include "chain/substrate/storage_key.h"

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;
using common::milliseconds;

// Ten minutes of twelve-second blocks: long enough to be included, short enough to be given up.
constexpr uint32_t kEraBlocks = 64;
constexpr milliseconds kPollFirst{50};
constexpr milliseconds kPollLast{2'000};
constexpr milliseconds kPatience{180'000};  // For a chain that makes no block.

// "Custom error: 10", or {"invalid":{"custom":10}}.
std::optional<uint8_t> custom_code(const RpcRefusal& refusal) {
  const std::string text =
      refusal.message + " " + refusal.data.dump(-1, ' ', false, Json::error_handler_t::replace);
  for (const std::string_view sign : {"ustom error: ", "\"custom\":", "Custom("}) {
    const size_t at = text.find(sign);
    if (at == std::string::npos) continue;
    uint8_t code = 0;
    const char* first = text.data() + at + sign.size();
    if (std::from_chars(first, text.data() + text.size(), code).ec == std::errc()) return code;
  }
  return std::nullopt;
}

// Signs in the texts of nodes, and what to do.
struct PoolAdvice {
  std::string_view sign;
  std::string_view text;
};
constexpr PoolAdvice kPoolAdvice[] = {
    {"Inability to pay", "the account has not enough free TAO for the fee"},
    {"outdated", "another extrinsic of this key came first: try again"},
    {"will be valid in the future", "an earlier extrinsic of this key is missing: try again"},
    {"bad signature", "the node runs another runtime or chain than this client thinks"},
    {"ancient birth block", "the extrinsic is too old: try again"},
    {"exhaust the resources", "the block is full: try again"},
};

constexpr int64_t kInvalidTransaction = 1010;
constexpr int64_t kTemporarilyBanned = 1012;
constexpr int64_t kAlreadyImported = 1013;
constexpr int64_t kPriorityTooLow = 1014;

}  // namespace

Error explain_refusal(const RpcRefusal& refusal, std::string_view call) {
  const std::string said = std::string(call) + " was refused (" + refusal.text() + ")";
  const auto error = [&](std::string_view advice) {
    return Error{Code::kRefused, said + ": " + std::string(advice)};
  };
  if (refusal.code == kTemporarilyBanned) return error("the same bytes failed a moment ago: wait");
  if (refusal.code == kPriorityTooLow) {
    return error("another extrinsic of this key is waiting: try again after the next block");
  }
  if (refusal.code == kInvalidTransaction) {
    if (const auto code = custom_code(refusal)) return error(explain_custom(*code));
  }
  for (const PoolAdvice& known : kPoolAdvice) {
    if (said.find(known.sign) != std::string::npos) return error(known.text);
  }
  return Error{Code::kRefused, said};
}

Result<Outcome> Submitter::submit(const Keypair& key, const Call& call) {
  TRY(const Sent sent, send(key, call));
  return wait(sent, call);
}

Result<Submitter::Sent> Submitter::send(const Keypair& key, const Call& call) {
  if (!genesis_) {
    TRY(genesis_, chain_.block_hash({0}));
  }
  // Asked every time: an upgraded runtime refuses what was signed for the one before.
  TRY(const RuntimeVersion runtime, chain_.runtime_version());
  // The finalized head cannot be replaced by another fork, so the era's birth hash stays right.
  TRY(const Hash birth_hash, chain_.finalized_head());
  TRY(const BlockNumber birth, chain_.number_of(birth_hash));
  Extra extra;
  extra.era = Era::mortal(kEraBlocks, birth.index);
  TRY(extra.nonce, chain_.next_nonce(key.account()));
  const SigningContext context{runtime.spec_version, runtime.transaction_version, *genesis_,
                               birth_hash};
  Sent sent{sign_extrinsic(key, encode_call(call), extra, context), birth.index,
            extra.era.death(birth.index)};
  TRY(const RpcReply reply,
      chain_.rpc().ask("author_submitExtrinsic", Json::array({hex0x(sent.bytes)})));
  if (const auto* refusal = std::get_if<RpcRefusal>(&reply)) {
    if (refusal->code != kAlreadyImported) return explain_refusal(*refusal, name(call));
  }
  return sent;
}

Result<Outcome> Submitter::wait(const Sent& sent, const Call& call) {
  uint64_t next = sent.birth + 1;  // The first block that may hold it.
  milliseconds pause = kPollFirst;
  Instant moved_at = clock_.now();
  for (;;) {
    TRY(const Hash head_hash, chain_.head_hash());
    TRY(const BlockNumber head, chain_.number_of(head_hash));
    if (next <= head.index) {
      moved_at = clock_.now();
      pause = kPollFirst;
    }
    for (; next <= head.index; ++next) {
      TRY(auto outcome, look(sent, call, next));
      if (outcome) return *std::move(outcome);
      if (next + 1 >= sent.death) {
        return Error{Code::kTimeout, std::string(name(call)) + ": no block took it within " +
                                         std::to_string(kEraBlocks) +
                                         " blocks, and none will: try again"};
      }
    }
    if (clock_.now() - moved_at > kPatience) {
      return Error{Code::kTimeout,
                   std::string(name(call)) +
                       ": the chain stands still; it may still happen: read back first"};
    }
    if (!clock_.sleep(pause)) {
      return Error{Code::kCancelled,
                   std::string(name(call)) + ": told to stop; it may still happen"};
    }
    pause = std::min(pause * 3 / 2, kPollLast);
  }
}

// Nothing if block `number` does not hold it.
Result<std::optional<Outcome>> Submitter::look(const Sent& sent, const Call& call,
                                               uint64_t number) {
  TRY(const Hash block, chain_.block_hash({number}));
  TRY(const std::vector<Bytes> extrinsics, chain_.extrinsics(block));
  const auto ours = std::find(extrinsics.begin(), extrinsics.end(), sent.bytes);
  if (ours == extrinsics.end()) return std::optional<Outcome>();
  const auto index = static_cast<uint32_t>(ours - extrinsics.begin());
  TRY(const auto value, chain_.value(storage::kEvents.key(), block));
  TRY(std::vector<EventRecord> records,
      decode_events(value ? ByteView(*value) : ByteView(), /*prefix_ok=*/true));
  Outcome outcome{block, {number}, {}};
  bool succeeded = false;
  for (EventRecord& record : records) {
    if (record.extrinsic != index) continue;
    if (const auto* failed = std::get_if<ExtrinsicFailed>(&record.event)) {
      return Error{Code::kRefused, std::string(name(call)) + " failed: " + explain(failed->error)};
    }
    succeeded |= std::holds_alternative<ExtrinsicSuccess>(record.event);
    outcome.events.push_back(std::move(record.event));
  }
  if (!succeeded) {
    return Error{Code::kCorrupt, std::string(name(call)) + " stands in block " +
                                     std::to_string(number) +
                                     ", but its events cannot be read: read back what it did"};
  }
  return std::optional<Outcome>(std::move(outcome));
}

}  // namespace chain::substrate
