#include "validator/score_store.h"

#include <rocksdb/db.h>

#include <algorithm>

#include "common/check.h"
#include "common/files.h"

namespace validator {
namespace {

namespace fs = std::filesystem;
using common::ByteReader;
using common::Bytes;
using common::ByteView;
using common::ByteWriter;
using common::Code;
using common::Error;
using common::Result;

constexpr std::string_view kVersion = "1";
constexpr std::string_view kVersionKey = "meta/version";
constexpr std::string_view kHparamsKey = "meta/hparams";
constexpr std::string_view kLastKey = "meta/last";
constexpr std::string_view kWindowPrefix = "window/";
constexpr size_t kPartSizeMax = size_t{1} << 30;
constexpr size_t kShareSize = sizeof(uint16_t) + sizeof(double);

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }
rocksdb::Slice slice(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::string_view text_of(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }
ByteView view_of(std::string_view text) { return common::view_of(text); }

// Big-endian, so that the order of keys is the order of windows.
std::string key_of(Window window) {
  std::string key(kWindowPrefix);
  for (int shift = 56; shift >= 0; shift -= 8) {
    key.push_back(static_cast<char>(window.index >> shift & 0xFF));
  }
  return key;
}

std::optional<Window> window_of(std::string_view key) {
  if (!key.starts_with(kWindowPrefix) || key.size() != kWindowPrefix.size() + 8) return {};
  Window window;
  for (const char c : key.substr(kWindowPrefix.size())) {
    window.index = window.index << 8 | static_cast<uint8_t>(c);
  }
  return window;
}

Bytes serialise(const std::vector<Share>& shares) {
  ByteWriter out;
  for (const Share& share : shares) out.number(share.uid.index).number(share.share);
  return std::move(out).bytes();
}

Bytes serialise(const Record& record) {
  ByteWriter out;
  out.sized(serialise(record.evidence));
  out.sized(serialise(record.board));
  out.sized(serialise(record.weights));
  out.raw(record.previous.bytes).raw(record.hash.bytes);
  return std::move(out).bytes();
}

std::optional<std::vector<Share>> parse_shares(ByteView bytes) {
  if (bytes.size() % kShareSize != 0) return std::nullopt;
  ByteReader in(bytes);
  std::vector<Share> shares;
  while (in.remaining() > 0) {
    Share share;
    share.uid.index = in.number<uint16_t>();
    share.share = in.number<double>();
    shares.push_back(share);
  }
  return shares;
}

std::optional<Record> parse_record(ByteView bytes) {
  ByteReader in(bytes);
  Record record;
  auto evidence = parse_evidence(in.sized(kPartSizeMax));
  auto board = parse_scoreboard(in.sized(kPartSizeMax));
  auto shares = parse_shares(in.sized(kPartSizeMax));
  record.previous.bytes = in.array<32>();
  record.hash.bytes = in.array<32>();
  if (!in.at_end() || !evidence || !board || !shares) return std::nullopt;
  record.evidence = std::move(*evidence);
  record.board = std::move(*board);
  record.weights = std::move(*shares);
  return record;
}

// What `last` says: the window and the hash of the newest record.
Bytes last_of(const Record& record) {
  return ByteWriter().number(record.evidence.window.index).raw(record.hash.bytes).bytes();
}

Error trouble_of(const rocksdb::Status& status, const std::string& what) {
  const Code code = status.IsCorruption() ? Code::kCorrupt
                    : status.IsNoSpace()  ? Code::kExhausted
                    : status.IsNotFound() ? Code::kNotFound
                                          : Code::kIo;
  return {code, what + ": " + status.ToString()};
}

rocksdb::WriteOptions synced() {
  rocksdb::WriteOptions options;
  options.sync = true;
  return options;
}

rocksdb::Options options() {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.compression = rocksdb::kNoCompression;
  options.write_buffer_size = size_t{4} << 20;
  options.keep_log_file_num = 2;
  options.max_open_files = 64;
  options.paranoid_checks = true;
  return options;
}

std::string name_of(Window window) { return "window " + std::to_string(window.index); }

}  // namespace

Hash hash_of(const Record& record, const Hash& hparams_hash) {
  common::Hasher hasher;
  hasher.update(record.previous.bytes).update(hparams_hash.bytes);
  const Bytes parts[] = {serialise(record.evidence), serialise(record.board),
                         serialise(record.weights)};
  for (const Bytes& part : parts) hasher.number(uint64_t{part.size()}).update(part);
  return hasher.finish();
}

struct ScoreStore::Impl {
  common::Hparams hparams;
  Hash hparams_hash;
  std::optional<common::FolderLock> lock;  // Of a writer.
  std::unique_ptr<rocksdb::DB> db;
  Scoreboard board;
  Hash last_hash;
  std::optional<std::pair<Window, Window>> range;

