// Goal: no ciphertext of any size crashes what opens sealed objects; what is sealed opens to what
// it was, in any range; changed by a byte, cut, extended or with chunks moved it does not open;
// what it opens to is judged as the plain bytes are. Method: the first byte says how; the second
// and third, how much of what follows. What follows is a ciphertext as it is, then a text that is
// sealed here, now and then repeated to one of the sizes about a chunk.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <numeric>

#include "common/check.h"
#include "compress/sparseloco.h"
#include "tests/fuzz/edges.h"
#include "train/seal_reader.h"
#include "train/sealed.h"
#include "train/stored_contribution.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using common::Bytes;
using common::ByteView;
using common::MemorySource;
using train::SealKey;

const SealKey kKey = {1, 2, 3};

// How an input begins.
struct Control {
  uint8_t how = 0;
  uint8_t much = 0;
  uint8_t change = 0;
};

void sizes_come_back(ByteView input) {
  uint64_t number = 0;
  std::memcpy(&number, input.data(), std::min(input.size(), sizeof number));
  const auto plain = train::plain_size(number);
  CHECK(!plain || train::sealed_size(*plain) == number);
}

// Nobody can make one that opens without the key.
void must_not_open(ByteView sealed) {
  const MemorySource source(sealed);
  for (const uint32_t threads : {1U, 2U}) {
    const auto opened = train::open_seal(source, kKey, threads);
    CHECK(opened && !*opened);
  }
  CHECK(!train::unseal(sealed, kKey));
  CHECK(train::judge(train::Claim{}, std::nullopt) == common::Verdict::kHashMismatch);
}

// Mostly the input; if its bytes say so, about one chunk, or more than two. Those cost a thousand
// small ones, so their sum has a say: most of what is made out of a large one is small again.
Bytes text_of(ByteView input, const Control& control) {
  const uint32_t sum = std::accumulate(input.begin(), input.end(), uint32_t{control.how});
  size_t size = input.size();
  if (sum % 64 == 0 && control.how % 16 == 7) size = train::kSealChunk - 2 + control.much % 5;
  if (sum % 64 == 0 && control.how % 16 == 11) size = 2 * train::kSealChunk + control.much;
  Bytes text(size);
  for (size_t i = 0; i < size; ++i) text[i] = input.empty() ? uint8_t{7} : input[i % input.size()];
  return text;
}

void must_open(ByteView text, const Bytes& sealed, const Control& control) {
  const MemorySource source(sealed);
  const auto opened = *train::open_seal(source, kKey, 1);
  CHECK(opened && opened->summary == train::summarise(text, sealed, kKey));
  train::Claim claim;
  claim.sealed_root = opened->summary.sealed_root;
  claim.sealed_size = sealed.size();
  claim.plain_hash = opened->summary.plain_hash;
  CHECK(train::judge(claim, opened) == common::Verdict::kAccepted);
  CHECK(*train::verify_sealed(source, claim, 1) == common::Verdict::kAccepted);

  const train::SealReader reader(source, kKey);
  CHECK(reader.size() == text.size());
  const size_t first = text.empty() ? 0 : size_t{control.much} * text.size() / 256;
  Bytes range((text.size() - first) * control.change / 255);
  CHECK(reader.read(first, range).has_value());
  CHECK(std::equal(range.begin(), range.end(), text.begin() + static_cast<ptrdiff_t>(first)));
}

// One byte, the end, or two chunks.
void spoil(Bytes& sealed, const Control& control) {
  const size_t at = size_t{control.much} * sealed.size() / 256;
  switch (control.how / 16 % 4) {
    case 0:
      sealed[at] = static_cast<uint8_t>(sealed[at] ^ (control.change == 0 ? 1 : control.change));
      break;
    case 1:
      sealed.resize(at);
      break;
    case 2:
      sealed.insert(sealed.end(), 1 + size_t{control.much}, control.change);
      break;
    default:
      if (sealed.size() > 2 * train::kSealedChunk) {
        std::swap_ranges(sealed.begin(), sealed.begin() + train::kSealedChunk,
                         sealed.begin() + train::kSealedChunk);
        // Chunks of a repeated text differ all the same: each has a nonce of its own.
      } else {
        sealed.pop_back();
      }
  }
}

// A stranger's plaintext, sealed, is found to be what it is unsealed.
void must_be_alike(ByteView plain, const Bytes& sealed) {
  static const auto format = compress::SparseLoco().format(fuzz::edges());
  const compress::Expected expected{.netuid = 0,
                                    .uid = {},
                                    .window = {},
                                    .hotkey = {},
                                    .hparams_hash = {},
                                    .base_root = {},
                                    .steps_max = 256};
  const MemorySource plain_source(plain);
  const auto wanted = *compress::examine(plain_source, *format, expected, 1);
  const auto found = *train::StoredContribution::open(
      std::make_unique<MemorySource>(sealed), kKey, [](const train::SealSummary&) { return true; },
      *format, expected);
  CHECK(!wanted && !found);  // Nobody has that hotkey.
  CHECK(wanted.error() == found.error());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  const Control control{data[0], data[1], data[2]};
  const ByteView input(data + 3, size - 3);
  sizes_come_back(input);
  must_not_open(input);
  static_cast<void>(train::Sealed::parse(input));

  const Bytes text = text_of(input, control);
  Bytes sealed = train::seal(text, kKey);
  CHECK(sealed.size() == train::sealed_size(text.size()));
  must_open(text, sealed, control);
  must_be_alike(text, sealed);
  spoil(sealed, control);
  must_not_open(sealed);
  return 0;
}
