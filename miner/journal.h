// What a miner must not lose when it is killed: its sealed contribution of the window, what it
// signed of it, and the optimiser and error feedback as they were when it was made.
//
// Files "contribution", "feedback", "optimiser" and "sealed", each with its window's number. What
// was signed is written last and is the commit: after a restart either all four are of one window,
// or the window before stands as it was. So the same claim is published again, never a second one,
// and what was sent is subtracted from the feedback exactly once.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "common/byte_source.h"
#include "common/file_writer.h"
#include "common/result.h"
#include "compress/error_feedback.h"
#include "train/optimiser_parts.h"
#include "train/sealed.h"

namespace miner {

class Journal {
 public:
  // `folder` exists and is this process's alone.
  explicit Journal(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Where the contribution of a window is sealed to (train/seal_writer.h); committed by the caller
  // before `commit`. Pre: nothing is committed of that window.
  common::Result<common::FileWriter> contribution_file(common::Window window) const;
  // What is there of other windows is forgotten then. CHECK that the contribution's file is there.
  common::Result<void> commit(const train::Sealed& sealed, const compress::ErrorFeedback& feedback,
                              const train::OptimiserParts& optimiser);
  // The state after the newest committed window; left as they are if there is none. Returns that
  // window. kCorrupt or kNotFound, naming the file, if it is damaged: then both are void. Without
  // the optimiser's file, which somebody removed as its error says, it is as new, with a warning.
  common::Result<std::optional<common::Window>> restore(
      compress::ErrorFeedback& feedback, const train::OptimiserParts& optimiser) const;
  // What was sealed in this window, or kNotFound; kCorrupt, naming the file, if it is damaged: all
  // of the contribution is read and checked, on `threads` threads.
  common::Result<train::Sealed> sealed(common::Window window, uint32_t threads) const;
  // Its contribution, as it lies in its file. Pre: committed.
  common::Result<common::FileSource> contribution(common::Window window) const;

 private:
  struct Entry {
    std::string_view kind;
    common::Window window;
  };
  common::Result<std::vector<Entry>> entries() const;
  common::Result<void> check_contribution(const train::Sealed& sealed, uint32_t threads) const;
  void forget_all_but(common::Window window) const;
  std::filesystem::path file(std::string_view kind, common::Window window) const;

  std::filesystem::path folder_;
};

}  // namespace miner
