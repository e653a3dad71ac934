// Types that the whole runtime speaks of: addresses, weights, dispatch errors, calls in calls.
//
// Paths and orders are those of subtensor spec 424: clients recognise types by them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chain/embedded/fixed_wire.h"
#include "chain/embedded/named_enum.h"
#include "chain/embedded/typed.h"

namespace chain::embedded {

// Why a call failed inside.
struct DispatchError {
  static constexpr uint8_t kCannotLookup = 1;
  static constexpr uint8_t kBadOrigin = 2;
  static constexpr uint8_t kModule = 3;
  static constexpr uint8_t kToken = 7;
  uint8_t kind = 0;
  uint8_t pallet = 0;  // kModule: which pallet,
  uint8_t error = 0;   //   and the number of the error in it.
  uint8_t detail = 0;  // kToken, Arithmetic, Transactional, Trie.
  bool operator==(const DispatchError&) const = default;

  static DispatchError module(uint8_t pallet, uint8_t error) { return {kModule, pallet, error, 0}; }
};

// One field of a commitment: a kind, what it holds, and for a time-locked one its round. The wire
// numbers Raw by its length (1 + size), so the kinds are ours up to 129.
struct Data {
  enum Kind : uint8_t {
    kNone = 0,
    kRaw = 1,  // 0 to 128 bytes
    kBlakeTwo256 = 130,
    kSha256 = 131,
    kKeccak256 = 132,
    kShaThree256 = 133,
    kTimelock = 134,    // at most 1,024 bytes
    kResetBonds = 135,  // a flag
    kBigRaw = 136,      // at most 512 bytes
  };
  Kind kind = kNone;
  Bytes bytes;
  uint64_t reveal_round = 0;

  // Raw up to 128 bytes, BigRaw up to 512.
  static Data of(ByteView bytes) {
    return {bytes.size() <= 128 ? kRaw : kBigRaw, {bytes.begin(), bytes.end()}, 0};
  }
};
inline constexpr size_t kCommitmentFieldsMax = 3;

template <>
struct Scale<AccountId> {
  static void put(Encoder& out, const AccountId& account) { out.account(account); }
  static AccountId take(Decoder& in) { return in.account(); }
  static substrate::Type type(TypeRegistry& registry);
};
template <>
struct Scale<Hash> {
  static void put(Encoder& out, const Hash& hash) { out.hash(hash); }
  static Hash take(Decoder& in) { return in.hash(); }
  static substrate::Type type(TypeRegistry& registry);
};

// ().
struct Unit {
  bool operator==(const Unit&) const = default;
};
template <>
struct Scale<Unit> {
  static void put(Encoder&, Unit) {}
  static Unit take(Decoder&) { return {}; }
  static substrate::Type type(TypeRegistry&) { return {{}, {}, substrate::TupleType{}}; }
};

// A Vec whose length the runtime bounds where it uses it.
template <typename T>
struct Bounded {
  std::vector<T> items;
  bool operator==(const Bounded&) const = default;
};
template <typename T>
struct Scale<Bounded<T>> {
  static void put(Encoder& out, const Bounded<T>& bounded) { embedded::put(out, bounded.items); }
  static Bounded<T> take(Decoder& in) { return {embedded::take<std::vector<T>>(in)}; }
  static substrate::Type type(TypeRegistry& registry) {
    const TypeId items = registry.id<std::vector<T>>();
    return {path_of("bounded_collections::bounded_vec::BoundedVec"),
            {{"T", registry.id<T>()}, {"S", std::nullopt}},
            substrate::CompositeType{{{"", items}}}};
  }
};

// Whom an account-like argument names. Only accounts can be looked up here.
struct MultiAddress {
  enum Kind : uint8_t { kId = 0, kIndex, kRaw, kAddress32, kAddress20 };
  Kind kind = kId;
  AccountId account;  // kId and kAddress32
  Bytes bytes;        // kRaw and kAddress20

