// What the ledger costs: signed extrinsics a second from JSON text to block, a whole epoch's block
// of 256 neurons of which 64 validate, their metagraph as our client reads it, and 200 WebSocket
// clients who hear of every block.
//
// One thread serves, as in `muster ledger`; times are its CPU time (the machine may be busy
// otherwise), but for how long the last of the clients waits, which is the clock's.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <random>
#include <thread>

#include "chain/embedded/items.h"
#include "chain/embedded/registration.h"
#include "chain/embedded/rpc.h"
#include "chain/embedded/staking.h"
#include "chain/embedded/weights.h"
#include "chain/substrate/substrate_ledger.h"
#include "tests/chain/ledger_calls.h"

namespace {

using namespace chain::embedded;  // NOLINT: the room that is measured.
using chain::Keypair;
using chain::kRaoPerTao;
using common::Instant;
using common::milliseconds;

// CPU time of this thread.
double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}
double now_ms() { return static_cast<double>(common::system_clock().now().unix_ms); }

Genesis genesis_of(const std::vector<Keypair>& keys) {
  Genesis genesis = development_genesis();
  genesis.accounts.clear();
  for (const Keypair& key : keys) {
    genesis.accounts.push_back({key.account(), 1'000 * kRaoPerTao});
  }
  genesis.owner_coldkey = genesis.sudo = keys[0].account();
  return genesis;
}

// From the text of a request to a block: JSON, hex, signature, pool, dispatch, events, state.
void extrinsics_a_second() {
  constexpr uint32_t kAccounts = 64;
  constexpr uint32_t kEach = 64;
  std::vector<Keypair> keys;
  for (uint32_t i = 0; i < kAccounts; ++i) {
    keys.push_back(Keypair::from_uri("//bench" + std::to_string(i)).value());
  }
  PrivateChain chain(State::from_genesis(genesis_of(keys)), milliseconds(250), "bench");
  LedgerRpc rpc(chain, nullptr);
  const auto genesis =
      chain.read([](const State& state, const Pool&) { return state.genesis_hash(); });
  const chain::substrate::SigningContext context{kSpecVersion, kTransactionVersion, genesis,
                                                 genesis};
  std::vector<std::string> requests;
  for (uint32_t nonce = 0; nonce < kEach; ++nonce) {
    for (uint32_t i = 0; i < kAccounts; ++i) {
      const Bytes call =
          encode_call(TransferKeepAlive{keys[(i + 1) % kAccounts].account(), 1'000'000});
      const Bytes sent = chain::substrate::sign_extrinsic(keys[i], call, {{}, nonce, 0}, context);
      requests.push_back(
          R"({"jsonrpc":"2.0","id":1,"method":"author_submitExtrinsic","params":["0x)" +
          common::to_hex(sent) + R"("]})");
    }
  }
  const double before = thread_seconds();
  size_t taken = 0;
  for (const std::string& request : requests) {
    taken += rpc.answer(request).find("error") == std::string::npos ? 1 : 0;
  }
  const double submitted = thread_seconds();
  chain.make_block();
  const double made = thread_seconds();
  const size_t held = chain.read(
      [](const State& state, const Pool&) { return state.head().extrinsics.size() - 1; });
  std::printf(
      "extrinsics: %zu sent, %zu in the block; %.0f a second submitted, %.0f put into a "
      "block, %.0f altogether (one core)\n",
      taken, held, static_cast<double>(taken) / (submitted - before),
      static_cast<double>(held) / (made - submitted), static_cast<double>(held) / (made - before));
}

constexpr uint16_t kNeurons = 256;
constexpr uint16_t kValidators = 64;
constexpr uint16_t kTempo = 20;

