#include "miner/journal.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "common/files.h"
#include "common/log.h"
#include "train/optimiser_state.h"

namespace miner {
namespace {

namespace fs = std::filesystem;

using common::Code;
using common::Error;
using common::Result;
using common::Window;

constexpr uint64_t kSealedSizeMax = uint64_t{1} << 30;  // A receipt is the most of it.

// Files are "<kind>.<window>".
constexpr const char* kContribution = "contribution";
constexpr const char* kSealed = "sealed";
constexpr const char* kFeedback = "feedback";
constexpr const char* kOptimiser = "optimiser";

// The window of "<kind>.<window>", or nothing for another name.
std::optional<Window> window_of(const fs::path& file, const std::string& kind) {
  const std::string name = file.filename().string();
  if (!name.starts_with(kind + ".")) return std::nullopt;
  const std::string digits = name.substr(kind.size() + 1);
  if (digits.empty() || digits.size() > 18 ||
      digits.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  return Window{std::stoull(digits)};
}

}  // namespace

fs::path Journal::file(std::string_view kind, Window window) const {
  return folder_ / (std::string(kind) + "." + std::to_string(window.index));
}

Result<common::FileWriter> Journal::contribution_file(Window window) const {
  std::error_code unknown;
  CHECK_MSG(!fs::exists(file(kSealed, window), unknown), "a window has one contribution");
  common::remove_leftovers(folder_);  // As large as what is to be written.
  return common::FileWriter::create(file(kContribution, window));
}

Result<common::FileSource> Journal::contribution(Window window) const {
  return common::FileSource::open(file(kContribution, window));
}

Result<void> Journal::commit(const train::Sealed& sealed, const compress::ErrorFeedback& feedback,
                             const train::OptimiserParts& optimiser) {
  std::error_code unknown;
  CHECK(fs::exists(file(kContribution, sealed.window), unknown));
  TRY_VOID(feedback.save(file(kFeedback, sealed.window), sealed.window));
  TRY_VOID(train::save_optimiser(optimiser, file(kOptimiser, sealed.window), sealed.window));
  TRY_VOID(common::write_file(file(kSealed, sealed.window), sealed.serialise(), 0600));
  forget_all_but(sealed.window);
  return {};
}

// By window and kind, all that lie in the folder.
Result<std::vector<Journal::Entry>> Journal::entries() const {
  std::vector<Entry> found;
  std::error_code trouble;
  fs::directory_iterator at(folder_, trouble);
  for (; !trouble && at != fs::directory_iterator(); at.increment(trouble)) {
    for (const char* kind : {kContribution, kSealed, kFeedback, kOptimiser}) {
      if (const auto window = window_of(at->path(), kind)) found.push_back({kind, *window});
    }
  }
  if (trouble) {
    return Error{Code::kIo, "reading folder " + folder_.string() + ": " + trouble.message()};
  }
  return found;
}

Result<std::optional<Window>> Journal::restore(compress::ErrorFeedback& feedback,
                                               const train::OptimiserParts& optimiser) const {
  TRY(const std::vector<Entry> found, entries());
  std::optional<Window> window;
  for (const Entry& entry : found) {
    if (entry.kind == kSealed && (!window || entry.window > *window)) window = entry.window;
  }
  if (!window) return window;
  TRY(const Window of_feedback, feedback.load(file(kFeedback, *window)));
  auto of_optimiser = train::load_optimiser(optimiser, file(kOptimiser, *window));
  if (!of_optimiser && of_optimiser.error().code == Code::kNotFound) {
    common::log_warning("{} is gone: training goes on with a fresh optimiser",
                        file(kOptimiser, *window).string());
    optimiser.reset();
    of_optimiser = *window;
  }
  if (!of_optimiser) return of_optimiser.error();
  if (of_feedback != *window || *of_optimiser != *window) {
    return Error{Code::kCorrupt, folder_.string() + ": files of different windows are mixed"};
  }
  return window;
}

Result<train::Sealed> Journal::sealed(Window window, uint32_t threads) const {
  const fs::path path = file(kSealed, window);
  TRY(const common::Bytes bytes, common::read_file(path, kSealedSizeMax));
  auto sealed = train::Sealed::parse(bytes);
  if (!sealed) return common::within(path.string(), sealed.error());
  if (sealed->window != window) {
    return Error{Code::kCorrupt, path.string() + ": it is another window's"};
  }
  TRY_VOID(check_contribution(*sealed, threads));
  return sealed;
}

// That the file holds what was signed.
Result<void> Journal::check_contribution(const train::Sealed& sealed, uint32_t threads) const {
  const auto damaged = [&](std::string_view why) {
    return Error{Code::kCorrupt, fmt::format("{} {}; what was claimed of window {} is lost",
                                             file(kContribution, sealed.window).string(), why,
                                             sealed.window.index)};
  };
  const auto contribution = this->contribution(sealed.window);
  if (!contribution && contribution.error().code == Code::kNotFound) return damaged("is gone");
  if (!contribution) return contribution.error();
  if (contribution->size() != sealed.sealed_size) return damaged("has another size than claimed");
  TRY(const auto leaves, common::tree_leaves(*contribution, threads, train::kSealedChunk));
  if (common::merkle_root(leaves) != sealed.sealed_root) return damaged("is not what was claimed");
  return {};
}

// Files left behind do no harm; so a failure to remove them is none.
void Journal::forget_all_but(Window window) const {
  const auto found = entries();
  if (!found) return;
  std::error_code ignored;
  for (const Entry& entry : *found) {
    if (entry.window != window) fs::remove(file(entry.kind, entry.window), ignored);
  }
}

}  // namespace miner
