// Gets a call into a block and finds out what came of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "chain/substrate/advice.h"
#include "chain/substrate/chain_reader.h"
#include "chain/substrate/signing.h"

namespace chain::substrate {

// A call by its names, its arguments as JSON (chain/substrate/value.h).
struct NamedCall {
  std::string pallet, call;
  Json arguments = Json::object();
  std::string name() const { return pallet + "." + call; }
};

struct SubmitOptions {
  uint64_t tip_rao = 0;
  uint32_t era_blocks = 64;  // How long it stays good: a power of two, 4 to 2048.
  // Wait until no fork can remove the block. Else a block is enough, and one that a fork removes
  // later takes the call with it.
  bool finalized = false;
};

// Where it happened, and what the chain says it did.
struct Outcome {
  Hash extrinsic;
  View at;
  bool finalized = false;
  std::vector<Happening> events;  // Of this extrinsic only.
};

// Why it did not, for those who go on from there: "SubtensorModule.SettingWeightsTooFast", or
// "custom 6" for the pool's check of that number; "" for anything else.
struct Failure {
  common::Error error;
  std::string reason;
};

// For several threads at once: what one key sends is signed one after the other. Both outlive it.
class Submitter {
 public:
  Submitter(ChainReader& chain, common::Clock& clock) : chain_(chain), clock_(clock) {}

  // Signs, sends, and waits until the extrinsic stands in a block and succeeded. On the way: a
  // runtime that is upgraded has it signed again; a fork that removes its block has it sent again,
  // as it was, while its era lasts; a node that is lost is replaced by another, which gets it too.
  //
  // kRefused, by name and with advice, if the pool or the call said no; kTimeout when its era is
  // over and no block holds it (it never will), or when the chain stands still for three minutes
  // (it still may). What fails before it was sent has no effect on the chain.
  Result<Outcome> submit(const Keypair& key, const NamedCall& call,
                         const SubmitOptions& options = {});
  // The same, with the reason.
  tl::expected<Outcome, Failure> try_submit(const Keypair& key, const NamedCall& call,
                                            const SubmitOptions& options);

  // As it would be sent now; for asking what it costs.
  Result<Bytes> sign(const Keypair& key, const NamedCall& call, const SubmitOptions& options);

 private:
  ChainReader& chain_;
  common::Clock& clock_;
  std::mutex send_;  // From the nonce to the pool.
};

}  // namespace chain::substrate
