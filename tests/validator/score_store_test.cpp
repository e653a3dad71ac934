// Goal: acknowledged scores survive anything, and a changed byte does not go unnoticed.
// Method: a child that appends is killed at random moments, fifty times; then the database is
// changed behind the store's back, byte by byte, and the audit has to say where.
#include "validator/score_store.h"

#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/check.h"
#include "common/philox.h"
#include "tests/temp_folder.h"
#include "tests/validator/support.h"
#include "validator/audit.h"

namespace validator {
namespace {

using common::Code;
using tests::TempFolder;
constexpr auto kReadWrite = ScoreStore::Mode::kReadWrite;
constexpr auto kReadOnly = ScoreStore::Mode::kReadOnly;

const common::Hparams& hparams() {
  static const common::Hparams value = tiny_hparams();
  return value;
}

ScoreStore opened(const std::filesystem::path& folder, ScoreStore::Mode mode = kReadWrite) {
  auto store = ScoreStore::open(folder, hparams(), mode);
  CHECK_MSG(store.has_value(), store ? "" : store.error().message);
  return std::move(*store);
}

void fill(const std::filesystem::path& folder, uint64_t windows, uint16_t peers = 4) {
  ScoreStore store = opened(folder);
  for (uint64_t w = 1; w <= windows; ++w) {
    ASSERT_TRUE(store.append(random_window(w, peers, 1)).has_value());
  }
}

Audit audited(const std::filesystem::path& folder) {
  const auto result = audit(opened(folder, kReadOnly), hparams());
  CHECK(result.has_value());
  return *result;
}

std::unique_ptr<rocksdb::DB> raw(const std::filesystem::path& folder) {
  rocksdb::DB* db = nullptr;
  CHECK(rocksdb::DB::Open(rocksdb::Options(), (folder / "db").string(), &db).ok());
  return std::unique_ptr<rocksdb::DB>(db);
}

std::string key_of(uint64_t window) {
  std::string key = "window/";
  for (int shift = 56; shift >= 0; shift -= 8) key.push_back(static_cast<char>(window >> shift));
  return key;
}

// --- What it keeps. ---

TEST(ScoreStore, ReadsBackWhatWasAppended) {
  const TempFolder folder;
  std::vector<Record> written;
  {
    ScoreStore store = opened(folder.path());
    EXPECT_FALSE(store.range());
    EXPECT_TRUE(store.board().standings.empty());
    for (const uint64_t window : {3u, 4u, 300u}) {
      written.push_back(*store.append(random_window(window, 5, 2)));
    }
  }
  const ScoreStore store = opened(folder.path());
  EXPECT_EQ(store.range(), std::pair(Window{3}, Window{300}));
  EXPECT_EQ(*store.windows(), (std::vector<Window>{{3}, {4}, {300}}));
  EXPECT_EQ(store.board(), written.back().board);
  Hash previous;
  for (const Record& record : written) {
    const Record read = *store.read(record.evidence.window);
    EXPECT_EQ(read.evidence, record.evidence);
    EXPECT_EQ(read.board, record.board);
    EXPECT_EQ(read.weights, record.weights);
    EXPECT_EQ(read.hash, hash_of(record, hparams().hash()));
    EXPECT_EQ(read.previous, previous);
    previous = read.hash;
  }
  EXPECT_EQ(store.read({5}).error().code, Code::kNotFound);
}

TEST(ScoreStore, ARestartChangesNoScore) {
  // Penalties, averages, ratings and waiting times all come from the disk (W17).
  const TempFolder whole;
  const TempFolder in_pieces;
  fill(whole.path(), 12);
  for (uint64_t w = 1; w <= 12; ++w) {
    ASSERT_TRUE(opened(in_pieces.path()).append(random_window(w, 4, 1)).has_value());
  }
  EXPECT_EQ(opened(whole.path()).read({12})->hash, opened(in_pieces.path()).read({12})->hash);
}

TEST(ScoreStore, OneWriterAndAnyNumberOfReaders) {
  const TempFolder folder;
  EXPECT_EQ(ScoreStore::open(folder.path(), hparams(), kReadOnly).error().code, Code::kNotFound);
  ScoreStore writer = opened(folder.path());
  ASSERT_TRUE(writer.append(random_window(1, 4, 1)).has_value());
  EXPECT_EQ(ScoreStore::open(folder.path(), hparams(), kReadWrite).error().code,
            Code::kAlreadyExists);
  const ScoreStore early = opened(folder.path(), kReadOnly);
  ASSERT_TRUE(writer.append(random_window(2, 4, 1)).has_value());
  const ScoreStore late = opened(folder.path(), kReadOnly);
  EXPECT_EQ(early.range()->second, Window{1});
  EXPECT_EQ(late.range()->second, Window{2});
  EXPECT_TRUE(audited(folder.path()).ok);
}

TEST(ScoreStore, OtherHparamsAreAConflict) {
  const TempFolder folder;
  fill(folder.path(), 1);
  common::Hparams other = hparams();
  other.rating.memory += 1;
  EXPECT_EQ(ScoreStore::open(folder.path(), other, kReadWrite).error().code, Code::kConflict);
  EXPECT_EQ(ScoreStore::open(folder.path(), other, kReadOnly).error().code, Code::kConflict);
}

TEST(ScoreStoreDeathTest, AWindowTwiceIsABug) {
  const TempFolder folder;
  ScoreStore store = opened(folder.path());
  ASSERT_TRUE(store.append(random_window(7, 4, 1)).has_value());
  EXPECT_DEATH((void)store.append(random_window(7, 4, 1)), "CHECK failed");
}

// --- kill -9. ---

// Appends for ever; says each window after it was acknowledged.
[[noreturn]] void append_until_killed(const std::filesystem::path& folder, int acknowledge) {
  ScoreStore store = opened(folder);
  uint64_t window = store.range() ? store.range()->second.index : 0;
  while (true) {
    ++window;
    CHECK(store.append(random_window(window, 4, 1)).has_value());
    CHECK(write(acknowledge, &window, sizeof window) == sizeof window);
  }
}

TEST(ScoreStore, SurvivesFiftyKillsWithoutLosingAnAcknowledgedWindow) {
  const TempFolder folder;
  common::Philox random(5);
  uint64_t acknowledged = 0;
  for (int cycle = 0; cycle < 50; ++cycle) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) append_until_killed(folder.path(), ends[1]);
    close(ends[1]);
    // In every other cycle it has begun to write, however slow the machine is.
    uint64_t window = 0;
    if (cycle % 2 == 0 && read(ends[0], &window, sizeof window) == sizeof window) {
      acknowledged = window;
    }
    usleep(static_cast<useconds_t>(random.below(cycle % 2 == 0 ? 10000 : 60000)));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    while (read(ends[0], &window, sizeof window) == sizeof window) acknowledged = window;
    close(ends[0]);
    const ScoreStore store = opened(folder.path());
    const uint64_t last = store.range() ? store.range()->second.index : 0;
    ASSERT_GE(last, acknowledged);
    ASSERT_LE(last, acknowledged + 1);
    ASSERT_EQ(store.windows()->size(), last);
    acknowledged = last;
  }
  EXPECT_GE(acknowledged, 25u);
  const Audit result = audited(folder.path());
  EXPECT_TRUE(result.ok) << result.differences.front();
  EXPECT_EQ(result.windows, acknowledged);
}