  Result<std::string> get(std::string_view key) const {
    std::string value;
    const rocksdb::Status status = db->Get(rocksdb::ReadOptions(), slice(key), &value);
    if (!status.ok()) return trouble_of(status, "reading the scores");
    return value;
  }

  // A new database gets its marks; an old one must bear ours.
  Result<void> check_marks(bool writable) {
    const auto version = get(kVersionKey);
    if (!version) {
      if (version.error().code != Code::kNotFound) return version.error();
      const std::unique_ptr<rocksdb::Iterator> at(db->NewIterator(rocksdb::ReadOptions()));
      at->SeekToFirst();
      if (at->Valid()) return Error{Code::kCorrupt, "the scores bear no version"};
      if (!writable) return Error{Code::kNotFound, "no scores were written yet"};
      rocksdb::WriteBatch batch;
      batch.Put(slice(kVersionKey), slice(kVersion));
      batch.Put(slice(kHparamsKey), slice({hparams_hash.bytes.begin(), hparams_hash.bytes.end()}));
      const rocksdb::Status status = db->Write(synced(), &batch);
      if (!status.ok()) return trouble_of(status, "writing the scores");
      return {};
    }
    if (*version != kVersion) {
      return Error{Code::kCorrupt, "the scores are of version " +
                                       common::to_hex(view_of(*version)) + " (hex), not " +
                                       std::string(kVersion)};
    }
    TRY(const std::string theirs, get(kHparamsKey));
    if (Hash::from_bytes(view_of(theirs)) != hparams_hash) {
      return Error{Code::kConflict, "the scores were written under other hparams (" +
                                        common::to_hex(view_of(theirs)).substr(0, 8) +
                                        "), and these are " + hparams_hash.brief()};
    }
    return {};
  }

  Result<void> find_range(bool writable) {
    const std::unique_ptr<rocksdb::Iterator> at(db->NewIterator(rocksdb::ReadOptions()));
    at->Seek(slice(kWindowPrefix));
    const auto first = at->Valid() ? window_of(text_of(at->key())) : std::nullopt;
    at->SeekToLast();
    const auto last = at->Valid() ? window_of(text_of(at->key())) : std::nullopt;
    if (!at->status().ok()) return trouble_of(at->status(), "reading the scores");
    if (!first || !last) return {};
    range = {*first, *last};
    auto record = read(*last);
    const auto noted = get(kLastKey);
    if (record && noted && *noted == common::text_of(last_of(*record))) {
      board = std::move(record->board);
      last_hash = record->hash;
    } else if (writable) {
      return Error{Code::kCorrupt, "the scores of " + name_of(*last) +
                                       " are not what was written last; run the audit"};
    }
    return {};
  }

