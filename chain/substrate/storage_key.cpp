#include "chain/substrate/storage_key.h"

#include <xxhash.h>

namespace chain::substrate {
namespace {

std::array<uint8_t, 8> xxh64(ByteView bytes, uint64_t seed) {
  return std::bit_cast<std::array<uint8_t, 8>>(XXH64(bytes.data(), bytes.size(), seed));
}

// xxHash64 with seeds 0, 1, ..., one after the other.
template <size_t Size>
std::array<uint8_t, Size> twox(ByteView bytes) {
  std::array<uint8_t, Size> out;
  for (size_t i = 0; i < Size / 8; ++i) {
    const auto part = xxh64(bytes, i);
    std::copy(part.begin(), part.end(), out.begin() + static_cast<ptrdiff_t>(8 * i));
  }
  return out;
}

// Appends one map key to a prefix.
template <typename T>
Bytes with(Bytes prefix, StorageHasher hasher, const T& key) {
  Bytes part;
  if constexpr (std::integral<T>) {
    part = hashed_key(hasher, Encoder().number(key).done());
  } else {
    part = hashed_key(hasher, key.bytes);
  }
  prefix.insert(prefix.end(), part.begin(), part.end());
  return prefix;
}

}  // namespace

std::array<uint8_t, 8> twox64(ByteView bytes) { return xxh64(bytes, 0); }

std::array<uint8_t, 16> twox128(ByteView bytes) { return twox<16>(bytes); }
std::array<uint8_t, 32> twox256(ByteView bytes) { return twox<32>(bytes); }

Bytes storage_prefix(std::string_view pallet, std::string_view item) {
  Encoder out;
  out.raw(twox128(common::view_of(pallet))).raw(twox128(common::view_of(item)));
  return std::move(out).done();
}

Bytes hashed_key(StorageHasher hasher, ByteView encoded) {
  Encoder out;
  switch (hasher) {
    case StorageHasher::kIdentity:
      break;
    case StorageHasher::kTwox64Concat:
      out.raw(twox64(encoded));
      break;
    case StorageHasher::kTwox128:
      out.raw(twox128(encoded));
      break;
    case StorageHasher::kTwox256:
      out.raw(twox256(encoded));
      break;
    case StorageHasher::kBlake2_128:
    case StorageHasher::kBlake2_128Concat:
      out.raw(common::blake2b<16>(encoded));
      break;
    case StorageHasher::kBlake2_256:
      out.raw(common::blake2b<32>(encoded));
      break;
  }
  if (keeps_key(hasher)) out.raw(encoded);
  return std::move(out).done();
}

size_t digest_size(StorageHasher hasher) {
  switch (hasher) {
    case StorageHasher::kIdentity:
      return 0;
    case StorageHasher::kTwox64Concat:
      return 8;
    case StorageHasher::kTwox256:
    case StorageHasher::kBlake2_256:
      return 32;
    default:
      return 16;
  }
}

bool keeps_key(StorageHasher hasher) {
  return hasher == StorageHasher::kIdentity || hasher == StorageHasher::kTwox64Concat ||
         hasher == StorageHasher::kBlake2_128Concat;
}

Bytes BlockMap::key(uint32_t block) const {
  return with(storage_prefix(pallet, item), StorageHasher::kTwox64Concat, block);
}

Bytes AccountMap::key(const AccountId& account) const { return with(prefix(), hasher, account); }

Bytes SubnetMap::key(uint16_t netuid) const { return with(prefix(), hasher, netuid); }

Bytes NeuronMap::prefix(uint16_t netuid) const {
  return with(storage_prefix(pallet, item), StorageHasher::kIdentity, netuid);
}

Bytes NeuronMap::key(uint16_t netuid, uint16_t uid) const {
  return with(prefix(netuid), StorageHasher::kIdentity, uid);
}

Bytes SubnetAccountMap::prefix(uint16_t netuid) const {
  return with(storage_prefix(pallet, item), StorageHasher::kIdentity, netuid);
}

Bytes SubnetAccountMap::key(uint16_t netuid, const AccountId& account) const {
  return with(prefix(netuid), hasher, account);
}

std::optional<AccountId> SubnetAccountMap::account_of(ByteView key_bytes) const {
  constexpr size_t kPrefixSize = 32;
  Decoder in(key_bytes);
  in.raw(kPrefixSize);
  const auto netuid = in.number<uint16_t>();
  if (!in.ok() || in.remaining() < sizeof(AccountId)) return std::nullopt;
  in.raw(in.remaining() - sizeof(AccountId));
  const AccountId account = in.account();
  // All hashers keep the account at the end; making the key again checks everything before it.
  const Bytes again = key(netuid, account);
  if (!std::equal(again.begin(), again.end(), key_bytes.begin(), key_bytes.end()))
    return std::nullopt;
  return account;
}

Bytes AccountSubnetMap::key(const AccountId& account, uint16_t netuid) const {
  Bytes out = with(storage_prefix(pallet, item), StorageHasher::kBlake2_128Concat, account);
  return with(std::move(out), StorageHasher::kIdentity, netuid);
}

Bytes StakeMap::prefix(const AccountId& hotkey) const {
  return with(storage_prefix(pallet, item), StorageHasher::kBlake2_128Concat, hotkey);
}

Bytes StakeMap::key(const AccountId& hotkey, const AccountId& coldkey, uint16_t netuid) const {
  Bytes out = with(prefix(hotkey), StorageHasher::kBlake2_128Concat, coldkey);
  return with(std::move(out), StorageHasher::kIdentity, netuid);
}

}  // namespace chain::substrate