// --- The audit. ---

TEST(Audit, RecomputesEveryWindowBitForBit) {
  const TempFolder folder;
  fill(folder.path(), 30);
  const Audit result = audited(folder.path());
  EXPECT_TRUE(result.ok);
  EXPECT_EQ(result.windows, 30u);
  EXPECT_EQ(result.peers, 120u);
  EXPECT_TRUE(result.differences.empty());
}

bool names(const Audit& result, const std::string& words) {
  for (const std::string& difference : result.differences) {
    if (difference.find(words) != std::string::npos) return true;
  }
  return false;
}

// Whoever looks at this folder finds something wrong, and it says `words`.
void expect_found(const std::filesystem::path& folder, const std::string& words) {
  const auto store = ScoreStore::open(folder, hparams(), kReadOnly);
  if (!store) {
    EXPECT_NE(store.error().message.find(words), std::string::npos) << store.error().message;
    return;
  }
  const auto result = audit(*store, hparams());
  ASSERT_TRUE(result.has_value());
  EXPECT_FALSE(result->ok) << words;
  EXPECT_TRUE(names(*result, words))
      << words << " not in: " << (result->differences.empty() ? "" : result->differences[0]);
}

TEST(Audit, FindsAndNamesEveryChangedByte) {
  const TempFolder folder;
  fill(folder.path(), 3, 3);
  const rocksdb::WriteOptions write;
  std::string record;
  ASSERT_TRUE(raw(folder.path())->Get({}, key_of(2), &record).ok());
  for (size_t at = 0; at < record.size(); at += 13) {
    std::string changed = record;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    ASSERT_TRUE(raw(folder.path())->Put(write, key_of(2), changed).ok());
    expect_found(folder.path(), "window 2");
  }
  ASSERT_TRUE(raw(folder.path())->Put(write, key_of(2), record).ok());
  EXPECT_TRUE(audited(folder.path()).ok);
}

