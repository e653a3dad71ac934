#include "deploy/net/text.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <thread>
#include <utility>
#include <vector>

#include "common/files.h"
#include "deploy/net/process.h"
#include "train/dataset.h"
#include "train/tokenize.h"

namespace deploy {
namespace {

namespace fs = std::filesystem;

using common::Code;
using common::Error;
using common::Hash;

constexpr uint32_t kByteVocabulary = 257;  // A byte each, and the end of a document.
constexpr uint64_t kManifestMax = 64 << 20;

fs::path cache_folder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0') {
    return fs::path(cache) / "muster";
  }
  const char* home = std::getenv("HOME");
  return (home != nullptr ? fs::path(home) / ".cache" : fs::temp_directory_path()) / "muster";
}

Result<Hash> manifest_hash(const fs::path& set) {
  TRY(const common::Bytes text, common::read_file(set / "manifest.json", kManifestMax));
  TRY(const train::DatasetManifest manifest, train::DatasetManifest::parse(common::text_of(text)));
  return manifest.hash();
}

// Names, sizes and bytes of all files below: what a cached token set is named after.
Result<Hash> text_digest(const fs::path& folder, uint32_t vocabulary) {
  std::vector<fs::path> files;
  std::error_code failed;
  for (const auto& entry : fs::recursive_directory_iterator(folder, failed)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  if (failed || files.empty()) {
    return Error{Code::kNotFound, "no text files below " + folder.string()};
  }
  std::sort(files.begin(), files.end());
  common::Hasher hasher;
  hasher.update(common::view_of("token set v2")).number(vocabulary);
  for (const fs::path& file : files) {
    TRY(const auto mapped, common::MappedFile::open(file));
    hasher.update(common::view_of(fs::relative(file, folder).string()))
        .number(static_cast<uint64_t>(mapped.bytes().size()))
        .update(mapped.bytes());
  }
  return hasher.finish();
}

// Only on a terminal: a line that is written over. Elsewhere the line before says enough.
std::function<void(uint64_t, uint64_t)> progress_line() {
  if (isatty(STDERR_FILENO) != 1) return {};
  return [](uint64_t done, uint64_t all) {
    std::cerr << "\r  " << (all == 0 ? 100 : done * 100 / all) << " %\r" << std::flush;
  };
}

Result<void> tokenize_into(const fs::path& text, const fs::path& out, const std::string& tokenizer,
                           uint32_t vocabulary) {
  std::cerr << "localnet: tokenizing " << text.string() << " (once; kept in "
            << cache_folder().string() << ")\n";
  train::TokenizeOptions options;
  options.texts = {text};
  options.out = out;
  options.tokenizer = tokenizer;
  options.vocabulary = vocabulary;
  options.threads = std::max(1U, std::thread::hardware_concurrency());
  options.progress = progress_line();
  TRY_VOID(train::tokenize(options));
  return {};
}

// Puts what was made in `making` where it belongs. Another run may have been quicker: its bytes are
// the same.
Result<void> settle(const fs::path& making, const fs::path& out) {
  std::error_code taken;
  fs::rename(making, out, taken);
  if (!taken) return {};
  std::error_code ignored;
  fs::remove_all(making, ignored);
  if (fs::is_directory(out)) return {};
  return Error{Code::kIo, out.string() + " cannot be made: " + taken.message()};
}

fs::path being_made(const fs::path& out) {
  return out.string() + ".making-" + std::to_string(own_process_id());
}

// All that there are by one tokenizer, in the cache; or what is there already.
Result<fs::path> tokenized(const fs::path& source, uint32_t vocabulary) {
  TRY(const Hash digest, text_digest(source, vocabulary));
  const fs::path out = cache_folder() / ("tokens-" + digest.brief());
  if (fs::exists(out / "heldout" / "manifest.json")) return out;
  const fs::path making = being_made(out);
  const bool bytes = vocabulary == kByteVocabulary;
  TRY_VOID(common::make_folder(making));
  auto made = tokenize_into(source / "train", making / "train", bytes ? "bytes" : "sentencepiece",
                            vocabulary);
  if (made) {
    const fs::path model = making / "train" / "tokenizer.model";
    for (const char* half : {"heldout", "anneal"}) {
      if (!made || !fs::is_directory(source / half)) continue;
      made =
          tokenize_into(source / half, making / half, bytes ? "bytes" : model.string(), vocabulary);
    }
  }
  if (!made) {
    std::error_code ignored;
    fs::remove_all(making, ignored);
    return common::within(source.string(), made.error());
  }
  TRY_VOID(settle(making, out));
  return out;
}

// Debian's text, cut into train/ and heldout/ by the script.
Result<fs::path> debian_text(const LocalnetOptions& options) {
  const fs::path out = cache_folder() / "text-v1";
  if (fs::exists(out / "train") && fs::exists(out / "heldout")) return out;
  std::cerr << "localnet: preparing text from Debian's packages (once; kept in " << out.string()
            << ")\n";
  TRY_VOID(common::make_folder(cache_folder()));
  const fs::path making = being_made(out);
  TRY(const Output said, output_of({(options.scripts / "prepare-text").string(), making.string()}));
  if (said.status != 0) {
    return Error{Code::kNotFound, "no text to train on: see above, or name your own with --data"};
  }
  TRY_VOID(settle(making, out));
  return out;
}

}  // namespace

Result<TokenSets> prepare_token_sets(const LocalnetOptions& options) {
  TRY(const common::Hparams hparams, common::Hparams::load(options.hparams));
  fs::path source = options.data;
  if (source.empty()) {
    TRY(source, debian_text(options));
  }
  for (const char* half : {"train", "heldout"}) {
    if (!fs::is_directory(source / half)) {
      return Error{Code::kNotFound, (source / half).string() +
                                        " is not there: --data needs a folder with train/ and "
                                        "heldout/, each text files or a token set"};
    }
  }
  const bool anneals = hparams.inner.anneal_window > 0;
  if (anneals && !fs::is_directory(source / "anneal")) {
    return Error{Code::kNotFound,
                 (source / "anneal").string() + " is not there: the hparams anneal from window " +
                     std::to_string(hparams.inner.anneal_window) +
                     " on, on data of its own; put text files or a token set there (--data), or "
                     "set inner.anneal_window to 0"};
  }
  fs::path made = source;
  if (!fs::exists(source / "train" / "manifest.json")) {
    TRY(made, tokenized(source, hparams.model.vocabulary));
  }
  TokenSets sets;
  const auto take = [&](const char* name, fs::path& set, Hash& hash) -> Result<void> {
    set = fs::absolute(made / name);
    TRY(hash, manifest_hash(set));
    auto opened = train::Dataset::open(set, hash, hparams.model.sequence_length);
    if (!opened) return common::within(source.string(), opened.error());
    return {};
  };
  TRY_VOID(take("train", sets.train, sets.train_hash));
  TRY_VOID(take("heldout", sets.heldout, sets.heldout_hash));
  if (anneals) {
    TRY_VOID(take("anneal", sets.anneal, sets.anneal_hash));
  }
  return sets;
}

}  // namespace deploy
