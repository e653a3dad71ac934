// Goal: a folder is a bucket with S3's manners, and a trap for nobody.
// Method: a std::map as the oracle under random puts and removes; the edges; hostile folders.
#include "common/store/file_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <map>

#include "common/files.h"
#include "common/philox.h"
#include "tests/temp_folder.h"

namespace common {
namespace {

namespace fs = std::filesystem;
using tests::TempFolder;

class FileStoreTest : public testing::Test {
 protected:
  FileStoreTest() : root_(folder_ / "bucket") {
    auto opened = open_store("file://" + root_.string(), true);
    CHECK_MSG(opened.has_value(), opened.error().message);
    store_ = std::move(opened).value();
  }
  std::vector<std::string> keys(std::string_view prefix) {
    std::vector<std::string> found;
    const auto listed = store_->list(prefix, 1000);
    for (const ObjectInfo& info : *listed) found.push_back(info.key);
    return found;
  }

  TempFolder folder_;
  fs::path root_;
  std::unique_ptr<ObjectStore> store_;
};

using Keys = std::vector<std::string>;

TEST(ValidKey, AcceptsWhatEveryStoreAccepts) {
  for (const char* const key : {"a", "w/7/claim", "A-z_0.9/..a/.b", "..."}) {
    EXPECT_TRUE(valid_key(key)) << key;
  }
  EXPECT_TRUE(valid_key(std::string(1024, 'k')));
}

TEST(ValidKey, RefusesEscapesAndOddities) {
  for (const char* const key : {"", "/", "/a", "a/", "a//b", "..", "a/../b", "../a", ".", "a/./b",
                                "a b", "a~", "a\\b", "\xc3\xa4", "a\n"}) {
    EXPECT_FALSE(valid_key(key)) << key;
  }
  EXPECT_FALSE(valid_key(std::string(1025, 'k')));
  EXPECT_FALSE(valid_key(std::string_view("a\0b", 3)));
}

TEST_F(FileStoreTest, PutsWhatIsTooLargeForMemoryPieceByPiece) {
  Bytes bytes(5 << 19);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 7 + i / 4096);
  class Careful final : public ByteSource {
   public:
    explicit Careful(ByteView all) : all_(all) {}
    uint64_t size() const override { return all_.size(); }
    Result<void> read(uint64_t offset, std::span<uint8_t> out) const override {
      EXPECT_LE(out.size(), 1U << 20);
      return MemorySource(all_).read(offset, out);
    }

   private:
    ByteView all_;
  };
  ASSERT_TRUE(store_->put_from("w/1/contribution", Careful(bytes)));
  EXPECT_EQ(*store_->get("w/1/contribution", 1 << 22), bytes);
}

TEST_F(FileStoreTest, ASourceThatFailsLeavesWhatWasThere) {
  class Failing final : public ByteSource {
   public:
    uint64_t size() const override { return 3 << 20; }
    Result<void> read(uint64_t offset, std::span<uint8_t>) const override {
      if (offset < 2 << 20) return {};
      return Error{Code::kCorrupt, "the source failed"};
    }
  };
  ASSERT_TRUE(store_->put("a", view_of("old")));
  for (const char* const key : {"a", "b"}) {
    const auto put = store_->put_from(key, Failing());
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error().message, "the source failed");
  }
  EXPECT_EQ(keys(""), Keys({"a"}));
  EXPECT_EQ(text_of(*store_->get("a", 10)), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(root_), fs::directory_iterator()), 1);
}

TEST_F(FileStoreTest, BehavesLikeAMap) {
  const Keys names = {"a", "b", "w/1/claim", "w/1/key", "w/10/claim", "w/2", "w.x", "w-1/y"};
  std::map<std::string, std::string> oracle;
  Philox random(uint64_t{1});
  for (int step = 0; step < 200; ++step) {
    const std::string& key = names[random.below(names.size())];
    if (random.below(3) == 0) {
      ASSERT_TRUE(store_->remove(key));
      oracle.erase(key);
    } else {
      const std::string value(random.below(50), static_cast<char>('a' + random.below(26)));
      ASSERT_TRUE(store_->put(key, view_of(value)));
      oracle[key] = value;
    }
    for (const char* const prefix : {"", "w", "w/", "w/1", "w/1/", "w/1/c", "x", "b/"}) {
      Keys expected;
      for (const auto& [name, value] : oracle) {
        if (name.starts_with(prefix)) expected.push_back(name);
      }
      ASSERT_EQ(keys(prefix), expected) << "prefix '" << prefix << "'";
    }
  }
  for (const auto& [key, value] : oracle) EXPECT_EQ(text_of(*store_->get(key, 100)), value);
}

