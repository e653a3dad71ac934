// What each codec costs and loses, on drawn numbers, raw tensors and real error feedback; and what
// other codes for the parts of sparseloco would cost. Run by hand:
//
//   codec_study                                      drawn numbers of every kind
//   codec_study --raw gradient.f32:1024x4096
//   codec_study --feedback feedback.bin --hparams hparams.json --json
//
// Columns: bytes of the body; bits a value that is sent; how many times less than fp32; squared
// error of what is sent over its energy, of the exact same values; the share of them with the wrong
// sign; squared error of the whole tensor over its energy (what the error feedback keeps);
// millions of parameters a second, one core. demo and distro are held against coefficients, and
// distro after the one scale that suits it best, for its signs have none.
#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "common/check.h"
#include "common/clock.h"
#include "compress/codec.h"
#include "compress/demo.h"
#include "tests/bench/study_entropy.h"
#include "tests/bench/study_input.h"

namespace bench {
namespace {

using nlohmann::json;

struct Options {
  std::vector<std::string> kinds;
  std::vector<std::string> raw;
  std::vector<std::string> feedback;
  std::string hparams;
  uint32_t rows = 2048;
  uint32_t cols = 2048;
  uint64_t seed = 1;
  uint32_t tile = 0;
  uint32_t keep = 0;
  uint32_t distro_keep = 4;
  int repeat = 3;
  bool json = false;
  bool codes = true;
};

struct Row {
  std::string codec;
  uint64_t bytes = 0;
  double bits_per_value = 0;
  double ratio = 0;
  double error = 0;
  double wrong_signs = 0;
  double kept_back = 0;
  double encode_s = 0;
  double decode_s = 0;
};

double per_second(uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

// The mean over as many as fit a fifth of a second, at least `repeat`. The clock has milliseconds.
template <typename Work>
double seconds(int repeat, const Work& work) {
  constexpr common::milliseconds kEnough{200};
  common::Clock& clock = common::system_clock();
  const common::Instant start = clock.now();
  int count = 0;
  for (; count < repeat || clock.now() - start < kEnough; ++count) work();
  return static_cast<double>((clock.now() - start).count()) / 1e3 / count;
}

// What was sent against what was to be sent.
void compare(const compress::Update& update, const compress::Layout& layout,
             std::span<const float> exact, bool scaled, Row& row) {
  double product = 0, sent_energy = 0, exact_energy = 0, energy = 0;
  uint64_t wrong = 0;
  for (const float value : exact) energy += double{value} * double{value};
  for (size_t t = 0; t < update.tensors.size(); ++t) {
    const compress::SparseTensor& tensor = update.tensors[t];
    const float* const of = exact.data() + layout.tensors()[t].offset;
    for (size_t i = 0; i < tensor.index.size(); ++i) {
      const double sent = tensor.value[i];
      const double wanted = of[tensor.index[i]];
      product += sent * wanted;
      sent_energy += sent * sent;
      exact_energy += wanted * wanted;
      wrong += sent * wanted < 0;
    }
  }
  const double scale = scaled ? product / sent_energy : 1;
  const double error = exact_energy - 2 * scale * product + scale * scale * sent_energy;
  row.error = error / exact_energy;
  row.kept_back = (energy - exact_energy + error) / energy;
  row.wrong_signs = static_cast<double>(wrong) / static_cast<double>(update.value_count());
}

Row measure(const std::string& name, const StudyInput& input, int repeat) {
  const auto codec =
      compress::make_codec({.name = name, .tile = 4096, .keep = 64, .feedback_decay = 1}).value();
  const compress::Layout& layout = input.layout;
  Row row{.codec = name};
  compress::Bytes body;
  row.encode_s = seconds(repeat, [&] { body = codec->encode(input.values, layout); });
  row.bytes = body.size();
  compress::Judged<compress::Update> update;
  row.decode_s = seconds(repeat, [&] { update = codec->decode(body, layout); });
  CHECK_MSG(update.has_value(), name);
  std::vector<float> exact = input.values;
  const auto* const demo = dynamic_cast<const compress::Demo*>(codec.get());
  if (demo != nullptr) {
    compress::to_coefficients(exact, layout);
    update = demo->decode_coefficients(body, layout);
  }
  compare(*update, layout, exact, name == "distro", row);
  row.bits_per_value =
      8.0 * static_cast<double>(body.size()) / static_cast<double>(update->value_count());
  row.ratio =
      4.0 * static_cast<double>(layout.parameter_count()) / static_cast<double>(body.size());
  return row;
}

void print(const StudyInput& input, const std::vector<Row>& rows,
           const std::vector<Trial>& trials) {
  const uint64_t count = input.layout.parameter_count();
  std::printf("\n%s: %llu parameters\n%-12s %12s %9s %8s %10s %8s %10s %9s %9s\n",
              input.name.c_str(), static_cast<unsigned long long>(count), "codec", "bytes",
              "bits/val", "x fp32", "rel.error", "wrong %", "kept back", "enc M/s", "dec M/s");
  for (const Row& row : rows) {
    std::printf("%-12s %12llu %9.3f %8.1f %10.5f %8.2f %10.4f %9.1f %9.1f\n", row.codec.c_str(),
                static_cast<unsigned long long>(row.bytes), row.bits_per_value, row.ratio,
                row.error, 100 * row.wrong_signs, row.kept_back,
                per_second(count, row.encode_s) / 1e6, per_second(count, row.decode_s) / 1e6);
  }
  for (const Trial& trial : trials) {
    std::printf("  %-10s %-42s %7.4f bits", trial.part.c_str(), trial.code.c_str(), trial.bits);
    if (trial.part == "magnitudes") std::printf("   rel.error %.5f", trial.error);
    if (trial.encode_s > 0) {
      std::printf("   enc %.0f dec %.0f M/s", per_second(count, trial.encode_s) / 1e6,
                  per_second(count, trial.decode_s) / 1e6);
    }
    std::printf("\n");
  }
}

void print_json(const StudyInput& input, const std::vector<Row>& rows,
                const std::vector<Trial>& trials) {
  const uint64_t count = input.layout.parameter_count();
  for (const Row& row : rows) {
    std::cout << json{{"input", input.name},
                      {"parameters", count},
                      {"codec", row.codec},
                      {"bytes", row.bytes},
                      {"bits_per_value", row.bits_per_value},
                      {"times_smaller", row.ratio},
                      {"relative_error", row.error},
                      {"wrong_signs", row.wrong_signs},
                      {"kept_back", row.kept_back},
                      {"encode_parameters_per_s", per_second(count, row.encode_s)},
                      {"decode_parameters_per_s", per_second(count, row.decode_s)}}
              << "\n";
  }
  for (const Trial& trial : trials) {
    std::cout << json{{"input", input.name},
                      {"parameters", count},
                      {"part", trial.part},
                      {"code", trial.code},
                      {"bits_per_value", trial.bits},
                      {"relative_error", trial.error},
                      {"encode_parameters_per_s", per_second(count, trial.encode_s)},
                      {"decode_parameters_per_s", per_second(count, trial.decode_s)}}
              << "\n";
  }
}

void study(StudyInput input, const Options& options) {
  std::vector<Row> rows;
  for (const char* name : {"sparseloco", "templar", "demo", "dense"}) {
    rows.push_back(measure(name, input, options.repeat));
  }
  const std::vector<Trial> trials = options.codes ? try_codes(input) : std::vector<Trial>{};
  // The same tensors, fewer kept.
  const auto tensors = input.layout.tensors();
  const uint32_t tile = options.tile != 0 ? options.tile : compress::kTileMax;
  input.layout = compress::Layout({tensors.begin(), tensors.end()}, tile, options.distro_keep);
  rows.push_back(measure("distro", input, options.repeat));
  (options.json ? print_json : print)(input, rows, trials);
}

StudyInput must(common::Result<StudyInput> input) {
  if (input) return *std::move(input);
  std::cerr << "codec_study: " << input.error().message << "\n";
  std::exit(1);
}

bool is_square(uint32_t tile) {
  const auto side = static_cast<uint32_t>(std::lround(std::sqrt(tile)));
  return side * side == tile;
}

int run(const Options& options) {
  const uint32_t tile = options.tile != 0 ? options.tile : compress::kTileMax;
  const uint32_t keep = options.keep != 0 ? options.keep : 64;
  if (tile > compress::kTileMax || !is_square(tile) || keep > tile || options.distro_keep > tile) {
    std::cerr << "codec_study: --tile is a square, at most 4096; --keep and --distro-keep are at "
                 "most --tile\n";
    return 2;
  }
  for (const std::string& kind : options.kinds) {
    study(draw(kind, options.rows, options.cols, options.seed, tile, keep), options);
  }
  for (const std::string& file : options.raw) study(must(read_raw(file, tile, keep)), options);
  for (const std::string& file : options.feedback) {
    study(must(read_feedback(file, options.hparams, options.tile, options.keep)), options);
  }
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  bench::Options options;
  const std::vector<std::string> kinds(std::begin(bench::kKinds), std::end(bench::kKinds));
  CLI::App app("What each codec costs and loses, and what other codes would cost.");
  app.add_option("--draw", options.kinds, "Kinds of drawn numbers; all, if no file is named")
      ->check(CLI::IsMember(kinds))
      ->expected(1, -1);
  app.add_option("--rows", options.rows, "Of what is drawn")->check(CLI::Range(1, 1 << 15));
  app.add_option("--cols", options.cols, "Of what is drawn")->check(CLI::Range(1, 1 << 15));
  app.add_option("--seed", options.seed, "Of what is drawn");
  app.add_option("--raw", options.raw, "FILE:ROWSxCOLS, fp32 row by row")->expected(1, -1);
  auto* const hparams = app.add_option("--hparams", options.hparams, "The network's hparams.json");
  app.add_option("--feedback", options.feedback, "Saved error feedback of a miner")
      ->expected(1, -1)
      ->needs(hparams);
  app.add_option("--tile", options.tile, "Values in a tile, instead of the hparams' or 4096");
  app.add_option("--keep", options.keep, "Kept of each tile, instead of the hparams' or 64");
  app.add_option("--distro-keep", options.distro_keep, "Kept of each tile by distro")
      ->check(CLI::PositiveNumber);
  app.add_option("--repeat", options.repeat, "Times are the mean of so many at least")
      ->check(CLI::Range(1, 1000));
  app.add_flag("--codes,!--no-codes", options.codes, "Try other codes for indices, levels, ...");
  app.add_flag("--json", options.json, "One JSON line a codec and a code");
  CLI11_PARSE(app, argc, argv);
  if (options.raw.empty() && options.feedback.empty() && options.kinds.empty()) {
    options.kinds = kinds;
  }
  return bench::run(options);
}
