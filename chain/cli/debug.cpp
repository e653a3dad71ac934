// muster debug: does this build still compute what the chain computes?
#include <CLI/CLI.hpp>
#include <set>

#include "chain/cli/flags.h"
#include "chain/cli/output.h"
#include "chain/commands.h"
#include "chain/vectors.h"
#include "common/files.h"

namespace chain::cli {
namespace {

using common::Result;

VectorKind kind_of(const std::string& name) {
  if (name == "epoch") return VectorKind::kEpoch;
  return name == "keys" ? VectorKind::kKeys : VectorKind::kExtrinsics;
}

Result<int> run_vectors(const CLI::App& verb) {
  const std::string file = common::given(verb, "FILE");
  TRY(const auto bytes, common::read_file(file, kVectorFileSizeMax));
  auto replay = replay_vectors(kind_of(common::given(verb, "KIND")), common::text_of(bytes));
  if (!replay) return common::within(file, replay.error());
  if (wants_json(verb)) {
    print_json({{"cases", replay->cases},
                {"matching", replay->matching},
                {"differences", replay->differences}});
  } else {
    for (const std::string& difference : replay->differences) print(difference + "\n");
    print(std::to_string(replay->matching) + " of " + std::to_string(replay->cases) + " match\n");
  }
  return replay->matching == replay->cases ? common::kOk : common::kFailed;
}

}  // namespace
}  // namespace chain::cli

namespace chain {

void add_debug_verbs(CLI::App& muster, int& exit_code) {
  using namespace cli;  // NOLINT: the room this door opens to.
  CLI::App& debug =
      common::add_noun(muster, "debug", "Check this build against the real chain's numbers");
  CLI::App& vectors =
      common::add_verb(debug, exit_code,
                       {"vectors",
                        "Replay a file of test vectors; print what differs, then how many match.\n"
                        "Exits with 1 if any differs, with 2 if the file is not of that format",
                        "muster debug vectors epoch tests/chain/data/epoch.json"},
                       run_vectors);
  vectors.add_option("KIND", "Which format: epoch, keys or extrinsics")
      ->required()
      ->check(CLI::IsMember(std::set<std::string>{"epoch", "keys", "extrinsics"}));
  vectors.add_option("FILE", "The file of vectors")->required();
  add_json_flag(vectors);
}

}  // namespace chain
