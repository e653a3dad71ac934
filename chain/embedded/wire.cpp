#include "chain/embedded/wire.h"

namespace chain::embedded {
namespace {

using substrate::CompositeType;
using substrate::Field;
using substrate::Type;
using substrate::Variant;
using substrate::VariantType;

Bytes copy(ByteView view) { return {view.begin(), view.end()}; }

// [u8; size], whose size is known only at run time.
TypeId byte_array(TypeRegistry& registry, uint32_t size) {
  return registry.named("[u8; " + std::to_string(size) + "]", [size](TypeRegistry& in) {
    return Type{{}, {}, substrate::ArrayType{size, in.id<uint8_t>()}};
  });
}

Type newtype(std::string_view path, TypeId inner) {
  return {path_of(path), {}, CompositeType{{{"", inner}}}};
}

// Reads the bytes of a kind whose sizes are given by number.
template <size_t N>
void take_sized(Decoder& in, uint8_t& kind, Bytes& bytes, const std::array<size_t, N>& sizes) {
  kind = in.number<uint8_t>();
  if (kind >= N) return in.fail();
  bytes = copy(in.raw(sizes[kind]));
}

constexpr size_t kRawSizeMax = 128;
constexpr size_t kTimelockSizeMax = 1'024;
constexpr size_t kBigRawSizeMax = 512;

constexpr std::string_view kTokenErrors =
    "FundsUnavailable OnlyProvider BelowMinimum CannotCreate UnknownAsset Frozen Unsupported "
    "CannotCreateHold NotExpendable Blocked";
constexpr std::string_view kTrieErrors =
    "InvalidStateRoot IncompleteDatabase ValueAtIncompleteKey DecoderError InvalidHash "
    "DuplicateKey ExtraneousNode ExtraneousValue ExtraneousHashReference InvalidChildReference "
    "ValueMismatch IncompleteProof RootMismatch DecodeError";

// The kinds of DispatchError that carry more.
enum : uint8_t { kModuleError = 3, kTokenError = 7, kArithmetic, kTransactional, kTrie = 14 };
constexpr uint8_t kDispatchErrors = 15;
bool has_detail(uint8_t kind) {
  return kind == kTokenError || kind == kArithmetic || kind == kTransactional || kind == kTrie;
}

struct ModuleError {
  static constexpr std::string_view kPath = "sp_runtime::ModuleError";
  static constexpr std::string_view kNames = "index error";
  uint8_t index = 0;
  std::array<uint8_t, 4> error{};
};

TypeId enum_id(TypeRegistry& registry, const std::string& path, std::string_view names) {
  return registry.named(path, [&](TypeRegistry&) { return enum_type(path, names); });
}

}  // namespace

Type enum_type(std::string_view path, std::string_view names) {
  VariantType out;
  for (std::string& name : words_of(names)) {
    out.variants.push_back({std::move(name), {}, static_cast<uint8_t>(out.variants.size()), {}});
  }
  return {path_of(path), {}, std::move(out)};
}

Type Scale<AccountId>::type(TypeRegistry& registry) {
  return newtype("sp_core::crypto::AccountId32", byte_array(registry, 32));
}
Type Scale<Hash>::type(TypeRegistry& registry) {
  return newtype("primitive_types::H256", byte_array(registry, 32));
}
Type Scale<FixedI128>::type(TypeRegistry& registry) {
  const TypeId bits = registry.named("i128", [](TypeRegistry&) {
    return Type{{}, {}, substrate::Primitive::kI128};
  });
  return {path_of("substrate_fixed::FixedI128"), {}, CompositeType{{{"bits", bits}}}};
}

void Scale<MultiAddress>::put(Encoder& out, const MultiAddress& address) {
  out.number(static_cast<uint8_t>(address.kind));
  switch (address.kind) {
    case MultiAddress::kId:
    case MultiAddress::kAddress32:
      out.account(address.account);
      return;
    case MultiAddress::kIndex:
      return;
    case MultiAddress::kRaw:
      out.bytes(address.bytes);
      return;
    case MultiAddress::kAddress20:
      out.raw(address.bytes);
  }
}
MultiAddress Scale<MultiAddress>::take(Decoder& in) {
  MultiAddress out;
  const auto kind = in.number<uint8_t>();
  if (kind > MultiAddress::kAddress20) in.fail();
  if (!in.ok()) return out;
  out.kind = static_cast<MultiAddress::Kind>(kind);
  if (out.kind == MultiAddress::kId || out.kind == MultiAddress::kAddress32) {
    out.account = in.account();
  } else if (out.kind == MultiAddress::kRaw) {
    out.bytes = copy(in.bytes(kSequenceMax));
  } else if (out.kind == MultiAddress::kAddress20) {
    out.bytes = copy(in.raw(20));
  }
  return out;
}
Type Scale<MultiAddress>::type(TypeRegistry& registry) {
  const TypeId account = registry.id<AccountId>();
  const TypeId index = registry.id<Unit>();
  const TypeId compact_index = registry.named("Compact<()>", [index](TypeRegistry&) {
    return Type{{}, {}, substrate::CompactType{index}};
  });
  std::vector<Variant> variants = {
      {"Id", {{"", account}}, 0, {}},
      {"Index", {{"", compact_index}}, 1, {}},
      {"Raw", {{"", registry.id<Bytes>()}}, 2, {}},
      {"Address32", {{"", byte_array(registry, 32)}}, 3, {}},
      {"Address20", {{"", byte_array(registry, 20)}}, 4, {}},
  };
  return {path_of("sp_runtime::multiaddress::MultiAddress"),
          {{"AccountId", account}, {"AccountIndex", index}},
          VariantType{std::move(variants)}};
}

void Scale<MultiSigner>::put(Encoder& out, const MultiSigner& signer) {
  out.number(signer.kind).raw(signer.bytes);
}
MultiSigner Scale<MultiSigner>::take(Decoder& in) {
  MultiSigner out;
  take_sized<3>(in, out.kind, out.bytes, {32, 32, 33});
  return out;
}
Type Scale<MultiSigner>::type(TypeRegistry& registry) {
  std::vector<Variant> variants = {{"Ed25519", {{"", byte_array(registry, 32)}}, 0, {}},
                                   {"Sr25519", {{"", byte_array(registry, 32)}}, 1, {}},
                                   {"Ecdsa", {{"", byte_array(registry, 33)}}, 2, {}}};
  return {path_of("sp_runtime::MultiSigner"), {}, VariantType{std::move(variants)}};
}

void Scale<MultiSignature>::put(Encoder& out, const MultiSignature& signature) {
  out.number(signature.kind).raw(signature.bytes);
}
MultiSignature Scale<MultiSignature>::take(Decoder& in) {
  MultiSignature out;
  take_sized<3>(in, out.kind, out.bytes, {64, 64, 65});
  return out;
}
Type Scale<MultiSignature>::type(TypeRegistry& registry) {
  std::vector<Variant> variants = {{"Ed25519", {{"", byte_array(registry, 64)}}, 0, {}},
                                   {"Sr25519", {{"", byte_array(registry, 64)}}, 1, {}},
                                   {"Ecdsa", {{"", byte_array(registry, 65)}}, 2, {}}};
  return {path_of("sp_runtime::MultiSignature"), {}, VariantType{std::move(variants)}};
}

void Scale<DispatchError>::put(Encoder& out, const DispatchError& error) {
  out.number(error.kind);
  if (error.kind == kModuleError) {
    out.number(error.pallet).number(uint32_t{error.error});
  } else if (has_detail(error.kind)) {
    out.number(error.detail);
  }
}
DispatchError Scale<DispatchError>::take(Decoder& in) {
  DispatchError error;
  error.kind = in.number<uint8_t>();
  if (error.kind >= kDispatchErrors) in.fail();
  if (error.kind == kModuleError) {
    error.pallet = in.number<uint8_t>();
    error.error = static_cast<uint8_t>(in.number<uint32_t>());
  } else if (has_detail(error.kind)) {
    error.detail = in.number<uint8_t>();
  }
  return error;
}
Type Scale<DispatchError>::type(TypeRegistry& registry) {
  const std::map<uint8_t, TypeId> details = {
      {kModuleError, registry.id<ModuleError>()},
      {kTokenError, enum_id(registry, "sp_runtime::TokenError", kTokenErrors)},
      {kArithmetic,
       enum_id(registry, "sp_arithmetic::ArithmeticError", "Underflow Overflow DivisionByZero")},
      {kTransactional, enum_id(registry, "sp_runtime::TransactionalError", "LimitReached NoLayer")},
      {kTrie, enum_id(registry, "sp_runtime::proving_trie::TrieError", kTrieErrors)},
  };
  Type out = enum_type("sp_runtime::DispatchError",
                       "Other CannotLookup BadOrigin Module ConsumerRemaining NoProviders "
                       "TooManyConsumers Token Arithmetic Transactional Exhausted Corruption "
                       "Unavailable RootNotAllowed Trie");
  for (Variant& variant : std::get<VariantType>(out.def).variants) {
    const auto detail = details.find(variant.index);
    if (detail != details.end()) variant.fields.push_back({"", detail->second});
  }
  return out;
}

void Scale<DispatchResult>::put(Encoder& out, const DispatchResult& result) {
  embedded::put(out, result.error);
}
DispatchResult Scale<DispatchResult>::take(Decoder& in) {
  return {embedded::take<std::optional<DispatchError>>(in)};
}
Type Scale<DispatchResult>::type(TypeRegistry& registry) {
  const TypeId unit = registry.id<Unit>();
  const TypeId error = registry.id<DispatchError>();
  std::vector<Variant> variants = {{"Ok", {{"", unit}}, 0, {}}, {"Err", {{"", error}}, 1, {}}};
  return {{"Result"}, {{"T", unit}, {"E", error}}, VariantType{std::move(variants)}};
}

void Scale<Data>::put(Encoder& out, const Data& data) {
  if (data.kind == Data::kRaw) {
    CHECK(data.bytes.size() <= kRawSizeMax);
    out.number(static_cast<uint8_t>(1 + data.bytes.size())).raw(data.bytes);
    return;
  }
  out.number(static_cast<uint8_t>(data.kind));
  if (data.kind == Data::kTimelock || data.kind == Data::kBigRaw) {
    out.bytes(data.bytes);
  } else {
    out.raw(data.bytes);
  }
  if (data.kind == Data::kTimelock) out.number(data.reveal_round);
}
Data Scale<Data>::take(Decoder& in) {
  Data out;
  const auto tag = in.number<uint8_t>();
  if (tag >= 1 && tag <= 1 + kRawSizeMax) {
    out.kind = Data::kRaw;
    out.bytes = copy(in.raw(tag - 1u));
    return out;
  }
  out.kind = static_cast<Data::Kind>(tag);
  switch (out.kind) {
    case Data::kNone:
    case Data::kResetBonds:
      break;
    case Data::kBlakeTwo256:
    case Data::kSha256:
    case Data::kKeccak256:
    case Data::kShaThree256:
      out.bytes = copy(in.raw(sizeof(Hash)));
      break;
    case Data::kTimelock:
      out.bytes = copy(in.bytes(kTimelockSizeMax));
      out.reveal_round = in.number<uint64_t>();
      break;
    case Data::kBigRaw:
      out.bytes = copy(in.bytes(kBigRawSizeMax));
      break;
    default:
      in.fail();
  }
  return out;
}
Type Scale<Data>::type(TypeRegistry& registry) {
  const TypeId bytes = registry.id<Bounded<uint8_t>>();
  std::vector<Variant> variants = {{"None", {}, 0, {}}};
  for (uint8_t size = 0; size <= kRawSizeMax; ++size) {
    variants.push_back({"Raw" + std::to_string(size),
                        {{"", byte_array(registry, size)}},
                        static_cast<uint8_t>(size + 1),
                        {}});
  }
  const auto add = [&](const char* name, Data::Kind kind, std::vector<Field> fields) {
    variants.push_back({name, std::move(fields), static_cast<uint8_t>(kind), {}});
  };
  const TypeId digest = byte_array(registry, 32);
  add("BlakeTwo256", Data::kBlakeTwo256, {{"", digest}});
  add("Sha256", Data::kSha256, {{"", digest}});
  add("Keccak256", Data::kKeccak256, {{"", digest}});
  add("ShaThree256", Data::kShaThree256, {{"", digest}});
  add("TimelockEncrypted", Data::kTimelock,
      {{"encrypted", bytes}, {"reveal_round", registry.id<uint64_t>()}});
  add("ResetBondsFlag", Data::kResetBonds, {});
  add("BigRaw", Data::kBigRaw, {{"", bytes}});
  return {path_of("pallet_commitments::types::Data"), {}, VariantType{std::move(variants)}};
}

ExtrinsicBytes Scale<ExtrinsicBytes>::take(Decoder& in) {
  Decoder ahead = in;
  ahead.bytes(kSequenceMax);
  if (!ahead.ok()) in.fail();
  return {copy(in.raw(in.remaining() - ahead.remaining()))};
}

Type Scale<CowText>::type(TypeRegistry& registry) {
  const TypeId text = registry.id<std::string>();
  return {{"Cow"}, {{"T", text}}, CompositeType{{{"", text}}}};
}

Type era_type(TypeRegistry& registry) {
  const TypeId second = registry.id<uint8_t>();
  std::vector<Variant> variants = {{"Immortal", {}, 0, {}}};
  for (int first = 1; first < 256; ++first) {
    variants.push_back(
        {"Mortal" + std::to_string(first), {{"", second}}, static_cast<uint8_t>(first), {}});
  }
  return {path_of("sp_runtime::generic::era::Era"), {}, VariantType{std::move(variants)}};
}

Type digest_type(TypeRegistry& registry) {
  const TypeId engine = byte_array(registry, 4);
  const TypeId bytes = registry.id<Bytes>();
  const std::vector<Field> sealed = {{"", engine}, {"", bytes}};
  const TypeId item = registry.named("DigestItem", [&](TypeRegistry&) {
    std::vector<Variant> variants = {{"PreRuntime", sealed, 6, {}},
                                     {"Consensus", sealed, 4, {}},
                                     {"Seal", sealed, 5, {}},
                                     {"Other", {{"", bytes}}, 0, {}},
                                     {"RuntimeEnvironmentUpdated", {}, 8, {}}};
    return Type{
        path_of("sp_runtime::generic::digest::DigestItem"), {}, VariantType{std::move(variants)}};
  });
  const TypeId items = registry.named("Vec<DigestItem>", [item](TypeRegistry&) {
    return Type{{}, {}, substrate::SequenceType{item}};
  });
  return {path_of("sp_runtime::generic::digest::Digest"), {}, CompositeType{{{"logs", items}}}};
}

}  // namespace chain::embedded
