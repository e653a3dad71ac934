#include "miner/plan_verb.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <iostream>
#include <nlohmann/json.hpp>

#include "common/verb.h"
#include "train/memory_plan.h"

namespace miner {
namespace {

using common::Code;
using common::Error;
using common::Result;
using nlohmann::json;
using train::MachinePlan;
using train::Machines;
using train::MemoryPlan;
using train::PlanWishes;
using train::Precision;
using train::Sharding;

constexpr int kCardsMax = 1024;

constexpr auto kFooter = R"(
Says what each card must hold to train the network's model, GiB by GiB, what the process keeps in
the host's memory besides, and whether that fits. No card is needed, and nothing is started.

Without more flags it is the least that fits: on one card everything is whole; on several as little
is sharded as can be, first the optimiser's moments, then the gradient, then the parameters. Layers
are recomputed in the backward pass only where they must be (about a quarter more time), and before
that fewer positions are worked on at once. Where all of that is not enough the moments live in the
host's memory and come to the card for each step, a piece of the model at a time.

  theta        the copy that is trained, in fp32      packed       what products read: a bf16 copy
  gradient     in fp32                                activations  of a micro-batch
  moments      what the optimiser remembers           logits       of some positions at a time
  scratch      pieces of theta and gradient while     rooms        everything else that is asked for
               they are whole (sharded only)

2 GiB of every card are left to the driver, NCCL and gaps: no plan can know them.

Examples:
  muster-miner plan --hparams hparams.json                          one card of 140 GiB (an H200)
  muster-miner plan --hparams hparams.json --card-memory 24GiB      one small card
  muster-miner plan --hparams hparams.json --cards 8 --card-memory 80GiB --json

Exit code: 0 it fits, 1 it does not, 2 wrong usage or input.)";

// "140GiB", "180GB", "24576MiB"; a number alone is GiB.
Result<uint64_t> memory_of(const std::string& text) {
  const Error wrong{
      Code::kInvalidArgument,
      fmt::format("--card-memory '{}': should be a card's memory, as 140GiB, 180GB or "
                  "24576MiB; a number alone is GiB",
                  text)};
  double number = 0;
  const auto [end, trouble] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (trouble != std::errc()) return wrong;
  const std::string unit(end, text.data() + text.size());
  double bytes = 0;
  if (unit.empty() || unit == "GiB") bytes = number * 0x1p30;
  if (unit == "GB") bytes = number * 1e9;
  if (unit == "MiB") bytes = number * 0x1p20;
  if (!(bytes >= 0x1p30) || bytes > 0x1p50) return wrong;
  return static_cast<uint64_t>(bytes);
}

Result<PlanWishes> wishes_of(const CLI::App& verb, int cards) {
  PlanWishes wishes{.sharding = std::nullopt, .recompute = common::is_given(verb, "--recompute")};
  if (!common::is_given(verb, "--sharding")) return wishes;
  const std::string name = common::given(verb, "--sharding");
  if (cards == 1) {
    return Error{Code::kInvalidArgument,
                 "--sharding is for several cards; say how many with --cards, or leave it out"};
  }
  if (name == "optimiser") wishes.sharding = Sharding::kOptimiser;
  if (name == "gradients") wishes.sharding = Sharding::kGradients;
  if (name == "parameters") wishes.sharding = Sharding::kParameters;
  return wishes;
}

const char* name_of(Sharding sharding) {
  if (sharding == Sharding::kOptimiser) return "optimiser";
  return sharding == Sharding::kGradients ? "gradients" : "parameters";
}

struct Part {
  const char* name;
  uint64_t MachinePlan::*bytes;
};
constexpr Part kParts[] = {
    {"theta", &MachinePlan::theta},     {"gradient", &MachinePlan::gradient},
    {"moments", &MachinePlan::moments}, {"scratch", &MachinePlan::scratch},
    {"packed", &MachinePlan::packed},   {"activations", &MachinePlan::activations},
    {"logits", &MachinePlan::logits},   {"rooms", &MachinePlan::rooms}};

// What is asked about, and the answer.
struct Question {
  common::Hparams hparams;
  Machines cards;
  PlanWishes wishes;
};

json json_of(const Question& question, const MemoryPlan& plan) {
  json cards = json::array();
  for (const MachinePlan& machine : plan.machines) {
    json card;
    for (const Part& part : kParts) card[part.name] = machine.*part.bytes;
    card["total"] = machine.total();
    cards.push_back(std::move(card));
  }
  const train::HostPlan& host = plan.host;
  const bool fits = question.cards.hold(plan);
  json out = {{"parameters", host.theta / sizeof(float)},
              {"fits", fits},
              {"sharding", plan.sharding ? json(name_of(*plan.sharding)) : json()},
              {"moments_in_host_memory", plan.moments == train::MomentHome::kHost},
              {"recompute", plan.recompute},
              {"positions", plan.positions},
              {"card_memory_bytes", question.cards.memory_bytes},
              {"reserve_bytes", question.cards.reserve_bytes},
              {"cards", std::move(cards)},
              {"host",
               {{"theta", host.theta},
                {"feedback", host.feedback},
                {"moments", host.moments},
                {"delta", host.delta},
                {"ahead", host.ahead},
                {"applying", host.applying},
                {"checkpoint", host.checkpoint},
                {"total", host.total()}}}};
  if (!fits) {
    out["shortage"] = train::shortage(question.hparams, question.cards, question.wishes, plan);
  }
  return out;
}

// A line a card: 0.1 MiB must be seen of a small model as 100 GiB of a large one.
std::string table_of(const MemoryPlan& plan) {
  const bool is_small = plan.largest() < (uint64_t{1} << 30);
  const double unit = is_small ? 0x1p20 : 0x1p30;
  std::string out = fmt::format("{:<5}", is_small ? "MiB" : "GiB");
  for (const Part& part : kParts) out += fmt::format("{:>12}", part.name);
  out += fmt::format("{:>12}\n", "total");
  for (size_t rank = 0; rank < plan.machines.size(); ++rank) {
    const MachinePlan& machine = plan.machines[rank];
    const auto cell = [unit](uint64_t bytes) {
      return fmt::format("{:>12.2f}", static_cast<double>(bytes) / unit);
    };
    out += fmt::format("{:<5}", rank);
    for (const Part& part : kParts) out += cell(machine.*part.bytes);
    out += cell(machine.total()) + "\n";
  }
  return out;
}

std::string host_of(const train::HostPlan& host) {
  const auto row = [](const char* name, uint64_t bytes, const char* what) {
    return fmt::format("  {:<20}{:>12}  {}\n", name, train::gibibytes(bytes), what);
  };
  return "host memory, of the one process\n" +
         row("theta", host.theta, "the network's model, as everybody has it") +
         row("feedback", host.feedback, "what was not sent yet") +
         (host.moments > 0 ? row("moments", host.moments, "what the optimiser remembers") : "") +
         row("and in turn", host.delta, "the copy that becomes the contribution") +
         (host.ahead > 0 ? row("", host.ahead, "beside it, where training begins") : "") +
         row("", host.applying, "a window's contributions") +
         row("", host.checkpoint, "a checkpoint's file") +
         row("together", host.total(), "at the most");
}

void print_plan(const Question& question, const MemoryPlan& plan) {
  const Machines& cards = question.cards;
  const common::ModelParams& model = question.hparams.model;
  std::cout << fmt::format(
      "{:.3f} G parameters ({} layers of {}, vocabulary {}{}), {}, {} sequences of {} a step\n"
      "{} {} of {}, {}: {}\n\n",
      static_cast<double>(plan.host.theta / sizeof(float)) / 1e9, model.layers, model.dim,
      model.vocabulary, model.tied_embeddings ? ", tied" : "", question.hparams.inner.optimiser,
      question.hparams.inner.sequences_per_step, model.sequence_length, cards.count,
      cards.count == 1 ? "card" : "cards", train::gibibytes(cards.memory_bytes),
      cards.kind.precision == Precision::kBf16 ? "bf16" : "fp32", train::describe(plan));
  std::cout << table_of(plan) << "\n" << host_of(plan.host) << "\n";
  if (cards.hold(plan)) {
    std::cout << fmt::format(
        "It fits: {} of {} are left on the fullest card, {} of them for the driver.\n",
        train::gibibytes(cards.memory_bytes - plan.largest()), train::gibibytes(cards.memory_bytes),
        train::gibibytes(cards.reserve_bytes));
  } else {
    std::cout << "It does not fit: "
              << train::shortage(question.hparams, cards, question.wishes, plan) << ".\n";
  }
}

Result<int> run_plan(const CLI::App& verb) {
  const int count = verb.get_option("--cards")->as<int>();
  TRY(const uint64_t memory_bytes, memory_of(common::given(verb, "--card-memory")));
  TRY(const PlanWishes wishes, wishes_of(verb, count));
  TRY(common::Hparams hparams, common::Hparams::load(common::given(verb, "--hparams")));
  const Precision precision =
      common::given(verb, "--precision") == "fp32" ? Precision::kFp32 : Precision::kBf16;
  const Question question{.hparams = std::move(hparams),
                          .cards = {.kind = train::card_kind(memory_bytes, precision),
                                    .count = count,
                                    .memory_bytes = memory_bytes},
                          .wishes = wishes};
  const MemoryPlan plan = train::best_plan(question.hparams, question.cards, question.wishes);
  if (common::is_given(verb, "--json")) {
    std::cout << json_of(question, plan).dump() << "\n";
  } else {
    print_plan(question, plan);
  }
  return question.cards.hold(plan) ? common::kOk : common::kFailed;
}

}  // namespace

