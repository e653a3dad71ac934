// muster-localnet: a private subnet on one machine, from nothing to a report. deploy/localnet
// builds and starts it.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>

#include "common/clock.h"
#include "compress/layout.h"
#include "deploy/net/display.h"
#include "deploy/net/plan.h"
#include "deploy/net/report.h"
#include "deploy/net/subnet.h"
#include "train/model.h"

namespace deploy {
namespace {

namespace fs = std::filesystem;

using common::Clock;
using common::Code;
using common::Error;
using common::Hash;
using common::Instant;
using common::milliseconds;

constexpr milliseconds kLookPause{250};
constexpr uint64_t kPatienceWindows = 3;  // After the last one, for those who have to catch up.

// Every node has signed the same state root after `window`.
bool all_agree(const std::vector<std::optional<Hash>>& roots) {
  return std::all_of(roots.begin(), roots.end(),
                     [&roots](const auto& root) { return root && *root == *roots.front(); });
}

// Windows of this run in which somebody's contribution was judged: the others are null.
uint64_t windows_done(const View& view, uint64_t first, uint64_t last) {
  return static_cast<uint64_t>(std::count_if(
      view.heldout.begin(), view.heldout.end(),
      [&](const auto& point) { return point.first >= first && point.first <= last; }));
}

// Follows the run until the last window is applied by all. A node that was away then is known by
// the root of a later window: each root covers those before.
Result<Report> watch(Subnet& subnet, const Plan& plan, Clock& clock, Instant start) {
  Display display(plan.options.json);
  const uint64_t first = subnet.first_window();
  const uint64_t last = first + plan.options.windows - 1;
  Report report;
  while (clock.sleep(kLookPause)) {
    TRY_VOID(subnet.look());
    const View& view = subnet.view();
    report.windows = windows_done(view, first, last);
    report.seconds = static_cast<double>((clock.now() - start).count()) / 1000.0;
    display.show(view, {report.windows, plan.options.windows, report.seconds});
    for (uint64_t window = last; window <= view.window && window <= last + kPatienceWindows;
         ++window) {
      const std::vector<std::optional<Hash>> roots = subnet.roots({window});
      report.state_roots_equal = all_agree(roots);
      if (roots.front()) report.state_root = roots.front()->brief();
      if (report.state_roots_equal) break;
    }
    report.view = view;
    if (report.state_roots_equal || view.window > last + kPatienceWindows) return report;
  }
  return Error{Code::kCancelled, "stopped"};
}

// What is left of a run: nothing, unless it was kept or something in it is worth a look.
void tidy_up(const Plan& plan, bool all_well) {
  if (!plan.temporary) return;
  std::error_code ignored;
  if (all_well) fs::remove_all(plan.folder, ignored);
  if (!all_well) std::cerr << "localnet: logs are kept in " << plan.folder.string() << "\n";
}

Result<Report> run_subnet(const Plan& plan, Clock& clock) {
  const Instant start = clock.now();
  std::cerr << "localnet: starting a ledger, " << plan.options.validators << " validators and "
            << plan.options.miners << " miners in " << plan.folder.string() << "\n";
  TRY(const std::unique_ptr<Subnet> subnet, Subnet::start(plan, clock));
  auto watched = watch(*subnet, plan, clock, start);
  if (!watched) std::cerr << "localnet: stopping all that was started\n";
  subnet->stop();
  if (!watched) {
    // Told to stop while all was well.
    if (watched.error().code == Code::kCancelled && subnet->restart_count() == 0)
      tidy_up(plan, true);
    return watched.error();
  }
  Report report = std::move(*watched);
  report.restart_count = subnet->restart_count();
  if (!report.view.heldout.empty()) {
    report.heldout_loss_first = report.view.heldout.front().second;
    report.heldout_loss_last = report.view.heldout.back().second;
  }
  report.parameter_count =
      train::parameter_layout(plan.hparams.model, plan.hparams.codec).parameter_count();
  TRY_VOID(audit_all(plan, report));
  return report;
}

Result<int> run(const LocalnetOptions& options) {
  TRY(const Plan plan, make_plan(options));
  common::install_stop_signals();  // Until here there is nothing to stop.
  const auto report = run_subnet(plan, common::system_clock());
  if (!report) {
    if (fs::exists(plan.folder)) tidy_up(plan, false);
    return report.error();
  }
  std::cout << (options.json ? report_json(*report) : render_report(*report)) << std::flush;
  const bool good = report->state_roots_equal && report->audit_ok && report->windows > 0;
  tidy_up(plan, good);
  return good ? 0 : 1;
}

fs::path own_folder() {
  std::error_code failed;
  const fs::path self = fs::read_symlink("/proc/self/exe", failed);
  return failed ? fs::current_path() : self.parent_path();
}

void add_options(CLI::App& app, LocalnetOptions& options) {
  app.add_option("--miners", options.miners, "How many miners")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--validators", options.validators, "How many validators")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  app.add_option("--windows", options.windows, "Train for so many windows")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option(
      "--data", options.data,
      "Folder with train/ and heldout/, and anneal/ if the hparams anneal: text files or "
      "token sets (default: English from Debian's packages)");
  app.add_option("--keep", options.keep,
                 "Keep everything in this folder; the same folder again goes on from there");
  app.add_option("--port", options.port, "Of the ledger, on 127.0.0.1 (default: a free one)");
  app.add_option("--block-ms", options.block_ms, "Milliseconds a block")
      ->check(CLI::Range(50, 60'000))
      ->capture_default_str();
  app.add_option(
      "--hparams", options.hparams,
      "The network's numbers (default: those of the --keep folder, else deploy/hparams/tiny.json)");
  app.add_flag("--json", options.json, "No screen; the last line is the report as JSON");
}

int exit_code(Code code) {
  if (code == Code::kCancelled) return 130;  // As a shell says it of Ctrl-C.
  return code == Code::kInvalidArgument ? 2 : 1;
}

}  // namespace
}  // namespace deploy

int main(int argc, char** argv) {
  deploy::LocalnetOptions options;
  options.programs = deploy::own_folder();
  options.scripts = MUSTER_DEPLOY_DIR;
  CLI::App app(
      "A private subnet on this machine: one ledger, validators and miners, each a process with "
      "its "
      "own wallet, bucket and configuration. It trains a small LLaMA on English text, shows it "
      "live, and ends with a report.\n\nExample: deploy/localnet --miners 6 --windows 20 --keep "
      "/tmp/subnet");
  deploy::add_options(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    std::cerr << "localnet: " << error.what() << "; see --help\n";
    return 2;
  }
  const auto code = deploy::run(options);
  if (code) return *code;
  std::cerr << "localnet: " << code.error().message << "\n";
  return deploy::exit_code(code.error().code);
}
