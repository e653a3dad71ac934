// One window of a model of any size, as streams: miners encode and seal into files and upload them
// to their buckets (folders); a node downloads them, checks them against their claims, opens and
// examines them, and steps theta by what it reads through the seal. Run by hand; prints what each
// stage took, and the memory.
//
//   stream_run --parameters 2e9 --contributors 4 --threads 2 --folder /tmp/window
//
// Error feedback and deltas are drawn range by range (stream_model.h), theta too unless it is given
// a file. CPU seconds are those of all threads, less those that the drawing took; the rates are by
// wall time, drawing included, so they are lower bounds. --check does the same in memory, and
// compares.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "common/check.h"
#include "common/clock.h"
#include "common/file_writer.h"
#include "common/object_store.h"
#include "compress/aggregate.h"
#include "compress/contribution.h"
#include "compress/demo.h"
#include "compress/outer_step.h"
#include "tests/bench/range_file.h"
#include "tests/bench/stream_model.h"
#include "train/fetch_sealed.h"
#include "train/seal_writer.h"
#include "train/stored_contribution.h"

namespace bench {
namespace {

using common::Result;
using compress::BodyFormat;
using compress::Bytes;
using compress::Piece;
using nlohmann::json;
using train::StoredContribution;
namespace fs = std::filesystem;

constexpr float kDecay = 0.95f;
constexpr float kRate = 0.7f;
constexpr uint64_t kThetaSeed = 1;
constexpr std::string_view kObject = "w/0/contribution";

struct Options {
  double parameters = 1e8;
  uint32_t contributors = 4;
  uint32_t threads = 1;
  std::string codec = "sparseloco";
  uint32_t keep = 64;
  std::string divide = "contributors";
  std::string folder = "stream_run";
  std::string theta;
  bool check = false;
  bool json = false;
};

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

double cpu_seconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

uint64_t peak_rss() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

// What the drawing takes, in nanoseconds of all threads.
std::atomic<uint64_t> drawing_ns = 0;

void draw_apart(uint64_t seed, uint64_t first, float deviation, std::span<float> values) {
  const double before = cpu_seconds(RUSAGE_THREAD);
  draw(seed, first, deviation, values);
  drawing_ns += static_cast<uint64_t>((cpu_seconds(RUSAGE_THREAD) - before) * 1e9);
}

uint64_t feedback_seed(uint32_t miner) { return 1000 + 2 * miner; }
uint64_t delta_seed(uint32_t miner) { return 1001 + 2 * miner; }

// --- stages ---

class Stages {
 public:
  explicit Stages(bool as_json) : as_json_(as_json) {}

  // Runs one that works `values` times on a parameter and moves so many bytes of bodies.
  template <typename Work>
  void run(const std::string& name, uint64_t values, const Work& work) {
    common::Clock& clock = common::system_clock();
    const common::Instant start = clock.now();
    const double cpu = cpu_seconds(RUSAGE_SELF);
    drawing_ns = 0;
    const uint64_t bytes = work();
    const double wall_s = static_cast<double>((clock.now() - start).count()) / 1e3;
    const double drawing_s = static_cast<double>(drawing_ns) * 1e-9;
    const double cpu_s = cpu_seconds(RUSAGE_SELF) - cpu - drawing_s;
    const auto count = static_cast<double>(values);
    if (as_json_) {
      std::cout << json{{"stage", name},
                        {"wall_s", wall_s},
                        {"cpu_s", cpu_s},
                        {"drawing_cpu_s", drawing_s},
                        {"bytes", bytes},
                        {"parameters_per_s", wall_s > 0 ? count / wall_s : 0},
                        {"parameters_per_cpu_s", cpu_s > 0 ? count / cpu_s : 0},
                        {"peak_rss_bytes", peak_rss()}}
                << std::endl;
    } else {
      std::printf(
          "%-22s %9.2f s %9.2f cpu s %9.1f M parameters/s %9.1f /cpu s %14llu bytes %6llu MB\n",
          name.c_str(), wall_s, cpu_s, wall_s > 0 ? count / wall_s / 1e6 : 0,
          cpu_s > 0 ? count / cpu_s / 1e6 : 0, static_cast<unsigned long long>(bytes),
          static_cast<unsigned long long>(peak_rss() >> 20));
      std::fflush(stdout);
    }
  }

