// Goal: no bytes crash the parser of contributions; what is signed is read back as it was; nothing
// else is; one that is examined where it lies gets the verdict that it gets in memory. Method: the
// input as it is, then as the header and body of a contribution that is signed here, then that with
// one byte changed.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "common/check.h"
#include "compress/contribution.h"
#include "compress/sparseloco.h"
#include "tests/fuzz/edges.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using compress::Contribution;
using compress::Expected;

constexpr uint64_t kSizeMax = 1000;

// Fields from the input, within what a receiver accepts.
Contribution contribution_of(compress::ByteView input, const common::AccountId& hotkey) {
  common::ByteReader in(input);
  Contribution made;
  made.header.netuid = in.number<uint16_t>();
  made.header.uid.index = in.number<uint16_t>();
  made.header.window.index = in.number<uint64_t>();
  made.header.hotkey = hotkey;
  made.header.hparams_hash.bytes = in.array<32>();
  made.header.base_root.bytes = in.array<32>();
  made.header.steps = 1 + in.number<uint8_t>();
  made.header.token_count = uint64_t{made.header.steps} + in.number<uint32_t>();
  const compress::ByteView body = in.raw(std::min<size_t>(in.remaining(), 500));
  made.body.assign(body.begin(), body.end());
  return made;
}

compress::Verdict verdict_in_memory(compress::ByteView bytes, const Expected& expected) {
  const compress::SparseLoco codec;
  const auto parsed = compress::parse_contribution(
      bytes, compress::contribution_size_max(codec, fuzz::edges()), expected);
  if (!parsed) return parsed.error();
  const auto update = codec.decode(parsed->body, fuzz::edges());
  return update ? compress::Verdict::kAccepted : update.error();
}

void must_be_alike(compress::ByteView bytes, const Expected& expected) {
  static const auto format = compress::SparseLoco().format(fuzz::edges());
  const common::MemorySource source(bytes);
  const auto examined = *compress::examine(source, *format, expected, 1);
  CHECK(verdict_in_memory(bytes, expected) ==
        (examined ? compress::Verdict::kAccepted : examined.error()));
}

void must_be_refused(compress::Bytes bytes, size_t at, uint8_t change, const Expected& expected) {
  bytes[at] = static_cast<uint8_t>(bytes[at] ^ change);
  CHECK(!compress::parse_contribution(bytes, kSizeMax, expected).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const common::Keypair alice = common::Keypair::from_uri("//Alice").value();
  const compress::ByteView input(data, size);
  const Contribution made = contribution_of(input, alice.account());
  const Expected expected{.netuid = made.header.netuid,
                          .uid = made.header.uid,
                          .window = made.header.window,
                          .hotkey = alice.account(),
                          .hparams_hash = made.header.hparams_hash,
                          .base_root = made.header.base_root,
                          .steps_max = 256};
  // As it is; nearly always refused, for Alice would have to have signed it.
  static_cast<void>(compress::parse_contribution(input, kSizeMax, expected));
  must_be_alike(input, expected);

  const compress::Bytes bytes = compress::serialise(made, alice);
  const auto parsed = compress::parse_contribution(bytes, kSizeMax, expected);
  CHECK(parsed.has_value());
  CHECK(parsed->header == made.header && parsed->body == made.body);
  must_be_alike(bytes, expected);
  if (size < 3) return 0;
  const size_t at = (data[0] | size_t{data[1]} << 8) % bytes.size();
  must_be_refused(bytes, at, data[2] == 0 ? 1 : data[2], expected);
  return 0;
}
