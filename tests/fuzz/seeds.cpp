// Writes the seeds of the corpora: fuzz_seeds tests/fuzz/corpus.
// Fixed numbers, so the same files each time; only signatures are random.
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>

#include "chain/timelock/ibe.h"
#include "common/files.h"
#include "common/philox.h"
#include "compress/codec.h"
#include "compress/contribution.h"
#include "tests/fuzz/edges.h"
#include "train//assignment.h"
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

// `prefix` is what the target reads before the body.
void write_bodies(const fs::path& folder, const compress::Codec& codec, const Bytes& prefix = {}) {
  const compress::Layout& model = fuzz::edges();
  common::Philox random(1);
  const auto body_of = [&](const std::function<float()>& draw) {
    Values values(model.parameter_count());
    for (float& value : values) value = draw();
    Bytes bytes = prefix;
    const Bytes body = codec.encode(values, model);
    bytes.insert(bytes.end(), body.begin(), body.end());
    return bytes;
  };
  write(folder / "seed_normal", body_of([&] { return static_cast<float>(random.normal()); }));
  write(folder / "seed_few", body_of([&] { return random.below(50) == 0 ? 0.5f : 0.0f; }));
  write(folder / "seed_one_level", body_of([&] { return random.below(2) == 0 ? 1.0f : -1.0f; }));
  write(folder / "seed_two_levels", body_of([&] { return random.below(2) == 0 ? 2.0f : -1.5f; }));
  write(folder / "seed_zero", body_of([] { return 0.0f; }));
}

void write_contributions(const fs::path& folder) {
  common::Philox random(2);
  constexpr size_t kFields = 2 + 2 + 8 + 32 + 32 + 1 + 4;
  for (const size_t body_size : {0U, 1U, 100U}) {
    Bytes bytes(kFields + body_size);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.next32());
    write(folder / ("seed_fields_" + std::to_string(body_size)), bytes);
  }
  write_bodies(folder, **compress::make_codec({"sparseloco", 64, 5, 0.95}), Bytes(kFields, 1));
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
  for (const size_t size : {0U, 12U, 44U, 116U}) {
    Bytes bytes(size);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.next32());
    write(folder / ("seed_fields_" + std::to_string(size)), bytes);
  }
}

// How, how much, how changed; then a text. Two of the sizes about a chunk: how and the text add up
// to a multiple of 64 (seal_fuzz.cpp).
void write_seals(const fs::path& folder) {
  write(folder / "seed_byte_changed", {0, 100, 255, 1, 2, 3});
  write(folder / "seed_chunk", {7, 2, 255, 1, 2, 3, 4, 47});
  write(folder / "seed_chunks_moved", {11 + 48, 200, 9, 1, 2, 2});
  write(folder / "seed_cut", Bytes(100, 16));
  write(folder / "seed_empty", {32, 0, 0});
  write(folder / "seed_sealed_size", {32, 1, 1, 17, 0, 16, 0, 0, 0, 0, 0});
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

// One of each shape, as small as may be.
void write_tokenizers(const fs::path& folder) {
  const auto put = [&](const char* name, std::string_view parts, std::string_view model) {
    std::string text = R"({"added_tokens":[{"id":9,"content":"</s>","special":true},)"
                       R"({"id":10,"content":"<t>","special":false,"rstrip":true}],)";
    text += parts;
    text += R"("model":{"type":"BPE",)";
    text += model;
    text += "}}";
    write(folder / name, Bytes(text.begin(), text.end()));
  };
  put("seed_byte_level",
      R"("pre_tokenizer":{"type":"ByteLevel","add_prefix_space":true},)"
      R"("decoder":{"type":"ByteLevel"},)",
      R"("vocab":{"a":0,"b":1,"\u0120":2,"ab":3,"\u0120a":4},"merges":["a b","\u0120 a"])");
  put("seed_regex",
      R"("normalizer":{"type":"NFC"},"pre_tokenizer":{"type":"Sequence","pretokenizers":[)"
      R"({"type":"Split","pattern":{"Regex":"(?i:'s)|\\p{L}+|\\p{N}{1,3}|\\s+(?!\\S)|\\s"},)"
      R"("behavior":"Isolated","invert":false},{"type":"Digits","individual_digits":true},)"
      R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]},)",
      R"("ignore_merges":true,"vocab":{"a":0,"b":1,"ab":3},"merges":[["a","b"]])");
  put("seed_characters",
      R"("normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"_"},)"
      R"({"type":"Replace","pattern":{"String":" "},"content":"_"}]},"decoder":{"type":"Sequence",)"
      R"("decoders":[{"type":"Replace","pattern":{"String":"_"},"content":" "},)"
      R"({"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1}]},)",
      R"("byte_fallback":true,"unk_token":"?","fuse_unk":true,)"
      R"("vocab":{"?":0,"a":1,"_":2,"_a":3,"<0x62>":4},"merges":["_ a"])");
  put("seed_metaspace",
      R"("pre_tokenizer":{"type":"Metaspace","replacement":"_","prepend_scheme":"first"},)"
      R"("decoder":{"type":"Metaspace","replacement":"_"},)",
      R"("vocab":{"a":0,"_":1,"_a":2},"merges":["_ a"])");
}

