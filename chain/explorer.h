// The whole chain by its own names: any storage, constant, call, event and block, decoded by what
// the chain says of itself. For people and tools; what the subnet's programs need is
// chain/ledger.h.
//
// Values are JSON: numbers of up to 64 bits as numbers, of 128 as text; accounts as SS58 addresses;
// bytes as "0x.." (plain text is read, too); enums as "Name" or {"Name": fields}; options as null
// or the value.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chain/ledger.h"

namespace chain {

using Json = nlohmann::json;

// What one may ask for and send, by names; types as people write them ("Vec<u16>").
struct NamedType {
  std::string name, type;
};
struct CallForm {
  std::string pallet, name, docs;
  std::vector<NamedType> arguments;
};
struct StorageForm {
  std::string pallet, name, docs;
  std::vector<std::string> keys;  // Types; none for a plain value.
  std::string value;
};
struct ConstantForm {
  std::string pallet, name, type, docs;
  Json value;
};
struct ApiForm {
  std::string api, method, output, docs;
  std::vector<NamedType> inputs;
};
struct Forms {
  std::string spec_name;
  uint32_t spec_version = 0;
  std::vector<std::string> pallets;
  std::vector<CallForm> calls;
  std::vector<StorageForm> storage;
  std::vector<ConstantForm> constants;
  std::vector<ApiForm> apis;
};

struct Event {
  std::optional<uint32_t> extrinsic;  // Its place in the block; nothing for the block's own work.
  std::string pallet, name;
  Json fields;
};
struct ExtrinsicView {
  uint32_t index = 0;
  Hash hash;
  Json signer;  // An address; null for what the block's author put there.
  Json extra;   // Era, nonce, tip, by the extensions' names.
  std::string pallet, call;
  Json arguments;
  std::string failure;  // "" if it succeeded; else why not, and what to do.
};
struct BlockView {
  Block block;
  Hash parent;
  std::vector<ExtrinsicView> extrinsics;
  std::vector<Event> events;
};
struct StorageEntry {
  Json keys;  // One a key of the map; null for one that the chain keeps only hashed.
  Json value;
};

// A call that could be sent, and what it would cost.
struct CallPlan {
  std::string pallet, call;
  Json arguments;  // As the chain will read them.
  Bytes bytes;
  uint64_t fee_rao = 0;
};
struct CallReceipt {
  Hash extrinsic;
  Block block;
  bool finalized = false;
  std::vector<Event> events;
};
struct CallOptions {
  uint64_t tip_rao = 0;
  uint32_t era_blocks = 64;  // A power of two, 4 to 2048.
  bool finalized = false;    // Wait until no fork can undo it.
};

// For several threads at once. Errors are Ledger's; kNotFound for a name that the chain does not
// have, with those that look like it; kInvalidArgument for a value that is not of its type, with
// the path to it. `at`: after that block (a recent one), or at the head.
class Explorer {
 public:
  Explorer(Explorer&&) noexcept;
  Explorer& operator=(Explorer&&) noexcept;
  ~Explorer();

  Result<Forms> forms();
  // One value: the default that the chain declares if nothing is stored, null without one.
  Result<Json> storage(std::string_view pallet, std::string_view item, const Json& keys,
                       std::optional<BlockNumber> at);
  // The entries of a map that begin with `keys` (fewer than it has), at most `count_max`:
  // kExhausted for more.
  Result<std::vector<StorageEntry>> entries(std::string_view pallet, std::string_view item,
                                            const Json& keys, std::optional<BlockNumber> at,
                                            size_t count_max);
  Result<Json> constant(std::string_view pallet, std::string_view name);
  // A function of the runtime; `arguments` by name or in order. kNotFound, too, if the chain
  // describes no such functions (metadata of version 14).
  Result<Json> api(std::string_view api, std::string_view method, const Json& arguments,
                   std::optional<BlockNumber> at);

  Result<BlockView> block(std::optional<BlockNumber> number);
  Result<std::vector<Event>> events(std::optional<BlockNumber> number);
  // The extrinsic of that hash among the last `blocks` blocks. kNotFound.
  struct Found {
    Block block;
    ExtrinsicView extrinsic;
    std::vector<Event> events;
  };
  Result<Found> extrinsic(const Hash& hash, uint64_t blocks);

  // Nothing is sent. The fee is asked for an extrinsic of `key`.
  Result<CallPlan> plan(const Keypair& key, std::string_view pallet, std::string_view call,
                        const Json& arguments, const CallOptions& options);
  // Signed, sent, and waited for: as Ledger's writes.
  Result<CallReceipt> send(const Keypair& key, std::string_view pallet, std::string_view call,
                           const Json& arguments, const CallOptions& options);

  // Calls `on_block` with each new best block until it returns false or the program is told to stop
  // (then kCancelled). Over a WebSocket as they come, else every two seconds. Survives a lost node;
  // blocks that came meanwhile are not told one by one.
  Result<void> watch(const std::function<bool(const Block&)>& on_block);

 private:
  struct Parts;
  explicit Explorer(std::unique_ptr<Parts> parts);
  friend Result<Explorer> open_explorer(std::string_view endpoint, common::Clock& clock);
  std::unique_ptr<Parts> parts_;
};

// As open_ledger. `clock` outlives it.
Result<Explorer> open_explorer(std::string_view endpoint, common::Clock& clock);

}  // namespace chain
