// A small private chain for tests: a few keys with TAO, and calls put into blocks by hand.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chain/embedded/balances.h"
#include "chain/embedded/items.h"
#include "chain/embedded/registration.h"
#include "chain/embedded/staking.h"
#include "chain/embedded/state.h"
#include "tests/chain/ledger_calls.h"

namespace chain::embedded {

inline constexpr uint16_t kNetuid = 7;
inline constexpr uint64_t kRichRao = 100'000 * kRaoPerTao;

inline Genesis small_genesis();

class World {
 public:
  explicit World(const Genesis& genesis = small_genesis()) : state(State::from_genesis(genesis)) {}

  // Development keys by name; made once.
  static const Keypair& key(const std::string& name) {
    static std::map<std::string, Keypair> keys;
    const auto found = keys.find(name);
    if (found != keys.end()) return found->second;
    return keys.emplace(name, Keypair::from_uri("//" + name).value()).first->second;
  }
  static const AccountId& account(const std::string& name) { return key(name).account(); }

  uint32_t nonce(const std::string& name) const {
    return account_info(state.storage(), account(name)).nonce;
  }
  substrate::SigningContext context() const {
    return {kSpecVersion, kTransactionVersion, state.genesis_hash(), state.genesis_hash()};
  }
  // Immortal, with the sender's next nonce.
  template <typename Call>
  Bytes sign(const std::string& name, const Call& call, uint32_t ahead = 0) const {
    return substrate::sign_extrinsic(key(name), encode_call(call), {{}, nonce(name) + ahead, 0},
                                     context());
  }

  State::Made block(const std::vector<Bytes>& extrinsics = {}) {
    ++entropy.bytes[0];
    return state.advance(state.head().time + common::milliseconds(250), entropy, extrinsics);
  }
  void blocks(uint64_t count) {
    for (uint64_t i = 0; i < count; ++i) block();
  }

  // Puts a call into the next block. "" if it succeeded, "Pallet.Error" if it failed there, and
  // "pool: ..." if it did not get there.
  template <typename Call>
  std::string run(const std::string& name, const Call& call) {
    const auto made = block({sign(name, call)});
    if (made.refused[0]) return "pool: " + made.refused[0]->text();
    return result_of(1);
  }
  std::string result_of(uint32_t extrinsic) const {
    for (const EventRecord& record : events()) {
      if (record.extrinsic != extrinsic) continue;
      if (const auto failed = event_as<events::ExtrinsicFailed>(record)) {
        return error_name(failed->dispatch_error);
      }
      if (event_as<events::ExtrinsicSuccess>(record)) return "";
    }
    return "nothing is said of it";
  }
  std::vector<EventRecord> events() const {
    const Bytes* value = state.storage().find(items::kEvents.key());
    return value == nullptr ? std::vector<EventRecord>{} : decode_events(*value).value();
  }

  uint64_t free_rao(const std::string& name) const {
    return account_info(state.storage(), account(name)).free_rao;
  }
  uint64_t stake_rao(const std::string& hotkey) const {
    return hotkey_alpha_rao(state.storage(), account(hotkey), kNetuid);
  }
  template <typename T = uint64_t>
  T number(const SubnetMap& item) const {
    return get_number<T>(state.storage(), item.key(kNetuid));
  }
  std::optional<uint16_t> uid(const std::string& hotkey) const {
    return uid_of(state.storage(), kNetuid, account(hotkey));
  }
  std::string register_hotkey(const std::string& coldkey, const std::string& hotkey) {
    return run(coldkey, calls::BurnedRegister{kNetuid, account(hotkey)});
  }

  State state;
  Hash entropy;
};

inline Genesis small_genesis() {
  Genesis genesis;
  genesis.netuid = kNetuid;
  genesis.time = {1'700'000'000'000};
  genesis.owner_coldkey = World::account("owner");
  genesis.owner_hotkey = World::account("owner/hot");
  genesis.rules.tempo = 10;
  genesis.rules.weights_rate_limit = 5;
  genesis.rules.serving_rate_limit = 5;
  genesis.rules.immunity_period = 20;
  for (const char* name : {"alice", "bob", "carol", "dave"}) {
    genesis.accounts.push_back({World::account(name), kRichRao});
  }
  return genesis;
}

// TAO is where it can be, all of it: free, or in the pool.
inline void expect_nothing_is_lost(const State& state) {
  uint64_t free_rao = 0;
  uint64_t alpha_rao = 0;
  const Bytes accounts = items::kAccount.prefix();
  const Bytes stakes = substrate::storage_prefix("SubtensorModule", "TotalHotkeyAlpha");
  for (const auto& [key, value] : state.storage().entries()) {
    if (starts_with(key, accounts)) {
      free_rao += substrate::Decoder(ByteView(value).subspan(16)).number<uint64_t>();
    }
    if (starts_with(key, stakes)) alpha_rao += substrate::Decoder(value).number<uint64_t>();
  }
  const auto number = [&](const SubnetMap& item) {
    return get_number<uint64_t>(state.storage(), item.key(kNetuid));
  };
  EXPECT_EQ(free_rao + number(kSubnetTao), total_issuance_rao(state.storage()));
  const uint64_t pending_rao =
      number(kPendingServer) + number(kPendingValidator) + number(kPendingOwnerCut);
  EXPECT_EQ(alpha_rao + pending_rao, number(kSubnetAlphaOut));
  EXPECT_EQ(number(kSubnetTao), number(kSubnetAlphaOut) + number(kBurnedForRegistration));
}

}  // namespace chain::embedded
