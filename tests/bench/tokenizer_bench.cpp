// What tokens cost: bytes of text a second on one core, over English that every Debian system holds
// (the licences), in pieces of 64 KiB as `muster data tokenize` encodes them.
//
// Names like `gpt2_shape` are the small tokenizers of tests/train/data/tokenizers. A real one has a
// hundred times the merges: MUSTER_TOKENIZERS names a folder whose subfolders hold tokenizer.json
// or tokenizer.model, and each is measured under its own name. MUSTER_TEXT names another text.
#include <benchmark/benchmark.h>
#include <sentencepiece_processor.h>

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "tests/train/real_text.h"
#include "train/bpe_tokenizer.h"

namespace {

namespace fs = std::filesystem;
using Encode = std::function<size_t(std::string_view)>;

constexpr size_t kPieceSize = 64 << 10;

const std::string& text() {
  static const std::string read = [] {
    const char* const name = std::getenv("MUSTER_TEXT");
    if (name == nullptr) return real_text();
    const auto bytes = common::read_file(name, 1 << 30);
    CHECK_MSG(bytes.has_value(), bytes.error().message);
    return std::string(common::text_of(*bytes));
  }();
  return read;
}

void run(benchmark::State& state, const Encode& encode) {
  size_t tokens = 0;
  for (auto _ : state) {
    tokens = 0;
    for (size_t at = 0; at < text().size(); at += kPieceSize) {
      tokens += encode(std::string_view(text()).substr(at, kPieceSize));
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text().size()));
  state.counters["bytes/token"] = static_cast<double>(text().size()) / static_cast<double>(tokens);
}

// Whose they are while benchmarks run.
std::vector<std::unique_ptr<train::Tokenizer>>& owned() {
  static std::vector<std::unique_ptr<train::Tokenizer>> all;
  return all;
}

const train::Tokenizer* measure(const std::string& name,
                                std::unique_ptr<train::Tokenizer> measured) {
  const train::Tokenizer* const tokenizer = owned().emplace_back(std::move(measured)).get();
  benchmark::RegisterBenchmark(name.c_str(), [tokenizer](benchmark::State& state) {
    run(state, [&](std::string_view piece) { return tokenizer->encode(piece).size(); });
  })->Unit(benchmark::kMillisecond);
  return tokenizer;
}

std::unique_ptr<train::Tokenizer> load(const fs::path& path) {
  auto tokenizer = train::load_tokenizer(path);
  CHECK_MSG(tokenizer.has_value(), tokenizer.error().message);
  return std::move(tokenizer).value();
}

// Our encoder of a SentencePiece model, and the library's of the same.
void measure_sentencepiece() {
  auto trained = train::train_sentencepiece(real_lines(), 4096);
  CHECK_MSG(trained.has_value(), trained.error().message);
  const train::Tokenizer* const tokenizer =
      measure("sentencepiece_4096", std::move(trained).value());
  benchmark::RegisterBenchmark("sentencepiece_4096_library", [tokenizer](benchmark::State& state) {
    sentencepiece::SentencePieceProcessor library;
    CHECK(library.LoadFromSerializedProto(tokenizer->model()).ok());
    run(state, [&](std::string_view piece) {
      std::vector<int> tokens;
      CHECK(library.Encode(piece, &tokens).ok());
      return tokens.size();
    });
  })->Unit(benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  measure("bytes", train::make_byte_tokenizer());
  measure_sentencepiece();
  const fs::path shapes = fs::path(MUSTER_SOURCE_DIR) / "tests/train/data/tokenizers";
  for (const char* name : {"gpt2", "llama3", "qwen2", "llama2", "gemma"}) {
    measure(std::string(name) + "_shape", load(shapes / (std::string(name) + ".json")));
  }
  if (const char* const folder = std::getenv("MUSTER_TOKENIZERS")) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.is_directory()) measure(entry.path().filename().string(), load(entry.path()));
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
