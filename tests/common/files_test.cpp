// Goal: a file is whole, old or new, whatever happens to the writer; nothing is left lying about.
// Method: writers that are killed, that run into a size limit, that may not; and plain use.
#include "common/files.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "tests/temp_folder.h"

namespace common {
namespace {

namespace fs = std::filesystem;
using tests::TempFolder;

size_t count_entries(const fs::path& folder) {
  return static_cast<size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

// Root may do everything; as anybody else we may not.
void become_nobody() { CHECK(geteuid() != 0 || seteuid(65534) == 0); }

TEST(WriteFile, MakesTheFoldersAndReplacesWhatIsThere) {
  const TempFolder folder;
  const fs::path file = folder / "a/b/c";
  ASSERT_TRUE(write_file(file, view_of("one")));
  ASSERT_TRUE(write_file(file, view_of("2")));
  EXPECT_EQ(text_of(*read_file(file, 10)), "2");
  EXPECT_EQ(count_entries(folder / "a/b"), 1u);
}

TEST(WriteFile, ASecretIsNeverReadableByOthers) {
  const TempFolder folder;
  ASSERT_TRUE(write_file(folder / "key", view_of("s"), 0600));
  struct stat status {};
  ASSERT_EQ(stat((folder / "key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST(WriteFile, AnEmptyNameOrAFolderIsRefused) {
  const TempFolder folder;
  EXPECT_FALSE(write_file("", {}));
  ASSERT_TRUE(make_folder(folder / "d"));
  EXPECT_FALSE(write_file(folder / "d", view_of("x")));
  ASSERT_TRUE(write_file(folder / "file", {}));
  EXPECT_EQ(write_file(folder / "file/below", {}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(count_entries(folder.path()), 2u);
}

TEST(WriteFile, AWriterKilledInTheMiddleLeavesTheOldOrTheNewFile) {
  const TempFolder folder;
  const fs::path file = folder / "state";
  const Bytes one(1 << 20, 'a');
  const Bytes two(700'000, 'b');
  ASSERT_TRUE(write_file(file, one));
  for (int round = 0; round < 15; ++round) {
    const pid_t writer = fork();
    ASSERT_GE(writer, 0);
    if (writer == 0) {
      while (true) static_cast<void>(write_file(file, two) && write_file(file, one));
    }
    usleep(static_cast<useconds_t>(1000 + 700 * round));
    kill(writer, SIGKILL);
    waitpid(writer, nullptr, 0);
    const auto found = read_file(file, 1 << 20);
    ASSERT_TRUE(found) << found.error().message;
    ASSERT_TRUE(*found == one || *found == two) << "torn in round " << round;
  }
}

// A limit on a file's size stands for a full disk.
int write_under_a_limit(const fs::path& file) {
  signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{4096, 4096};
  if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
  const auto written = write_file(file, Bytes(100'000, 'x'));
  if (written || written.error().code != Code::kExhausted) return 2;
  return text_of(*read_file(file, 100)) == "old" ? 0 : 3;
}

TEST(WriteFileDeathTest, AFullDiskLeavesTheOldFileAndNoRubbish) {
  const TempFolder folder;
  ASSERT_TRUE(write_file(folder / "f", view_of("old")));
  EXPECT_EXIT(std::exit(write_under_a_limit(folder / "f")), testing::ExitedWithCode(0), "");
  EXPECT_EQ(count_entries(folder.path()), 1u);
}

int write_where_we_may_not(const fs::path& folder) {
  become_nobody();
  const auto written = write_file(folder / "f", {});
  if (written || written.error().code != Code::kPermission) return 1;
  const auto made = make_folder(folder);
  if (made || made.error().code != Code::kPermission) return 2;
  if (made.error().message.find(folder.string()) == std::string::npos) return 3;
  return made.error().message.find("give this user access") == std::string::npos ? 4 : 0;
}

TEST(WriteFileDeathTest, AFolderThatMayNotBeWrittenIsNamedWithAdvice) {
  const TempFolder folder;
  fs::permissions(folder.path(), fs::perms(0555));
  EXPECT_EXIT(std::exit(write_where_we_may_not(folder.path())), testing::ExitedWithCode(0), "");
  fs::permissions(folder.path(), fs::perms(0755));
}

TEST(ReadFile, SaysWhyItCannot) {
  const TempFolder folder;
  ASSERT_TRUE(write_file(folder / "f", view_of("12345")));
  EXPECT_EQ(read_file(folder / "absent", 10).error().code, Code::kNotFound);
  EXPECT_EQ(read_file(folder / "f", 4).error().code, Code::kExhausted);
  EXPECT_EQ(read_file(folder / "f", 5)->size(), 5u);
  EXPECT_FALSE(read_file(folder.path(), 10));
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_FALSE(read_file(folder / "pipe", 10));  // And does not wait for a writer.
}

TEST(MakeFolder, MakesAllOfItAndLeavesItEmpty) {
  const TempFolder folder;
  ASSERT_TRUE(make_folder(folder / "a/b"));
  ASSERT_TRUE(make_folder(folder / "a/b"));
  ASSERT_TRUE(make_folder(folder / "c/"));
  EXPECT_EQ(count_entries(folder / "a/b"), 0u);
  ASSERT_TRUE(write_file(folder / "file", {}));
  EXPECT_EQ(make_folder(folder / "file").error().code, Code::kInvalidArgument);
}

TEST(MappedFile, ShowsTheBytesAndMoves) {
  const TempFolder folder;
  ASSERT_TRUE(write_file(folder / "f", view_of("hello")));
  ASSERT_TRUE(write_file(folder / "empty", {}));
  auto mapped = MappedFile::open(folder / "f");
  ASSERT_TRUE(mapped);
  MappedFile moved = std::move(*mapped);
  EXPECT_EQ(text_of(moved.bytes()), "hello");
  auto empty = MappedFile::open(folder / "empty");
  ASSERT_TRUE(empty);
  EXPECT_TRUE(empty->bytes().empty());
  moved = std::move(*empty);
  EXPECT_TRUE(moved.bytes().empty());
  EXPECT_EQ(MappedFile::open(folder / "absent").error().code, Code::kNotFound);
  EXPECT_FALSE(MappedFile::open(folder.path()));
}

TEST(MappedFile, KeepsTheOldBytesWhenTheFileIsReplaced) {
  const TempFolder folder;
  ASSERT_TRUE(write_file(folder / "f", view_of("old")));
  const auto mapped = MappedFile::open(folder / "f");
  ASSERT_TRUE(write_file(folder / "f", view_of("new, and longer")));
  EXPECT_EQ(text_of(mapped->bytes()), "old");
}

TEST(FolderLock, IsHeldByOneAndLetGoAtItsEnd) {
  const TempFolder folder;
  {
    auto first = FolderLock::take(folder.path());
    ASSERT_TRUE(first);
    const FolderLock moved = std::move(*first);
    const auto second = FolderLock::take(folder.path());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::kAlreadyExists);
    EXPECT_NE(second.error().message.find("in use by another process"), std::string::npos);
  }
  EXPECT_TRUE(FolderLock::take(folder.path()));
}

TEST(FolderLock, AKilledHolderLetsGo) {
  const TempFolder folder;
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t holder = fork();
  ASSERT_GE(holder, 0);
  if (holder == 0) {
    const auto lock = FolderLock::take(folder.path());
    if (write(ready[1], lock ? "y" : "n", 1) == 1) pause();
    _exit(0);
  }
  char answer = 0;
  ASSERT_EQ(read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  EXPECT_FALSE(FolderLock::take(folder.path()));
  kill(holder, SIGKILL);
  waitpid(holder, nullptr, 0);
  EXPECT_TRUE(FolderLock::take(folder.path()));
  close(ready[0]);
  close(ready[1]);
}

}  // namespace
}  // namespace common
