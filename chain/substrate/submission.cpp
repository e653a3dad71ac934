#include "chain/substrate/submission.h"

#include <algorithm>

#include "common/log.h"

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;
using common::milliseconds;

constexpr milliseconds kPollFirst{50};
constexpr milliseconds kPollLast{2'000};
constexpr milliseconds kPatience{180'000};          // For a chain that makes no block.
constexpr milliseconds kFinalityPatience{120'000};  // Ten blocks of mainnet; three are usual.
constexpr int kSendAttempts = 3;
constexpr uint64_t kRemindBlocks = 10;

tl::unexpected<Failure> fail(Failure failure) { return tl::unexpected(std::move(failure)); }
tl::unexpected<Failure> fail(Error error) { return tl::unexpected(Failure{std::move(error), {}}); }

constexpr const char* kSignAgain = "sign again";

}  // namespace

Failure Submission::failure(Code code, const std::string& text, std::string reason) const {
  return {{code, call_.name() + text}, std::move(reason)};
}

// The finalized head cannot be replaced by another fork, so the era's birth hash stays right.
Result<void> Submission::sign() {
  const RpcRequest requests[] = {
      {"chain_getFinalizedHead"},
      {"state_getRuntimeVersion"},
      {"system_accountNextIndex", Json::array({key_.account().ss58()})},
      {"chain_getBlockHash", Json::array({0})},
  };
  TRY(const std::vector<Json> results, chain_.rpc().read_all(requests));
  const auto hash_in = [&](size_t place) {
    const auto* text = results[place].get_ptr<const Json::string_t*>();
    return text == nullptr ? std::nullopt : Hash::from_hex(*text);
  };
  const auto birth_hash = hash_in(0);
  const auto genesis = hash_in(3);
  TRY(version_, parse_runtime_version(results[1]));
  if (!birth_hash || !genesis || !results[2].is_number_unsigned() ||
      results[2].get<uint64_t>() > UINT32_MAX) {
    return Error{Code::kCorrupt, "the node's answers are no hashes and no nonce"};
  }
  TRY(const Header birth, chain_.header(*birth_hash));
  TRY(const Runtime* runtime, chain_.runtimes().get(version_, birth.hash));
  TRY(const Bytes call, encode_call(runtime->metadata, call_.pallet, call_.call, call_.arguments));
  Extra extra;
  extra.era = Era::mortal(options_.era_blocks, birth.number.index);
  extra.nonce = results[2].get<uint32_t>();
  extra.tip = options_.tip_rao;
  // A long period has its phase rounded: the birth may be some blocks before.
  Hash signed_birth = birth.hash;
  const uint64_t birth_number = extra.era.birth(birth.number.index);
  if (birth_number != birth.number.index) {
    TRY(signed_birth, chain_.block_hash({birth_number}));
  }
  const SigningContext context{version_.spec_version, version_.transaction_version, *genesis,
                               signed_birth};
  TRY(bytes_, sign_for_runtime(runtime->metadata, key_, call, extra, context));
  birth_ = birth.number.index;
  handed_over_at_ = birth_;
  death_ = extra.era.death(birth_);
  return {};
}

tl::expected<void, Failure> Submission::send() {
  const std::scoped_lock lock(send_);
  for (int attempt = 1;; ++attempt) {
    if (auto done = sign(); !done) return fail(done.error());
    auto sent = hand_over();
    // A nonce that another program took, a runtime of this very moment: sign again.
    const bool again = !sent && sent.error().reason == kSignAgain;
    if (!again || attempt >= kSendAttempts) return sent;
    if (!clock_.sleep(kPollFirst)) return fail(failure(Code::kCancelled, ": told to stop"));
  }
}

tl::expected<void, Failure> Submission::hand_over() {
  stop_watching();
  pool_verdict_.clear();
  Transport& transport = chain_.rpc().transport();
  RpcReply reply;
  if (transport.subscribes()) {
    auto watch =
        transport.subscribe({"author_submitAndWatchExtrinsic", Json::array({hex0x(bytes_)})},
                            "author_unwatchExtrinsic");
    if (!watch) return may_have_arrived(watch.error());
    if (const auto* refusal = std::get_if<RpcRefusal>(&*watch)) return judge_refusal(*refusal);
    watch_ = std::get<SubscriptionId>(*watch);
    return {};
  }
  const auto asked = chain_.rpc().ask("author_submitExtrinsic", Json::array({hex0x(bytes_)}));
  if (!asked) return may_have_arrived(asked.error());
  if (const auto* refusal = std::get_if<RpcRefusal>(&*asked)) return judge_refusal(*refusal);
  return {};
}

// Then it is looked for, and handed over again.
tl::expected<void, Failure> Submission::may_have_arrived(const Error& error) {
  if (error.code != Code::kTimeout && error.code != Code::kUnavailable) return fail(error);
  lost_from_pool_ = true;
  return {};
}

tl::expected<void, Failure> Submission::judge_refusal(const RpcRefusal& refusal) const {
  PoolRefusal no = read_pool_refusal(refusal, call_.name());
  if (no.kind == PoolNo::kThere) return {};
  const Error error{Code::kRefused, std::move(no.sentence)};
  const bool again = no.kind == PoolNo::kOutdated || no.kind == PoolNo::kBadProof;
  return fail({error, again ? kSignAgain : no.kind == PoolNo::kRateLimit ? "custom 6" : ""});
}

// The same bytes: their nonce can be used only once, so they cannot happen twice.
void Submission::hand_over_again() {
  lost_from_pool_ = false;
  const auto asked = chain_.rpc().ask("author_submitExtrinsic", Json::array({hex0x(bytes_)}));
  if (!asked) {
    lost_from_pool_ = true;
    return;
  }
  // A no may mean that a block holds it, which we shall see, or that it never will.
  if (const auto* refusal = std::get_if<RpcRefusal>(&*asked)) {
    const PoolRefusal no = read_pool_refusal(*refusal, call_.name());
    if (no.kind == PoolNo::kNotNow) lost_from_pool_ = true;
    if (no.kind != PoolNo::kNotNow && no.kind != PoolNo::kThere) pool_verdict_ = no.sentence;
  }
}

void Submission::stop_watching() {
  if (watch_) chain_.rpc().transport().unsubscribe(*watch_);
  watch_.reset();
}

tl::expected<Outcome, Failure> Submission::wait() {
  milliseconds pause = kPollFirst;
  Instant moved_at = clock_.now();
  uint64_t height = 0;
  for (;;) {
    Step step = look();
    if (!step) {
      // A node that is lost for a moment is no reason to lose sight of it.
      const Code code = step.error().error.code;
      const bool passes = code == Code::kUnavailable || code == Code::kTimeout;
      if (!passes || !step.error().reason.empty() || clock_.now() - moved_at > kPatience) {
        return fail(step.error());
      }
    } else if (*step) {
      return **std::move(step);
    }
    const uint64_t now_at = seen_.empty() ? birth_ : seen_.back().number;
    if (now_at != height) {
      height = now_at;
      moved_at = clock_.now();
      pause = kPollFirst;
    }
    if (clock_.now() - moved_at > (found_ ? kFinalityPatience : kPatience)) {
      if (found_) {
        common::log_warning("{}: block {} is not made final: it may still be replaced",
                            call_.name(), found_->at.block.number.index);
        return *std::move(found_);
      }
      return fail(failure(Code::kTimeout,
                          ": the chain stands still; it may still happen: read back first"));
    }
    // A pool may lose it without a word: to be told twice does it no harm.
    if (height >= handed_over_at_ + kRemindBlocks) lost_from_pool_ = true;
    if (lost_from_pool_ && !found_) {
      handed_over_at_ = height;
      hand_over_again();
    }
    if (auto heard = listen(pause); !heard) return fail(heard.error());
    pause = std::min(pause * 3 / 2, kPollLast);
  }
}

tl::expected<void, Failure> Submission::listen(milliseconds pause) {
  if (clock_.stop_requested()) {
    return fail(failure(Code::kCancelled, ": told to stop; it may still happen"));
  }
  if (watch_) {
    const auto status = chain_.rpc().transport().next(*watch_, pause);
    if (status) return hear(*status);
    if (status.error().code == Code::kTimeout) return {};
    // Lost, or refused by the node that took over: from here on by looking alone.
    stop_watching();
    lost_from_pool_ = true;
  }
  if (!clock_.sleep(pause)) {
    return fail(failure(Code::kCancelled, ": told to stop; it may still happen"));
  }
  return {};
}

// "ready", "broadcast", "inBlock" and "finalized" are seen in the blocks themselves: words of a
// node are not believed where its blocks can be read.
tl::expected<void, Failure> Submission::hear(const Json& status) {
  const std::string word = status.is_string()                      ? status.get<std::string>()
                           : status.is_object() && !status.empty() ? status.begin().key()
                                                                   : "";
  if (word == "retracted") {
    common::log_warning("{}: a fork removed its block", call_.name());
  } else if (word == "usurped") {
    pool_verdict_ = call_.name() +
                    " was replaced by another extrinsic of this key (usurped): does "
                    "another program use the same key?";
  } else if (word == "dropped") {
    common::log_warning("{}: the node dropped it: its pool is full", call_.name());
    lost_from_pool_ = true;
    stop_watching();
  } else if (word == "invalid") {
    // Included elsewhere, a runtime that was upgraded, or really so: handing it over again tells.
    lost_from_pool_ = true;
    stop_watching();
  } else if (word == "finalityTimeout") {
    common::log_warning("{}: the chain makes nothing final", call_.name());
  }
  return {};
}

}  // namespace chain::substrate