 private:
  bool as_json_;
};

// A miner's pieces: e and delta are drawn, and what is left of e is dropped.
class DrawnMaker : public compress::PieceMaker {
 public:
  DrawnMaker(const BodyFormat& format, uint32_t miner)
      : format_(format), miner_(miner), encoder_(format.encoder()) {
    e_.reserve(format.largest_piece());
    delta_.reserve(format.largest_piece());
  }

  Result<void> make(size_t i, Bytes& out) override {
    const Piece& piece = format_.pieces()[i];
    e_.resize(piece.count);
    delta_.resize(piece.count);
    draw_apart(feedback_seed(miner_), piece.first, 1e-3f, e_);
    draw_apart(delta_seed(miner_), piece.first, 1e-3f, delta_);
    encoder_->feedback(i, e_, kDecay, delta_, out);
    return {};
  }

 private:
  const BodyFormat& format_;
  uint32_t miner_;
  std::unique_ptr<compress::PieceEncoder> encoder_;
  std::vector<float> e_;
  std::vector<float> delta_;
};

// Steps pieces of theta that are drawn and dropped, or read from a file and written back.
class RangeStep : public compress::PieceStep {
 public:
  RangeStep(const BodyFormat& format, const RangeFile* file, std::atomic<uint64_t>& sum)
      : format_(format), file_(file), sum_(sum) {
    theta_.reserve(format.largest_piece());
  }

  Result<void> take(size_t i, std::span<const float> direction) override {
    const Piece& piece = format_.pieces()[i];
    theta_.resize(piece.count);
    if (file_ != nullptr) {
      TRY_VOID(file_->read(piece.first, theta_));
    } else {
      draw_apart(kThetaSeed, piece.first, 0.02f, theta_);
    }
    compress::outer_step(theta_, direction, kRate);
    sum_ += checksum(piece.first, theta_);
    if (file_ != nullptr) return file_->write(piece.first, theta_);
    return {};
  }

 private:
  const BodyFormat& format_;
  const RangeFile* file_;
  std::atomic<uint64_t>& sum_;
  std::vector<float> theta_;
};

// --- the run ---

class Run {
 public:
  explicit Run(const Options& options)
      : options_(options),
        stages_(options.json),
        layout_(llama_like(static_cast<uint64_t>(options.parameters), options.keep)),
        codec_(*compress::make_codec({options.codec, 4096, options.keep, kDecay}, options.threads)),
        format_(codec_->format(layout_)) {}

  Result<void> all() {
    announce();
    const uint32_t miners = options_.contributors;
    for (uint32_t miner = 0; miner < miners; ++miner) TRY_VOID(encode_and_seal(miner));
    for (uint32_t miner = 0; miner < miners; ++miner) TRY_VOID(upload(miner));
    for (uint32_t miner = 0; miner < miners; ++miner) TRY_VOID(download(miner));
    for (uint32_t miner = 0; miner < miners; ++miner) TRY_VOID(open(miner));
    TRY_VOID(step());
    if (options_.check) check();
    return {};
  }

 private:
  uint64_t count() const { return layout_.parameter_count(); }
  fs::path file_of(uint32_t miner, const std::string& kind) const {
    return fs::absolute(options_.folder) / (kind + "-" + std::to_string(miner));
  }
  Result<std::unique_ptr<common::ObjectStore>> bucket_of(uint32_t miner, bool writable) const {
    return common::open_store("file://" + file_of(miner, "bucket").string(), writable);
  }
  static common::Keypair key_of(uint32_t miner) {
    return common::Keypair::from_uri("//" + std::to_string(miner)).value();
  }
  static compress::ContributionHeader header_of(uint32_t miner) {
    compress::ContributionHeader header;
    header.uid = {static_cast<uint16_t>(miner)};
    header.hotkey = key_of(miner).account();
    header.steps = 1;
    header.token_count = 1;
    return header;
  }
  static compress::Expected expected_of(uint32_t miner) {
    return {.netuid = 0,
            .uid = {static_cast<uint16_t>(miner)},
            .window = {},
            .hotkey = key_of(miner).account(),
            .hparams_hash = {},
            .base_root = {},
            .steps_max = 1};
  }
  common::OuterParams params() const {
    return {.learning_rate = double{kRate},
            .divide = options_.divide,
            .rule = "average",
            .norm_floor = 0.5,
            .contributors_max = 65535};
  }

  // Of SealWriter and open_seal, a thread; and of the program, with its libraries and one range of
  // an upload or a download.
  static constexpr uint64_t kSealing = uint64_t{16} << 20;
  static constexpr uint64_t kOwn = uint64_t{32} << 20;

