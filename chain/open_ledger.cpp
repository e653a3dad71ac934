#include <string>

#include "chain/ledger.h"
#include "chain/substrate/substrate_ledger.h"

namespace chain {
namespace {

using common::Code;
using common::Error;

struct Network {
  std::string_view name;
  std::string_view url;
};
// Public nodes; a node answers HTTP POST on the port where it speaks WebSocket.
constexpr Network kNetworks[] = {
    {"finney", "https://entrypoint-finney.opentensor.ai:443"},
    {"test", "https://test.finney.opentensor.ai:443"},
    {"local", "http://127.0.0.1:9944"},
};

// The http(s) URL behind `endpoint`, or nothing for what is neither a URL nor a network's name.
std::string url_of(std::string_view endpoint) {
  for (const Network& network : kNetworks) {
    if (network.name == endpoint) return std::string(network.url);
  }
  if (endpoint.starts_with("ws://")) return std::string("http://").append(endpoint.substr(5));
  if (endpoint.starts_with("wss://")) return std::string("https://").append(endpoint.substr(6));
  if (endpoint.starts_with("http://") || endpoint.starts_with("https://")) {
    return std::string(endpoint);
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Ledger>> open_ledger(std::string_view endpoint, uint16_t netuid,
                                            common::Clock& clock) {
  const std::string url = url_of(endpoint);
  if (url.empty()) {
    return Error{Code::kInvalidArgument,
                 std::string(endpoint) +
                     " is no chain endpoint: give http://host:port, https://host:port, or one of "
                     "finney, test, local"};
  }
  const substrate::RpcOptions options;
  TRY(auto transport, substrate::http_transport(url, options));
  auto ledger = substrate::SubstrateLedger::make(std::move(transport), netuid, clock, options);
  if (!ledger) return common::within("opening the chain at " + url, ledger.error());
  return std::unique_ptr<Ledger>(std::move(ledger).value());
}

}  // namespace chain