TEST_F(FileStoreTest, ARangeYieldsWhatThereIs) {
  ASSERT_TRUE(store_->put("k", view_of("0123456789")));
  EXPECT_EQ(text_of(*store_->get_range("k", {2, 3})), "234");
  EXPECT_EQ(text_of(*store_->get_range("k", {8, 100})), "89");
  EXPECT_EQ(text_of(*store_->get_range("k", {10, 1})), "");
  EXPECT_EQ(text_of(*store_->get_range("k", {~uint64_t{0}, ~uint64_t{0}})), "");
  EXPECT_EQ(text_of(*store_->get_range("k", {3, ~uint64_t{0}})), "3456789");
  EXPECT_EQ(store_->get_range("absent", {0, 1}).error().code, Code::kNotFound);
}

TEST_F(FileStoreTest, ATooLongObjectIsRefusedBeforeItIsRead) {
  ASSERT_TRUE(store_->put("k", view_of("12345")));
  EXPECT_EQ(store_->get("k", 4).error().code, Code::kExhausted);
  EXPECT_TRUE(store_->get("k", 5));
  // A sparse file of a terabyte: it would not fit in memory.
  ASSERT_EQ(truncate((root_ / "k").c_str(), off_t{1} << 40), 0);
  EXPECT_EQ(store_->get("k", 1 << 20).error().code, Code::kExhausted);
}

TEST_F(FileStoreTest, HeadTellsSizeAndTime) {
  const Instant before = system_clock().now();
  ASSERT_TRUE(store_->put("w/1/k", view_of("12345")));
  const auto info = store_->head("w/1/k");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->key, "w/1/k");
  EXPECT_EQ(info->size_bytes, 5u);
  // The kernel stamps files with the time of its last tick, at most some ten milliseconds old.
  EXPECT_GE(info->modified, before - milliseconds(50));
  EXPECT_LE(info->modified, system_clock().now() + milliseconds(50));
  EXPECT_EQ(store_->list("w/1/k", 1)->front().modified, info->modified);
  EXPECT_EQ(store_->head("w/1").error().code, Code::kNotFound);
}

TEST_F(FileStoreTest, AWriterCannotSetTheTimeBack) {
  ASSERT_TRUE(store_->put("k", {}));
  const Instant put = store_->head("k")->modified;
  const timespec long_ago[2] = {{1, 0}, {1, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, (root_ / "k").c_str(), long_ago, 0), 0);
  EXPECT_GE(store_->head("k")->modified, put);
}

