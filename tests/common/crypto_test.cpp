// Goal: the parts under the keys are what their papers say: Keccak, Merlin, BIP39, Base58, guarded
// memory. Method: OpenSSL's SHA-3 as an oracle for the permutation, published vectors, properties
// on seeded data.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <sodium.h>

#include <random>

#include "common/crypto/bip39.h"
#include "common/crypto/bip39_english.h"
#include "common/crypto/keccak.h"
#include "common/crypto/secret_bytes.h"
#include "common/crypto/secret_uri.h"
#include "common/crypto/sr25519.h"
#include "common/crypto/ss58.h"
#include "common/crypto/transcript.h"
#include "tests/common/keys_data.h"

namespace common::crypto {
namespace {

// SHA3-256 over our permutation: FIPS 202, rate 136, suffix 01.
std::string sha3_256(ByteView message) {
  constexpr size_t kRate = 136;
  KeccakState lanes{};
  auto* const state = reinterpret_cast<uint8_t*>(lanes.data());
  size_t at = 0;
  for (const uint8_t byte : message) {
    state[at++] ^= byte;
    if (at == kRate) {
      keccak_f1600(lanes);
      at = 0;
    }
  }
  state[at] ^= 0x06;
  state[kRate - 1] ^= 0x80;
  keccak_f1600(lanes);
  return to_hex(ByteView(state, 32));
}

std::string openssl_sha3_256(ByteView message) {
  std::array<uint8_t, 32> digest;
  EXPECT_EQ(
      EVP_Digest(message.data(), message.size(), digest.data(), nullptr, EVP_sha3_256(), nullptr),
      1);
  return to_hex(digest);
}

TEST(Keccak, MakesTheSha3ThatOpensslMakes) {
  std::mt19937 random(1);
  for (const size_t size : {0, 1, 135, 136, 137, 271, 272, 1000}) {
    Bytes message(size);
    for (uint8_t& byte : message) byte = static_cast<uint8_t>(random());
    EXPECT_EQ(sha3_256(message), openssl_sha3_256(message)) << size;
  }
}

TEST(Transcript, DrawsTheChallengeOfMerlinsOwnTest) {
  // merlin 3.0, transcript.rs, "equivalence_simple".
  Transcript transcript("test protocol");
  transcript.append("some label", view_of("some data"));
  std::array<uint8_t, 32> out;
  transcript.challenge("challenge", out);
  EXPECT_EQ(to_hex(out), "d5a21972d0d5fe320c0d263fac7fffb8145aa640af6e9bca177c03c7efcf0615");
}

TEST(Transcript, WhereOneMessageEndsAndTheNextBeginsIsPartOfIt) {
  const auto draw = [](std::string_view first, std::string_view second) {
    Transcript transcript("t");
    transcript.append("m", view_of(first)).append("m", view_of(second));
    std::array<uint8_t, 32> out;
    transcript.challenge("c", out);
    return to_hex(out);
  };
  EXPECT_EQ(draw("ab", "c"), draw("ab", "c"));
  EXPECT_NE(draw("ab", "c"), draw("a", "bc"));
  EXPECT_NE(draw("", "abc"), draw("abc", ""));
}

TEST(Bip39, TheWordListIsTheOneOfTheStandard) {
  std::string lines(kBip39English);
  std::ranges::replace(lines, ' ', '\n');
  std::array<uint8_t, crypto_hash_sha256_BYTES> digest;
  crypto_hash_sha256(digest.data(), view_of(lines).data(), lines.size());
  EXPECT_EQ(to_hex(digest), "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda");
}

TEST(Bip39, EntropyAndPhraseAreOneToOne) {
  std::mt19937 random(2);
  for (const size_t size : {16, 20, 24, 28, 32}) {
    for (int round = 0; round < 50; ++round) {
      Bytes entropy(size);
      for (uint8_t& byte : entropy) byte = static_cast<uint8_t>(random());
      const SecretBytes phrase = phrase_of(entropy);
      const auto back = entropy_of(phrase.text());
      ASSERT_TRUE(back) << back.error().message;
      EXPECT_EQ(to_hex(back->view()), to_hex(entropy));
    }
  }
}

TEST(Bip39, PhrasesAreThoseOfTheStandardsVectors) {
  // trezor/python-mnemonic, vectors.json.
  EXPECT_EQ(phrase_of(Bytes(16, 0x00)).text(),
            "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "
            "abandon about");
  EXPECT_EQ(phrase_of(Bytes(16, 0x7f)).text(),
            "legal winner thank year wave sausage worth useful legal winner thank yellow");
  EXPECT_EQ(
      phrase_of(Bytes(32, 0xff)).text(),
      "zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo zoo "
      "vote");
}

TEST(Bip39, TheSeedComesFromTheEntropyAndThePassword) {
  const auto dev = data_file("sr25519_substrate.json")["dev_phrase"];
  const auto entropy = entropy_of(dev["phrase"].get<std::string>());
  ASSERT_TRUE(entropy);
  EXPECT_EQ("0x" + to_hex(entropy->view()), said(dev["entropy"]));
  EXPECT_EQ("0x" + to_hex(mini_secret_of(entropy->view(), {}).view()), said(dev["mini_secret"]));
  EXPECT_EQ("0x" + to_hex(mini_secret_of(entropy->view(), "hunter2").view()),
            said(dev["mini_secret_with_password_hunter2"]));
}

TEST(Base58, IsBitcoins) {
  // draft-msporny-base58, section 5.
  EXPECT_EQ(to_base58(view_of("Hello World!")), "2NEpo7TZRRrLZSi2U");
  EXPECT_EQ(to_base58(*from_hex("0000287fb4cd")), "11233QC4");
  EXPECT_EQ(from_base58("11233QC4"), from_hex("0000287fb4cd"));
  EXPECT_EQ(to_base58({}), "");
  EXPECT_EQ(from_base58(""), Bytes());
  EXPECT_EQ(from_base58("111"), Bytes(3, 0));
  for (const char* bad : {"0", "O", "I", "l", " ", "2NEpo7TZRRrLZSi2U\n"}) {
    EXPECT_EQ(from_base58(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(from_base58(std::string(129, '1')), std::nullopt);
}

TEST(Base58, BytesComeBack) {
  std::mt19937 random(3);
  for (size_t size = 0; size < 60; ++size) {
    Bytes bytes(size);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random() % 3 == 0 ? 0 : random());
    EXPECT_EQ(from_base58(to_base58(bytes)), bytes);
  }
}

TEST(SecretUri, PartsAreToldApart) {
  const auto uri = parse_secret_uri("some words//a/b///pass///word");
  ASSERT_TRUE(uri);
  EXPECT_EQ(uri->phrase, "some words");
  ASSERT_EQ(uri->junctions.size(), 2U);
  EXPECT_TRUE(uri->junctions[0].hard);
  EXPECT_FALSE(uri->junctions[1].hard);
  EXPECT_EQ(uri->password, "pass///word");
}

TEST(SecretUri, AChainCodeIsANumberATextOrAHash) {
  const auto code = [](const std::string& junction) {
    const auto uri = parse_secret_uri("//" + junction);
    EXPECT_TRUE(uri) << junction;
    return to_hex(uri->junctions.at(0).chain_code);
  };
  EXPECT_EQ(code("258"), "0201" + std::string(60, '0'));  // 258 = 0x0102, little-endian.
  EXPECT_EQ(code("A"), "0441" + std::string(60, '0'));    // Compact(1) = 4.
  EXPECT_EQ(code("007"), code("7"));
  EXPECT_EQ(code(std::string(31, 'a')), "7c" + to_hex(view_of(std::string(31, 'a'))));
  EXPECT_NE(code(std::string(32, 'a')).substr(0, 2), "80");  // 33 bytes encoded: hashed.
}

TEST(SecretUri, EmptyJunctionsAndAmbiguousNumbersAreRefused) {
  for (const char* bad : {"/", "//", "a/", "a//", "//a//", "//18446744073709551616", "//+5"}) {
    const auto uri = parse_secret_uri(bad);
    ASSERT_FALSE(uri) << bad;
    EXPECT_EQ(uri.error().code, Code::kInvalidArgument);
  }
  EXPECT_TRUE(parse_secret_uri("//a///"));  // An empty password is none.
  EXPECT_FALSE(parse_secret_uri(std::string(5000, 'a')));
}

TEST(Sr25519, ASoftChildsPublicKeyFollowsFromTheParents) {
  start_sodium();
  const SecretBytes parent = expand(Bytes(32, 5));
  ChainCode code{};
  code[0] = 9;
  const SecretBytes child = derive_soft(parent, code);
  EXPECT_TRUE(is_secret(child.view()));
  // child B - parent B = (child - parent) B.
  std::array<uint8_t, 32> step;
  crypto_core_ristretto255_scalar_sub(step.data(), child.view().data(), parent.view().data());
  std::array<uint8_t, 32> by_scalar;
  std::array<uint8_t, 32> by_point;
  ASSERT_EQ(crypto_scalarmult_ristretto255_base(by_scalar.data(), step.data()), 0);
  ASSERT_EQ(crypto_core_ristretto255_sub(by_point.data(), public_of(child).data(),
                                         public_of(parent).data()),
            0);
  EXPECT_EQ(by_scalar, by_point);
  EXPECT_EQ(to_hex(derive_soft(parent, code).view()), to_hex(child.view()));
}

TEST(SecretBytes, AreZeroAtFirstAndGoneAfterAMove) {
  SecretBytes secret(40);
  EXPECT_EQ(to_hex(secret.view()), std::string(80, '0'));
  secret = SecretBytes::copy_of("abc");
  const SecretBytes moved = std::move(secret);
  EXPECT_EQ(moved.text(), "abc");
  EXPECT_EQ(secret.size(), 0U);  // NOLINT(bugprone-use-after-move): that is the question
}

TEST(SecretBytes, HexMustHaveExactlyItsSize) {
  EXPECT_EQ(secret_from_hex("0x0aFF", 2)->view()[1], 0xFF);
  EXPECT_TRUE(secret_from_hex("0aff", 2));
  for (const char* bad : {"", "0x", "0x0a", "0x0aff00", "0x0afg", "0x0a f", "0x0af", "0X0aff"}) {
    EXPECT_FALSE(secret_from_hex(bad, 2)) << bad;
  }
}

TEST(SecretBytesDeathTest, NobodyReadsPastTheEnd) {
  const SecretBytes secret(32);
  const volatile uint8_t* past = secret.view().data() + 32;
  EXPECT_DEATH(static_cast<void>(*past), "");
}

}  // namespace
}  // namespace common::crypto
