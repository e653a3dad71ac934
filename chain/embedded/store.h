// The ledger on disk: RocksDB, one synced batch a block, so that what was served as the head is
// there after kill -9.
//
//   column family   key                    value
//   default         "format"               "muster-ledger 2"
//   state           raw Substrate key      SCALE value: the state after the head
//   blocks          number, big-endian     header and extrinsics, for ever or as `keep` says
//   index           block hash             number
//   history         number, big-endian     changes of the last kHistoryBlocks blocks
//
// Disk: some hundred bytes a block and what its extrinsics take; the rest does not grow.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "chain/embedded/rpc.h"
#include "chain/embedded/state.h"

namespace rocksdb {
class WriteBatch;
}

namespace chain::embedded {

class Store final : public Archive {
 public:
  // Opens or makes the folder. kUnavailable if another process has it open, kCorrupt for another
  // format.
  static Result<Store> open(const std::filesystem::path& folder);
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store() override;

  // The state as of the last committed block; nothing in a new folder. kCorrupt if it does not fit
  // together.
  Result<std::optional<State>> load() const;
  // On the disk before it returns. Blocks come in order, block 0 first.
  Result<void> commit(const SealedBlock& block);
  // For a new folder: all of a state that began elsewhere, in one batch.
  Result<void> adopt(const State& state);
  // From now on only so many blocks' bodies are kept; 0: all. Those of State's own history are kept
  // in any case.
  void keep(uint64_t blocks) { blocks_kept_ = blocks; }

  std::optional<SealedBlock> block(uint64_t number) const override;
  std::optional<uint64_t> number_of(const Hash& hash) const override;

 private:
  struct Database;
  explicit Store(std::unique_ptr<Database> database);
  static void put_block(rocksdb::WriteBatch& batch, const Database& database,
                        const SealedBlock& block);
  std::unique_ptr<Database> database_;
  uint64_t blocks_kept_ = 0;
};

}  // namespace chain::embedded