void add_plan_verb(CLI::App& miner, int& exit_code) {
  CLI::App& verb = common::add_verb(miner, exit_code,
                                    {"plan", "What the model takes of cards and of host memory",
                                     "muster-miner plan --hparams hparams.json --cards 8"},
                                    run_plan);
  verb.add_option("--hparams", "The network's hparams.json")->type_name("FILE")->required();
  verb.add_option("--cards", "Cards of one kind, in one machine")
      ->check(CLI::Range(1, kCardsMax))
      ->default_str("1");
  verb.add_option("--card-memory", "Of each: 140GiB, 180GB, 24576MiB; a number alone is GiB")
      ->type_name("SIZE")
      ->default_str("140GiB");
  verb.add_option("--precision", "bf16, or fp32 (for checking)")
      ->check(CLI::IsMember({"bf16", "fp32"}))
      ->default_str("bf16");
  common::add_switch(verb, "--recompute", "Recompute layers even where it would fit without");
  verb.add_option("--sharding",
                  "What cards share out: optimiser, gradients (and the optimiser), "
                  "parameters (and both); the least that fits")
      ->check(CLI::IsMember({"optimiser", "gradients", "parameters"}));
  common::add_switch(verb, "--json", "Print one JSON object; sizes in bytes");
  verb.footer(kFooter);
}

}  // namespace miner
