// muster model: other people's models in, ours out, and what is in a folder.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "common/files.h"
#include "common/hparams.h"
#include "common/object_store.h"
#include "train/checkpoint.h"
#include "train/cli/model_flags.h"
#include "train/commands.h"
#include "train/hf_checkpoint.h"
#include "train/llama2c.h"
#include "train/theta_root.h"

namespace train {
namespace {

namespace fs = std::filesystem;
using common::Bytes;
using common::Code;
using common::Error;
using common::Hash;
using common::Result;
using nlohmann::json;

constexpr uint64_t kTokenizerBinMax = 64 << 20;

// -- import ---------------------------------------------------------------------------------------

struct Source {
  HfConfig config;
  Dtype dtype = Dtype::kF32;  // As its weights are stored.
  std::vector<float> theta;
};

Result<Source> read_source(const fs::path& path) {
  if (fs::is_directory(path)) {
    TRY(const HfFolder folder, HfFolder::open(path));
    TRY(std::vector<float> theta, folder.read_theta(cli::progress_line("reading")));
    return Source{folder.config(), folder.stored(0).dtype, std::move(theta)};
  }
  TRY(const common::MappedFile file, common::MappedFile::open(path));
  auto model = from_llama2c(file.bytes());
  if (!model) return common::within(path.string(), model.error());
  return Source{std::move(model->config), Dtype::kF32, std::move(model->theta)};
}

// What goes beside the weights: --tokenizer, else what the source has.
Result<std::vector<NamedBytes>> read_tokenizer(const CLI::App& verb, const fs::path& source,
                                               const HfConfig& config) {
  const bool given = common::is_given(verb, "--tokenizer");
  const fs::path path = given ? fs::path(common::given(verb, "--tokenizer")) : source;
  if (!given && !fs::is_directory(source)) return std::vector<NamedBytes>();
  if (path.extension() == ".bin") {
    TRY(const Bytes bytes, common::read_file(path, kTokenizerBinMax));
    auto model = sentencepiece_of_llama2c(bytes);
    if (!model) return common::within(path.string(), model.error());
    return with_tokenizer_config({{"tokenizer.model", std::move(*model)}}, config);
  }
  auto files = tokenizer_files(path, config);
  if (!files && !given && files.error().code == Code::kNotFound) return std::vector<NamedBytes>();
  return files;
}

Result<int> run_import(const CLI::App& verb) {
  const fs::path source = common::given(verb, "source");
  TRY(const Source model, read_source(source));
  HfWriteOptions options = cli::write_options_of(verb, model.dtype);
  TRY(options.files, read_tokenizer(verb, source, model.config));
  const fs::path out = common::given(verb, "--out");
  TRY_VOID(write_hf_folder(out, model.config, model.theta, options));
  if (!options.files.empty()) TRY_VOID(open_model_tokenizer(out, model.config));
  cli::print_written(verb, model.config, model.theta, options);
  return common::kOk;
}

// -- export ---------------------------------------------------------------------------------------

// A bucket's address, or a folder.
Result<std::unique_ptr<common::ObjectStore>> open_bucket(const std::string& address) {
  if (address.find("://") != std::string::npos) return common::open_store(address, false);
  if (!fs::is_directory(address)) {
    return Error{Code::kNotFound, address +
                                      " is no folder; name the bucket or the folder in which "
                                      "checkpoint/ lies (of a node: its data folder's local)"};
  }
  return common::open_store("file://" + fs::absolute(address).lexically_normal().string(), false);
}

Result<Replica> read_checkpoint(const CLI::App& verb, const common::Hparams& hparams) {
  TRY(const auto bucket, open_bucket(common::given(verb, "--from")));
  std::optional<common::AccountId> signer;
  if (common::is_given(verb, "--signer")) {
    signer = common::AccountId::from_ss58(common::given(verb, "--signer"));
    if (!signer) return Error{Code::kInvalidArgument, "--signer is no SS58 address"};
  }
  common::Window until{UINT64_MAX};
  if (common::is_given(verb, "--window")) {
    until = {verb.get_option("--window")->as<uint64_t>()};
  }
  auto replica = load_checkpoint(*bucket, hparams, until, signer);
  if (!replica && replica.error().code == Code::kNotFound) {
    return Error{Code::kNotFound, common::given(verb, "--from") +
                                      ": there is no checkpoint of this network in it that can be "
                                      "used (is --hparams the network's?)"};
  }
  if (replica && common::is_given(verb, "--window") && replica->next_window() != until) {
    return Error{Code::kNotFound,
                 fmt::format("there is no checkpoint of window {}; the nearest before it is of {}",
                             until.index, replica->next_window().index)};
  }
  return replica;
}

Result<int> run_export(const CLI::App& verb) {
  TRY(const common::Hparams hparams, common::Hparams::load(common::given(verb, "--hparams")));
  TRY(const Replica replica, read_checkpoint(verb, hparams));
  HfConfig config{};
  config.model = hparams.model;
  config.model.initial_theta = {};
  HfWriteOptions options = cli::write_options_of(verb, Dtype::kF32);
  if (common::is_given(verb, "--tokenizer")) {
    const fs::path path = common::given(verb, "--tokenizer");
    TRY(const auto tokenizer, open_model_tokenizer(path, config));
    config.end_tokens = {tokenizer->end_of_document()};
    TRY(options.files, tokenizer_files(path, config));
  }
  TRY_VOID(write_hf_folder(common::given(verb, "--out"), config, replica.theta(), options));
  if (!cli::wants_json(verb)) {
    std::cout << fmt::format("state before window {}, root {}\n", replica.next_window().index,
                             replica.root().hex());
  }
  cli::print_written(verb, config, replica.theta(), options);
  return common::kOk;
}

// -- inspect --------------------------------------------------------------------------------------

struct TensorLine {
  std::string name;
  Dtype dtype;
  std::vector<uint64_t> shape;
  double norm = 0;     // Euclidean.
  double largest = 0;  // Magnitude.
};

struct Inspected {
  std::vector<TensorLine> tensors;
  Hash root;
};

Result<Inspected> look_through(const HfFolder& folder) {
  Inspected out;
  ThetaHasher hasher;
  const ModelProgress progress = cli::progress_line("reading");
  TRY_VOID(folder.each_tensor([&](size_t t, std::span<const float> values) {
    const StoredTensor& stored = folder.stored(t);
    TensorLine line{folder.layout().tensors()[t].name, stored.dtype, stored.shape};
    double squares = 0;
    for (const float value : values) {
      squares += double{value} * value;
      line.largest = std::max(line.largest, std::abs(double{value}));
    }
    line.norm = std::sqrt(squares);
    out.tensors.push_back(std::move(line));
    hasher.update(values);
    const uint64_t done = folder.layout().tensors()[t].offset + values.size();
    if (progress) progress(done, folder.layout().parameter_count());
  }));
  out.root = hasher.finish();
  return out;
}

json inspected_json(const HfFolder& folder, const Inspected& inspected) {
  json tensors = json::array();
  for (const TensorLine& line : inspected.tensors) {
    tensors.push_back({{"name", line.name},
                       {"dtype", name(line.dtype)},
                       {"shape", line.shape},
                       {"norm", line.norm},
                       {"largest", line.largest}});
  }
  return {{"config", json::parse(folder.config().config_text())},
          {"parameters", folder.layout().parameter_count()},
          {"theta_root", inspected.root.hex()},
          {"tensors", tensors}};
}

void print_inspected(const HfFolder& folder, const Inspected& inspected) {
  const common::ModelParams& model = folder.config().model;
  std::cout << fmt::format(
      "{}\nvocabulary  {}{}\nmodel       {} layers of {}, {} heads, {} of keys and values, SwiGLU "
      "{}\npositions   {}, rotary theta {:g}{}\nparameters  {}\n\n",
      folder.path().string(), model.vocabulary, model.tied_embeddings ? ", embeddings tied" : "",
      model.layers, model.dim, model.heads, model.kv_heads, model.hidden, model.sequence_length,
      model.rope_theta,
      model.rope_factor == 1 ? "" : fmt::format(", stretched {:g} times", model.rope_factor),
      folder.layout().parameter_count());
  std::cout << fmt::format("{:<52} {:<5} {:>16} {:>12} {:>12}\n", "TENSOR", "TYPE", "SHAPE", "NORM",
                           "LARGEST");
  for (const TensorLine& line : inspected.tensors) {
    std::cout << fmt::format("{:<52} {:<5} {:>16} {:>12.6g} {:>12.6g}\n", line.name,
                             name(line.dtype), fmt::format("{}", fmt::join(line.shape, " x ")),
                             line.norm, line.largest);
  }
  std::cout << fmt::format("\ntheta root  {}\n", inspected.root.hex());
}

Result<int> run_inspect(const CLI::App& verb) {
  TRY(const HfFolder folder, HfFolder::open(common::given(verb, "folder")));
  TRY(const Inspected inspected, look_through(folder));
  if (common::is_given(verb, "--hparams")) {
    common::ModelParams model = folder.config().model;
    model.initial_theta = inspected.root;
    std::cout << hparams_section(model);
  } else if (cli::wants_json(verb)) {
    std::cout << inspected_json(folder, inspected).dump() << "\n";
  } else {
    print_inspected(folder, inspected);
  }
  return common::kOk;
}

void add_import(CLI::App& model, int& exit_code) {
  CLI::App& verb = common::add_verb(
      model, exit_code,
      {"import", "Make a model folder of other formats: llama2.c (.bin), Hugging Face (a folder)",
       "muster model import stories260K.bin --tokenizer tok512.bin --out stories\n"
       "  muster model import Llama-3.2-1B --dtype fp32 --out base"},
      run_import);
  verb.add_option("source", "A llama2.c .bin file, or a Hugging Face folder")->required();
  verb.add_option(
      "--tokenizer",
      "Its tokenizer: llama2.c's .bin, a .model, a tokenizer.json, or a folder with one");
  cli::add_out_flags(verb);
  cli::add_json_flag(verb);
}

void add_export(CLI::App& model, int& exit_code) {
  CLI::App& verb = common::add_verb(
      model, exit_code,
      {"export", "Make a model folder of a network's checkpoint",
       "muster model export --from data/local --hparams hparams.json --tokenizer train-set "
       "--dtype bf16 --out my-model"},
      run_export);
  verb.add_option("--from", "The bucket (file:///...) or folder in which checkpoint/ lies")
      ->required();
  verb.add_option("--hparams", "The network's hparams.json")->required();
  verb.add_option("--window", "The state before this window (the newest)");
  verb.add_option("--signer", "Accept only checkpoints that this hotkey (SS58) has signed");
  verb.add_option(
      "--tokenizer",
      "To be put beside: a .model, a tokenizer.json, or a folder (a data set's) with one");
  cli::add_out_flags(verb);
  cli::add_json_flag(verb);
}

void add_inspect(CLI::App& model, int& exit_code) {
  CLI::App& verb = common::add_verb(
      model, exit_code,
      {"inspect", "Show what a model folder holds, and the Merkle root of its parameters",
       "muster model inspect stories\n"
       "  muster model inspect --hparams stories     # the section that starts a network from it"},
      run_inspect);
  verb.add_option("folder", "A Hugging Face folder")->required();
  common::add_switch(verb, "--hparams",
                     "Print the model section for hparams.json; choose its sequence_length");
  cli::add_json_flag(verb);
}

}  // namespace

void add_model_verbs(CLI::App& muster, int& exit_code) {
  CLI::App& model = common::add_noun(muster, "model", "Real models: in, out, and what they say");
  add_import(model, exit_code);
  add_export(model, exit_code);
  add_inspect(model, exit_code);
  cli::add_text_verbs(model, exit_code);
}

}  // namespace train
