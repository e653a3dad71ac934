// Goal: no bytes crash the readers of signed messages; a message is read back as its own kind, and
// as no other, and not with a byte changed. Method: the input as it is, then as the fields of
// messages that are signed here.
#include <cstddef>
#include <cstdint>

#include "common/check.h"
#include "train/messages.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const common::Keypair alice = common::Keypair::from_uri("//Alice").value();
  const common::ByteView input(data, size);
  common::ByteReader in(input);
  const train::Origin origin{
      in.number<uint16_t>(), {in.number<uint64_t>()}, {in.number<uint16_t>()}, alice.account()};
  // Refused, for Alice would have to have signed it.
  CHECK(!train::open_claim(input, origin).message);
  CHECK(!train::open_key(input, origin).message);
  CHECK(!train::open_root(input, origin).message);

  train::Claim claim{.origin = origin};
  claim.sealed_root.bytes = in.array<32>();
  claim.sealed_size = in.number<uint64_t>();
  claim.plain_hash.bytes = in.array<32>();
  claim.base_root.bytes = in.array<32>();
  const train::KeyReveal reveal{origin, claim.sealed_root.bytes};
  const common::Bytes bytes = sign(claim, alice);
  const common::Bytes key = sign(reveal, alice);
  CHECK(train::open_claim(bytes, origin).message == claim);
  CHECK(train::open_key(key, origin).message == reveal);
  CHECK(!train::open_root(key, origin).message && !train::open_claim(key, origin).message);
  if (size < 2) return 0;
  common::Bytes changed = bytes;
  uint8_t& byte = changed[(data[0] | size_t{data[1]} << 8) % changed.size()];
  byte = static_cast<uint8_t>(byte ^ (data[size - 1] == 0 ? 1 : data[size - 1]));
  CHECK(!train::open_claim(changed, origin).message);
  return 0;
}
