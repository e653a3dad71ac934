// A private chain in memory, for simulations: blocks are made when the simulator says so.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "chain/ledger.h"
#include "common/clock.h"
#include "common/result.h"

namespace chain {

class PrivateNetwork {
 public:
  // `genesis_json` as for `muster ledger --genesis`. Blocks are due every `block_time` after
  // genesis's time, and their hashes follow from `seed`: same sends, same chain. kInvalidArgument
  // for a wrong genesis.
  static Result<PrivateNetwork> make(std::string_view genesis_json, common::milliseconds block_time,
                                     std::string_view seed);
  PrivateNetwork(PrivateNetwork&&) noexcept;
  PrivateNetwork& operator=(PrivateNetwork&&) noexcept;
  ~PrivateNetwork();

  // Makes every block that is due until `now`; what waits goes into the first. For the simulator's
  // clock.
  void advance_to(Instant now);
  // One block, one block time after the head.
  void make_block();

  // One node's view; a write sleeps on `clock` until its block is made. This and `clock` outlive
  // it.
  Result<std::unique_ptr<Ledger>> ledger(common::Clock& clock);

 private:
  struct Parts;
  explicit PrivateNetwork(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace chain
