#include "chain/ledger_command.h"

#include <sodium.h>

#include <algorithm>

#include "chain/embedded/private_chain.h"
#include "chain/embedded/rpc.h"
#include "chain/embedded/server.h"
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

// Goes on with what the folder holds, or begins.
Result<State> open_state(Store& store, const LedgerOptions& options) {
  TRY(std::optional<State> stored, store.load());
  if (options.genesis.empty()) {
    if (stored) return *std::move(stored);
    return Error{Code::kInvalidArgument,
                 options.data.string() + " holds no chain yet: name its --genesis"};
  }
  TRY(const Genesis genesis, read_genesis(options.genesis));
  State fresh = State::from_genesis(genesis);
  if (!stored) {
    TRY_VOID(store.commit(fresh.head()));
    return fresh;
  }
  if (stored->genesis_hash() != fresh.genesis_hash()) {
    return Error{Code::kInvalidArgument,
                 options.data.string() + " holds a chain that began with another genesis than " +
                     options.genesis.string() + ": choose another --data, or leave --genesis out"};
  }
  return *std::move(stored);
}

Hash fresh_entropy() {
  Hash entropy;
  randombytes_buf(entropy.bytes.data(), entropy.bytes.size());
  return entropy;
}

// Makes a block whenever one is due, and says when to come back.
class Producer {
 public:
  Producer(PrivateChain& chain, Store& store, Clock& clock, milliseconds block_time)
      : chain_(chain), store_(store), clock_(clock), block_time_(block_time), due_(clock.now()) {}

  std::optional<milliseconds> tick() {
    if (clock_.stop_requested()) return std::nullopt;
    const Instant now = clock_.now();
    if (now >= due_ || due_ - now > block_time_) {  // The latter: the machine's clock was put back.
      outcome_ = make_block(now);
      if (!outcome_) return std::nullopt;
      // From when it was due, so that nothing drifts; a machine that slept does not make up for it.
      due_ = due_ + block_time_;
      if (due_ <= now || due_ - now > block_time_) due_ = now + block_time_;
    }
    return std::clamp(due_ - clock_.now(), milliseconds(0), kStopPoll);
  }
  const Result<void>& outcome() const { return outcome_; }

 private:
  Result<void> make_block(Instant now) {
    const Instant last =
        chain_.read([](const State& state, const auto&) { return state.head().time; });
    const Instant time = std::max(now, last + milliseconds(1));
    // Nothing is answered between these two: what is not on the disk is nobody's head.
    return store_.commit(chain_.make_block(time, fresh_entropy()));
  }

  PrivateChain& chain_;
  Store& store_;
  Clock& clock_;
  milliseconds block_time_;
  Instant due_;
  Result<void> outcome_;
};

}  // namespace

Result<void> serve_ledger(const LedgerOptions& options, Clock& clock) {
  if (options.block_time.count() < 1) {
    return Error{Code::kInvalidArgument, "the block time must be at least 1 ms"};
  }
  CHECK(sodium_init() >= 0);
  TRY_VOID(common::make_folder(options.data));
  TRY(const auto lock, common::FolderLock::take(options.data));
  TRY(Store store, Store::open(options.data / "db"));
  TRY(State state, open_state(store, options));
  PrivateChain chain(std::move(state), options.block_time, "");
  embedded::LedgerRpc rpc(chain, &store);
  embedded::ServerOptions server_options;
  server_options.host = options.host;
  server_options.port = options.port;
  TRY(auto server, embedded::Server::listen(
                       server_options, [&](std::string_view body) { return rpc.answer(body); }));
  const uint32_t head =
      chain.read([](const State& at, const auto&) { return at.head().header.number; });
  common::log_info("ledger: block {}, http://{}:{}, a block every {} ms", head, options.host,
                   server.port(), options.block_time.count());
  Producer producer(chain, store, clock, options.block_time);
  server.run([&] { return producer.tick(); });
  if (producer.outcome()) common::log_info("ledger: stopped");
  return producer.outcome();
}

int run_ledger(const LedgerOptions& options) {
  common::install_stop_signals();
  const auto outcome = serve_ledger(options, common::system_clock());
  if (outcome) return 0;
  common::log_error("ledger: {}", outcome.error().message);
  return 1;
}

}  // namespace chain