// A subnet as full as mainnet's. Nothing, said aloud, if the ledger does not take it.
std::optional<State> full_subnet(bool yuma3, bool liquid_alpha) {
  std::vector<Keypair> keys;
  keys.push_back(Keypair::from_uri("//bench").value());
  Genesis genesis = genesis_of(keys);
  genesis.rules.tempo = kTempo;
  genesis.rules.yuma3 = yuma3;
  genesis.rules.liquid_alpha_enabled = liquid_alpha;
  State state = State::from_genesis(genesis);
  std::mt19937 random(20'260'701);
  // By hand, through the ledger's own functions; then the blocks run as they always do.
  std::vector<std::pair<Bytes, std::optional<Bytes>>> entries;
  Storage storage = state.storage();
  const uint16_t netuid = genesis.netuid;
  for (uint16_t uid = 1; uid < kNeurons; ++uid) {
    chain::AccountId hotkey;
    hotkey.bytes[0] = static_cast<uint8_t>(uid);
    hotkey.bytes[1] = 1;
    place_neuron(storage, 0, netuid, hotkey, keys[0].account());
    if (uid >= kValidators) continue;
    const uint64_t stake_rao = kRaoPerTao * (1 + random() % 1'000);
    credit_alpha(storage, hotkey, keys[0].account(), netuid, stake_rao);
    for (const Bytes& key :
         {kSubnetTao.key(netuid), kSubnetAlphaOut.key(netuid), items::kTotalStake.key()}) {
      put_number(storage, key, get_number<uint64_t>(storage, key) + stake_rao);
    }
  }
  put_numbers(storage, items::kLastUpdate.key(netuid), std::vector<uint64_t>(kNeurons, 2));
  for (uint16_t uid = 0; uid < kValidators; ++uid) {
    std::vector<chain::Weight> row;
    for (uint16_t to = 0; to < kNeurons; ++to) {
      row.push_back({{to}, static_cast<uint16_t>(random())});
    }
    put_row(storage, items::kWeights.key(netuid, uid), row);
  }
  for (const Change& change : storage.take_changes())
    entries.emplace_back(change.key, change.after);
  if (const auto set = state.set_storage(entries); !set) {
    std::printf("full subnet: %s\n", set.error().message.c_str());
    return std::nullopt;
  }
  return state;
}

// The block that ends an epoch, all of it.
void epoch_block(const char* name, bool yuma3, bool liquid_alpha) {
  auto state = full_subnet(yuma3, liquid_alpha);
  if (!state) return;
  std::vector<double> epochs_ms;
  std::vector<double> blocks_ms;
  for (int i = 1; i <= 8 * kTempo; ++i) {
    const double before = thread_seconds();
    state->advance(state->head().time + milliseconds(250), Hash{}, {});
    (i % kTempo == 0 ? epochs_ms : blocks_ms).push_back(1e3 * (thread_seconds() - before));
  }
  std::sort(epochs_ms.begin(), epochs_ms.end());
  std::sort(blocks_ms.begin(), blocks_ms.end());
  std::printf(
      "epoch: 256 neurons, 64 validators, %s: a block that ends an epoch %.1f ms "
      "(median of %zu, worst %.1f), any other %.2f ms\n",
      name, epochs_ms[epochs_ms.size() / 2], epochs_ms.size(), epochs_ms.back(),
      blocks_ms[blocks_ms.size() / 2]);
}

// No wire: each body there and back is a round trip.
class CountedLoopback final : public chain::substrate::BodyTransport {
 public:
  CountedLoopback(PrivateChain& chain, size_t& trips, size_t& bytes)
      : rpc_(chain, nullptr), trips_(trips), bytes_(bytes) {}
  common::Result<std::string> post(const std::string& body) override {
    ++trips_;
    std::string answer = rpc_.answer(body);
    bytes_ += answer.size();
    return answer;
  }

 private:
  LedgerRpc rpc_;
  size_t& trips_;
  size_t& bytes_;
};

void metagraph() {
  auto state = full_subnet(true, false);
  if (!state) return;
  for (int i = 0; i < 2 * kTempo; ++i) {
    state->advance(state->head().time + milliseconds(250), Hash{}, {});
  }
  PrivateChain chain(*std::move(state), milliseconds(250), "bench");
  size_t trips = 0;
  size_t bytes = 0;
  auto ledger = chain::substrate::SubstrateLedger::make(
      std::make_unique<CountedLoopback>(chain, trips, bytes), 1, common::system_clock());
  std::vector<double> reads_ms;
  size_t neurons = 0;
  trips = bytes = 0;
  constexpr size_t kReads = 15;
  for (size_t i = 0; i < kReads; ++i) {
    const double before = thread_seconds();
    neurons = (*ledger)->metagraph(std::nullopt).value().neurons.size();
    reads_ms.push_back(1e3 * (thread_seconds() - before));
  }
  std::sort(reads_ms.begin(), reads_ms.end());
  std::printf(
      "metagraph: %zu neurons in %.1f round trips, %zu kB of JSON; %.1f ms of CPU, both ends\n",
      neurons, static_cast<double>(trips) / kReads, bytes / kReads / 1'000, reads_ms[kReads / 2]);
}

int connect_ws(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return -1;
  const std::string hello =
      "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  send(fd, hello.data(), hello.size(), 0);
  std::string answer;
  char byte = 0;
  while (answer.find("\r\n\r\n") == std::string::npos && recv(fd, &byte, 1, 0) == 1) answer += byte;
  const std::string text =
      R"({"jsonrpc":"2.0","id":1,"method":"chain_subscribeNewHeads","params":[]})";
  const std::string frame =
      std::string("\x81") + static_cast<char>(0x80 | text.size()) + std::string(4, '\0') + text;
  send(fd, frame.data(), frame.size(), 0);
  return fd;
}

void websocket_clients() {
  constexpr size_t kClients = 200;
  constexpr int kBlocks = 40;
  constexpr milliseconds kPause{50};
  std::vector<Keypair> keys;
  keys.push_back(Keypair::from_uri("//bench").value());
  PrivateChain chain(State::from_genesis(genesis_of(keys)), kPause, "bench");
  LedgerRpc rpc(chain, nullptr);
  ServerOptions options;
  options.port = 0;
  auto server = Server::listen(options, rpc).value();
  std::atomic<bool> go = false;
  std::atomic<bool> stop = false;
  std::atomic<double> block_at = 0;
  double server_cpu_s = 0;
  std::thread serving([&] {
    double before = 0;
    server.run([&]() -> std::optional<milliseconds> {
      if (stop) {
        server_cpu_s = thread_seconds() - before;
        return std::nullopt;
      }
      if (!go) {
        before = thread_seconds();
        return milliseconds(10);
      }
      block_at = now_ms();
      chain.make_block();
      return kPause;
    });
  });
  std::vector<pollfd> clients;
  for (size_t i = 0; i < kClients; ++i) clients.push_back({connect_ws(server.port()), POLLIN, 0});
  common::system_clock().sleep(milliseconds(300));
  std::vector<char> buffer(1 << 16);
  for (const pollfd& one : clients) recv(one.fd, buffer.data(), buffer.size(), 0);
  go = true;
  std::vector<double> waits_ms;
  for (int block = 0; block < kBlocks; ++block) {
    size_t heard = 0;
    std::vector<bool> has(kClients, false);
    while (heard < kClients && poll(clients.data(), clients.size(), 2'000) > 0) {
      for (size_t i = 0; i < kClients; ++i) {
        if ((clients[i].revents & POLLIN) == 0) continue;
        recv(clients[i].fd, buffer.data(), buffer.size(), 0);
        if (!has[i]) ++heard;
        has[i] = true;
      }
    }
    waits_ms.push_back(now_ms() - block_at);
  }
  stop = true;
  serving.join();
  for (const pollfd& one : clients) close(one.fd);
  std::sort(waits_ms.begin(), waits_ms.end());
  std::printf(
      "clients: %zu WebSockets, a block every %lld ms: the last hears %.0f ms after the "
      "block is begun (median; worst %.0f), %.2f ms of CPU a block\n",
      kClients, static_cast<long long>(kPause.count()), waits_ms[waits_ms.size() / 2],
      waits_ms.back(), 1e3 * server_cpu_s / kBlocks);
}

}  // namespace

int main() {
  extrinsics_a_second();
  epoch_block("Yuma2", false, false);
  epoch_block("Yuma2, liquid alpha", false, true);
  epoch_block("Yuma3", true, false);
  epoch_block("Yuma3, liquid alpha", true, true);
  metagraph();
  websocket_clients();
  return 0;
}