  static MultiAddress of(const AccountId& account) { return {kId, account, {}}; }
  std::optional<AccountId> lookup() const {
    if (kind == kId || kind == kAddress32) return account;
    return std::nullopt;
  }
};
template <>
struct Scale<MultiAddress> {
  static void put(Encoder& out, const MultiAddress& address);
  static MultiAddress take(Decoder& in);
  static substrate::Type type(TypeRegistry& registry);
};

// MultiSigner, MultiSignature: a kind (0 ed25519, 1 sr25519, 2 ecdsa) and its bytes.
struct MultiSigner {
  uint8_t kind = 1;
  Bytes bytes = Bytes(32);
};
template <>
struct Scale<MultiSigner> {
  static void put(Encoder& out, const MultiSigner& signer);
  static MultiSigner take(Decoder& in);
  static substrate::Type type(TypeRegistry& registry);
};
struct MultiSignature {
  uint8_t kind = 1;
  Bytes bytes = Bytes(64);
};
template <>
struct Scale<MultiSignature> {
  static void put(Encoder& out, const MultiSignature& signature);
  static MultiSignature take(Decoder& in);
  static substrate::Type type(TypeRegistry& registry);
};

// A call within a call, its pallet's and its own number first. Taking one steps over exactly it;
// calls may stand kCallDepthMax deep in each other.
struct RawCall {
  Bytes bytes;
};
inline constexpr int kCallDepthMax = 8;
template <>
struct Scale<RawCall> {
  static void put(Encoder& out, const RawCall& call) { out.raw(call.bytes); }
  static RawCall take(Decoder& in);                     // chain/embedded/runtime.cpp
  static substrate::Type type(TypeRegistry& registry);  // chain/embedded/runtime_metadata.cpp
};

// An extrinsic as an argument of a runtime API: its bytes, length and all.
struct ExtrinsicBytes {
  Bytes bytes;
};
template <>
struct Scale<ExtrinsicBytes> {
  static void put(Encoder& out, const ExtrinsicBytes& extrinsic) { out.raw(extrinsic.bytes); }
  static ExtrinsicBytes take(Decoder& in);
  static substrate::Type type(TypeRegistry& registry);  // chain/embedded/runtime_metadata.cpp
};

struct RuntimeWeight {
  static constexpr std::string_view kPath = "sp_weights::weight_v2::Weight";
  static constexpr std::string_view kNames = "ref_time proof_size";
  Compact<uint64_t> ref_time;
  Compact<uint64_t> proof_size;
};
enum class DispatchClass : uint8_t { kNormal = 0, kOperational, kMandatory };
template <>
struct EnumNames<DispatchClass> {
  static constexpr std::string_view kPath = "frame_support::dispatch::DispatchClass";
  static constexpr std::string_view kNames = "Normal Operational Mandatory";
};
enum class Pays : uint8_t { kYes = 0, kNo };
template <>
struct EnumNames<Pays> {
  static constexpr std::string_view kPath = "frame_support::dispatch::Pays";
  static constexpr std::string_view kNames = "Yes No";
};
struct DispatchEventInfo {
  static constexpr std::string_view kPath = "frame_system::DispatchEventInfo";
  static constexpr std::string_view kNames = "weight class pays_fee";
  RuntimeWeight weight;
  DispatchClass dispatch_class = DispatchClass::kNormal;
  Pays pays_fee = Pays::kYes;
};

template <>
struct Scale<DispatchError> {
  static void put(Encoder& out, const DispatchError& error);
  static DispatchError take(Decoder& in);
  static substrate::Type type(TypeRegistry& registry);
};
// Result<(), DispatchError>.
struct DispatchResult {
  std::optional<DispatchError> error;
};
template <>
struct Scale<DispatchResult> {
  static void put(Encoder& out, const DispatchResult& result);
  static DispatchResult take(Decoder& in);
  static substrate::Type type(TypeRegistry& registry);
};

// One field of a commitment.
template <>
struct Scale<Data> {
  static void put(Encoder& out, const Data& data);
  static Data take(Decoder& in);
  static substrate::Type type(TypeRegistry& registry);
};

// A Cow<str> of the runtime's version.
struct CowText {
  std::string text;
};
template <>
struct Scale<CowText> {
  static void put(Encoder& out, const CowText& cow) { out.text(cow.text); }
  static CowText take(Decoder& in) { return {in.text(kSequenceMax)}; }
  static substrate::Type type(TypeRegistry& registry);
};

// BTreeMap-less outer types that only metadata speaks of; nobody puts or takes them.
substrate::Type era_type(TypeRegistry& registry);
substrate::Type digest_type(TypeRegistry& registry);

}  // namespace chain::embedded
