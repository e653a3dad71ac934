// JSON-RPC 2.0 as Substrate's nodes speak it, from text to text: what is asked of a private chain.
//
// Strangers' texts: anything may come, and anything that is not a request gets its proper error.
// Metadata, runtime calls and subscriptions are not served; their names answer -32601.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "chain/embedded/private_chain.h"

namespace chain::embedded {

// Blocks that are too old for State to hold.
class Archive {
 public:
  virtual ~Archive() = default;
  virtual std::optional<SealedBlock> block(uint64_t number) const = 0;
  virtual std::optional<uint64_t> number_of(const Hash& hash) const = 0;
};

inline constexpr size_t kRequestSizeMax = 8u << 20;
inline constexpr size_t kReplySizeMax = 64u << 20;  // Of a batch; a part more may be in memory.
inline constexpr size_t kBatchMax = 256;
inline constexpr size_t kKeysPageMax = 1000;
inline constexpr size_t kQueryKeysMax = 32'768;

class LedgerRpc {
 public:
  // Both outlive it; `archive` may be null.
  LedgerRpc(PrivateChain& chain, const Archive* archive) : chain_(chain), archive_(archive) {}

  // The answer to one body: one object, or an array for a batch. Empty if nobody waits for one
  // (only notifications).
  std::string answer(std::string_view body);

 private:
  using Json = nlohmann::json;
  std::optional<Json> answer_one(const Json& request);
  Json submit(const Json& id, const Json& params);

  PrivateChain& chain_;
  const Archive* archive_;
};

}  // namespace chain::embedded
