#include <algorithm>

#include "chain/substrate/extrinsic.h"
#include "chain/substrate/storage_key.h"
#include "chain/vectors/reading.h"

namespace chain::vectors {
namespace {

using common::Bytes;
using common::ByteView;
using substrate::Era;
using substrate::SigningContext;

constexpr uint32_t kTransactionVersion = 1;

// "immortal", or "mortal64_at_1000": a period of 64 blocks around block 1000.
Era era_of(const std::string& name) {
  if (name == "immortal") return Era::immortal();
  const std::string_view mortal = "mortal";
  const std::string_view at = "_at_";
  const size_t split = name.find(at);
  if (!name.starts_with(mortal) || split == std::string::npos) malformed("no era: " + name);
  const auto period = integer<uint32_t>(json(name.substr(mortal.size(), split - mortal.size())));
  const bool power_of_two = period >= 4 && period <= 65'536 && (period & (period - 1)) == 0;
  if (!power_of_two) malformed("no era's period: " + name);
  return Era::mortal(period, integer<uint64_t>(json(name.substr(split + at.size()))));
}

void compare_wire(Comparison& comparison, const json& entry, const SigningContext& context,
                  const substrate::Extra& extra) {
  const Bytes wire = bytes(entry.at("ed25519_alice_extrinsic"));
  comparison.expect("hash", entry.at("hash"), hex(substrate::extrinsic_hash(wire).bytes));
  const auto decoded = substrate::decode_extrinsic(wire);
  if (!decoded || !decoded->signer) {
    comparison.expect("decoded", "a signed extrinsic", decoded ? "bare" : decoded.error().message);
    return;
  }
  const auto& signer = *decoded->signer;
  comparison.expect("call in the extrinsic", entry.at("call"), hex(decoded->call));
  comparison.expect("nonce in the extrinsic", extra.nonce, signer.extra.nonce);
  comparison.expect("tip in the extrinsic", extra.tip, signer.extra.tip);
  comparison.expect("era in the extrinsic", hex(substrate::encode_era(extra.era)),
                    hex(substrate::encode_era(signer.extra.era)));
  comparison.expect("signed by ed25519", true, signer.kind == substrate::SignatureKind::kEd25519);
  comparison.expect("the signature holds", true, substrate::signature_holds(*decoded, context));
  comparison.expect("extrinsic, encoded again", hex(wire),
                    hex(substrate::encode_extrinsic(*decoded)));
}

void compare_extrinsic(Replay& replay, const json& entry, SigningContext context) {
  Comparison comparison(replay, text(entry, "name"));
  const substrate::Extra extra{.era = era_of(text(entry, "era")),
                               .nonce = integer<uint32_t>(entry, "nonce"),
                               .tip = integer<uint64_t>(entry, "tip")};
  if (extra.era == Era::immortal()) context.birth = context.genesis;
  const Bytes call = bytes(entry.at("call"));
  comparison.expect("signed_bytes", entry.at("signed_bytes"),
                    hex(substrate::signing_bytes(call, extra, context)));
  // What is signed is the payload, or its hash if it is long: the same said of the file's own
  // payload.
  const Bytes payload = bytes(entry.at("payload"));
  comparison.expect("payload_len", entry.at("payload_len"), payload.size());
  const bool is_long = payload.size() > 256;
  comparison.expect("the payload's signed_bytes", entry.at("signed_bytes"),
                    hex(is_long ? ByteView(common::blake2b_256(payload).bytes) : payload));
  compare_wire(comparison, entry, context, extra);
}

std::string hashed_head(ByteView encoded) {
  using substrate::StorageHasher;
  const Bytes key = substrate::hashed_key(StorageHasher::kBlake2_128Concat, encoded);
  return hex(ByteView(key).first(16));
}

void compare_hashers(Replay& replay, const json& hashers, const Bytes& alice) {
  constexpr std::string_view kTwox128 = "twox128_";
  constexpr std::string_view kTwox64 = "twox64_";
  for (const auto& [name, expected] : hashers.items()) {
    Comparison comparison(replay, name);
    if (name.starts_with(kTwox128)) {
      const auto word = common::view_of(std::string_view(name).substr(kTwox128.size()));
      comparison.expect("digest", expected, hex(substrate::twox128(word)));
    } else if (name.starts_with(kTwox64)) {
      const Bytes input = bytes(json(name.substr(kTwox64.size())));
      comparison.expect("digest", expected, hex(substrate::twox64(input)));
    } else if (name == "blake2_128_alice") {
      comparison.expect("digest", expected, hashed_head(alice));
    } else {
      malformed("an unknown hasher: " + name);
    }
  }
}

}  // namespace

Replay replay_extrinsics(const json& file) {
  Replay replay;
  const SigningContext context{
      .spec_version = integer<uint32_t>(file, "spec"),
      .transaction_version = kTransactionVersion,
      .genesis = {fixed_bytes<32>(file.at("genesisHash"))},
      .birth = {fixed_bytes<32>(file.at("blockHash"))},
  };
  for (const auto& [name, expected] : file.at("eras").items()) {
    Comparison comparison(replay, "era " + name);
    comparison.expect("bytes", expected, hex(substrate::encode_era(era_of(name))));
  }
  for (const json& entry : file.at("extrinsics")) compare_extrinsic(replay, entry, context);
  if (file.contains("hashers")) {
    compare_hashers(replay, file.at("hashers"), bytes(file.at("keys").at("//Alice").at("sr25519")));
  }
  return replay;
}

}  // namespace chain::vectors