  void announce() {
    const uint64_t longest = format_->longest_piece();
    const uint64_t most = format_->largest_piece();
    const uint64_t miners = options_.contributors;
    // Encoding: e and delta of a piece, five times S and four, and the sealing; opening, on one
    // thread; stepping: G, theta, each contributor's bytes, and a chunk that is opened.
    const uint64_t a_thread = std::max(8 * most + 9 * longest + kSealing,
                                       8 * most + miners * (longest + 400) + train::kSealChunk);
    const uint64_t known = format_->pieces().size() * (150 + 40 * miners) +
                           miners * train::SealReader::kKept * train::kSealChunk;
    const uint64_t bound = options_.threads * a_thread + known + kOwn;
    if (options_.json) {
      std::cout << json{{"codec", options_.codec},
                        {"parameters", count()},
                        {"contributors", options_.contributors},
                        {"threads", options_.threads},
                        {"pieces", format_->pieces().size()},
                        {"largest_piece_values", most},
                        {"longest_piece_bytes", longest},
                        {"bound_bytes", bound}}
                << std::endl;
      return;
    }
    std::printf(
        "%s: %llu parameters, %u contributors, %u threads, %zu pieces of at most %llu values "
        "and %llu bytes; bound %llu MB\n",
        options_.codec.c_str(), static_cast<unsigned long long>(count()), options_.contributors,
        options_.threads, format_->pieces().size(), static_cast<unsigned long long>(most),
        static_cast<unsigned long long>(longest), static_cast<unsigned long long>(bound >> 20));
    std::fflush(stdout);
  }

  Result<void> encode_and_seal(uint32_t miner) {
    Result<void> done;
    stages_.run("encode and seal " + std::to_string(miner), count(), [&] {
      done = write(miner);
      return done ? claims_.back().sealed_size : 0;
    });
    return done;
  }

  Result<void> write(uint32_t miner) {
    TRY(common::FileWriter file, common::FileWriter::create(file_of(miner, "made")));
    train::SealWriter sink(file, options_.threads);
    TRY_VOID(compress::write_contribution(
        header_of(miner), key_of(miner), sink, [&] { return sink.digest(); },
        [&](common::ByteSink& out) {
          const auto maker = [&] { return std::make_unique<DrawnMaker>(*format_, miner); };
          return compress::write_body(*format_, maker, options_.threads, out);
        }));
    TRY(const train::SealSummary summary, sink.finish());
    claims_.push_back({.origin = {},
                       .sealed_root = summary.sealed_root,
                       .sealed_size = summary.sealed_size,
                       .plain_hash = summary.plain_hash,
                       .base_root = {}});
    keys_.push_back(sink.key());
    return file.commit();
  }

  Result<void> upload(uint32_t miner) {
    TRY(const auto source, common::FileSource::open(file_of(miner, "made")));
    TRY(const auto bucket, bucket_of(miner, true));
    Result<void> done;
    stages_.run("upload " + std::to_string(miner), count(), [&] {
      done = bucket->put_from(kObject, source);
      return source.size();
    });
    return done;
  }

  // What is there of an earlier run is another object.
  Result<void> download(uint32_t miner) {
    TRY(const auto bucket, bucket_of(miner, false));
    const fs::path file = file_of(miner, "fetched");
    common::discard_fetched(file);
    const train::Claim& claim = claims_[miner];
    Result<void> done;
    stages_.run("download and check " + std::to_string(miner), count(), [&] {
      const auto found = train::fetch_sealed(*bucket, kObject, claim, file, options_.threads);
      if (!found) {
        done = found.error();
      } else {
        done = accepted(*found);
      }
      return claim.sealed_size;
    });
    return done;
  }

  Result<void> open(uint32_t miner) {
    TRY(auto source, common::FileSource::open(file_of(miner, "fetched")));
    auto sealed = std::make_unique<common::FileSource>(std::move(source));
    Result<void> done;
    stages_.run("open and examine " + std::to_string(miner), count(), [&] {
      const auto is_right = [&](const train::SealSummary& summary) {
        return summary.plain_hash == claims_[miner].plain_hash;
      };
      auto found = StoredContribution::open(std::move(sealed), keys_[miner], is_right, *format_,
                                            expected_of(miner));
      if (!found) {
        done = found.error();
      } else if (!*found) {
        done = accepted(found->error());
      } else {
        opened_.push_back(**std::move(found));
      }
      return claims_[miner].sealed_size;
    });
    return done;
  }