TEST_F(FileStoreTest, InvalidKeysAreRefusedByEveryVerb) {
  EXPECT_EQ(store_->put("../x", {}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(store_->get("../x", 1).error().code, Code::kInvalidArgument);
  EXPECT_EQ(store_->get_range("/etc", {}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(store_->head("").error().code, Code::kInvalidArgument);
  EXPECT_EQ(store_->remove("a//b").error().code, Code::kInvalidArgument);
  EXPECT_EQ(store_->list("../", 1).error().code, Code::kInvalidArgument);
  EXPECT_EQ(store_->list("/", 1)->size(), 0u);
}

TEST_F(FileStoreTest, ListingStopsAtItsLimit) {
  for (const char* const key : {"a", "b", "c"}) ASSERT_TRUE(store_->put(key, {}));
  EXPECT_EQ(store_->list("", 3)->size(), 3u);
  EXPECT_EQ(store_->list("", 2).error().code, Code::kExhausted);
}

TEST_F(FileStoreTest, TemporariesAndStrangeNamesAreNotObjects) {
  ASSERT_TRUE(write_file(root_ / ".tmp~1-1", view_of("half")));
  ASSERT_TRUE(write_file(root_ / "with space", {}));
  ASSERT_EQ(mkfifo((root_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(keys(""), Keys{});
  EXPECT_FALSE(store_->get(".tmp~1-1", 10));
  EXPECT_EQ(store_->get("pipe", 10).error().code, Code::kNotFound);
}

TEST_F(FileStoreTest, NoLinkLeadsOutOfTheBucket) {
  ASSERT_TRUE(write_file(folder_ / "outside/secret", view_of("s")));
  ASSERT_EQ(symlink((folder_ / "outside/secret").c_str(), (root_ / "leaf").c_str()), 0);
  ASSERT_EQ(symlink((folder_ / "outside").c_str(), (root_ / "dir").c_str()), 0);
  EXPECT_EQ(store_->get("leaf", 10).error().code, Code::kNotFound);
  EXPECT_EQ(store_->get("dir/secret", 10).error().code, Code::kNotFound);
  EXPECT_EQ(store_->head("dir/secret").error().code, Code::kNotFound);
  EXPECT_EQ(keys(""), Keys{});
  EXPECT_EQ(keys("dir/"), Keys{});
  EXPECT_FALSE(store_->put("dir/new", view_of("x")));
  EXPECT_TRUE(store_->remove("dir/secret"));
  EXPECT_TRUE(fs::exists(folder_ / "outside/secret"));
  EXPECT_FALSE(fs::exists(folder_ / "outside/new"));
  // Putting over a link replaces the link, not what it leads to.
  ASSERT_TRUE(store_->put("leaf", view_of("mine")));
  EXPECT_EQ(text_of(*store_->get("leaf", 10)), "mine");
  EXPECT_EQ(text_of(*read_file(folder_ / "outside/secret", 10)), "s");
}

TEST_F(FileStoreTest, AnObjectIsNoFolderAndAFolderIsNoObject) {
  ASSERT_TRUE(store_->put("a", {}));
  ASSERT_TRUE(store_->put("d/x", {}));
  EXPECT_EQ(store_->put("a/b", {}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(store_->put("d", {}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(store_->get("a/b", 1).error().code, Code::kNotFound);
  EXPECT_EQ(store_->get("d", 1).error().code, Code::kNotFound);
  EXPECT_TRUE(store_->remove("d"));
  EXPECT_EQ(keys(""), (Keys{"a", "d/x"}));
}

TEST_F(FileStoreTest, EmptiedFoldersGo) {
  ASSERT_TRUE(store_->put("w/1/claim", {}));
  ASSERT_TRUE(store_->put("w/2/claim", {}));
  ASSERT_TRUE(store_->remove("w/1/claim"));
  EXPECT_FALSE(fs::exists(root_ / "w/1"));
  EXPECT_TRUE(fs::exists(root_ / "w/2"));
  ASSERT_TRUE(store_->remove("w/2/claim"));
  EXPECT_TRUE(fs::is_empty(root_));
}

TEST_F(FileStoreTest, SweepingTakesOldLeftoversOnly) {
  ASSERT_TRUE(store_->put("w/1", view_of("x")));
  ASSERT_TRUE(write_file(root_ / "w/.tmp~9-9", view_of("half")));
  FileStore swept(root_, true);
  ASSERT_TRUE(swept.sweep(std::chrono::hours(1)));
  EXPECT_TRUE(fs::exists(root_ / "w/.tmp~9-9"));
  ASSERT_TRUE(swept.sweep(milliseconds(-1000)));
  EXPECT_FALSE(fs::exists(root_ / "w/.tmp~9-9"));
  EXPECT_EQ(keys(""), Keys{"w/1"});
}

TEST_F(FileStoreTest, AReadersStoreDoesNotWrite) {
  ASSERT_TRUE(store_->put("k", view_of("v")));
  const auto reader = open_store("file://" + root_.string(), false);
  ASSERT_TRUE(reader);
  EXPECT_EQ(text_of(*(*reader)->get("k", 10)), "v");
  EXPECT_EQ((*reader)->put("k", {}).error().code, Code::kPermission);
  EXPECT_EQ((*reader)->remove("k").error().code, Code::kPermission);
}

TEST_F(FileStoreTest, AMissingBucketIsUnavailableAndMakesNoObjectMissing) {
  const auto reader = open_store("file://" + (folder_ / "later").string(), false);
  ASSERT_TRUE(reader);
  EXPECT_EQ((*reader)->get("k", 10).error().code, Code::kUnavailable);
  EXPECT_EQ((*reader)->list("", 10).error().code, Code::kUnavailable);
  ASSERT_TRUE(write_file(folder_ / "later/k", view_of("v")));
  EXPECT_TRUE((*reader)->get("k", 10));
}

TEST(OpenStore, RefusesOtherAddresses) {
  for (const char* const address : {"", "s3://bucket", "/tmp/x", "file://", "file://relative"}) {
    EXPECT_EQ(open_store(address, true).error().code, Code::kInvalidArgument) << address;
  }
}

int open_where_we_may_not(const fs::path& folder) {
  if (geteuid() == 0 && seteuid(65534) != 0) return 9;
  const auto opened = open_store("file://" + folder.string(), true);
  if (opened || opened.error().code != Code::kPermission) return 1;
  const std::string& message = opened.error().message;
  if (message.find(folder.string()) == std::string::npos) return 2;
  return message.find("choose another path") == std::string::npos ? 3 : 0;
}

TEST(OpenStoreDeathTest, AFolderThatMayNotBeWrittenIsNamedWithAdvice) {
  const TempFolder folder;
  fs::permissions(folder.path(), fs::perms(0555));
  EXPECT_EXIT(std::exit(open_where_we_may_not(folder.path())), testing::ExitedWithCode(0), "");
  fs::permissions(folder.path(), fs::perms(0755));
}

}  // namespace
}  // namespace common
