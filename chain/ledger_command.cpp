#include "chain/ledger_command.h"

#include <sodium.h>

#include <algorithm>

#include "chain/embedded/private_chain.h"
#include "chain/embedded/rpc.h"
#include "chain/embedded/server.h"
#include "chain/embedded/snapshot.h"
#include "chain/embedded/store.h"
#include "common/files.h"
#include "common/log.h"

namespace chain {
namespace {

using common::Clock;
using common::Code;
using common::Error;
using common::milliseconds;
using embedded::Genesis;
using embedded::PrivateChain;
using embedded::State;
using embedded::Store;

constexpr uint64_t kGenesisSizeMax = 16u << 20;
constexpr milliseconds kStopPoll{100};  // How soon a stop is seen at the latest.

Result<Genesis> read_genesis(const std::filesystem::path& file) {
  TRY(const Bytes bytes, common::read_file(file, kGenesisSizeMax));
  auto genesis = embedded::parse_genesis(common::text_of(bytes));
  if (!genesis) return common::within(file.string(), genesis.error());
  return genesis;
}

// The seed of the ledger's own beacon: the folder's, made if it has none.
Result<Bytes> beacon_seed(const std::filesystem::path& data) {
  const auto file = data / "beacon.seed";
  auto seed = common::read_file(file, sizeof(Hash));
  if (seed && seed->size() == sizeof(Hash)) return seed;
  if (seed) return Error{Code::kCorrupt, file.string() + " is not a seed of 32 bytes"};
  if (seed.error().code != Code::kNotFound) return seed.error();
  Bytes fresh(sizeof(Hash));
  randombytes_buf(fresh.data(), fresh.size());
  TRY_VOID(common::write_file(file, fresh, 0600));
  return fresh;
}

// A state, and what makes its pulses.
struct Opened {
  State state;
  timelock::BeaconSecret beacon;
};

Result<Opened> begin(Store& store, const LedgerOptions& options,
                     const std::optional<Genesis>& given) {
  if (!options.restore.empty()) {
    TRY(const Bytes bytes, common::read_file(options.restore, embedded::kSnapshotSizeMax));
    auto snapshot = embedded::decode_snapshot(bytes);
    if (!snapshot) return common::within(options.restore.string(), snapshot.error());
    if (!snapshot->beacon_seed.empty()) {
      TRY_VOID(common::write_file(options.data / "beacon.seed", snapshot->beacon_seed, 0600));
    }
    TRY_VOID(store.adopt(snapshot->state));
    TRY(const Bytes seed, beacon_seed(options.data));
    return Opened{std::move(snapshot->state), timelock::BeaconSecret::from_seed(seed)};
  }
  if (!given) {
    return Error{Code::kInvalidArgument,
                 options.data.string() +
                     " holds no chain yet: name its --genesis, or begin with "
                     "--dev or --restore"};
  }
  TRY(const Bytes seed, beacon_seed(options.data));
  auto beacon = timelock::BeaconSecret::from_seed(seed);
  State fresh = State::from_genesis(embedded::with_beacon(*given, beacon.key()));
  TRY_VOID(store.commit(fresh.head()));
  return Opened{std::move(fresh), std::move(beacon)};
}

// Goes on with what the folder holds, or begins.
Result<Opened> open_state(Store& store, const LedgerOptions& options) {
  std::optional<Genesis> given;
  if (!options.genesis.empty()) {
    TRY(given, read_genesis(options.genesis));
  } else if (options.dev) {
    given = embedded::development_genesis();
  }
  TRY(std::optional<State> stored, store.load());
  if (!stored) return begin(store, options, given);
  if (!options.restore.empty()) {
    return Error{Code::kInvalidArgument, options.data.string() +
                                             " holds a chain already: restore into another --data "
                                             "folder, or leave --restore out"};
  }
  TRY(const Bytes seed, beacon_seed(options.data));
  auto beacon = timelock::BeaconSecret::from_seed(seed);
  if (!options.genesis.empty()) {
    const State fresh = State::from_genesis(embedded::with_beacon(*given, beacon.key()));
    if (stored->genesis_hash() != fresh.genesis_hash()) {
      return Error{Code::kInvalidArgument,
                   options.data.string() + " holds a chain that began with another genesis than " +
                       options.genesis.string() +
                       ": choose another --data, or leave --genesis out"};
    }
  }
  return Opened{*std::move(stored), std::move(beacon)};
}

Hash fresh_entropy() {
  Hash entropy;
  randombytes_buf(entropy.bytes.data(), entropy.bytes.size());
  return entropy;
}

// Makes a block whenever one is due, and says when to come back; never one of itself if the block
// time is 0.
class Producer {
 public:
  Producer(PrivateChain& chain, Store& store, Clock& clock, milliseconds block_time)
      : chain_(chain), store_(store), clock_(clock), block_time_(block_time), due_(clock.now()) {}

