#include "deploy/net/report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "deploy/net/process.h"
#include "deploy/net/screen.h"

namespace deploy {
namespace {

using common::Role;
using nlohmann::json;

constexpr size_t kChartBars = 60;
constexpr size_t kEventsShown = 10;

uint64_t dense_bytes(const Report& report) { return report.parameter_count * sizeof(float); }

double ratio(const Report& report, const NodeView& node) {
  return node.sealed_bytes == 0
             ? 0.0
             : static_cast<double>(dense_bytes(report)) / static_cast<double>(node.sealed_bytes);
}

const char* yes_no(bool value) { return value ? "yes" : "NO"; }

std::string earnings_line(const Report& report, const NodeView& node) {
  const std::string uid = node.uid ? std::to_string(node.uid->index) : "-";
  const double earned = static_cast<double>(node.earned_rao) / 1e9;
  if (node.role != Role::kMiner)
    return fmt::format("{:>3}  {:<12}  {:>10.4f}\n", uid, node.name, earned);
  return fmt::format("{:>3}  {:<12}  {:>10.4f}  {:>16}  {:>12.1f}x  {:>9.4f}\n", uid, node.name,
                     earned, node.sealed_bytes, ratio(report, node),
                     node.judgement.value_or(Judgement{}).weight);
}

json neuron_json(const Report& report, const NodeView& node) {
  const Judgement judged = node.judgement.value_or(Judgement{});
  return {{"uid", node.uid ? json(node.uid->index) : json()},
          {"name", node.name},
          {"role", node.role == Role::kMiner ? "miner" : "validator"},
          {"loss_gain", judged.gain},
          {"own_advantage", judged.advantage},
          {"rating", judged.rating},
          {"weight", judged.weight},
          {"incentive", node.incentive},
          {"balance_tao", static_cast<double>(node.balance_rao) / 1e9},
          {"earned_tao", static_cast<double>(node.earned_rao) / 1e9},
          {"bytes_sent", node.bytes_sent},
          {"bytes_per_update", node.sealed_bytes},
          {"ratio_to_fp32", ratio(report, node)},
          {"verdict", node.verdict},
          {"restarts", node.restart_count}};
}

}  // namespace

Result<void> audit_all(const Plan& plan, Report& report) {
  report.audit_ok = true;
  for (const Node& node : plan.nodes) {
    if (node.role != Role::kValidator) continue;
    TRY(const Output output,
        output_of({(plan.options.programs / "muster-validator").string(), "audit", "--config",
                   node.config_file().string(), "--json"}));
    const json result = json::parse(output.text, nullptr, /*allow_exceptions=*/false);
    const bool ok = output.status == 0 && result.is_object() && result.value("ok", false);
    report.audit_ok = report.audit_ok && ok;
    report.audits.push_back(
        ok ? fmt::format("{}: {} windows recomputed, equal bit for bit", node.name,
                         result.value("windows", 0))
           : fmt::format("{}: DIFFERS, see 'muster-validator audit --config {}'", node.name,
                         node.config_file().string()));
  }
  return {};
}

std::string render_report(const Report& report) {
  std::string text = fmt::format(
      "\n{} windows in {:.0f} s, {} parameters\n"
      "held-out loss      {:.4f} -> {:.4f} nats a token  {}\n"
      "state roots equal  {} ({} nodes, {})\n"
      "audit              {}\n",
      report.windows, report.seconds, report.parameter_count, report.heldout_loss_first,
      report.heldout_loss_last, chart(report.view.heldout, kChartBars),
      yes_no(report.state_roots_equal), report.view.nodes.size(), report.state_root,
      report.audit_ok ? "ok" : "FAILED");
  for (const std::string& line : report.audits) text += "                   " + line + "\n";
  if (report.restart_count > 0) {
    text += fmt::format("started again      {} times\n", report.restart_count);
    const std::vector<std::string>& events = report.view.events;
    const size_t first = events.size() > kEventsShown ? events.size() - kEventsShown : 0;
    for (size_t i = first; i < events.size(); ++i) {
      text += "                   " + events[i] + "\n";
    }
  }
  text += fmt::format("\n{:>3}  {:<12}  {:>10}  {:>16}  {:>13}  {:>9}\n", "uid", "role",
                      "earned TAO", "bytes per update", "ratio to fp32", "weight");
  for (const NodeView& node : report.view.nodes) text += earnings_line(report, node);
  return text;
}

std::string report_json(const Report& report) {
  json neurons = json::array();
  for (const NodeView& node : report.view.nodes) neurons.push_back(neuron_json(report, node));
  return json{{"held_out_loss_first", report.heldout_loss_first},
              {"held_out_loss_last", report.heldout_loss_last},
              {"held_out_loss_history", report.view.heldout},
              {"state_roots_equal", report.state_roots_equal},
              {"state_root", report.state_root},
              {"audit_ok", report.audit_ok},
              {"audits", report.audits},
              {"windows", report.windows},
              {"seconds", report.seconds},
              {"parameters", report.parameter_count},
              {"restarts", report.restart_count},
              {"events", report.view.events},
              {"neurons", neurons}}
             .dump(-1, ' ', false, json::error_handler_t::replace) +
         "\n";
}

}  // namespace deploy
