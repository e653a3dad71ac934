#include "train/messages.h"

#include <string_view>

namespace train {
namespace {

using common::ByteReader;
using common::Bytes;
using common::ByteView;
using common::ByteWriter;
using common::Hash;
using common::Keypair;
using common::Verdict;
using common::Window;

void write(ByteWriter& out, const Origin& origin) {
  out.number(origin.netuid)
      .number(origin.window.index)
      .number(origin.uid.index)
      .raw(origin.hotkey.bytes);
}

Origin read_origin(ByteReader& in) {
  Origin origin;
  origin.netuid = in.number<uint16_t>();
  origin.window.index = in.number<uint64_t>();
  origin.uid.index = in.number<uint16_t>();
  origin.hotkey.bytes = in.array<32>();
  return origin;
}

void write_fields(ByteWriter& out, const Claim& claim) {
  out.raw(claim.sealed_root.bytes)
      .number(claim.sealed_size)
      .raw(claim.plain_hash.bytes)
      .raw(claim.base_root.bytes);
}
void read_fields(ByteReader& in, Claim& claim) {
  claim.sealed_root.bytes = in.array<32>();
  claim.sealed_size = in.number<uint64_t>();
  claim.plain_hash.bytes = in.array<32>();
  claim.base_root.bytes = in.array<32>();
}

void write_fields(ByteWriter& out, const KeyReveal& reveal) { out.raw(reveal.key); }
void read_fields(ByteReader& in, KeyReveal& reveal) { reveal.key = in.array<32>(); }

void write_fields(ByteWriter& out, const RootNote& note) { out.raw(note.root.bytes); }
void read_fields(ByteReader& in, RootNote& note) { note.root.bytes = in.array<32>(); }

// What is signed names its kind, so that no message passes for another of the same length.
Hash digest_of(std::string_view kind, ByteView fields) {
  return common::Hasher().update(common::view_of(kind)).update(fields).finish();
}

template <typename Message>
Bytes sign_message(std::string_view kind, const Message& message, const Keypair& hotkey) {
  ByteWriter out;
  write(out, message.origin);
  write_fields(out, message);
  const Hash digest = digest_of(kind, out.bytes());
  out.raw(hotkey.sign(digest.bytes));
  return std::move(out).bytes();
}

template <typename Message>
Opened<Message> open_message(std::string_view kind, ByteView bytes, const Origin& expected) {
  ByteReader in(bytes);
  Message message;
  message.origin = read_origin(in);
  read_fields(in, message);
  const size_t signed_size = bytes.size() - in.remaining();
  const common::Signature signature = in.array<64>();
  if (!in.at_end()) return {std::nullopt, Verdict::kMalformed};
  if (message.origin != expected) return {std::nullopt, Verdict::kWrongWindow};
  const Hash digest = digest_of(kind, bytes.first(signed_size));
  if (!common::verify(expected.hotkey, digest.bytes, signature)) {
    return {std::nullopt, Verdict::kBadSignature};
  }
  return {message, Verdict::kAccepted};
}

constexpr std::string_view kClaimKind = "muster claim v2";
constexpr std::string_view kKeyKind = "muster key v1";
constexpr std::string_view kRootKind = "muster root v1";

std::string key_of(Window window, std::string_view object) {
  return "w/" + std::to_string(window.index) + "/" + std::string(object);
}

}  // namespace

Bytes sign(const Claim& claim, const Keypair& hotkey) {
  return sign_message(kClaimKind, claim, hotkey);
}
Bytes sign(const KeyReveal& reveal, const Keypair& hotkey) {
  return sign_message(kKeyKind, reveal, hotkey);
}
Bytes sign(const RootNote& note, const Keypair& hotkey) {
  return sign_message(kRootKind, note, hotkey);
}

Opened<Claim> open_claim(ByteView bytes, const Origin& expected) {
  return open_message<Claim>(kClaimKind, bytes, expected);
}
Opened<KeyReveal> open_key(ByteView bytes, const Origin& expected) {
  return open_message<KeyReveal>(kKeyKind, bytes, expected);
}
Opened<RootNote> open_root(ByteView bytes, const Origin& expected) {
  return open_message<RootNote>(kRootKind, bytes, expected);
}

std::string claim_key(Window window) { return key_of(window, "claim"); }
std::string contribution_key(Window window) { return key_of(window, "contribution"); }
std::string receipt_key(Window window) { return key_of(window, "receipt"); }
std::string seal_key_key(Window window) { return key_of(window, "key"); }
std::string root_key(Window window) { return key_of(window, "root"); }
std::string manifest_key(Window window) { return key_of(window, "manifest"); }
std::string mirror_key(Window window, common::Uid uid) {
  return key_of(window, "mirror/" + std::to_string(uid.index));
}
std::string scores_key(Window window) { return key_of(window, "scores"); }

}  // namespace train
