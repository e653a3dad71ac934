// One call on its way into a block: signed, sent, watched, lost and sent again.
#pragma once

#include "chain/substrate/submitter.h"

namespace chain::substrate {

class Submission {
 public:
  using Step = tl::expected<std::optional<Outcome>, Failure>;  // Nothing: not yet.

  Submission(ChainReader& chain, common::Clock& clock, std::mutex& send, const Keypair& key,
             const NamedCall& call, const SubmitOptions& options)
      : chain_(chain), clock_(clock), send_(send), key_(key), call_(call), options_(options) {}
  ~Submission() { stop_watching(); }
  Submission(const Submission&) = delete;
  Submission& operator=(const Submission&) = delete;

  // Signs for the runtime of now and hands it to a node's pool.
  tl::expected<void, Failure> send();
  // Until it is decided.
  tl::expected<Outcome, Failure> wait();
  // Signs with the next nonce.
  Result<void> sign();
  const Bytes& bytes() const { return bytes_; }

 private:
  struct Seen {  // A block that was looked into.
    Hash hash;
    uint64_t number = 0;
  };

  tl::expected<void, Failure> hand_over();
  tl::expected<void, Failure> may_have_arrived(const common::Error& error);
  tl::expected<void, Failure> judge_refusal(const RpcRefusal& refusal) const;
  void hand_over_again();
  void stop_watching();
  // Looks into every block since the last time.
  Step look();
  Result<void> leave_removed_blocks(uint64_t best);
  Step look_into(const Header& block);
  Step judge_found(const ChainReader::Heads& heads);
  tl::expected<void, Failure> follow_upgrade(const ChainReader::Heads& heads);
  // Waits for news, at most `pause`; what the pool says of it.
  tl::expected<void, Failure> listen(common::milliseconds pause);
  tl::expected<void, Failure> hear(const Json& status);
  Failure failure(common::Code code, const std::string& text, std::string reason = {}) const;

  ChainReader& chain_;
  common::Clock& clock_;
  std::mutex& send_;
  const Keypair& key_;
  const NamedCall& call_;
  const SubmitOptions options_;

  Bytes bytes_;
  RuntimeVersion version_;  // That it is signed for.
  uint64_t birth_ = 0;
  uint64_t death_ = 0;
  uint64_t handed_over_at_ = 0;  // Block.
  std::vector<Seen> seen_;       // Ascending, without gaps, from birth_ + 1.
  std::optional<Outcome> found_;
  std::optional<SubscriptionId> watch_;
  bool lost_from_pool_ = false;  // To be handed over again.
  std::string pool_verdict_;     // A last word, unless a block holds it after all.
};

}  // namespace chain::substrate