// A .model of SentencePiece, by hand: a normal piece, its score and kind, the options.
void write_pieces(const fs::path& file) {
  Bytes bytes;
  const auto piece = [&](std::string_view text, uint8_t kind) {
    const auto size = static_cast<uint8_t>(text.size());
    const Bytes head = {0x0A, static_cast<uint8_t>(size + 9), 0x0A, size};
    bytes.insert(bytes.end(), head.begin(), head.end());
    bytes.insert(bytes.end(), text.begin(), text.end());
    const Bytes tail = {0x15, 0, 0, 0x80, 0xBF, 0x18, kind};
    bytes.insert(bytes.end(), tail.begin(), tail.end());
  };
  for (const std::string_view text : {"a", "b", "ab"}) piece(text, 1);
  piece("<t>", 4);
  for (int byte = 0; byte < 256; ++byte) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    const std::string text = {'<',
                              '0',
                              'x',
                              digits[static_cast<size_t>(byte / 16)],
                              digits[static_cast<size_t>(byte % 16)],
                              '>'};
    piece(text, 6);
  }
  const Bytes options = {0x12, 5, 0x18, 2, 0x98, 0x02, 1, 0x1A, 4, 0x18, 1, 0x20, 0};
  bytes.insert(bytes.end(), options.begin(), options.end());
  write(file, bytes);
}

void write_text(const fs::path& file, std::string_view text) {
  write(file, Bytes(text.begin(), text.end()));
}

void write_configs(const fs::path& folder) {
  const std::string_view sizes = R"("model_type":"llama","vocab_size":9,"hidden_size":8,)"
                                 R"("intermediate_size":5,"num_hidden_layers":1,)"
                                 R"("num_attention_heads":2)";
  const std::string start = "{" + std::string(sizes);
  write_text(folder / "seed_least", start + "}");
  write_text(folder / "seed_llama3",
             start + R"(,"rope_theta":5e5,"rope_scaling":{"rope_type":"llama3","factor":8,)"
                     R"("low_freq_factor":1,"high_freq_factor":4,)"
                     R"("original_max_position_embeddings":8192},"eos_token_id":[2,3]})");
  write_text(folder / "seed_tied",
             start + R"(,"num_key_value_heads":1,"head_dim":4,"tie_word_embeddings":true,)"
                     R"("rope_parameters":{"rope_type":"default","rope_theta":10000.0},)"
                     R"("torch_dtype":"bfloat16","bos_token_id":null,"rms_norm_eps":1e-5})");
  write_text(folder / "seed_index",
             R"({"metadata":{"total_size":8},"weight_map":{"a":"model-00001-of-00002.safetensors",)"
             R"("b":"model-00002-of-00002.safetensors"}})");
}

