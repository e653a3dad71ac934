#include "chain/substrate/signing.h"

#include <algorithm>
#include <array>

namespace chain::substrate {
namespace {

using common::Code;
using common::Error;

constexpr uint8_t kVersion = 4;
constexpr uint8_t kSignedBit = 0x80;
constexpr size_t kPayloadRawMax = 256;
constexpr size_t kEmptyDepthMax = 16;

// What an extension that is known here adds.
using Add = void (*)(Extensions&, const Extra&, const SigningContext&);
struct KnownExtension {
  std::string_view identifier;
  Add add;
};

void append(Bytes& out, ByteView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

constexpr std::array kKnown = {
    KnownExtension{"CheckSpecVersion",
                   [](Extensions& out, const Extra&, const SigningContext& context) {
                     append(out.implicit, Encoder().number(context.spec_version).done());
                   }},
    KnownExtension{"CheckTxVersion",
                   [](Extensions& out, const Extra&, const SigningContext& context) {
                     append(out.implicit, Encoder().number(context.transaction_version).done());
                   }},
    KnownExtension{"CheckGenesis",
                   [](Extensions& out, const Extra&, const SigningContext& context) {
                     append(out.implicit, context.genesis.bytes);
                   }},
    KnownExtension{"CheckMortality",
                   [](Extensions& out, const Extra& extra, const SigningContext& context) {
                     append(out.extra, encode_era(extra.era));
                     append(out.implicit, context.birth.bytes);
                   }},
    KnownExtension{"CheckNonce",
                   [](Extensions& out, const Extra& extra, const SigningContext&) {
                     append(out.extra, Encoder().compact(extra.nonce).done());
                   }},
    KnownExtension{"ChargeTransactionPayment",
                   [](Extensions& out, const Extra& extra, const SigningContext&) {
                     append(out.extra, Encoder().compact(extra.tip).done());
                   }},
    // Disabled: we carry no digest of the metadata, and sign that there is none.
    KnownExtension{"CheckMetadataHash",
                   [](Extensions& out, const Extra&, const SigningContext&) {
                     out.extra.push_back(0);
                     out.implicit.push_back(0);
                   }},
};

// Whether every value of the type is no bytes at all.
bool is_empty(const Metadata& metadata, TypeId type, size_t depth = 0) {
  if (depth > kEmptyDepthMax) return false;
  const TypeDef& def = metadata.types[type].def;
  if (const auto* composite = std::get_if<CompositeType>(&def)) {
    return std::all_of(composite->fields.begin(), composite->fields.end(),
                       [&](const Field& it) { return is_empty(metadata, it.type, depth + 1); });
  }
  if (const auto* tuple = std::get_if<TupleType>(&def)) {
    return std::all_of(tuple->items.begin(), tuple->items.end(),
                       [&](TypeId it) { return is_empty(metadata, it, depth + 1); });
  }
  const auto* array = std::get_if<ArrayType>(&def);
  return array != nullptr && (array->size == 0 || is_empty(metadata, array->item, depth + 1));
}

Error malformed(std::string_view where) {
  return {Code::kCorrupt, "an extrinsic of the node is malformed: " + std::string(where)};
}

Result<void> read_signed(const Metadata& metadata, Decoder& in, ReadExtrinsic& out) {
  const Value address = take_value(metadata, metadata.extrinsic.address, in);
  out.signer = address.json();
  if (const Value::Choice* choice = address.choice(); choice && choice->name == "Id") {
    out.signer = choice->fields.values.at(0).json();
  }
  take_value(metadata, metadata.extrinsic.signature, in);
  if (!in.ok()) return malformed("its signature");
  for (const SignedExtension& extension : metadata.extrinsic.extensions) {
    if (is_empty(metadata, extension.extra)) continue;
    out.extra[extension.identifier] = take_value(metadata, extension.extra, in).json();
    if (!in.ok()) return malformed(extension.identifier);
  }
  return {};
}

}  // namespace

Result<Extensions> make_extensions(const Metadata& metadata, const Extra& extra,
                                   const SigningContext& context) {
  const auto& versions = metadata.extrinsic.versions;
  if (std::find(versions.begin(), versions.end(), kVersion) == versions.end()) {
    return Error{Code::kRefused,
                 "this chain takes no extrinsics of version 4: update Muster to write to it"};
  }
  Extensions out;
  for (const SignedExtension& extension : metadata.extrinsic.extensions) {
    const auto known = std::find_if(kKnown.begin(), kKnown.end(), [&](const KnownExtension& it) {
      return it.identifier == extension.identifier;
    });
    if (known != kKnown.end()) {
      known->add(out, extra, context);
    } else if (!is_empty(metadata, extension.extra) || !is_empty(metadata, extension.implicit)) {
      return Error{Code::kRefused, "this chain wants the signed extension " + extension.identifier +
                                       ", which is not known here: update Muster to write to it"};
    }
  }
  return out;
}

Bytes payload_to_sign(ByteView call, const Extensions& extensions) {
  Bytes payload(call.begin(), call.end());
  append(payload, extensions.extra);
  append(payload, extensions.implicit);
  if (payload.size() <= kPayloadRawMax) return payload;
  const Hash digest = common::blake2b_256(payload);
  return {digest.bytes.begin(), digest.bytes.end()};
}

Result<Bytes> assemble_extrinsic(const Metadata& metadata, const AccountId& signer,
                                 SignatureKind kind, ByteView signature,
                                 const Extensions& extensions, ByteView call) {
  TRY(const Bytes address,
      encode_value(metadata, metadata.extrinsic.address, signer.ss58(), "the signer's address"));
  const char* kind_name = kind == SignatureKind::kSr25519 ? "Sr25519" : "Ed25519";
  TRY(const Bytes signature_bytes,
      encode_value(metadata, metadata.extrinsic.signature,
                   {{kind_name, "0x" + common::to_hex(signature)}}, "the signature"));
  Encoder body;
  body.number(static_cast<uint8_t>(kVersion | kSignedBit)).raw(address).raw(signature_bytes);
  body.raw(extensions.extra).raw(call);
  return Encoder().bytes(body.done()).done();
}

Result<Bytes> sign_for_runtime(const Metadata& metadata, const Keypair& key, ByteView call,
                               const Extra& extra, const SigningContext& context) {
  TRY(const Extensions extensions, make_extensions(metadata, extra, context));
  const Signature signature = key.sign(payload_to_sign(call, extensions));
  return assemble_extrinsic(metadata, key.account(), SignatureKind::kSr25519, signature, extensions,
                            call);
}

Result<ReadExtrinsic> read_extrinsic(const Metadata& metadata, ByteView bytes) {
  Decoder in(bytes);
  const auto size = in.compact<uint32_t>();
  if (!in.ok() || size != in.remaining()) return malformed("its length");
  const auto version = in.number<uint8_t>();
  ReadExtrinsic out;
  if (version == (kVersion | kSignedBit)) {
    TRY_VOID(read_signed(metadata, in, out));
  } else if (version != kVersion && version != kVersion + 1) {
    return malformed("its version");
  }
  const auto pallet_index = in.number<uint8_t>();
  const auto call_index = in.number<uint8_t>();
  const Pallet* pallet = in.ok() ? metadata.pallet(pallet_index) : nullptr;
  const Variant* call = pallet ? metadata.variant(pallet->calls, call_index) : nullptr;
  if (call == nullptr) return malformed("its call");
  out.pallet = pallet->name;
  out.call = call->name;
  for (const Field& field : call->fields) {
    out.arguments[field.name] = take_value(metadata, field.type, in).json();
  }
  if (!in.at_end()) return malformed("the arguments of " + out.pallet + "." + out.call);
  return out;
}

}  // namespace chain::substrate
