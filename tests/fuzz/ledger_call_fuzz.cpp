// Goal: no bytes that a stranger, an owner or root sends as a call or an extrinsic crash the ledger
// or leave it unable to go on. Method: the input as an extrinsic for the pool and as a call; a call
// is asked about, done by an owner and by root on a small chain's state, and then blocks follow
// until an epoch has ended.
#include <cstddef>
#include <cstdint>

#include "chain/embedded/balances.h"
#include "chain/embedded/emission.h"
#include "chain/embedded/state.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using namespace chain::embedded;  // NOLINT: the room that is tried.

// Epochs are short, so that what a call has broken shows; weights may be set at once.
const State& base() {
  static const State state = [] {
    Genesis genesis = development_genesis();
    genesis.rules.tempo = 4;
    genesis.rules.weights_rate_limit = 0;
    State made = State::from_genesis(genesis);
    for (int i = 0; i < 6; ++i) {
      made.advance(made.head().time + common::milliseconds(250), common::Hash{}, {});
    }
    return made;
  }();
  return state;
}

void do_and_go_on(const FoundCall& call, const Origin& origin) {
  Storage storage = base().storage();
  std::vector<EventRecord> events;
  Context context{storage, base().head().header.number + uint64_t{1}, events, 1};
  const size_t mark = storage.mark();
  const Outcome outcome = dispatch(context, origin, call);
  if (outcome) storage.roll_back(mark);
  // Every event is one of the table's.
  CHECK(decode_events(encode_events(events)).has_value());
  for (int i = 0; i < 6; ++i) {
    ++context.block;
    run_block_step(context);
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const common::ByteView bytes(data, size);
  (void)base().validate(bytes);
  const auto call = find_call(bytes);
  if (!call) return 0;
  static const auto alice = common::Keypair::from_uri("//Alice").value();
  const DispatchEventInfo info = dispatch_info(*call);
  CHECK(fee_rao(info, size) < (uint64_t{1} << 60));
  (void)pool_check(base().storage(), 9, alice.account(), *call);
  do_and_go_on(*call, Origin::signed_by(alice.account()));
  do_and_go_on(*call, Origin::as_root());
  return 0;
}
