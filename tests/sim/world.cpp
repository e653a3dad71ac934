#include "tests/sim/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "chain/block_clock.h"
#include "chain/window_loop.h"
#include "common/files.h"
#include "common/log.h"
#include "miner/worker.h"
#include "tests/sim/small_data.h"
#include "train/hf_checkpoint.h"
#include "train/optimiser_state.h"
#include "validator/audit.h"
#include "validator/validator.h"

namespace sim {
namespace {

namespace fs = std::filesystem;

using common::AccountId;
using common::Hash;
using common::Keypair;
using common::Role;
using common::Window;
using nlohmann::json;

constexpr milliseconds kBlockTime{1000};
constexpr Instant kStart{1'700'000'000'000};

// The value, or the end of the simulation with its reason: what cannot fail here is a bug of the
// simulator.
template <typename T>
T must(Result<T> result) {
  CHECK_MSG(result.has_value(), result.error().message);
  return std::move(result).value();
}
void must(Result<void> result) {
  CHECK_MSG(result.has_value(), result ? "" : result.error().message);
}

// One machine: its disk outlives its process.
struct Machine {
  std::string name;
  Role role = Role::kNone;
  std::string uri;  // Of its keys.
  fs::path folder;
  size_t turn = 0;
  std::unique_ptr<NodeClock> clock;
  std::jthread thread;
  bool dead = false;  // Never comes back.
  uint64_t kills = 0;
  std::set<uint64_t> scored;  // Windows whose scores were acknowledged.
  // Windows that stood in a miner's journal, and of each the steps that went into it: fewer than
  // the network's where the deadline was near.
  std::map<uint64_t, uint64_t> sealed;

  Keypair hotkey() const { return must(Keypair::from_uri(uri + "//hot")); }
  Keypair coldkey() const { return must(Keypair::from_uri(uri + "//cold")); }
  std::string bucket() const { return "memory://" + name; }
};

class World {
 public:
  explicit World(const Scenario& scenario);
  Outcome run();

 private:
  void give_model();
  void add_machine(const std::string& name, Role role);
  void register_all();
  void run_machine(Machine& machine);
  void run_process(Machine& machine);
  void mine(Machine& machine, chain::Ledger& ledger);
  void validate(Machine& machine, chain::Ledger& ledger);
  std::unique_ptr<FaultyStore> store(Machine& machine, std::string address);
  train::OpenStore opener(Machine& machine);
  void note_sealed(Machine& machine) const;
  Result<void> around(Machine& machine, Window window,
                      const std::function<Result<void>(Window)>& step);
  void check_roots(Outcome& outcome);
  void check_scores(Outcome& outcome);
  void check_optimisers(Outcome& outcome);

