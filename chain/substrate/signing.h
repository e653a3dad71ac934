// An extrinsic as a runtime wants it: version 4, with the signed extensions that its metadata
// lists.
#pragma once

#include "chain/substrate/extrinsic.h"
#include "chain/substrate/value.h"

namespace chain::substrate {

// What extensions carry in the extrinsic, and what is signed with it but not carried.
struct Extensions {
  Bytes extra;
  Bytes implicit;
};

// In the order of the metadata. CheckMetadataHash stands in its disabled mode. kRefused for one
// that is not known here and carries anything, by its name; for a runtime that takes no version 4.
Result<Extensions> make_extensions(const Metadata& metadata, const Extra& extra,
                                   const SigningContext& context);

// What is signed: call, extra and implicit bytes, or their hash if they are long.
Bytes payload_to_sign(ByteView call, const Extensions& extensions);

// A signed extrinsic with its length, around a signature that was made elsewhere.
Result<Bytes> assemble_extrinsic(const Metadata& metadata, const AccountId& signer,
                                 SignatureKind kind, ByteView signature,
                                 const Extensions& extensions, ByteView call);

// sr25519, of `key`.
Result<Bytes> sign_for_runtime(const Metadata& metadata, const Keypair& key, ByteView call,
                               const Extra& extra, const SigningContext& context);

// An extrinsic of a block, taken apart by names.
struct ReadExtrinsic {
  Json signer;                  // An address; null for a bare one (Timestamp.set).
  Json extra = Json::object();  // What the extensions carry, by their identifiers.
  std::string pallet, call;
  Json arguments = Json::object();
};
// kCorrupt for what is no extrinsic of this runtime.
Result<ReadExtrinsic> read_extrinsic(const Metadata& metadata, ByteView bytes);

}  // namespace chain::substrate