  static Result<void> accepted(common::Verdict verdict) {
    if (verdict == common::Verdict::kAccepted) return {};
    return common::Error{common::Code::kCorrupt, "refused: " + std::string(common::name(verdict))};
  }

  Result<void> step() {
    std::vector<compress::StoredContributor> contributors;
    uint64_t bytes = 0;
    for (const auto& one : opened_) {
      contributors.push_back({one->header().uid, 1.0, &one->body(), &one->sums()});
      bytes += one->plain().size();
    }
    std::unique_ptr<RangeFile> theta;
    if (!options_.theta.empty()) {
      TRY(auto file, RangeFile::create(options_.theta, count()));
      theta = std::make_unique<RangeFile>(std::move(file));
    }
    Result<void> done;
    std::atomic<uint64_t> sum = 0;
    stages_.run("aggregate and step", count(), [&] {
      done = compress::each_direction(
          contributors, *format_, params(), all_pieces(*format_), options_.threads,
          [&] { return std::make_unique<RangeStep>(*format_, theta.get(), sum); });
      return bytes;
    });
    checksum_ = sum;
    if (!options_.json)
      std::printf("theta: checksum %016llx\n", static_cast<unsigned long long>(sum));
    if (options_.json) std::cout << json{{"theta_checksum", checksum_}} << std::endl;
    return done;
  }

  // The same with whole bodies, updates and arrays.
  void check() {
    std::vector<compress::Update> updates;
    for (uint32_t miner = 0; miner < options_.contributors; ++miner) {
      std::vector<float> e(count());
      std::vector<float> delta(count());
      draw(feedback_seed(miner), 0, 1e-3f, e);
      draw(delta_seed(miner), 0, 1e-3f, delta);
      const Bytes body = codec_->encode_feedback(e, kDecay, delta, layout_);
      updates.push_back(*codec_->decode(body, layout_));
    }
    std::vector<compress::Contributor> contributors;
    for (uint32_t miner = 0; miner < options_.contributors; ++miner) {
      contributors.push_back({{static_cast<uint16_t>(miner)}, 1.0, &updates[miner]});
    }
    std::vector<float> theta(count(), 0.0f);
    if (options_.theta.empty()) draw(kThetaSeed, 0, 0.02f, theta);
    compress::outer_step(theta, compress::aggregate(contributors, layout_, params()), kRate);
    const bool same = checksum(0, theta) == checksum_;
    std::printf("in memory: %s\n", same ? "the same theta" : "ANOTHER THETA");
    if (!same) std::exit(1);
  }

  const Options& options_;
  Stages stages_;
  compress::Layout layout_;
  std::unique_ptr<compress::Codec> codec_;
  std::unique_ptr<const BodyFormat> format_;
  std::vector<train::Claim> claims_;
  std::vector<train::SealKey> keys_;
  std::vector<std::unique_ptr<const StoredContribution>> opened_;
  uint64_t checksum_ = 0;
};

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  bench::Options options;
  CLI::App app(
      "One window of a model of any size, as streams: encode, seal, upload, download, open, step");
  app.add_option("--parameters", options.parameters, "How many, about: 2e9")
      ->check(CLI::Range(1e6, 1e12));
  app.add_option("--contributors", options.contributors)->check(CLI::Range(1, 1000));
  app.add_option("--threads", options.threads)->check(CLI::Range(1, 1024));
  app.add_option("--codec", options.codec)
      ->check(CLI::IsMember({"sparseloco", "templar", "demo", "distro", "dense"}));
  app.add_option("--keep", options.keep, "Values kept of a tile of 4,096")
      ->check(CLI::Range(1, 4096));
  app.add_option("--divide", options.divide)->check(CLI::IsMember({"contributors", "senders"}));
  app.add_option("--folder", options.folder,
                 "Where the contributions and the buckets go: three times their bytes");
  app.add_option("--theta", options.theta, "A file for theta, 4 bytes a parameter, from zero on");
  app.add_flag("--check", options.check, "Once more in memory, and compare");
  app.add_flag("--json", options.json, "A JSON line a stage");
  CLI11_PARSE(app, argc, argv);
  const auto done = bench::Run(options).all();
  if (!done) {
    std::fprintf(stderr, "stream_run: %s\n", done.error().message.c_str());
    return 1;
  }
  return 0;
}
