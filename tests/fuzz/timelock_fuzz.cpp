// Goal: no bytes crash the readers of timelocked commits, and what they accept is the one encoding
// of what they read. Method: the same bytes as a ciphertext, as a point of either group and as a
// weights payload: read, write, compare.
#include <cstddef>
#include <cstdint>

#include "chain/timelock/bls381/codec.h"
#include "chain/timelock/sealed.h"
#include "chain/timelock/timelock.h"
#include "common/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using common::Bytes;
using common::ByteView;

void check_points(ByteView bytes) {
  const Bytes same(bytes.begin(), bytes.end());
  if (const auto g1 = chain::timelock::bls381::g1_from_bytes(bytes)) {
    const auto written = bytes_of(*g1);
    CHECK(Bytes(written.begin(), written.end()) == same);
  }
  if (const auto g2 = chain::timelock::bls381::g2_from_bytes(bytes)) {
    const auto written = bytes_of(*g2);
    CHECK(Bytes(written.begin(), written.end()) == same);
  }
}

void check_ciphertext(ByteView bytes) {
  static const auto signature = chain::timelock::BeaconSecret::from_seed(Bytes(32, 7)).sign(12);
  if (const auto sealed = chain::timelock::Sealed::parse(bytes)) {
    CHECK(sealed->serialise() == Bytes(bytes.begin(), bytes.end()));
  }
  if (const auto opened = chain::timelock::decrypt(bytes, signature)) {
    CHECK(opened->size() + chain::timelock::kCiphertextOverhead == bytes.size());
  }
}

// The runtime ignores what follows a payload, and of a long hotkey all but 32 bytes: so what is
// written is what is read again.
void check_payload(ByteView bytes) {
  const common::AccountId signer;
  const auto payload = chain::timelock::WeightsPayload::decode(bytes, signer);
  if (payload) {
    CHECK(chain::timelock::WeightsPayload::decode(payload->encode(), signer) == payload);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  check_points({data, size});
  check_ciphertext({data, size});
  check_payload({data, size});
  return 0;
}
