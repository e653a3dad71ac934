#include "common/crypto/bip39.h"

#include <openssl/evp.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "common/check.h"
#include "common/crypto/bip39_english.h"
#include "common/crypto/sr25519.h"

namespace common::crypto {
namespace {

constexpr size_t kWords = 2048;
constexpr size_t kBitsPerWord = 11;
constexpr int kRounds = 2048;

constexpr std::array<std::string_view, kWords> split_words() {
  std::array<std::string_view, kWords> words;
  std::string_view rest = kBip39English;
  for (std::string_view& word : words) {
    const size_t size = rest.find(' ');
    word = rest.substr(0, size);
    rest.remove_prefix(size + 1);
  }
  return words;
}
constexpr std::array<std::string_view, kWords> kWordList = split_words();
static_assert(kWordList[0] == "abandon" && kWordList[kWords - 1] == "zoo");
static_assert(std::ranges::is_sorted(kWordList));

std::optional<size_t> index_of(std::string_view word) {
  const auto found = std::ranges::lower_bound(kWordList, word);
  if (found == kWordList.end() || *found != word) return std::nullopt;
  return static_cast<size_t>(found - kWordList.begin());
}

std::vector<std::string_view> words_in(std::string_view phrase) {
  constexpr std::string_view kSpaces = " \t\r\n";
  std::vector<std::string_view> words;
  while (true) {
    phrase.remove_prefix(std::min(phrase.find_first_not_of(kSpaces), phrase.size()));
    if (phrase.empty()) return words;
    const size_t size = std::min(phrase.find_first_of(kSpaces), phrase.size());
    words.push_back(phrase.substr(0, size));
    phrase.remove_prefix(size);
  }
}

// The first bits of SHA-256: four for 16 bytes, one more for every four bytes more.
uint8_t checksum(ByteView entropy) {
  std::array<uint8_t, crypto_hash_sha256_BYTES> digest;
  crypto_hash_sha256(digest.data(), entropy.data(), entropy.size());
  const auto bits = entropy.size() / 4;
  const auto mask = static_cast<uint8_t>(0xff00 >> bits);
  const auto sum = static_cast<uint8_t>(digest[0] & mask);
  wipe(digest);
  return sum;
}

bool is_entropy_size(size_t size) { return size >= 16 && size <= 32 && size % 4 == 0; }

}  // namespace

Result<SecretBytes> entropy_of(std::string_view phrase) {
  const std::vector<std::string_view> words = words_in(phrase);
  if (words.size() < 12 || words.size() > 24 || words.size() % 3 != 0) {
    return Error{Code::kInvalidArgument, "a phrase has 12, 15, 18, 21 or 24 words, this one has " +
                                             std::to_string(words.size())};
  }
  // Entropy, then the checksum at the head of the byte after it; 11 bits a word, the high bit
  // first.
  const size_t size = words.size() / 3 * 4;
  SecretBytes bits(size + 1);
  for (size_t i = 0; i < words.size(); ++i) {
    const std::optional<size_t> index = index_of(words[i]);
    if (!index) {
      return Error{Code::kInvalidArgument,
                   "word " + std::to_string(i + 1) +
                       " is not among BIP39's 2048 English words, which are "
                       "written in lower case"};
    }
    for (size_t bit = 0; bit < kBitsPerWord; ++bit) {
      const size_t at = i * kBitsPerWord + bit;
      const size_t value = *index >> (kBitsPerWord - 1 - bit) & 1;
      bits.bytes()[at / 8] |= static_cast<uint8_t>(value << (7 - at % 8));
    }
  }
  if (bits.view()[size] != checksum(bits.view().first(size))) {
    return Error{Code::kInvalidArgument,
                 "the phrase's checksum is wrong: a word is mistyped or out of its place"};
  }
  bits.shrink(size);
  return bits;
}

SecretBytes phrase_of(ByteView entropy) {
  CHECK(is_entropy_size(entropy.size()));
  const size_t words = entropy.size() / 4 * 3;
  constexpr size_t kWordSizeMax = 8;
  SecretBytes bits(entropy.size() + 1);
  std::ranges::copy(entropy, bits.bytes().begin());
  bits.bytes()[entropy.size()] = checksum(entropy);
  SecretBytes phrase(words * (kWordSizeMax + 1));
  size_t used = 0;
  for (size_t i = 0; i < words; ++i) {
    size_t index = 0;
    for (size_t at = i * kBitsPerWord; at < (i + 1) * kBitsPerWord; ++at) {
      index = index << 1 | (bits.view()[at / 8] >> (7 - at % 8) & 1);
    }
    if (i != 0) phrase.bytes()[used++] = ' ';
    std::ranges::copy(kWordList[index], phrase.bytes().begin() + static_cast<ptrdiff_t>(used));
    used += kWordList[index].size();
  }
  phrase.shrink(used);
  return phrase;
}

SecretBytes mini_secret_of(ByteView entropy, std::string_view password) {
  CHECK(is_entropy_size(entropy.size()));
  constexpr std::string_view kSalt = "mnemonic";
  SecretBytes salt(kSalt.size() + password.size());
  std::ranges::copy(password, std::ranges::copy(kSalt, salt.bytes().begin()).out);
  SecretBytes seed(64);
  CHECK(PKCS5_PBKDF2_HMAC(reinterpret_cast<const char*>(entropy.data()),
                          static_cast<int>(entropy.size()), salt.view().data(),
                          static_cast<int>(salt.size()), kRounds, EVP_sha512(),
                          static_cast<int>(seed.size()), seed.bytes().data()) == 1);
  seed.shrink(kMiniSecretSize);
  return seed;
}

}  // namespace common::crypto
