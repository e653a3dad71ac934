#include "chain/embedded/store.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <array>
#include <vector>

namespace chain::embedded {
namespace {

using common::Code;
using common::Error;
using rocksdb::Slice;

constexpr std::string_view kFormatKey = "format";
constexpr std::string_view kFormat = "muster-ledger 2";

enum Family : size_t { kDefault, kState, kBlocks, kIndex, kHistory, kFamilies };
constexpr std::array<const char*, kFamilies> kFamilyNames = {"default", "state", "blocks", "index",
                                                             "history"};

Slice slice(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

ByteView view(const Slice& slice) { return common::view_of({slice.data(), slice.size()}); }

Bytes copy(const Slice& slice) {
  const ByteView bytes = view(slice);
  return {bytes.begin(), bytes.end()};
}

// Big-endian, so that the database's order is the order of blocks.
std::array<uint8_t, 8> number_key(uint64_t number) {
  std::array<uint8_t, 8> key{};
  for (size_t i = 0; i < key.size(); ++i) key[i] = static_cast<uint8_t>(number >> (56 - 8 * i));
  return key;
}

Error trouble(const rocksdb::Status& status, std::string_view what) {
  Code code = Code::kIo;
  if (status.IsCorruption()) code = Code::kCorrupt;
  if (status.IsNoSpace()) code = Code::kExhausted;
  return {code, "the ledger's database, " + std::string(what) + ": " + status.ToString()};
}

Error corrupt(std::string message) {
  return {Code::kCorrupt, "the ledger's database: " + std::move(message)};
}

}  // namespace

struct Store::Database {
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> families;

  ~Database() {
    for (auto* family : families) db->DestroyColumnFamilyHandle(family);
  }
  std::optional<Bytes> get(Family family, ByteView key) const {
    std::string value;
    const auto status = db->Get({}, families[family], slice(key), &value);
    if (!status.ok()) return std::nullopt;
    return copy(value);
  }
  std::unique_ptr<rocksdb::Iterator> all(Family family) const {
    return std::unique_ptr<rocksdb::Iterator>(db->NewIterator({}, families[family]));
  }
};

void Store::put_block(rocksdb::WriteBatch& batch, const Database& database,
                      const SealedBlock& block) {
  const auto key = number_key(block.header.number);
  const auto& families = database.families;
  batch.Put(families[kBlocks], slice(key), slice(encode_block(block)));
  batch.Put(families[kIndex], slice(block.hash.bytes), slice(key));
  batch.Put(families[kHistory], slice(key), slice(encode_changes(block.changes)));
}

Store::Store(std::unique_ptr<Database> database) : database_(std::move(database)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Result<Store> Store::open(const std::filesystem::path& folder) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.keep_log_file_num = 2;
  options.max_open_files = 64;
  options.write_buffer_size = 8u << 20;
  options.info_log_level = rocksdb::InfoLogLevel::ERROR_LEVEL;
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const char* name : kFamilyNames) descriptors.emplace_back(name, options);
  auto database = std::make_unique<Database>();
  rocksdb::DB* db = nullptr;
  const auto status =
      rocksdb::DB::Open(options, folder.string(), descriptors, &database->families, &db);
  if (!status.ok()) {
    if (status.ToString().find("lock") != std::string::npos) {
      return Error{Code::kUnavailable, folder.string() + " is in use by another process"};
    }
    return trouble(status, "opening " + folder.string());
  }
  database->db.reset(db);
  const auto format = database->get(kDefault, common::view_of(kFormatKey));
  if (!format) {
    rocksdb::WriteOptions synced;
    synced.sync = true;
    const auto put = db->Put(synced, database->families[kDefault],
                             slice(common::view_of(kFormatKey)), slice(common::view_of(kFormat)));
    if (!put.ok()) return trouble(put, "writing its format");
  } else if (common::text_of(*format) != kFormat) {
    return corrupt(folder.string() + " has format '" + std::string(common::text_of(*format)) +
                   "', this program reads '" + std::string(kFormat) +
                   "': begin anew in another --data folder, or use the Muster that made it");
  }
  return Store(std::move(database));
}

Result<std::optional<State>> Store::load() const {
  Storage::Entries entries;
  const auto state = database_->all(kState);
  for (state->SeekToFirst(); state->Valid(); state->Next()) {
    entries.emplace_hint(entries.end(), copy(state->key()), copy(state->value()));
  }
  if (!state->status().ok()) return trouble(state->status(), "reading the state");

  std::deque<SealedBlock> recent;
  const auto history = database_->all(kHistory);
  for (history->SeekToFirst(); history->Valid(); history->Next()) {
    const auto bytes = database_->get(kBlocks, view(history->key()));
    auto block = bytes ? decode_block(*bytes) : std::nullopt;
    auto changes = decode_changes(view(history->value()));
    if (!block || !changes) return corrupt("a block cannot be read");
    block->changes = *std::move(changes);
    recent.push_back(*std::move(block));
  }
  if (!history->status().ok()) return trouble(history->status(), "reading the blocks");
  if (recent.empty() && entries.empty()) return std::optional<State>();
  TRY(State resumed, State::resume(Storage(std::move(entries)), std::move(recent)));
  return std::optional<State>(std::move(resumed));
}

Result<void> Store::commit(const SealedBlock& block) {
  const auto& families = database_->families;
  rocksdb::WriteBatch batch;
  for (const Change& change : block.changes) {
    if (change.after) {
      batch.Put(families[kState], slice(change.key), slice(*change.after));
    } else {
      batch.Delete(families[kState], slice(change.key));
    }
  }
  const uint64_t number = block.header.number;
  put_block(batch, *database_, block);
  if (number >= kHistoryBlocks) {
    batch.Delete(families[kHistory], slice(number_key(number - kHistoryBlocks)));
  }
  const uint64_t kept = std::max<uint64_t>(blocks_kept_, kHistoryBlocks);
  if (blocks_kept_ > 0 && number >= kept) {
    const auto old = this->block(number - kept);
    if (old) batch.Delete(families[kIndex], slice(old->hash.bytes));
    batch.Delete(families[kBlocks], slice(number_key(number - kept)));
  }
  rocksdb::WriteOptions synced;
  synced.sync = true;
  const auto status = database_->db->Write(synced, &batch);
  if (!status.ok()) return trouble(status, "writing block " + std::to_string(number));
  return {};
}

Result<void> Store::adopt(const State& state) {
  rocksdb::WriteBatch batch;
  for (const auto& [key, value] : state.storage().entries()) {
    batch.Put(database_->families[kState], slice(key), slice(value));
  }
  for (uint64_t number = state.oldest_number(); number <= state.head().header.number; ++number) {
    put_block(batch, *database_, *state.recent(number));
  }
  rocksdb::WriteOptions synced;
  synced.sync = true;
  const auto status = database_->db->Write(synced, &batch);
  if (!status.ok()) return trouble(status, "writing a snapshot's state");
  return {};
}

std::optional<SealedBlock> Store::block(uint64_t number) const {
  const auto bytes = database_->get(kBlocks, number_key(number));
  return bytes ? decode_block(*bytes) : std::nullopt;
}

std::optional<uint64_t> Store::number_of(const Hash& hash) const {
  const auto key = database_->get(kIndex, hash.bytes);
  if (!key || key->size() != 8) return std::nullopt;
  uint64_t number = 0;
  for (const uint8_t byte : *key) number = number << 8 | byte;
  return number;
}

}  // namespace chain::embedded