// A model's parameters alone, a whole model's header, a tokenizer's beginning, nothing.
void write_llama2c(const fs::path& folder) {
  common::ByteWriter numbers;
  for (int i = 0; i < 100; ++i) numbers.number(0.01F * static_cast<float>(i));
  write(folder / "seed_parameters", numbers.bytes());
  common::ByteWriter header;
  for (const int32_t number : {4, 3, 1, 2, 1, -3, 2}) header.number(number);
  write(folder / "seed_header", header.bytes());
  common::ByteWriter pieces;
  pieces.number(uint32_t{7});
  for (const std::string_view piece : {"<unk>", "\n<s>\n", "\n</s>\n", "<0x00>", "<0x01>"}) {
    pieces.number(0.0F).sized(common::view_of(piece));
  }
  write(folder / "seed_tokenizer", pieces.bytes());
  write(folder / "seed_empty", {});
}

// For the round and the beacon of timelock_fuzz.cpp.
void write_timelocks(const fs::path& folder) {
  using chain::timelock::WeightsPayload;
  const auto beacon = chain::timelock::BeaconSecret::from_seed(Bytes(32, 7));
  chain::timelock::Ephemeral secret;
  secret.key.fill(1);
  secret.sigma.fill(2);
  const WeightsPayload named = {common::AccountId{}, {0, 1, 700}, {65535, 3, 0}, 4};
  const WeightsPayload older = {std::nullopt, {0}, {65535}, 0};
  write(folder / "seed_empty", {});
  write(folder / "seed_payload", named.encode());
  write(folder / "seed_payload_older", older.encode());
  const Bytes ciphertext = encrypt_with(secret, named.encode(), 12, beacon.key());
  write(folder / "seed_ciphertext", ciphertext);
  write(folder / "seed_cut", Bytes(ciphertext.begin(), ciphertext.end() - 8));
  const auto signature = beacon.sign(12);
  write(folder / "seed_g1", Bytes(signature.begin(), signature.end()));
  write(folder / "seed_g2", Bytes(ciphertext.begin(), ciphertext.begin() + 96));
}

// Headers alone.
void write_safetensors_headers(const fs::path& folder) {
  write_text(folder / "seed_bf16", R"({"a":{"dtype":"BF16","shape":[3,4],"data_offsets":[0,24]}})");
  write_text(folder / "seed_one", R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32",)"
                                  R"("shape":[],"data_offsets":[0,4]}})");
  write_text(folder / "seed_two", R"({"b":{"dtype":"F16","shape":[2],"data_offsets":[20,24]},)"
                                  R"("a":{"dtype":"F32","shape":[1,5],"data_offsets":[0,20]}})");
  write_text(folder / "seed_none", "{}");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::puts("usage: fuzz_seeds CORPUS_FOLDER");
    return 2;
  }
  const auto with = [](const char* name) { return *compress::make_codec({name, 64, 5, 0.95}); };
  for (const char* name : {"sparseloco", "templar", "dense"}) {
    write_bodies(fs::path(argv[1]) / name, *with(name));
  }
  write_bodies(fs::path(argv[1]) / "demo", *with("demo"), {0});
  write_bodies(fs::path(argv[1]) / "distro", *with("distro"), {1});
  write_contributions(fs::path(argv[1]) / "contribution");
  write_messages(fs::path(argv[1]) / "messages");
  write_seals(fs::path(argv[1]) / "seal");
  write_manifests(fs::path(argv[1]) / "manifest");
  write_receipts(fs::path(argv[1]) / "receipt");
  write_safetensors(fs::path(argv[1]) / "safetensors");
  write_safetensors_headers(fs::path(argv[1]) / "safetensors_header");
  write_configs(fs::path(argv[1]) / "hf_config");
  write_llama2c(fs::path(argv[1]) / "llama2c");
  write_timelocks(fs::path(argv[1]) / "timelock");
  write_tokenizers(fs::path(argv[1]) / "tokenizer");
  write_pieces(fs::path(argv[1]) / "tokenizer" / "seed_sentencepiece");
}
