#include "tests/bench/quality_run.h"

#include <sys/resource.h>

#include <cmath>
#include <numeric>

#include "common/check.h"
#include "common/clock.h"
#include "tests/bench/quality_learner.h"

namespace bench {
namespace {

using nlohmann::json;

struct Mean {
  explicit Mean(const std::vector<double>& values) {
    const auto count = static_cast<double>(values.size());
    mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
    for (const double value : values) error += (value - mean) * (value - mean);
    error = std::sqrt(error / (count - 1) / count);
  }
  double mean = 0;
  double error = 0;
};

double cpu_seconds() {
  rusage used{};
  CHECK(getrusage(RUSAGE_SELF, &used) == 0);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// Four digits are enough to pair runs by sequence.
json rounded(const std::vector<double>& values) {
  json list = json::array();
  for (const double value : values) list.push_back(std::round(value * 1e4) / 1e4);
  return list;
}

// The line of one run, as it comes about.
class Record {
 public:
  Record(QualityGround& ground, const json& identity) : ground_(ground) {
    line_["settings"] = identity;
    line_["curve"] = json::array();
  }

  void count(const QualityWindow& window) {
    tokens_ += window.tokens;
    bytes_sent_ += window.bytes_sent;
    train_loss_ = window.train_loss;
  }

  // False: diverged.
  bool point(std::span<const float> theta) {
    constexpr double kFarAbove = 1;
    const Mean heldout(ground_.losses(theta, kCurveSequences));
    line_["curve"].push_back({tokens_, heldout.mean, heldout.error, train_loss_, bytes_sent_});
    if (tokens_ == 0) first_loss_ = heldout.mean;
    if (heldout.mean < first_loss_ + kFarAbove) return true;
    diverged("the held-out loss rose to " + std::to_string(heldout.mean));
    return false;
  }

  void diverged(const std::string& why) { line_["diverged"] = why; }

  json end(const QualityLearner& learner, uint64_t windows) {
    line_["parameters"] = learner.theta().size();
    line_["windows"] = windows;
    line_["tokens"] = tokens_;
    line_["bytes_sent"] = bytes_sent_;
    line_["wall_seconds"] =
        static_cast<double>((common::system_clock().now() - start_).count()) / 1e3;
    line_["cpu_seconds"] = cpu_seconds() - cpu_start_;
    if (line_.contains("diverged")) return line_;
    const std::vector<double> losses = ground_.losses(learner.theta(), kHeldOut);
    const Mean heldout(losses);
    line_["loss"] = heldout.mean;
    line_["standard_error"] = heldout.error;
    line_["losses"] = rounded(losses);
    if (const auto flushed = learner.flushed()) {
      line_["flushed_loss"] = Mean(ground_.losses(*flushed, kHeldOut)).mean;
    }
    return line_;
  }

 private:
  QualityGround& ground_;
  json line_;
  uint64_t tokens_ = 0;
  uint64_t bytes_sent_ = 0;
  double train_loss_ = 0;
  double first_loss_ = 0;
  common::Instant start_ = common::system_clock().now();
  double cpu_start_ = cpu_seconds();
};

}  // namespace

json identity_of(const QualitySettings& settings, const QualityGround& ground,
                 train::Precision precision) {
  json identity = settings.to_json();
  identity["data"] = ground.data_name();
  identity["precision"] = precision == train::Precision::kBf16 ? "bf16" : "fp32";
  return identity;
}

std::optional<json> run_quality(const QualitySettings& settings, QualityGround& ground,
                                const json& identity, const std::function<bool()>& stop) {
  const auto learner = make_learner(settings, ground);
  Record record(ground, identity);
  const uint64_t windows = settings.windows();
  bool well = record.point(learner->theta());
  for (uint64_t window = 0; window < windows && well; ++window) {
    if (stop()) return std::nullopt;
    const auto done = learner->step(window);
    if (!done) {
      record.diverged(done.error().message);
      break;
    }
    record.count(*done);
    const bool due = (window + 1) * kCurvePoints / windows > window * kCurvePoints / windows;
    if (due) well = record.point(learner->theta());
  }
  return record.end(*learner, windows);
}

}  // namespace bench
