// JSON-RPC 2.0 as Substrate's nodes speak it, from text to text: what is asked of a private chain.
//
// Strangers' texts: anything may come, and anything that is not a request gets its proper error.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "chain/embedded/private_chain.h"
#include "chain/embedded/server.h"

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
inline constexpr size_t kSubscriptionsMax = 1024;  // Of one connection.
inline constexpr uint64_t kNewBlocksMax = 1'000;   // At once, by dev_newBlock.

struct Feed;
class Subscriptions;

class LedgerRpc final : public Service {
 public:
  // Makes one block, now; for development networks (dev_newBlock, engine_createBlock), which have
  // dev_setStorage with it.
  using Seal = std::function<Result<void>()>;

  // All outlive it; `archive` may be null, and so may `seal`: then there are no dev methods.
  LedgerRpc(PrivateChain& chain, const Archive* archive, Seal seal = nullptr)
      : chain_(chain), archive_(archive), seal_(std::move(seal)) {}

  // The answer to one body: one object, or an array for a batch. Empty if nobody waits for one
  // (only notifications). Subscriptions are refused.
  std::string answer(std::string_view body) override { return answer(body, nullptr); }
  // The same with subscriptions.
  std::string answer(std::string_view body, Subscriptions* subscriptions);
  std::unique_ptr<Conversation> converse() override;
  uint64_t news_version() override;

 private:
  using Json = nlohmann::json;
  std::optional<Json> answer_one(const Json& request, Subscriptions* subscriptions);
  Json call(const Json& id, const std::string& method, const Json& params,
            Subscriptions* subscriptions);
  Json subscribe(const Json& id, const Feed& feed, const Json& params,
                 Subscriptions& subscriptions);
  Json submit(const Json& id, const Json& params, Subscriptions* subscriptions);
  Json new_block(const Json& id, const Json& params);
  Json set_storage(const Json& id, const Json& params);
  std::string subscription_name();

  PrivateChain& chain_;
  const Archive* archive_;
  Seal seal_;
  uint64_t next_subscription_ = 1;
};

}  // namespace chain::embedded
