#include "deploy/net/subnet.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/files.h"
#include "common/wallet.h"
#include "deploy/net/log_tail.h"
#include "deploy/net/status_file.h"
#include "train/messages.h"

namespace deploy {
namespace {

namespace fs = std::filesystem;

using common::Code;
using common::Error;
using common::Keypair;
using common::milliseconds;
using common::Role;
using nlohmann::json;

constexpr uint64_t kRao = chain::kRaoPerTao;
constexpr uint64_t kStakeRao = 10'000 * kRao;
constexpr milliseconds kStopPatience{8'000};

Result<uint64_t> wealth(chain::Ledger& ledger, const chain::Metagraph& metagraph,
                        const Node& node) {
  TRY(uint64_t rao, ledger.balance(node.coldkey));
  const chain::Neuron* neuron = metagraph.find(node.hotkey);
  return rao + (neuron == nullptr ? 0 : neuron->stake_rao);
}

std::vector<std::string> ledger_command(const Plan& plan) {
  return {(plan.options.programs / "muster").string(),
          "ledger",
          "--data",
          plan.ledger_folder().string(),
          "--genesis",
          plan.genesis_file().string(),
          "--port",
          std::to_string(plan.port),
          "--block-ms",
          std::to_string(plan.options.block_ms)};
}

std::vector<std::string> node_command(const Plan& plan, const Node& node) {
  const char* program = node.role == Role::kMiner ? "muster-miner" : "muster-validator";
  return {(plan.options.programs / program).string(), "run", "--config",
          node.config_file().string()};
}

std::vector<PhaseEnd> phases_of(const common::ScheduleParams& schedule) {
  return {{"train", schedule.seal_block},
          {"reveal", schedule.reveal_block},
          {"manifest", schedule.manifest_block},
          {"judge and apply", schedule.blocks_per_window}};
}

}  // namespace

Subnet::Subnet(const Plan& plan, common::Clock& clock)
    : plan_(plan),
      clock_(clock),
      ledger_process_("the ledger", ledger_command(plan), plan.folder / "ledger.log"),
      sent_(plan.nodes.size()) {
  view_.phases = phases_of(plan.hparams.schedule);
  view_.block_s = static_cast<double>(plan.options.block_ms) / 1000.0;
  for (const Node& node : plan.nodes) {
    processes_.emplace_back(node.name, node_command(plan, node), node.log_file());
    view_.nodes.push_back({.name = node.name, .role = node.role});
  }
}

Result<std::unique_ptr<Subnet>> Subnet::start(const Plan& plan, common::Clock& clock) {
  auto subnet = std::make_unique<Subnet>(plan, clock);
  Result<void> started = subnet->start_ledger();
  if (started) started = subnet->register_all();
  if (started) started = subnet->start_nodes();
  if (clock.stop_requested()) return Error{Code::kCancelled, "stopped"};
  if (!started) return started.error();
  return subnet;
}

Result<void> Subnet::start_ledger() {
  TRY_VOID(common::make_folder(plan_.ledger_folder()));
  TRY_VOID(ledger_process_.start(clock_.now()));
  constexpr int kTries = 200;
  for (int i = 0; i < kTries; ++i) {
    auto ledger = chain::open_ledger(plan_.endpoint(), plan_.hparams.netuid, clock_);
    if (ledger && (*ledger)->head()) {
      ledger_ = std::move(ledger).value();
      return {};
    }
    if (ledger_process_.tend(clock_.now()) || !clock_.sleep(milliseconds(100))) break;
  }
  return Error{Code::kUnavailable, "the ledger does not answer at " + plan_.endpoint() +
                                       "; its log ends: " + last_sentence(ledger_process_.log())};
}

Result<void> Subnet::register_all() {
  for (const Node& node : plan_.nodes) {
    if (auto registered = register_one(node); !registered) {
      return common::within("registering " + node.name, registered.error());
    }
  }
  TRY(const chain::Metagraph metagraph, ledger_->metagraph(std::nullopt));
  for (const Node& node : plan_.nodes) {
    TRY(start_balance_[node.hotkey], wealth(*ledger_, metagraph, node));
  }
  return {};
}

// What a newcomer does with `muster register` and `muster stake`.
Result<void> Subnet::register_one(const Node& node) {
  const common::WalletLocation wallet{plan_.coldkey_folder(), node.name, "default"};
  const auto no_password = [](const fs::path&) { return Result<std::string>(std::string()); };
  TRY(const Keypair coldkey, common::read_keyfile(wallet.coldkey_file(), no_password));
  TRY(chain::Metagraph metagraph, ledger_->metagraph(std::nullopt));
  if (metagraph.find(node.hotkey) == nullptr) {
    TRY_VOID(ledger_->register_neuron(coldkey, node.hotkey));
    TRY(metagraph, ledger_->metagraph(std::nullopt));
  }
  const chain::Neuron* neuron = metagraph.find(node.hotkey);
  if (node.role == Role::kValidator && neuron != nullptr && neuron->stake_rao < kStakeRao) {
    // A little less for each next one, so that who leads is never a tie.
    const uint64_t less = static_cast<uint64_t>(&node - plan_.nodes.data()) * kRao;
    TRY_VOID(ledger_->add_stake(coldkey, node.hotkey, kStakeRao + 1000 * kRao - less));
  }
  return {};
}

Result<void> Subnet::start_nodes() {
  for (size_t i = 0; i < processes_.size(); ++i) {
    std::error_code absent;  // What an earlier run said is not what this one does.
    fs::remove(plan_.nodes[i].data_folder() / "status.json", absent);
    TRY_VOID(processes_[i].start(clock_.now()));
  }
  TRY(const chain::Block head, ledger_->head());
  const uint64_t per_window = plan_.hparams.schedule.blocks_per_window;
  first_window_ = common::Window::of(head.number, per_window).index + 1;
  return {};
}

Result<void> Subnet::tend() {
  if (auto event = ledger_process_.tend(clock_.now())) view_.events.push_back(std::move(*event));
  for (size_t i = 0; i < processes_.size(); ++i) {
    if (auto event = processes_[i].tend(clock_.now())) view_.events.push_back(std::move(*event));
    view_.nodes[i].restart_count = processes_[i].restart_count();
  }
  if (ledger_process_.is_given_up()) return Error{Code::kIo, "the ledger is given up: " + why()};
  for (const Role role : {Role::kValidator, Role::kMiner}) {
    bool any = false;
    for (size_t i = 0; i < processes_.size(); ++i) {
      any = any || (plan_.nodes[i].role == role && !processes_[i].is_given_up());
    }
    if (!any) {
      return Error{Code::kIo, std::string("no ") + (role == Role::kMiner ? "miner" : "validator") +
                                  " is left: " + why()};
    }
  }
  return {};
}

std::string Subnet::why() const { return view_.events.empty() ? "" : view_.events.back(); }

Result<void> Subnet::look() {
  TRY_VOID(tend());
  view_.ledger_answers = look_at_chain().has_value();
  for (size_t i = 0; i < plan_.nodes.size(); ++i) look_at_node(i);
  return {};
}

Result<void> Subnet::look_at_chain() {
  TRY(const chain::Block head, ledger_->head());
  TRY(const chain::Metagraph metagraph, ledger_->metagraph(std::nullopt));
  const uint64_t per_window = plan_.hparams.schedule.blocks_per_window;
  view_.block = head.number.index;
  view_.window = common::Window::of(head.number, per_window).index;
  view_.block_of_window = head.number.index % per_window;
  for (size_t i = 0; i < plan_.nodes.size(); ++i) {
    const Node& node = plan_.nodes[i];
    NodeView& line = view_.nodes[i];
    if (const chain::Neuron* neuron = metagraph.find(node.hotkey)) {
      line.uid = neuron->uid;
      const uint16_t share = node.role == Role::kMiner ? neuron->incentive : neuron->dividends;
      line.incentive = share / 65535.0;
    }
    TRY(line.balance_rao, wealth(*ledger_, metagraph, node));
    const uint64_t before = start_balance_[node.hotkey];
    line.earned_rao = line.balance_rao > before ? line.balance_rao - before : 0;
  }
  return {};
}

void Subnet::look_at_node(size_t i) {
  NodeView& line = view_.nodes[i];
  const json status = read_status_file(plan_.nodes[i]);
  read_node(status, line);
  if (!processes_[i].is_running()) {
    line.phase = processes_[i].is_given_up() ? "ended" : "restarting";
  }
  if (line.role == Role::kValidator) {
    // The one that has seen most: another may have been away.
    auto history = read_heldout(status);
    if (history.size() >= view_.heldout.size()) view_.heldout = std::move(history);
    for (const Judgement& judgement : read_judgements(status)) {
      for (NodeView& node : view_.nodes) {
        const bool is_it =
            node.role == Role::kMiner && node.uid && node.uid->index == judgement.uid;
        // Validators agree but for noise; the first one's word stands while it is there.
        if (is_it && (i == 0 || !node.judgement)) node.judgement = judgement;
      }
    }
  } else if (status.is_object()) {
    Sent& sent = sent_[i];
    const auto now = status.contains("bytes_sent") && status["bytes_sent"].is_number_unsigned()
                         ? status["bytes_sent"].get<uint64_t>()
                         : uint64_t{0};
    if (now < sent.by_this_one) sent.by_earlier_processes += sent.by_this_one;
    sent.by_this_one = now;
    line.bytes_sent = sent.by_earlier_processes + now;
  }
}

std::vector<std::optional<common::Hash>> Subnet::roots(common::Window window) const {
  std::vector<std::optional<common::Hash>> roots(plan_.nodes.size());
  for (size_t i = 0; i < plan_.nodes.size(); ++i) {
    const Node& node = plan_.nodes[i];
    const std::optional<common::Uid> uid = view_.nodes[i].uid;
    const auto bytes =
        common::read_file(node.bucket_folder() / train::root_key(window), train::kMessageSizeMax);
    if (!bytes || !uid) continue;
    const auto note = train::open_root(*bytes, {plan_.hparams.netuid, window, *uid, node.hotkey});
    if (note.message) roots[i] = note.message->root;
  }
  return roots;
}

uint32_t Subnet::restart_count() const {
  uint32_t count = ledger_process_.restart_count();
  for (const Supervised& process : processes_) count += process.restart_count();
  return count;
}

void Subnet::stop() {
  for (Supervised& process : processes_) process.ask_to_stop();
  const common::Instant give_up = clock_.now() + kStopPatience;
  for (Supervised& process : processes_) {
    process.stop(std::max(milliseconds(0), give_up - clock_.now()));
  }
  ledger_process_.stop(std::max(milliseconds(1'000), give_up - clock_.now()));
}

}  // namespace deploy
