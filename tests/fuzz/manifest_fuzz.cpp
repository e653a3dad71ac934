// Goal: no bytes crash the reader of manifests, and what it accepts is the one encoding of what it
// reads. Method: the input as it is; then as the text of a manifest of Alice's, signed by her; what
// is read is signed again and compared.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "common/check.h"
#include "train/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const common::Keypair alice = common::Keypair::from_uri("//Alice").value();
  constexpr size_t kLeadAt = 4 + 2 + 8 + 32 + 32 + 2;  // Of the lead's hotkey.
  constexpr size_t kSignatureSize = 64;
  static_cast<void>(train::open_manifest({data, size}));

  common::Bytes bytes(data, data + size);
  const auto hotkey = alice.account().bytes;
  if (size >= kLeadAt + hotkey.size())
    std::copy(hotkey.begin(), hotkey.end(), bytes.data() + kLeadAt);
  const auto signature = alice.sign(common::blake2b_256(bytes).bytes);
  bytes.insert(bytes.end(), signature.begin(), signature.end());
  const auto manifest = train::open_manifest(bytes);
  if (!manifest) return 0;
  CHECK(manifest->entries.size() <= train::kManifestEntriesMax);
  CHECK(manifest->counting().size() <= manifest->entries.size());
  const common::Bytes again = sign(*manifest, alice);
  CHECK(again.size() == bytes.size());
  CHECK(std::equal(again.begin(), again.end() - kSignatureSize, bytes.begin()));
  return 0;
}
