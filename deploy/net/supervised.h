// A program that is started again when it ends by itself.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/result.h"
#include "deploy/net/process.h"

namespace deploy {

inline constexpr uint32_t kRestartsMax = 5;

// One program of the subnet: what is run, where its output goes, and how often it had to be run
// again. Move only.
class Supervised {
 public:
  Supervised(std::string name, std::vector<std::string> command, std::filesystem::path log)
      : name_(std::move(name)), command_(std::move(command)), log_(std::move(log)) {}

  common::Result<void> start(common::Instant now);
  // Looks after it. If it has ended by itself it is started again, after a second at first and
  // twice as long each time; after kRestartsMax times, or if it says that its input is wrong
  // (status 2), it is given up. One that has run for a minute counts as well again. Yields the
  // sentence that tells of it, once for each end.
  std::optional<std::string> tend(common::Instant now);

  bool is_running() const { return state_ == State::kRunning; }
  bool is_given_up() const { return state_ == State::kGivenUp; }
  uint32_t restart_count() const { return restart_count_; }
  const std::filesystem::path& log() const { return log_; }

  // What ends from now on is not started again.
  void ask_to_stop();
  // Waits until `deadline`, then kills it.
  void stop(common::milliseconds patience);

 private:
  enum class State { kIdle, kRunning, kWaiting, kGivenUp };
  std::string ended(int status, common::Instant now);

  std::string name_;
  std::vector<std::string> command_;
  std::filesystem::path log_;
  std::optional<Process> process_;
  State state_ = State::kIdle;
  uint32_t restart_count_ = 0;  // Since the run began,
  uint32_t tries_ = 0;          //   and without a good minute in between.
  common::Instant started_;
  common::Instant again_at_;
};

}  // namespace deploy