TEST(Audit, FindsARecordThatIsGoneAndOneThatIsTooMany) {
  const TempFolder folder;
  fill(folder.path(), 4);
  std::string second;
  std::string last;
  ASSERT_TRUE(raw(folder.path())->Get({}, key_of(2), &second).ok());
  ASSERT_TRUE(raw(folder.path())->Get({}, key_of(4), &last).ok());

  ASSERT_TRUE(raw(folder.path())->Delete({}, key_of(2)).ok());
  expect_found(folder.path(), "window 3: does not follow");
  ASSERT_TRUE(raw(folder.path())->Put({}, key_of(2), second).ok());

  ASSERT_TRUE(raw(folder.path())->Delete({}, key_of(4)).ok());
  expect_found(folder.path(), "last record");
  EXPECT_EQ(ScoreStore::open(folder.path(), hparams(), kReadWrite).error().code, Code::kCorrupt);
  ASSERT_TRUE(raw(folder.path())->Put({}, key_of(4), last).ok());

  ASSERT_TRUE(raw(folder.path())->Put({}, key_of(9), second).ok());
  expect_found(folder.path(), "window 9: the record is another window's");
  ASSERT_TRUE(raw(folder.path())->Delete({}, key_of(9)).ok());

  ASSERT_TRUE(raw(folder.path())->Put({}, "extra", "x").ok());
  expect_found(folder.path(), "none of ours");
  ASSERT_TRUE(raw(folder.path())->Delete({}, "extra").ok());
  EXPECT_TRUE(audited(folder.path()).ok);
}

TEST(Audit, FindsAChangedMark) {
  for (const std::string key : {"meta/version", "meta/hparams", "meta/last"}) {
    const TempFolder folder;
    fill(folder.path(), 2);
    std::string mark;
    ASSERT_TRUE(raw(folder.path())->Get({}, key, &mark).ok());
    mark[0] = static_cast<char>(mark[0] ^ 1);
    ASSERT_TRUE(raw(folder.path())->Put({}, key, mark).ok());
    expect_found(folder.path(), key == "meta/version"   ? "version"
                                : key == "meta/hparams" ? "other hparams"
                                                        : "last record");
  }
}

// A forger who knows the format recomputes the hash of what it changed; the numbers still do not
// follow.
TEST(Audit, FindsAStandingThatDoesNotFollowFromTheEvidence) {
  const TempFolder folder;
  fill(folder.path(), 5);
  auto forge = [&](auto change) {
    Record record = *opened(folder.path(), kReadOnly).read({5});
    change(record);
    record.hash = hash_of(record, hparams().hash());
    common::ByteWriter shares;
    for (const Share& share : record.weights) shares.number(share.uid.index).number(share.share);
    common::ByteWriter out;
    out.sized(serialise(record.evidence)).sized(serialise(record.board)).sized(shares.bytes());
    out.raw(record.previous.bytes).raw(record.hash.bytes);
    common::ByteWriter last;
    last.number(uint64_t{5}).raw(record.hash.bytes);
    const auto db = raw(folder.path());
    ASSERT_TRUE(db->Put({}, key_of(5), std::string(common::text_of(out.bytes()))).ok());
    ASSERT_TRUE(db->Put({}, "meta/last", std::string(common::text_of(last.bytes()))).ok());
  };
  forge([](Record&) {});
  EXPECT_TRUE(audited(folder.path()).ok);
  forge([](Record& record) { record.board.standings[1].mu += 1e-12; });
  expect_found(folder.path(), "window 5: the standing of uid 1");
  forge([](Record& record) { record.board.standings[1].mu -= 1e-12; });
  forge([](Record& record) { std::swap(record.weights[0].share, record.weights[1].share); });
  expect_found(folder.path(), "window 5: the weights");
}

}  // namespace
}  // namespace validator
