// Goal: our accounts, addresses and signatures are Substrate's: wallets and chains of others take
// them. Method: vectors of polkadot-js (schnorrkel in WebAssembly; data/make_sr25519_polkadot.mjs),
// then every way to be almost right.
#include "common/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sodium.h>

#include <random>
#include <sstream>

#include "common/hash.h"
#include "tests/common/keys_data.h"

namespace common {
namespace {

using testing::HasSubstr;
using testing::Not;

const nlohmann::json& substrate() {
  static const nlohmann::json data = data_file("sr25519_substrate.json");
  return data;
}
const nlohmann::json& polkadot() {
  static const nlohmann::json data = data_file("sr25519_polkadot.json");
  return data;
}
std::string dev_phrase() { return substrate()["dev_phrase"]["phrase"]; }

Keypair keypair(std::string_view uri) {
  auto made = Keypair::from_uri(uri);
  EXPECT_TRUE(made) << made.error().message;
  return std::move(made).value();
}

template <typename T>
std::string refusal(const Result<T>& result) {
  if (result) return "accepted";
  EXPECT_EQ(result.error().code, Code::kInvalidArgument);
  return result.error().message;
}

TEST(Keypair, DerivationsAreSubstrates) {
  ASSERT_GE(substrate()["derivations"].size(), 8U);
  for (const auto& [uri, expected] : substrate()["derivations"].items()) {
    const Keypair made = keypair(uri);
    EXPECT_EQ("0x" + to_hex(made.account().bytes), said(expected["sr25519"])) << uri;
    EXPECT_EQ(made.account().ss58(), said(expected["ss58"])) << uri;
  }
}

TEST(Keypair, AccountsArePolkadots) {
  for (const auto& expected : polkadot()["accounts"]) {
    const Keypair made = keypair(expected["uri"].get<std::string>());
    EXPECT_EQ("0x" + to_hex(made.account().bytes), said(expected["public"])) << expected["uri"];
    EXPECT_EQ(made.account().ss58(), said(expected["ss58"]));
  }
}

TEST(Keypair, WithoutAPhraseTheUriIsOfTheDevelopmentPhrase) {
  EXPECT_EQ(keypair("").account(), keypair(dev_phrase()).account());
  EXPECT_EQ(keypair("//Alice").account(), keypair(dev_phrase() + "//Alice").account());
  EXPECT_NE(keypair("//Alice").account(), keypair("/Alice").account());
  EXPECT_NE(keypair("//Alice").account(), keypair("//alice").account());
}

TEST(Keypair, PhraseSeedUriAndSecretMakeTheSameKey) {
  const auto phrase = Keypair::from_mnemonic(dev_phrase());
  ASSERT_TRUE(phrase);
  const Keypair seed = Keypair::from_seed(array_of<32>(substrate()["dev_phrase"]["mini_secret"]));
  EXPECT_EQ(phrase->secret(), seed.secret());
  EXPECT_EQ(keypair(substrate()["dev_phrase"]["mini_secret"].get<std::string>()).account(),
            seed.account());
  const auto secret = Keypair::from_secret(seed.secret());
  ASSERT_TRUE(secret);
  EXPECT_EQ(secret->account(), seed.account());
  const auto with_password = Keypair::from_mnemonic(dev_phrase(), "hunter2");
  ASSERT_TRUE(with_password);
  EXPECT_EQ(with_password->account(), keypair(dev_phrase() + "///hunter2").account());
}

TEST(Keypair, TheSecretIsTheScalarWithoutItsCofactor) {
  // The vector is polkadot-js's form, 8 a | nonce: three bits further up.
  const auto eightfold =
      array_of<64>(substrate()["dev_phrase"]["sr25519_secret_key64_ed25519_form"]);
  const auto secret = keypair(dev_phrase()).secret();
  for (size_t i = 0; i < 32; ++i) {
    const int carried = i == 0 ? 0 : secret[i - 1] >> 5;
    EXPECT_EQ(eightfold[i], static_cast<uint8_t>(secret[i] << 3 | carried)) << i;
  }
  EXPECT_TRUE(std::equal(secret.begin() + 32, secret.end(), eightfold.begin() + 32));
  EXPECT_THAT(refusal(Keypair::from_secret(eightfold)), HasSubstr("not below the group's order"));
}

TEST(Keypair, ASecretOutOfRangeIsRefused) {
  std::array<uint8_t, 64> secret{};
  EXPECT_THAT(refusal(Keypair::from_secret(secret)), HasSubstr("zero"));
  // L = 2^252 + 27742317777372353535851937790883648493.
  const Bytes order = *from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  std::ranges::copy(order, secret.begin());
  EXPECT_THAT(refusal(Keypair::from_secret(secret)), HasSubstr("order"));
  secret[0] -= 1;
  EXPECT_TRUE(Keypair::from_secret(secret));
}

TEST(Keypair, UrisThatAreNoneAreRefusedWithASentence) {
  EXPECT_THAT(refusal(Keypair::from_uri("//")), HasSubstr("empty junction"));
  EXPECT_THAT(refusal(Keypair::from_uri("0x01")), HasSubstr("64 hex digits"));
  EXPECT_THAT(refusal(Keypair::from_uri("0x" + std::string(64, 'g'))), HasSubstr("64 hex digits"));
  EXPECT_THAT(refusal(Keypair::from_uri("0x" + std::string(64, '1') + "///p")),
              HasSubstr("password"));
  EXPECT_THAT(refusal(Keypair::from_uri("one two//Alice")), HasSubstr("this one has 2"));
}

TEST(Mnemonic, BadOnesAreRefusedByTheirPlaceAndNotQuoted) {
  const auto refused = [](std::string_view phrase) {
    return refusal(Keypair::from_mnemonic(phrase));
  };
  EXPECT_THAT(refused(""), HasSubstr("this one has 0"));
  EXPECT_THAT(refused("bottom drive obey lake curtain smoke basket hold race lonely fit"),
              HasSubstr("this one has 11"));
  const std::string misspelt =
      "bottom drive obey lakes curtain smoke basket hold race lonely fit walk";
  EXPECT_THAT(refused(misspelt), HasSubstr("word 4 is not among"));
  EXPECT_THAT(refused(misspelt), Not(HasSubstr("lakes")));
  EXPECT_THAT(refused("Bottom drive obey lake curtain smoke basket hold race lonely fit walk"),
              HasSubstr("word 1"));
  EXPECT_THAT(refused("drive bottom obey lake curtain smoke basket hold race lonely fit walk"),
              HasSubstr("checksum"));
  EXPECT_THAT(refused("bottom drive obey lake curtain smoke basket hold race lonely fit fit"),
              HasSubstr("checksum"));
}

TEST(Mnemonic, SpacesBetweenWordsDoNotMatter) {
  const auto spaced = Keypair::from_mnemonic(
      "  bottom drive\tobey lake curtain  smoke basket hold\nrace lonely fit walk\r\n");
  ASSERT_TRUE(spaced) << spaced.error().message;
  EXPECT_EQ(spaced->account(), keypair(dev_phrase()).account());
}

TEST(Mnemonic, ANewOneHasAValidChecksumAndIsNew) {
  for (const int words : {12, 15, 18, 21, 24}) {
    const std::string phrase = make_mnemonic(words);
    std::istringstream in(phrase);
    EXPECT_EQ(std::distance(std::istream_iterator<std::string>(in), {}), words);
    EXPECT_TRUE(Keypair::from_mnemonic(phrase));
    EXPECT_NE(make_mnemonic(words), phrase);
  }
}

TEST(MnemonicDeathTest, AnotherNumberOfWordsIsABug) {
  EXPECT_DEATH(make_mnemonic(13), "CHECK failed");
  EXPECT_DEATH(make_mnemonic(27), "CHECK failed");
}

TEST(Ss58, AddressesGoBothWays) {
  for (const auto& expected : polkadot()["accounts"]) {
    const AccountId account{array_of<32>(expected["public"])};
    EXPECT_EQ(account.ss58(), said(expected["ss58"]));
    EXPECT_EQ(AccountId::from_ss58(expected["ss58"].get<std::string>()), account);
  }
  for (const uint8_t fill : {uint8_t{0}, uint8_t{255}}) {
    AccountId account;
    account.bytes.fill(fill);
    EXPECT_EQ(account.ss58().size(), 48U);
    EXPECT_EQ(AccountId::from_ss58(account.ss58()), account);
  }
}

TEST(Ss58, NoOneCharacterChangeIsAnAddress) {
  const std::string address = keypair("//Alice").account().ss58();
  // Two bytes of checksum let one of 65536 through; these 48 changes hold none such.
  for (size_t i = 0; i < address.size(); ++i) {
    std::string changed = address;
    changed[i] = changed[i] == 'z' ? 'y' : 'z';
    EXPECT_EQ(AccountId::from_ss58(changed), std::nullopt) << i;
  }
  EXPECT_FALSE(AccountId::from_ss58(""));
  EXPECT_FALSE(AccountId::from_ss58(address.substr(1)));
  EXPECT_FALSE(AccountId::from_ss58(address.substr(0, 47)));
  EXPECT_FALSE(AccountId::from_ss58(address + "1"));
  EXPECT_FALSE(AccountId::from_ss58("1" + address));
  EXPECT_FALSE(AccountId::from_ss58(" " + address));
  EXPECT_FALSE(AccountId::from_ss58(std::string(100000, '5')));
}

TEST(Ss58, AnotherNetworksPrefixIsRefused) {
  // //Alice on Polkadot (prefix 0) and on Kusama (prefix 2), by polkadot-js.
  EXPECT_FALSE(AccountId::from_ss58("15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5"));
  EXPECT_FALSE(AccountId::from_ss58("HNZata7iMYWmk5RvZRTiAsSDhV8366zq2YGb3tLH5Upf74F"));
}

TEST(Sr25519, SignaturesOfOthersVerify) {
  const auto& example = substrate()["signature"];
  EXPECT_TRUE(
      verify({array_of<32>(example["pub"])}, hex_of(example["msg"]), array_of<64>(example["sig"])));
  const AccountId signer{array_of<32>(polkadot()["signer"])};
  for (const auto& row : polkadot()["signatures"]) {
    EXPECT_TRUE(verify(signer, hex_of(row["message"]), array_of<64>(row["signature"])))
        << row["message"];
  }
}

TEST(Sr25519, AnyFlippedBitFails) {
  const auto& example = substrate()["signature"];
  const AccountId account{array_of<32>(example["pub"])};
  const Bytes message = hex_of(example["msg"]);
  const Signature signature = array_of<64>(example["sig"]);
  for (size_t bit = 0; bit < signature.size() * 8; ++bit) {
    Signature changed = signature;
    changed[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    EXPECT_FALSE(verify(account, message, changed)) << "signature bit " << bit;
  }
  for (size_t bit = 0; bit < message.size() * 8; ++bit) {
    Bytes changed = message;
    changed[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    EXPECT_FALSE(verify(account, changed, signature)) << "message bit " << bit;
  }
  for (size_t bit = 0; bit < 256; ++bit) {
    AccountId changed = account;
    changed.bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    EXPECT_FALSE(verify(changed, message, signature)) << "account bit " << bit;
  }
}

TEST(Sr25519, TheSameScalarWrittenOtherwiseFails) {
  // s + L is the same number to the group; one value has one signature.
  const auto& example = substrate()["signature"];
  Signature signature = array_of<64>(example["sig"]);
  const Bytes order = *from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  signature[63] &= 0x7f;
  sodium_add(signature.data() + 32, order.data(), order.size());
  signature[63] |= 0x80;
  EXPECT_FALSE(verify({array_of<32>(example["pub"])}, hex_of(example["msg"]), signature));
}

TEST(Sr25519, NobodySignsForTheZeroAccount) {
  // With A = 0, R = s B holds for every message; with s = 1, R is the base point.
  Signature forged{};
  forged[32] = 1;
  ASSERT_EQ(crypto_scalarmult_ristretto255_base(forged.data(), forged.data() + 32), 0);
  forged[63] |= 0x80;
  EXPECT_FALSE(verify(AccountId{}, view_of("anything"), forged));
  EXPECT_FALSE(verify(AccountId{}, view_of("anything"), Signature{}));
}

TEST(Sr25519, ZerosAndNonsenseAreNoSignature) {
  const AccountId alice = keypair("//Alice").account();
  Signature signature{};
  EXPECT_FALSE(verify(alice, view_of("m"), signature));
  signature[63] = 0x80;  // s = 0, R = 0
  EXPECT_FALSE(verify(alice, view_of("m"), signature));
  signature.fill(0xff);
  EXPECT_FALSE(verify(alice, view_of("m"), signature));
  AccountId no_point;
  no_point.bytes.fill(0xff);
  EXPECT_FALSE(verify(no_point, view_of("m"), keypair("//Alice").sign(view_of("m"))));
}

TEST(Sr25519, TwoSignaturesOfOneMessageDifferAndBothVerify) {
  const Keypair alice = keypair("//Alice");
  const auto first = alice.sign(view_of("a message"));
  const auto second = alice.sign(view_of("a message"));
  EXPECT_FALSE(std::equal(first.begin(), first.begin() + 32, second.begin()));
  EXPECT_NE(first, second);
  EXPECT_TRUE(verify(alice.account(), view_of("a message"), first));
  EXPECT_TRUE(verify(alice.account(), view_of("a message"), second));
  EXPECT_FALSE(verify(keypair("//Bob").account(), view_of("a message"), first));
  EXPECT_FALSE(verify(alice.account(), view_of("another"), first));
}

TEST(Sr25519, MessagesOfAnySizeAndDerivedKeysSign) {
  std::mt19937 random(4);
  for (const char* uri : {"//Alice", "/soft", "//hard/soft"}) {
    const Keypair signer = keypair(uri);
    for (const size_t size : {0, 1, 100, 166, 5000}) {
      Bytes message(size);
      for (uint8_t& byte : message) byte = static_cast<uint8_t>(random());
      EXPECT_TRUE(verify(signer.account(), message, signer.sign(message))) << uri << size;
    }
  }
}

TEST(Keypair, MovesAndIsSpentThen) {
  Keypair alice = keypair("//Alice");
  Keypair bob = keypair("//Bob");
  bob = std::move(alice);
  EXPECT_EQ(bob.account(), keypair("//Alice").account());
  EXPECT_TRUE(verify(bob.account(), {}, bob.sign({})));
  // NOLINTNEXTLINE(bugprone-use-after-move): that is the question
  EXPECT_DEATH(alice.sign({}), "moved from");
}

TEST(Ed25519, TheVectorOfRfc8032Verifies) {
  // RFC 8032, section 7.1, test 2.
  const AccountId account{
      array_of<32>("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")};
  const auto signature = array_of<64>(
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
      "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  EXPECT_TRUE(verify_ed25519(account, Bytes{0x72}, signature));
  EXPECT_FALSE(verify_ed25519(account, Bytes{0x73}, signature));
  EXPECT_FALSE(verify(account, Bytes{0x72}, signature));
  EXPECT_FALSE(verify_ed25519(AccountId{}, Bytes{0x72}, signature));
}

}  // namespace
}  // namespace common
