// A ledger of plain values, for tests of what reads one: its blocks come by a clock that only
// sleeping moves.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "chain/ledger.h"
#include "tests/chain/fake_node.h"

namespace chain {

class PlainLedger final : public Ledger {
 public:
  explicit PlainLedger(substrate::TestClock& clock) : clock_(clock), began_(clock.now()) {}

  static constexpr common::milliseconds kBlockTime{1000};

  Metagraph graph;
  std::vector<Commitment>
      committed;  // Now, whichever block is asked for, unless `committed_at` knows it.
  std::map<uint64_t, std::vector<Commitment>> committed_at;
  std::function<std::optional<common::Error>()> trouble;  // Asked before each reading.
  std::vector<std::vector<Bytes>> commits;                // By commit().

  BlockNumber height() const {
    return {static_cast<uint64_t>((clock_.now() - began_) / kBlockTime)};
  }

  Result<Block> head() override {
    if (auto error = troubled()) return *error;
    return at(height());
  }
  Result<Block> block(BlockNumber number) override {
    if (auto error = troubled()) return *error;
    return at(number);
  }
  Result<Metagraph> metagraph(std::optional<BlockNumber> number) override {
    if (auto error = troubled()) return *error;
    Metagraph out = graph;
    out.at = at(number ? *number : height());
    return out;
  }
  Result<std::vector<Commitment>> commitments(std::optional<BlockNumber> number) override {
    if (auto error = troubled()) return *error;
    if (!number) return committed;
    const auto found = committed_at.find(number->index);
    return found == committed_at.end() ? committed : found->second;
  }
  Result<void> commit(const Keypair& hotkey, std::span<const Bytes> fields) override {
    commits.emplace_back(fields.begin(), fields.end());
    std::erase_if(committed, [&](const Commitment& one) { return one.hotkey == hotkey.account(); });
    committed.push_back({hotkey.account(), height(), commits.back()});
    return {};
  }

  // Not asked here.
  Result<std::vector<WeightRow>> weights() override { return none(); }
  Result<Hyperparameters> hyperparameters() override { return none(); }
  Result<uint64_t> balance(const AccountId&) override { return none(); }
  Result<Uid> register_neuron(const Keypair&, const AccountId&) override { return none(); }
  Result<void> add_stake(const Keypair&, const AccountId&, uint64_t) override { return none(); }
  Result<void> transfer(const Keypair&, const AccountId&, uint64_t) override { return none(); }
  Result<void> set_weights(const Keypair&, std::span<const Weight>, uint64_t) override {
    return none();
  }
  Result<void> serve_axon(const Keypair&, const Axon&) override { return none(); }

 private:
  static common::Error none() { return {common::Code::kRefused, "not here"}; }
  std::optional<common::Error> troubled() { return trouble ? trouble() : std::nullopt; }
  Block at(BlockNumber number) const {
    return {number, {}, began_ + kBlockTime * static_cast<int64_t>(number.index)};
  }

  substrate::TestClock& clock_;
  Instant began_;
};

}  // namespace chain
