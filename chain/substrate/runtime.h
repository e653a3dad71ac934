// The rules a chain runs by, as it describes them; and all of those that were met.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "chain/substrate/metadata.h"
#include "chain/substrate/rpc_client.h"

namespace chain::substrate {

struct RuntimeVersion {
  std::string spec_name;
  uint32_t spec_version = 0;
  uint32_t transaction_version = 0;
  bool operator==(const RuntimeVersion&) const = default;
};
// What state_getRuntimeVersion answers; kCorrupt for another shape.
Result<RuntimeVersion> parse_runtime_version(const Json& json);

struct Runtime {
  RuntimeVersion version;
  Metadata metadata;
};

// For several threads at once. `rpc` outlives it.
class Runtimes {
 public:
  explicit Runtimes(RpcClient& rpc) : rpc_(rpc) {}

  // The runtime of `version`, whose state block `at` has: read from the node the first time, which
  // takes two round trips and some 300 kB. It stands as long as this.
  Result<const Runtime*> get(const RuntimeVersion& version, const common::Hash& at);

 private:
  Result<Metadata> fetch(const std::string& at);

  RpcClient& rpc_;
  std::mutex mutex_;
  std::map<uint32_t, std::unique_ptr<const Runtime>> known_;  // By spec version.
};

}  // namespace chain::substrate
