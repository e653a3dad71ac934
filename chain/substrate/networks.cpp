#include "chain/substrate/networks.h"

#include <algorithm>

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;
using common::Hash;
using common::Result;

struct Network {
  std::string_view name;
  std::string_view url;
  std::string_view genesis;  // "" if the name stands for any chain.
};
constexpr std::string_view kFinney =
    "2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03";
constexpr std::string_view kTest =
    "8f9cf856bf558a14440e75569c9e58594757048d7b3a84b5d25f6bd978263105";
// A local node may be of any chain: one's own node of finney, or a private ledger.
constexpr Network kNetworks[] = {
    {"finney", "wss://entrypoint-finney.opentensor.ai:443", kFinney},
    {"archive", "wss://archive.chain.opentensor.ai:443", kFinney},
    {"test", "wss://test.finney.opentensor.ai:443", kTest},
    {"local", "ws://127.0.0.1:9944", ""},
};
constexpr size_t kEndpointsMax = 16;

bool is_url(std::string_view text) {
  constexpr std::string_view kSchemes[] = {"http://", "https://", "ws://", "wss://"};
  return std::any_of(std::begin(kSchemes), std::end(kSchemes), [&](std::string_view scheme) {
    return text.starts_with(scheme) && text.size() > scheme.size();
  });
}

// "finney" or "finney@wss://my.node:443": the latter is a node of one's own that must be of it.
Result<void> add(Endpoints& out, std::string_view one) {
  const size_t at = one.find('@');
  const std::string_view named = one.substr(0, at);
  const std::string_view url = at == std::string_view::npos ? "" : one.substr(at + 1);
  for (const Network& network : kNetworks) {
    if (network.name != named || (at != std::string_view::npos && !is_url(url))) continue;
    out.urls.emplace_back(url.empty() ? network.url : url);
    if (network.genesis.empty()) return {};
    const Hash genesis = Hash::from_hex(network.genesis).value();
    if (out.genesis && *out.genesis != genesis) {
      return Error{Code::kInvalidArgument, "these endpoints are of different networks: choose one"};
    }
    out.genesis = genesis;
    return {};
  }
  if (!is_url(one)) {
    return Error{Code::kInvalidArgument,
                 std::string(one) +
                     " is no chain endpoint: give ws://host:port, wss://host:port, "
                     "http://host:port, https://host:port, or one of finney, test, archive, local "
                     "(several with commas between)"};
  }
  out.urls.emplace_back(one);
  return {};
}

}  // namespace

Result<Endpoints> parse_endpoints(std::string_view text) {
  Endpoints out;
  while (true) {
    const size_t comma = text.find(',');
    std::string_view one = text.substr(0, comma);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    TRY_VOID(add(out, one));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  if (out.urls.size() > kEndpointsMax) {
    return Error{Code::kInvalidArgument, "at most 16 endpoints can be given"};
  }
  return out;
}

bool is_public_network(const Hash& genesis) {
  return genesis.hex() == kFinney || genesis.hex() == kTest;
}

}  // namespace chain::substrate
