// Gets a call into a block and finds out what came of it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "chain/substrate/calls.h"
#include "chain/substrate/chain_reader.h"
#include "chain/substrate/events.h"
#include "chain/substrate/extrinsic.h"

namespace chain::substrate {

// Where it happened, and what the chain says it did.
struct Outcome {
  Hash block;
  BlockNumber number;
  std::vector<Event> events;  // Of this extrinsic only.
};

// Both outlive it.
class Submitter {
 public:
  Submitter(ChainReader& chain, common::Clock& clock) : chain_(chain), clock_(clock) {}

  // Signs, sends, and waits until the extrinsic stands in a block and succeeded.
  //
  // kRefused, by name and with advice, if the pool or the call said no; kTimeout when its era is
  // over and no block holds it (it never will), or when the chain stands still for `kPatience` (it
  // still may). What fails on the way there, before it was sent, has no effect on the chain.
  Result<Outcome> submit(const Keypair& key, const Call& call);

 private:
  struct Sent {
    Bytes bytes;
    uint64_t birth = 0;
    uint64_t death = 0;
  };
  Result<Sent> send(const Keypair& key, const Call& call);
  Result<Outcome> wait(const Sent& sent, const Call& call);
  Result<std::optional<Outcome>> look(const Sent& sent, const Call& call, uint64_t number);

  ChainReader& chain_;
  common::Clock& clock_;
  std::optional<Hash> genesis_;
};

// The pool's no as an error: kRefused with what to do, kUnavailable for what passes by itself.
common::Error explain_refusal(const RpcRefusal& refusal, std::string_view call);

}  // namespace chain::substrate