  Scenario scenario_;
  tests::TempFolder folder_;
  common::Philox chance_;
  Turns turns_{kStart};
  SmallData data_;
  common::Hparams hparams_;
  fs::path initial_model_;
  std::vector<std::unique_ptr<Machine>> machines_;
  std::optional<chain::PrivateNetwork> network_;
  Objects objects_;
  Faults faults_now_;
};

World::World(const Scenario& scenario)
    : scenario_(scenario),
      chance_(common::blake2b_256(common::view_of(fmt::format("world {}", scenario.seed)))),
      data_(make_small_data(folder_.path(), scenario.anneal_window)),
      hparams_(data_.hparams),
      faults_now_(scenario.faults) {
  hparams_.codec.look_ahead = scenario.look_ahead;
  if (scenario.bursting) {
    hparams_.inner.learning_rate = 1e300;
    hparams_.inner.anneal_ratio = 1e-303;
  }
  if (scenario.given_model) give_model();
  for (uint32_t i = 0; i < scenario.validators; ++i) {
    add_machine(fmt::format("validator-{}", i), Role::kValidator);
  }
  for (uint32_t i = 0; i < scenario.miners; ++i) {
    add_machine(fmt::format("miner-{}", i), Role::kMiner);
  }
  json accounts = json::object();
  for (const auto& machine : machines_) {
    accounts[machine->coldkey().account().ss58()] = uint64_t{30'000} * chain::kRaoPerTao;
  }
  const json genesis = {
      {"time_unix_ms", kStart.unix_ms},
      {"netuid", hparams_.netuid},
      {"owner_coldkey", must(Keypair::from_uri("//owner//cold")).account().ss58()},
      {"owner_hotkey", must(Keypair::from_uri("//owner//hot")).account().ss58()},
      {"rules",
       {{"tempo", 5},
        {"weights_rate_limit", 0},
        {"stake_threshold_rao", 1000 * chain::kRaoPerTao}}},
      {"accounts", accounts}};
  network_ = must(chain::PrivateNetwork::make(genesis.dump(), kBlockTime, "simulation"));
}

void World::give_model() {
  initial_model_ = folder_ / "initial";
  train::HfConfig config{};
  config.model = hparams_.model;
  const auto layout = train::parameter_layout(hparams_.model, hparams_.codec);
  std::vector<float> theta = train::initial_parameters(hparams_.model, layout);
  theta.front() = 0.25F;  // Not what the seed draws.
  must(train::write_hf_folder(initial_model_, config, theta, {}));
  hparams_.model.initial_theta = train::theta_root(theta);
}

void World::add_machine(const std::string& name, Role role) {
  auto machine = std::make_unique<Machine>();
  machine->name = name;
  machine->role = role;
  machine->uri = "//" + name;
  machine->folder = folder_ / name;
  fs::create_directories(machine->folder);
  machine->turn = turns_.add();
  const int64_t most = scenario_.skew_max.count();
  const milliseconds skew(
      most == 0 ? 0
                : static_cast<int64_t>(chance_.below(static_cast<uint64_t>(2 * most + 1))) - most);
  machine->clock = std::make_unique<NodeClock>(turns_, machine->turn, skew);
  machines_.push_back(std::move(machine));
}

// The journal keeps one window at a time, so it is looked at after each.
void World::note_sealed(Machine& machine) const {
  constexpr std::string_view kPrefix = "sealed.";
  for (const auto& entry : fs::directory_iterator(machine.folder)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(kPrefix)) continue;
    const auto sealed = must(train::Sealed::parse(must(common::read_file(entry.path(), 1 << 20))));
    const auto receipt = train::Receipt::parse(sealed.receipt, hparams_.inner.steps,
                                               hparams_.inner.sequences_per_step);
    CHECK(receipt.has_value());
    machine.sealed[std::stoull(name.substr(kPrefix.size()))] = receipt->steps.size();
  }
}

// A machine's life: processes that run until they are killed, and are started again.
void World::run_machine(Machine& machine) {
  turns_.begin(machine.turn);
  while (!machine.dead && !machine.clock->stop_requested()) {
    try {
      run_process(machine);
    } catch (const Killed&) {
      ++machine.kills;
      machine.clock->kill_after(0);
      turns_.sleep(machine.turn, milliseconds(500));
    }
    note_sealed(machine);
  }
  turns_.end(machine.turn);
}

void World::run_process(Machine& machine) {
  auto ledger = must(network_->ledger(*machine.clock));
  if (machine.role == Role::kMiner) {
    mine(machine, *ledger);
  } else {
    validate(machine, *ledger);
  }
}

std::unique_ptr<FaultyStore> World::store(Machine& machine, std::string address) {
  return std::make_unique<FaultyStore>(objects_, std::move(address), *machine.clock, turns_,
                                       chance_, faults_now_);
}

train::OpenStore World::opener(Machine& machine) {
  return [this, &machine](std::string_view address) {
    std::unique_ptr<common::ObjectStore> opened = store(machine, std::string(address));
    return Result<std::unique_ptr<common::ObjectStore>>(std::move(opened));
  };
}

// One window of a process: perhaps the one in which it is killed.
Result<void> World::around(Machine& machine, Window window,
                           const std::function<Result<void>(Window)>& step) {
  const bool faulty = window.index < scenario_.faulty_until;
  if (!faulty) faults_now_ = {};
  if (faulty && scenario_.lead_dies && window.index == 2 && machine.name == "validator-0") {
    machine.dead = true;
    throw Killed{};
  }
  if (faulty && chance_.unit() < scenario_.kills) {
    machine.clock->kill_after(1 + chance_.below(60));
  }
  auto stepped = step(window);
  machine.clock->kill_after(0);
  note_sealed(machine);
  if (window.index + 1 >= scenario_.windows) machine.clock->request_stop();
  return stepped;
}

void World::mine(Machine& machine, chain::Ledger& ledger) {
  const Keypair hotkey = machine.hotkey();
  const auto bucket = store(machine, machine.bucket());
  const auto local =
      must(common::open_store("file://" + (machine.folder / "local").string(), true));
  const auto codec = must(compress::make_codec(hparams_.codec));
  // Each life on another number of machines: what the last one kept must serve.
  const SmallMachines machines(hparams_, 1 + machine.kills % 3);
  miner::Worker worker({.hparams = hparams_,
                        .ledger = ledger,
                        .clock = *machine.clock,
                        .hotkey = hotkey,
                        .bucket = *bucket,
                        .local = *local,
                        .folder = machine.folder,
                        .open_store = opener(machine),
                        .training_sets = data_.training_sets,
                        .learner = *machines.learner,
                        .codec = *codec,
                        .io_threads = 1,
                        .initial_model = initial_model_});
  while (!worker.announce(machine.bucket())) machine.clock->sleep(milliseconds(1000));
  must(chain::run_windows(ledger, *machine.clock, hparams_.schedule, [&](Window window) {
    return around(machine, window, [&](Window w) { return worker.step(w); });
  }));
}

void World::validate(Machine& machine, chain::Ledger& ledger) {
  const Keypair hotkey = machine.hotkey();
  const auto bucket = store(machine, machine.bucket());
  const auto local =
      must(common::open_store("file://" + (machine.folder / "local").string(), true));
  SmallModel model(hparams_);
  validator::ScoreStore scores = must(validator::ScoreStore::open(
      machine.folder / "scores", hparams_, validator::ScoreStore::Mode::kReadWrite));
  validator::Validator validator({.hparams = hparams_,
                                  .ledger = ledger,
                                  .clock = *machine.clock,
                                  .hotkey = hotkey,
                                  .bucket = *bucket,
                                  .local = *local,
                                  .open_store = opener(machine),
                                  .training_sets = data_.training_sets,
                                  .heldout_set = data_.heldout_set,
                                  .model = model.model,
                                  .codec = *model.codec,
                                  .scores = scores,
                                  .folder = machine.folder,
                                  .io_threads = 1,
                                  .initial_model = initial_model_});
  while (!validator.announce(machine.bucket())) machine.clock->sleep(milliseconds(1000));
  must(chain::run_windows(ledger, *machine.clock, hparams_.schedule, [&](Window window) {
    return around(machine, window, [&](Window w) {
      auto stepped = validator.step(w);
      const auto range = scores.range();
      if (range) machine.scored.insert(range->second.index);
      return stepped;
    });
  }));
}

// Registers and stakes before the nodes start; blocks are made by hand.
void World::register_all() {
  const size_t turn = turns_.add();
  NodeClock clock(turns_, turn, milliseconds(0));
  std::jthread registrar([&] {
    turns_.begin(turn);
    auto ledger = must(network_->ledger(clock));
    uint64_t stake_rao = uint64_t{20'000} * chain::kRaoPerTao;
    for (const auto& machine : machines_) {
      const Keypair coldkey = machine->coldkey();
      must(ledger->register_neuron(coldkey, machine->hotkey().account()));
      if (machine->role != Role::kValidator) continue;
      must(ledger->add_stake(coldkey, machine->hotkey().account(), stake_rao));
      stake_rao -= chain::kRaoPerTao;
    }
    turns_.end(turn);
  });
  // Only the registrar has a thread yet, so only it may have turns.
  while (turns_.step_only(turn, [this](Instant now) { network_->advance_to(now); })) {
  }
}

Outcome World::run() {
  register_all();
  for (const auto& machine : machines_) {
    machine->thread = std::jthread([this, &machine] { run_machine(*machine); });
  }
  const int64_t end_ms =
      static_cast<int64_t>((scenario_.windows + 4) * hparams_.schedule.blocks_per_window) *
      kBlockTime.count();
  const Instant end = kStart + milliseconds(end_ms);
  while (turns_.step(end, [this](Instant now) { network_->advance_to(now); })) {
  }
  for (const auto& machine : machines_) machine->clock->request_stop();
  while (turns_.step(end + milliseconds(100'000'000),
                     [this](Instant now) { network_->advance_to(now); })) {
  }
  Outcome outcome;
  for (const auto& machine : machines_) {
    machine->thread.join();
    outcome.kills += machine->kills;
    outcome.history += fmt::format("{}: {} operations, {} kills; ", machine->name,
                                   machine->clock->operations(), machine->kills);
  }
  check_roots(outcome);
  check_scores(outcome);
  check_optimisers(outcome);
  return outcome;
}

// Every signed root of a window is the same; and in the last window every living node has one.
void World::check_roots(Outcome& outcome) {
  Hash before;
  for (uint64_t w = 0; w < scenario_.windows; ++w) {
    std::map<Hash, std::string> roots;
    for (const auto& machine : machines_) {
      const auto& bucket = objects_.buckets[machine->bucket()];
      const auto found = bucket.find(train::root_key({w}));
      if (found == bucket.end()) {
        if (w + 1 == scenario_.windows && !machine->dead) {
          outcome.broken.push_back(machine->name + " did not finish the last window");
        }
        continue;
      }
      // netuid 2 | window 8 | uid 2 | hotkey 32, then the root.
      const Hash root = *Hash::from_bytes(ByteView(found->second.bytes).subspan(44, 32));
      roots[root] += machine->name + " ";
    }
    if (roots.size() > 1) {
      std::string who;
      for (const auto& [root, names] : roots) who += fmt::format("{}: {}; ", root.brief(), names);
      outcome.broken.push_back(fmt::format("after window {} the roots differ: {}", w, who));
    }
    if (roots.empty()) continue;
    outcome.history += fmt::format("window {} {}{}; ", w, roots.begin()->second,
                                   roots.begin()->first != before ? "moved" : "stayed");
    if (roots.begin()->first != before) ++outcome.windows_moved;
    before = roots.begin()->first;
  }
}

void World::check_scores(Outcome& outcome) {
  for (const auto& machine : machines_) {
    if (machine->role != Role::kValidator) continue;
    const auto scores = validator::ScoreStore::open(machine->folder / "scores", hparams_,
                                                    validator::ScoreStore::Mode::kReadOnly);
    if (!scores) {
      if (!machine->dead) outcome.broken.push_back(machine->name + ": " + scores.error().message);
      continue;
    }
    const auto audit = validator::audit(*scores, hparams_);
    if (!audit || !audit->ok) {
      outcome.broken.push_back(machine->name + ": the audit differs");
    }
    for (const uint64_t window : machine->scored) {
      const auto record = scores->read({window});
      if (!record) {
        outcome.broken.push_back(
            fmt::format("{}: scores of window {} were acknowledged and are "
                        "lost",
                        machine->name, window));
        continue;
      }
      for (const validator::Evidence& row : record->evidence.peers) {
        const auto add = [](auto& to, const auto& from) {
          to.insert(to.end(), from.begin(), from.end());
        };
        add(outcome.judged_own[window], row.own.trained.samples);
        add(outcome.judged_control[window], row.own.control.samples);
      }
      double sum = 0;
      for (const validator::Share& share : record->weights) sum += share.share;
      if (sum < 1 - 1e-9 || sum > 1 + 1e-9) {
        outcome.broken.push_back(
            fmt::format("{}: weights of window {} sum to {}", machine->name, window, sum));
      }
    }
  }
}

// An optimiser has taken the steps of the windows that were sealed, whatever its miner went through
// (W43), and none of a window that came to nothing.
void World::check_optimisers(Outcome& outcome) {
  const auto backend = must(train::make_backend("cpu", 1));
  const auto layout = train::parameter_layout(hparams_.model, hparams_.codec);
  for (const auto& machine : machines_) {
    if (machine->sealed.empty()) continue;
    outcome.windows_sealed += machine->sealed.size();
    const auto optimiser = train::make_optimiser(layout, hparams_.inner, *backend);
    const auto loaded = train::load_optimiser(
        *optimiser, machine->folder / fmt::format("optimiser.{}", machine->sealed.rbegin()->first));
    uint64_t expected = 0;
    for (const auto& [window, steps] : machine->sealed) expected += steps;
    if (!loaded) {
      outcome.broken.push_back(machine->name + ": " + loaded.error().message);
    } else if (optimiser->state().steps != expected) {
      outcome.broken.push_back(fmt::format("{}: its optimiser took {} steps, {} were sealed",
                                           machine->name, optimiser->state().steps, expected));
    }
  }
}

}  // namespace

Outcome run(const Scenario& scenario) {
  spdlog::set_level(scenario.verbose ? spdlog::level::info : spdlog::level::off);
  return World(scenario).run();
}

Scenario scenario_of(uint64_t seed) {
  common::Philox chance(common::blake2b_256(common::view_of(fmt::format("scenario {}", seed))));
  Scenario scenario;
  scenario.seed = seed;
  const auto often = [&chance](double share, double most) {
    return chance.unit() < share ? chance.unit() * most : 0.0;
  };
  scenario.faults = {.unavailable = often(0.5, 0.3),
                     .lost_reply = often(0.4, 0.2),
                     .torn = often(0.3, 0.1),
                     .corrupted = often(0.3, 0.1),
                     .stale = often(0.3, 0.3),
                     .slow = often(0.4, 0.3)};
  scenario.kills = often(0.6, 0.6);
  scenario.lead_dies = chance.unit() < 0.2;
  scenario.skew_max = milliseconds(chance.unit() < 0.3 ? chance.below(1500) : 0);
  scenario.look_ahead = chance.unit() < 0.5;
  return scenario;
}

}  // namespace sim