  Result<Record> read(Window window) const {
    auto bytes = get(key_of(window));
    if (!bytes) return common::within(name_of(window), bytes.error());
    std::optional<Record> record = parse_record(view_of(*bytes));
    if (!record) return Error{Code::kCorrupt, name_of(window) + ": the record is damaged"};
    if (record->evidence.window != window || record->board.window != window) {
      return Error{Code::kCorrupt, name_of(window) + ": the record is another window's"};
    }
    if (hash_of(*record, hparams_hash) != record->hash) {
      return Error{Code::kCorrupt,
                   name_of(window) + ": the record does not hash to " + record->hash.brief()};
    }
    return std::move(*record);
  }
};

ScoreStore::ScoreStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ScoreStore::ScoreStore(ScoreStore&&) noexcept = default;
ScoreStore& ScoreStore::operator=(ScoreStore&&) noexcept = default;
ScoreStore::~ScoreStore() = default;

Result<ScoreStore> ScoreStore::open(const fs::path& folder, const common::Hparams& hparams,
                                    Mode mode) {
  const bool writable = mode == Mode::kReadWrite;
  auto impl = std::make_unique<Impl>();
  impl->hparams = hparams;
  impl->hparams_hash = hparams.hash();
  const fs::path database = folder / "db";
  rocksdb::DB* opened = nullptr;
  rocksdb::Status status;
  if (writable) {
    TRY_VOID(common::make_folder(folder));
    TRY(auto lock, common::FolderLock::take(folder));
    impl->lock.emplace(std::move(lock));
    status = rocksdb::DB::Open(options(), database.string(), &opened);
  } else {
    std::error_code ignored;
    if (!fs::exists(database / "CURRENT", ignored)) {
      return Error{Code::kNotFound, "no scores in " + folder.string()};
    }
    status = rocksdb::DB::OpenForReadOnly(options(), database.string(), &opened);
  }
  if (!status.ok()) return trouble_of(status, "opening the scores in " + folder.string());
  impl->db.reset(opened);
  TRY_VOID(impl->check_marks(writable));
  TRY_VOID(impl->find_range(writable));
  return ScoreStore(std::move(impl));
}

const Scoreboard& ScoreStore::board() const { return impl_->board; }

std::optional<std::pair<Window, Window>> ScoreStore::range() const { return impl_->range; }

Result<Record> ScoreStore::append(const WindowEvidence& evidence) {
  CHECK(impl_->lock.has_value());
  CHECK(!impl_->range || evidence.window > impl_->range->second);
  Record record{.evidence = evidence, .previous = impl_->last_hash};
  record.board = update(impl_->board, evidence, impl_->hparams);
  record.weights = weights(scores_of(record.board, impl_->hparams), impl_->hparams.weights);
  record.hash = hash_of(record, impl_->hparams_hash);
  rocksdb::WriteBatch batch;
  batch.Put(slice(key_of(evidence.window)), slice(serialise(record)));
  batch.Put(slice(kLastKey), slice(last_of(record)));
  const rocksdb::Status status = impl_->db->Write(synced(), &batch);
  if (!status.ok()) return trouble_of(status, "writing the scores of " + name_of(evidence.window));
  impl_->board = record.board;
  impl_->last_hash = record.hash;
  const Window first = impl_->range ? impl_->range->first : evidence.window;
  impl_->range = {first, evidence.window};
  return record;
}

Result<Record> ScoreStore::read(Window window) const { return impl_->read(window); }

Result<std::vector<Window>> ScoreStore::windows() const {
  std::vector<Window> found;
  const std::unique_ptr<rocksdb::Iterator> at(impl_->db->NewIterator(rocksdb::ReadOptions()));
  for (at->Seek(slice(kWindowPrefix)); at->Valid(); at->Next()) {
    if (const auto window = window_of(text_of(at->key()))) found.push_back(*window);
  }
  if (!at->status().ok()) return trouble_of(at->status(), "reading the scores");
  return found;
}

std::vector<std::string> ScoreStore::troubles() const {
  std::vector<std::string> found;
  const std::unique_ptr<rocksdb::Iterator> at(impl_->db->NewIterator(rocksdb::ReadOptions()));
  for (at->SeekToFirst(); at->Valid(); at->Next()) {
    const std::string_view key = text_of(at->key());
    const bool known =
        key == kVersionKey || key == kHparamsKey || key == kLastKey || window_of(key).has_value();
    if (!known)
      found.push_back("an entry that is none of ours: key " + common::to_hex(view_of(key)));
  }
  if (!at->status().ok()) found.push_back("the database is damaged: " + at->status().ToString());
  const auto noted = impl_->get(kLastKey);
  if (!noted && noted.error().code == Code::kNotFound && !impl_->range) return found;
  const auto last = impl_->range ? impl_->read(impl_->range->second)
                                 : Result<Record>(Error{Code::kNotFound, "there is no record"});
  if (!noted || !last || *noted != common::text_of(last_of(*last))) {
    found.push_back("the last record is not the one that was noted as the last");
  }
  return found;
}

}  // namespace validator
