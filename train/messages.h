// The small signed objects of a window: claim, key, state root.
//
// Each is fields | signature (sr25519 over BLAKE2b-256 of "muster <kind> v1" and the fields; of a
// claim v2), canonical, a few hundred bytes. A signature is good for one netuid, window and uid
// only; a message of another version is one with a bad signature.
#pragma once

#include <optional>
#include <string>

#include "common/hash.h"
#include "common/keys.h"
#include "common/verdict.h"
#include "common/window.h"
#include "train/seal.h"

namespace train {

// Who said it, and of which window.
struct Origin {
  uint16_t netuid = 0;
  common::Window window;
  common::Uid uid;
  common::AccountId hotkey;
  auto operator<=>(const Origin&) const = default;
};

// In the bucket before the seal deadline: "this is what I sent, and I cannot change it any more".
struct Claim {
  Origin origin;
  common::Hash sealed_root;  // Tree hash of the ciphertext (train/seal.h),
  uint64_t sealed_size = 0;  //   and its size.
  common::Hash plain_hash;   // Of plaintext and key (plain_hash_of): gives nothing away.
  common::Hash base_root;
  bool operator==(const Claim&) const = default;
};

// In the bucket after it.
struct KeyReveal {
  Origin origin;
  SealKey key{};
  bool operator==(const KeyReveal&) const = default;
};

// State root after the window.
struct RootNote {
  Origin origin;
  common::Hash root;
  bool operator==(const RootNote&) const = default;
};

inline constexpr size_t kMessageSizeMax = 512;

common::Bytes sign(const Claim& claim, const common::Keypair& hotkey);
common::Bytes sign(const KeyReveal& reveal, const common::Keypair& hotkey);
common::Bytes sign(const RootNote& note, const common::Keypair& hotkey);

// The message if it is exactly one, signed by `expected.hotkey` and of that window and uid;
// otherwise what is wrong, in this order: kMalformed, kWrongWindow (of another window, uid, netuid
// or hotkey), kBadSignature.
template <typename Message>
struct Opened {
  std::optional<Message> message;
  common::Verdict verdict = common::Verdict::kAccepted;
};
Opened<Claim> open_claim(common::ByteView bytes, const Origin& expected);
Opened<KeyReveal> open_key(common::ByteView bytes, const Origin& expected);
Opened<RootNote> open_root(common::ByteView bytes, const Origin& expected);

// Keys of a window's objects in a bucket: "w/12/claim", ...
std::string claim_key(common::Window window);
std::string contribution_key(common::Window window);
std::string receipt_key(common::Window window);
std::string seal_key_key(common::Window window);
std::string root_key(common::Window window);
std::string manifest_key(common::Window window);
std::string mirror_key(common::Window window, common::Uid uid);
std::string scores_key(common::Window window);

}  // namespace train
