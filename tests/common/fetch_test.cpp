// Goal: an object of any size comes into a file whole, from where the last try broke off, or an
// error says why, and nothing unasked-for is read. Method: a bucket that breaks at every range,
// grows, shrinks, gives too little and too much; what lies on the disk is looked at after each.
#include "common/fetch.h"

#include <gtest/gtest.h>

#include "common/files.h"
#include "tests/temp_folder.h"
#include "tests/train/memory_store.h"

namespace common {
namespace {

namespace fs = std::filesystem;
using tests::MemoryStore;

Bytes text_of(size_t size) {
  Bytes text(size);
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<uint8_t>(i * 31 + i / 256);
  return text;
}

class Fetch : public testing::Test {
 protected:
  Fetch() { store_.write("k", text_of(1000)); }
  Result<Fetched> fetch(
      uint64_t size, const std::function<bool()>& keep_going = [] { return true; }) {
    return fetch_to_file(store_, "k", size, file_, {.range_size = 300, .keep_going = keep_going});
  }
  std::optional<Bytes> content(const fs::path& file) const {
    auto read = read_file(file, 10'000);
    return read ? std::optional(*read) : std::nullopt;
  }
  size_t files() const {
    const fs::path folder = file_.parent_path();
    if (!fs::exists(folder)) return 0;
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
  }
  // Ranges read since the last question.
  size_t reads() {
    const auto calls = store_.calls();
    return static_cast<size_t>(std::ranges::count(calls, "get k"));
  }

  tests::TempFolder folder_;
  fs::path file_ = folder_ / "spool" / "k";
  MemoryStore store_;
};

TEST_F(Fetch, ComesWholeInRanges) {
  const auto fetched = fetch(1000);
  ASSERT_TRUE(fetched) << fetched.error().message;
  EXPECT_EQ(fetched->resumed, 0U);
  EXPECT_EQ(content(file_), text_of(1000));
  EXPECT_EQ(files(), 1U);
  EXPECT_EQ(reads(), 4U);
  // It is there already.
  EXPECT_EQ(fetch(1000)->resumed, 1000U);
  EXPECT_EQ(reads(), 0U);
}

TEST_F(Fetch, GoesOnWhereItBrokeOff) {
  int left = 2;
  store_.watch = [&](const std::string& call) -> std::optional<Error> {
    if (call == "get k" && left-- == 0) return Error{Code::kUnavailable, "gone"};
    return std::nullopt;
  };
  EXPECT_EQ(fetch(1000).error().code, Code::kUnavailable);
  EXPECT_FALSE(fs::exists(file_));
  EXPECT_EQ(reads(), 3U);
  const auto fetched = fetch(1000);
  ASSERT_TRUE(fetched);
  EXPECT_EQ(fetched->resumed, 600U);
  EXPECT_EQ(reads(), 2U);
  EXPECT_EQ(content(file_), text_of(1000));
  EXPECT_EQ(files(), 1U);
}

TEST_F(Fetch, StopsWhenItIsToldTo) {
  int asked = 0;
  EXPECT_EQ(fetch(1000, [&] { return ++asked < 3; }).error().code, Code::kCancelled);
  EXPECT_EQ(reads(), 2U);
  EXPECT_EQ(fetch(1000)->resumed, 600U);
}

TEST_F(Fetch, AnotherSizeThanPromisedIsAnErrorAndNothingIsKept) {
  EXPECT_EQ(fetch(999).error().code, Code::kConflict);
  EXPECT_EQ(reads(), 0U);
  EXPECT_EQ(files(), 0U);
  EXPECT_EQ(fetch(1001).error().code, Code::kConflict);
  EXPECT_EQ(files(), 0U);
  // It shrinks, and grows, while it is read.
  for (const size_t size : {500, 5000}) {
    store_.write("k", text_of(1000));
    store_.watch = [&, size](const std::string& call) -> std::optional<Error> {
      if (call == "get k") store_.write("k", text_of(size));
      return std::nullopt;
    };
    const auto fetched = fetch(1000);
    store_.watch = {};
    if (size < 1000) {
      EXPECT_EQ(fetched.error().code, Code::kConflict);
      EXPECT_EQ(files(), 0U);
    } else {
      ASSERT_TRUE(fetched);
      EXPECT_EQ(content(file_)->size(), 1000U);  // Of what: its hash will say.
    }
  }
}

TEST_F(Fetch, AnObjectThatIsNotThereSaysSo) {
  store_.erase("k");
  EXPECT_EQ(fetch(1000).error().code, Code::kNotFound);
  EXPECT_FALSE(fs::exists(file_));
}

// What is wrong with our disk must not be taken for what a store said.
TEST_F(Fetch, OurDisksTroubleIsNeitherAbsenceNorAnotherSize) {
  const auto ours = [&](const fs::path& file) {
    const auto code = fetch_to_file(store_, "k", 1000, file).error().code;
    return code != Code::kNotFound && code != Code::kConflict;
  };
  ASSERT_TRUE(write_file(folder_ / "f", text_of(1)));
  EXPECT_TRUE(ours(folder_ / "f" / "g"));
  fs::create_directories(folder_ / "h.part");
  EXPECT_TRUE(ours(folder_ / "h"));
  fs::create_symlink(folder_ / "f", folder_ / "i.part");
  EXPECT_TRUE(ours(folder_ / "i"));
  EXPECT_EQ(content(folder_ / "f"), text_of(1));
  fs::create_directories(folder_ / "j");
  EXPECT_TRUE(ours(folder_ / "j"));
}

// Ranges that are shorter or longer than asked for.
class OddStore final : public ObjectStore {
 public:
  OddStore(MemoryStore& store, size_t give) : store_(store), give_(give) {}
  Result<void> put(std::string_view key, ByteView bytes) override { return store_.put(key, bytes); }
  Result<void> put_from(std::string_view key, const ByteSource& source) override {
    return store_.put_from(key, source);
  }
  Result<Bytes> get(std::string_view key, uint64_t size_max) override {
    return store_.get(key, size_max);
  }
  Result<Bytes> get_range(std::string_view key, Range range) override {
    return store_.get_range(key, {range.first, give_});
  }
  Result<ObjectInfo> head(std::string_view key) override { return store_.head(key); }
  Result<std::vector<ObjectInfo>> list(std::string_view prefix, size_t count_max) override {
    return store_.list(prefix, count_max);
  }
  Result<void> remove(std::string_view key) override { return store_.remove(key); }

 private:
  MemoryStore& store_;
  size_t give_;
};

TEST_F(Fetch, RangesShorterOrLongerThanAskedForDoNoHarm) {
  for (const size_t give : {7, 299, 301, 100'000}) {
    OddStore odd(store_, give);
    const fs::path file = folder_ / "odd" / std::to_string(give);
    ASSERT_TRUE(fetch_to_file(odd, "k", 1000, file, {.range_size = 300}));
    EXPECT_EQ(content(file), text_of(1000)) << give;
  }
}

TEST_F(Fetch, WhatLayThereOfAnotherSizeGivesWay) {
  ASSERT_TRUE(write_file(file_, text_of(30)));
  ASSERT_TRUE(write_file(file_.string() + ".part", text_of(2000)));
  EXPECT_EQ(fetch(1000)->resumed, 0U);
  EXPECT_EQ(content(file_), text_of(1000));
  discard_fetched(file_);
  EXPECT_EQ(files(), 0U);
  discard_fetched(file_);
}

TEST_F(Fetch, NothingIsAnObjectToo) {
  store_.write("k", {});
  ASSERT_TRUE(fetch(0));
  EXPECT_EQ(content(file_), Bytes());
}

}  // namespace
}  // namespace common
