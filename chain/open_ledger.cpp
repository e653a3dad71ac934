#include <string>

#include "chain/ledger.h"
#include "chain/substrate/failover.h"
#include "chain/substrate/networks.h"
#include "chain/substrate/substrate_ledger.h"

namespace chain {

Result<std::unique_ptr<Ledger>> open_ledger(std::string_view endpoint, uint16_t netuid,
                                            common::Clock& clock, const LedgerAccess& access) {
  TRY(substrate::Endpoints endpoints, substrate::parse_endpoints(endpoint));
  const substrate::RpcOptions options;
  const std::string first = endpoints.urls.front();
  auto transport = std::make_unique<substrate::Failover>(std::move(endpoints.urls),
                                                         endpoints.genesis, clock, options);
  std::filesystem::path folder = access.state_folder;
  if (folder.empty()) folder = substrate::default_state_folder();
  auto ledger = substrate::SubstrateLedger::make(std::move(transport), netuid, clock, options,
                                                 std::move(folder));
  if (!ledger) return common::within("opening the chain at " + first, ledger.error());
  return std::unique_ptr<Ledger>(std::move(ledger).value());
}

}  // namespace chain