  std::optional<milliseconds> tick() {
    if (clock_.stop_requested() || !outcome_) return std::nullopt;
    if (block_time_.count() == 0) return kStopPoll;
    const Instant now = clock_.now();
    if (now >= due_ || due_ - now > block_time_) {  // The latter: the machine's clock was put back.
      if (!make_block()) return std::nullopt;
      // From when it was due, so that nothing drifts; a machine that slept does not make up for it.
      due_ = due_ + block_time_;
      if (due_ <= now || due_ - now > block_time_) due_ = now + block_time_;
    }
    return std::clamp(due_ - clock_.now(), milliseconds(0), kStopPoll);
  }

  const Result<void>& make_block() {
    const Instant last =
        chain_.read([](const State& state, const auto&) { return state.head().time; });
    const Instant time = std::max(clock_.now(), last + milliseconds(1));
    // Nothing is answered between these two: what is not on the disk is nobody's head.
    outcome_ = store_.commit(chain_.make_block(time, fresh_entropy()));
    return outcome_;
  }
  const Result<void>& outcome() const { return outcome_; }

 private:
  PrivateChain& chain_;
  Store& store_;
  Clock& clock_;
  milliseconds block_time_;
  Instant due_;
  Result<void> outcome_;
};

}  // namespace

Result<void> serve_ledger(const LedgerOptions& options, Clock& clock) {
  CHECK(sodium_init() >= 0);
  TRY_VOID(common::make_folder(options.data));
  TRY(const auto lock, common::FolderLock::take(options.data));
  TRY(Store store, Store::open(options.data / "db"));
  store.keep(options.keep_blocks);
  TRY(Opened opened, open_state(store, options));
  const bool manual = options.block_time.count() == 0;
  PrivateChain chain(std::move(opened.state), manual ? milliseconds(1) : options.block_time, "");
  chain.publish(std::move(opened.beacon));
  Producer producer(chain, store, clock, options.block_time);
  embedded::LedgerRpc::Seal seal;
  if (manual || options.dev) seal = [&] { return producer.make_block(); };
  embedded::LedgerRpc rpc(chain, &store, std::move(seal));
  embedded::ServerOptions server_options;
  server_options.host = options.host;
  server_options.port = options.port;
  server_options.connections_max = options.connections_max;
  TRY(auto server, embedded::Server::listen(server_options, rpc));
  const uint32_t head =
      chain.read([](const State& at, const auto&) { return at.head().header.number; });
  const std::string pace =
      manual ? "blocks on demand"
             : "a block every " + std::to_string(options.block_time.count()) + " ms";
  common::log_info("ledger: block {}, http://{}:{}, and ws:// there, {}", head, options.host,
                   server.port(), pace);
  server.run([&] { return producer.tick(); });
  if (producer.outcome()) common::log_info("ledger: stopped");
  return producer.outcome();
}

Result<void> snapshot_ledger(const std::filesystem::path& data, const std::filesystem::path& file) {
  TRY(const auto lock, common::FolderLock::take(data));
  TRY(const Store store, Store::open(data / "db"));
  TRY(const std::optional<State> state, store.load());
  if (!state) return Error{Code::kNotFound, data.string() + " holds no chain"};
  TRY(const Bytes seed, beacon_seed(data));
  return common::write_file(file, embedded::encode_snapshot(*state, seed), 0600);
}

int run_ledger(const LedgerOptions& options) {
  common::install_stop_signals();
  const auto outcome = serve_ledger(options, common::system_clock());
  if (outcome) return 0;
  common::log_error("ledger: {}", outcome.error().message);
  return 1;
}

}  // namespace chain
