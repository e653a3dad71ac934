// conformance_client URL NETUID STATE_FOLDER: Muster's client at the end of two pipes, so that
// other people's clients can be asked what they make of that which it sends. One request a line,
// one answer a line, both JSON; {"error": sentence} if it failed.
#include <iostream>
#include <string>

#include "chain/explorer.h"
#include "chain/ledger.h"
#include "common/log.h"

namespace {

using chain::AccountId;
using chain::Json;
using chain::Keypair;
using common::Code;
using common::Error;
using common::Result;

struct Client {
  std::unique_ptr<chain::Ledger> ledger;
  chain::Explorer explorer;
};

Result<AccountId> account(const Json& request, const char* name) {
  const auto found = AccountId::from_ss58(request.at(name).get<std::string>());
  if (!found) return Error{Code::kInvalidArgument, std::string(name) + " is no address"};
  return *found;
}

Json done(const Result<void>& outcome) {
  return outcome ? Json{{"done", true}} : Json{{"error", outcome.error().message}};
}

// The bytes of a call, and how the chain reads them.
Result<Json> plan(Client& client, const Keypair& key, const Json& request) {
  TRY(const chain::CallPlan made,
      client.explorer.plan(key, request.at("pallet").get<std::string>(),
                           request.at("call").get<std::string>(), request.at("arguments"), {}));
  return Json{{"bytes", "0x" + common::to_hex(made.bytes)}, {"fee", made.fee_rao}};
}

Result<Json> send(Client& client, const Keypair& key, const Json& request) {
  chain::CallOptions options;
  options.tip_rao = request.at("tip").get<uint64_t>();
  options.era_blocks = request.at("era").get<uint32_t>();
  TRY(const chain::CallReceipt receipt,
      client.explorer.send(key, request.at("pallet").get<std::string>(),
                           request.at("call").get<std::string>(), request.at("arguments"),
                           options));
  return Json{{"hash", "0x" + receipt.extrinsic.hex()}, {"block", receipt.block.number.index}};
}

Result<Json> weights(Client& client, const Keypair& key, const Json& request) {
  std::vector<chain::Weight> row;
  for (const Json& one : request.at("weights")) {
    row.push_back({{one.at(0).get<uint16_t>()}, one.at(1).get<uint16_t>()});
  }
  return done(client.ledger->set_weights(key, row, 0));
}

// The doors of chain/ledger.h by their names.
Result<Json> through_door(Client& client, const std::string& door, const Json& request) {
  TRY(const Keypair key, Keypair::from_uri(request.at("key").get<std::string>()));
  if (door == "plan") return plan(client, key, request);
  if (door == "send") return send(client, key, request);
  if (door == "set_weights") return weights(client, key, request);
  if (door == "tend") return done(client.ledger->tend(key));
  if (door == "register_neuron") {
    TRY(const AccountId hotkey, account(request, "hotkey"));
    TRY(const chain::Uid uid, client.ledger->register_neuron(key, hotkey));
    return Json{{"uid", uid.index}};
  }
  if (door == "add_stake") {
    TRY(const AccountId hotkey, account(request, "hotkey"));
    return done(client.ledger->add_stake(key, hotkey, request.at("amount").get<uint64_t>()));
  }
  if (door == "transfer") {
    TRY(const AccountId to, account(request, "to"));
    return done(client.ledger->transfer(key, to, request.at("amount").get<uint64_t>()));
  }
  if (door == "commit") {
    const auto text = request.at("text").get<std::string>();
    const common::Bytes field(text.begin(), text.end());
    return done(client.ledger->commit(key, {&field, 1}));
  }
  if (door == "serve_axon") {
    return done(client.ledger->serve_axon(
        key, {request.at("ip").get<uint32_t>(), request.at("port").get<uint16_t>()}));
  }
  return Error{Code::kInvalidArgument, "there is no door '" + door + "'"};
}

Json answer(Client& client, const std::string& line) {
  const Json request = Json::parse(line);
  const auto found = through_door(client, request.at("do").get<std::string>(), request);
  return found ? *found : Json{{"error", found.error().message}};
}

Result<Client> open(const char* url, const char* netuid, const char* folder) {
  chain::LedgerAccess access;
  access.state_folder = folder;
  TRY(auto ledger, chain::open_ledger(url, static_cast<uint16_t>(std::stoi(netuid)),
                                      common::system_clock(), access));
  TRY(auto explorer, chain::open_explorer(url, common::system_clock()));
  return Client{std::move(ledger), std::move(explorer)};
}

}  // namespace

int main(int argc, char** argv) {
  // The log goes to standard error.
  if (argc != 4 || !common::start_log("client", "error")) return 2;
  auto client = open(argv[1], argv[2], argv[3]);
  if (!client) {
    std::cerr << client.error().message << "\n";
    return 1;
  }
  std::string line;
  while (std::getline(std::cin, line)) std::cout << answer(*client, line).dump() << std::endl;
  return 0;
}
