#include "chain/embedded/in_process.h"

#include "chain/embedded/rpc.h"
#include "chain/substrate/substrate_ledger.h"

namespace chain::embedded {
namespace {

// From the client to the server without a wire between.
class Loopback final : public substrate::BodyTransport {
 public:
  explicit Loopback(PrivateChain& chain) : rpc_(chain, nullptr) {}
  Result<std::string> post(const std::string& body) override { return rpc_.answer(body); }

 private:
  LedgerRpc rpc_;
};

}  // namespace

Result<std::unique_ptr<Ledger>> in_process_ledger(PrivateChain& chain, uint16_t netuid,
                                                  common::Clock& clock) {
  TRY(auto ledger,
      substrate::SubstrateLedger::make(std::make_unique<Loopback>(chain), netuid, clock));
  return std::unique_ptr<Ledger>(std::move(ledger));
}

}  // namespace chain::embedded
