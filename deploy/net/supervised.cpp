#include "deploy/net/supervised.h"

#include <fmt/format.h>

#include "deploy/net/log_tail.h"

namespace deploy {
namespace {

using common::Instant;
using common::milliseconds;
using common::Result;

constexpr milliseconds kPauseFirst{1'000};
constexpr milliseconds kGoodRun{60'000};
constexpr int kWrongInput = 2;  // As all our programs say it.

}  // namespace

Result<void> Supervised::start(Instant now) {
  TRY(Process process, Process::start(command_, log_));
  process_ = std::move(process);
  state_ = State::kRunning;
  started_ = now;
  return {};
}

std::optional<std::string> Supervised::tend(Instant now) {
  if (state_ == State::kRunning) {
    if (const auto status = process_->ended()) return ended(*status, now);
  }
  if (state_ != State::kWaiting || now < again_at_) return std::nullopt;
  ++restart_count_;
  if (const auto started = start(now); !started) {
    state_ = State::kGivenUp;
    return fmt::format("{} cannot be started again: {}", name_, started.error().message);
  }
  return std::nullopt;
}

std::string Supervised::ended(int status, Instant now) {
  process_.reset();
  if (now - started_ >= kGoodRun) tries_ = 0;
  const std::string words = last_sentence(log_);
  const std::string what = name_ + " " + status_words(status);
  const std::string last = words.empty() ? "" : "; its log ends: " + words;
  if (status == kWrongInput || tries_ >= kRestartsMax) {
    state_ = State::kGivenUp;
    const char* const why =
        status == kWrongInput ? "not started again: its input is wrong" : "given up";
    return fmt::format("{}; {}, see {}{}", what, why, log_.string(), last);
  }
  const milliseconds pause = kPauseFirst * (int64_t{1} << tries_);
  ++tries_;
  state_ = State::kWaiting;
  again_at_ = now + pause;
  // What is to be known comes first: a screen may cut the end.
  return fmt::format("{}; started again in {} s ({} of {}){}", what, pause.count() / 1000, tries_,
                     kRestartsMax, last);
}

void Supervised::ask_to_stop() {
  state_ = State::kIdle;
  if (process_) process_->ask_to_stop();
}

void Supervised::stop(milliseconds patience) {
  state_ = State::kIdle;
  if (process_) process_->stop(patience);
  process_.reset();
}

}  // namespace deploy
