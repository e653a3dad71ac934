#include "train/cli/model_flags.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>

#include "train/theta_root.h"

namespace train::cli {
namespace {

constexpr uint32_t kThreadsMax = 1024;
constexpr double kShardDefault_gb = 5;

}  // namespace

void add_json_flag(CLI::App& verb) { common::add_switch(verb, "--json", "Print one JSON object"); }

bool wants_json(const CLI::App& verb) { return common::is_given(verb, "--json"); }

void add_threads_flag(CLI::App& verb) {
  verb.add_option("--threads", "Threads of the CPU (all cores)")
      ->check(CLI::Range(1U, kThreadsMax));
}

uint32_t threads_of(const CLI::App& verb) {
  if (common::is_given(verb, "--threads")) return verb.get_option("--threads")->as<uint32_t>();
  return std::clamp(std::thread::hardware_concurrency(), 1U, kThreadsMax);
}

void add_out_flags(CLI::App& verb) {
  verb.add_option("--out", "Folder to write; it must not exist, or be empty")
      ->type_name("DIR")
      ->required();
  verb.add_option("--dtype", "fp32, fp16 or bf16; a network starts from exactly what is written")
      ->check(CLI::IsMember({"fp32", "fp16", "bf16"}));
  verb.add_option("--shard-gb", "Largest file of weights, in GB (5)")->check(CLI::Range(1e-6, 1e6));
}

HfWriteOptions write_options_of(const CLI::App& verb, Dtype as_stored) {
  HfWriteOptions options;
  options.dtype = as_stored;
  if (common::is_given(verb, "--dtype")) {
    options.dtype = dtype_of_flag(common::given(verb, "--dtype")).value_or(as_stored);
  }
  const double shard_gb = common::is_given(verb, "--shard-gb")
                              ? verb.get_option("--shard-gb")->as<double>()
                              : kShardDefault_gb;
  options.shard_bytes = static_cast<uint64_t>(shard_gb * 1e9);
  options.progress = progress_line("writing");
  return options;
}

ModelProgress progress_line(const std::string& doing) {
  if (isatty(STDERR_FILENO) == 0) return {};
  return [doing](uint64_t done, uint64_t total) {
    const double share =
        static_cast<double>(done) / static_cast<double>(std::max<uint64_t>(total, 1));
    std::cerr << fmt::format("\r{}: {:3.0f} %", doing, 100 * share) << (done == total ? "\n" : "")
              << std::flush;
  };
}

void print_written(const CLI::App& verb, const HfConfig& config, std::span<const float> theta,
                   const HfWriteOptions& options) {
  const std::string out = common::given(verb, "--out");
  if (wants_json(verb)) {
    nlohmann::json files = nlohmann::json::array();
    for (const NamedBytes& file : options.files) files.push_back(file.name);
    std::cout << nlohmann::json{{"folder", out},
                                {"parameters", theta.size()},
                                {"dtype", torch_name(options.dtype)},
                                {"tokenizer_files", files}}
                     .dump()
              << "\n";
    return;
  }
  const bool mute = options.files.empty();
  std::cout << fmt::format(
      "{}: {} parameters, {} layers of {}, {}{}\n"
      "Try it:              muster model generate {}{}\n"
      "Start a network:     muster model inspect --hparams {}\n",
      out, theta.size(), config.model.layers, config.model.dim, torch_name(options.dtype),
      mute ? ", without a tokenizer" : "", out, mute ? " --tokenizer FILE" : "", out);
}

}  // namespace train::cli
