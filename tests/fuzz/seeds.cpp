// Writes the seeds of the corpora: fuzz_seeds tests/fuzz/corpus.
// Fixed numbers, so the same files each time; only signatures are random.
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>

#include "common/files.h"
#include "common/philox.h"
#include "compress/contribution.h"
#include "compress/sparseloco.h"
#include "train/assignment.h"
#include "train/manifest.h"
#include "train/messages.h"
#include "train/safetensors.h"

namespace {

namespace fs = std::filesystem;
using compress::Bytes;
using Values = std::vector<float>;

void write(const fs::path& file, const Bytes& bytes) {
  const auto written = common::write_file(file, bytes);
  CHECK_MSG(written.has_value(), file.string());
}

// The model of sparseloco_fuzz.cpp.
compress::Layout layout() {
  const auto tensor = [](uint32_t rows, uint32_t cols) {
    return compress::Tensor{.name = {}, .rows = rows, .cols = cols, .offset = 0};
  };
  return compress::Layout({tensor(17, 19), tensor(1, 130), tensor(8, 8), tensor(1, 1)}, 64, 5);
}

void write_bodies(const fs::path& folder) {
  const compress::Layout model = layout();
  const compress::SparseLoco codec;
  common::Philox random(1);
  const auto body_of = [&](const std::function<float()>& draw) {
    Values values(model.parameter_count());
    for (float& value : values) value = draw();
    return codec.encode(values, model);
  };
  write(folder / "seed_normal", body_of([&] { return static_cast<float>(random.normal()); }));
  write(folder / "seed_few", body_of([&] { return random.below(50) == 0 ? 0.5f : 0.0f; }));
  write(folder / "seed_one_level", body_of([&] { return random.below(2) == 0 ? 1.0f : -1.0f; }));
  write(folder / "seed_two_levels", body_of([&] { return random.below(2) == 0 ? 2.0f : -1.5f; }));
  write(folder / "seed_zero", body_of([] { return 0.0f; }));
}

void write_contributions(const fs::path& folder) {
  common::Philox random(2);
  for (const size_t body_size : {0, 1, 100}) {
    Bytes bytes(2 + 2 + 8 + 32 + 32 + 1 + 4 + body_size);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.next32());
    write(folder / ("seed_fields_" + std::to_string(body_size)), bytes);
  }
  const auto alice = common::Keypair::from_uri("//Alice").value();
  compress::Contribution contribution;
  contribution.header.hotkey = alice.account();
  contribution.header.steps = 1;
  contribution.header.token_count = 1;
  contribution.body = {1, 2, 3};
  write(folder / "seed_signed", compress::serialise(contribution, alice));
}

common::Hash digest(uint64_t number) { return common::Hasher().number(number).finish(); }

// As many bytes as the target reads fields from.
void write_messages(const fs::path& folder) {
  common::Philox random(3);
  for (const size_t size : {0, 12, 44, 116}) {
    Bytes bytes(size);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.next32());
    write(folder / ("seed_fields_" + std::to_string(size)), bytes);
  }
}

// Without signatures: the target adds its own.
void write_manifests(const fs::path& folder) {
  const auto alice = common::Keypair::from_uri("//Alice").value();
  train::Manifest manifest{.netuid = 1, .window = {9}, .lead_hotkey = alice.account()};
  const auto text = [&] {
    Bytes bytes = sign(manifest, alice);
    bytes.resize(bytes.size() - sizeof(common::Signature));
    return bytes;
  };
  write(folder / "seed_nobody", text());
  manifest.entries.push_back({.uid = {3}, .verdict = common::Verdict::kLate});
  write(folder / "seed_late", text());
  manifest.entries.push_back(
      {{4}, alice.account(), common::Verdict::kAccepted, digest(4), 1000, 1.0F});
  write(folder / "seed_one_counts", text());
  manifest.entries.push_back(
      {{700}, alice.account(), common::Verdict::kAccepted, digest(5), 1, 0.0F});
  write(folder / "seed_one_does_not", text());
}

void write_receipts(const fs::path& folder) {
  train::Receipt receipt;
  for (uint32_t steps = 0; steps <= 5; ++steps) {
    write(folder / ("seed_steps_" + std::to_string(steps)), receipt.serialise());
    receipt.steps.push_back({steps, {1, 2, uint64_t{1} << steps}, 4.0F});
  }
}

// The model of safetensors_fuzz.cpp; two seeds are headers alone.
void write_safetensors(const fs::path& folder) {
  const compress::Layout model(
      {{.name = "a", .rows = 2, .cols = 3}, {.name = "b", .rows = 1, .cols = 2}}, 4, 1);
  const Values theta = {1, 2, 3, 4, 5, 6, 7, 8};
  const Bytes file = train::to_safetensors(theta, model);
  write(folder / "seed_file", file);
  write(folder / "seed_header", Bytes(file.begin() + 8, file.end() - 32));
  const std::string_view other = R"({"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                                 R"("a":{"dtype":"F32","shape":[2,3],"data_offsets":[8,32]}})";
  write(folder / "seed_other_order", Bytes(other.begin(), other.end()));
  write(folder / "seed_cut", Bytes(file.begin(), file.end() - 1));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::puts("usage: fuzz_seeds CORPUS_FOLDER");
    return 2;
  }
  write_bodies(fs::path(argv[1]) / "sparseloco");
  write_contributions(fs::path(argv[1]) / "contribution");
  write_messages(fs::path(argv[1]) / "messages");
  write_manifests(fs::path(argv[1]) / "manifest");
  write_receipts(fs::path(argv[1]) / "receipt");
  write_safetensors(fs::path(argv[1]) / "safetensors");
}
