// Goal: the house stays as whitepaper.md draws it: floors, private rooms, short files, nothing
// banned. Method: rules over the repository's own text; each rule is first tried on small snippets
// that keep it and that break it.
#include <gtest/gtest.h>

#include <set>

#include "tests/tidy/rules.h"

namespace tests {
namespace {

const std::vector<SourceFile>& repository() {
  static const auto files = repository_files(MUSTER_SOURCE_DIR);
  return files;
}

template <typename Act>
void for_each_code(Act act) {
  for (const SourceFile& file : repository()) {
    if (is_code(file.path)) act(file);
  }
}

std::string lines(size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += "  step();\n";
  return text;
}

// --- The rules on snippets. ---

TEST(TidyRules, CommentsAndLiteralsAreBlankedAndLinesStay) {
  EXPECT_EQ(without_comments("a // b\nc /* d\ne */ f"), "a     \nc     \n     f");
  EXPECT_EQ(without_comments(R"(x = "a\"{"; y = '{';)"), R"(x = "    "; y = ' ';)");
  EXPECT_EQ(without_comments("n = 1'000; m = 2'000;"), "n = 1'000; m = 2'000;");
  EXPECT_EQ(without_comments("R\"(a\n{\")\" b"), "R\"  \n   \" b");
}

TEST(TidyRules, AFunctionIsCountedFromItsSignatureToItsBrace) {
  const std::string three = "namespace a {\nint f(int x) {\n  g();\n}\n}  // namespace a\n";
  EXPECT_TRUE(long_functions(three, 3).empty());
  ASSERT_EQ(long_functions(three, 2).size(), 1u);
  EXPECT_EQ(long_functions(three, 2)[0].line, 2u);
}

TEST(TidyRules, EveryKindOfFunctionIsSeen) {
  const std::string body = " {\n" + lines(10) + "}\n";
  for (const char* const head :
       {"void f()", "TEST(A, B)", "template <typename T>\n  requires(N > 1)\nT f(T t)",
        "A::A(int b) : b_(b)", "A::~A()", "auto f(const struct stat& s) -> int",
        "Result<int> f(std::span<const int> x) const noexcept", "const auto f = [](int x)",
        "A& A::operator=(A&& b)", "bool operator<(const A& b) const",
        "__global__ void kernel(float* x)"}) {
    const std::string plain = std::string(head) + body;
    EXPECT_EQ(long_functions(plain, 9).size(), 1u) << head;
    EXPECT_EQ(
        long_functions("namespace {\nclass C final : public B<D> {\n" + plain + "};\n}", 9).size(),
        1u)
        << head;
    EXPECT_TRUE(long_functions(plain, 14).empty()) << head;
  }
}

TEST(TidyRules, WhatIsNoFunctionIsNotCounted) {
  const std::string body = " {\n" + lines(10) + "};\n";
  for (const char* const head :
       {"namespace a", "namespace a::b", "extern \"C\"", "struct A : B", "enum class C : uint8_t",
        "const int kTable[] =", "constexpr std::array<int, 3> kTable = ", "const T kTable",
        "template <typename T>\n  requires std::is_same_v<T, int>\nstruct A"}) {
    EXPECT_TRUE(long_functions(head + body, 5).empty()) << head;
  }
}

TEST(TidyRules, BracesInTextAndDirectivesDoNotConfuseTheCount) {
  const std::string text = "#define OPEN(x) { \\\n  {\nvoid f() {\n  s = \"}\"; c = '}';  // }\n" +
                           lines(8) + "}\nvoid g() {\n}\n";
  EXPECT_EQ(long_functions(text, 10).size(), 1u);
  EXPECT_TRUE(long_functions(text, 11).empty());
}

TEST(TidyRules, InnerBlocksBelongToTheirFunction) {
  const std::string text =
      "void f() {\n  if (a) {\n" + lines(4) + "  } else {\n" + lines(4) + "  }\n}\n";
  EXPECT_EQ(long_functions(text, 12).size(), 1u);
  EXPECT_TRUE(long_functions(text, 13).empty());
}

size_t banned(std::string_view text) { return banned_words("train/x.cpp", text).size(); }

TEST(TidyRules, BannedWordsAreFound) {
  for (const char* const text :
       {"std::random_device r;", "time(nullptr);", "std::time(0);", "auto t = Clock::now();",
        "int* p = new int;", "delete p;", "  delete[] p;", "if (x) delete p;", "printf(\"x\");",
        "std::printf(\"x\");", "fprintf(stderr, \"x\");", "std::cout << 1;", "std::cerr << 1;",
        "std::shared_ptr<int> p;", "auto p = std::make_shared<int>();",
        "// TO"
        "DO: later",
        "// FIX"
        "ME"}) {
    EXPECT_EQ(banned(text), 1u) << text;
  }
}

TEST(TidyRules, WhatOnlyLooksBannedIsNot) {
  for (const char* const text :
       {"A(const A&) = delete;", "A& operator=(const A&) =\n    delete;", "new (place) int;",
        "#include <new>", "// a new thing, time(s), std::cout", "s = \"new time( printf(\";",
        "clock.now();", "runtime(x);", "gmtime(x);", "renew(x);", "new_head(x);", "snprintf(b, n);",
        "block_time(x);", "fmt::format(x);", "void operator delete(void* at) noexcept;"}) {
    EXPECT_EQ(banned(text), 0u) << text;
  }
}

TEST(TidyRules, EveryBanHasItsOnePlace) {
  EXPECT_TRUE(banned_words("common/clock.cpp", "system_clock::now();").empty());
  EXPECT_TRUE(banned_words("miner/main.cpp", "std::cout << 1;").empty());
  EXPECT_TRUE(banned_words("tests/x.cpp", "printf(1);").empty());
  EXPECT_FALSE(banned_words("tests/x.cpp", "int* p = new int;").empty());
}

TEST(TidyRules, MachinePathsAreFound) {
  EXPECT_EQ(machine_paths("see /wor"
                          "k/x")
                .size(),
            1u);
  EXPECT_EQ(machine_paths("/ro"
                          "ot/x")
                .size(),
            1u);
  EXPECT_EQ(machine_paths("shar"
                          "ed/design/x")
                .size(),
            1u);
  EXPECT_TRUE(machine_paths("a/work/b w/root/7 https://x.org/root /usr/bin").empty());
}

TEST(TidyRules, IncludesAreReadOffTheirLine) {
  EXPECT_EQ(included("#include \"common/hash.h\""), "common/hash.h");
  EXPECT_EQ(included("  #  include \"a/b.h\"  // why"), "a/b.h");
  EXPECT_EQ(included("#include <vector>"), "");
  EXPECT_EQ(included("// #include \"common/hash.h\""), "");
}

TEST(TidyRules, FloorsAndRooms) {
  const auto may = [](const char* path, const char* target) {
    return include_trouble(path, target).empty();
  };
  EXPECT_TRUE(may("train/model.cpp", "common/hash.h"));
  EXPECT_TRUE(may("train/model.cpp", "train/cpu/backend.h"));
  EXPECT_TRUE(may("train/cpu/backend.cpp", "train/cpu/gemm.h"));
  EXPECT_TRUE(may("deploy/localnet.cpp", "miner/worker.h"));
  EXPECT_TRUE(may("tests/train/x.cpp", "train/cpu/gemm.h"));
  EXPECT_TRUE(may("tests/sim/x.cpp", "chain/embedded/state.h"));
  EXPECT_TRUE(may("tests/miner/x.cpp", "chain/ledger.h"));
  EXPECT_TRUE(may("tests/miner/x.cpp", "tests/tidy/rules.h"));
  EXPECT_FALSE(may("common/hash.h", "chain/ledger.h"));
  EXPECT_FALSE(may("train/model.cpp", "chain/ledger.h"));
  EXPECT_FALSE(may("chain/ledger.cpp", "compress/codec.h"));
  EXPECT_FALSE(may("miner/worker.cpp", "validator/validator.h"));
  EXPECT_FALSE(may("miner/worker.cpp", "train/cpu/gemm.h"));
  EXPECT_FALSE(may("deploy/localnet.cpp", "chain/embedded/state.h"));
  EXPECT_FALSE(may("tests/miner/x.cpp", "chain/embedded/state.h"));
  EXPECT_FALSE(may("miner/worker.cpp", "worker.h"));
  EXPECT_FALSE(may("miner/worker.cpp", "elsewhere/worker.h"));
}

TEST(TidyRules, CirclesAreFound) {
  EXPECT_EQ(include_circle({{"a", {"b", "c"}}, {"b", {"c"}}, {"c", {"d"}}}), "");
  EXPECT_EQ(include_circle({{"a", {"b"}}, {"b", {"c"}}, {"c", {"b"}}}), "b -> c -> b");
  EXPECT_EQ(include_circle({{"a", {"a"}}}), "a -> a");
}

TEST(TidyRules, ColumnsAreCharactersNotBytes) {
  EXPECT_EQ(columns("abc"), 3u);
  EXPECT_EQ(columns("\xc3\xa4\xe2\x82\xac"), 2u);
}

// --- The repository. ---

TEST(Tidy, TheRepositoryIsFound) { EXPECT_GT(repository().size(), 20u); }

TEST(Tidy, TheTopLevelHoldsOnlyTheHouse) {
  const std::set<std::string> allowed = {"CMakeLists.txt", "CMakePresets.json",
                                         "README.md",      "chain",
                                         "common",         "compress",
                                         "deploy",         "miner",
                                         "tests",          "train",
                                         "validator",      "whitepaper.md"};
  for (const SourceFile& file : repository()) {
    const std::string top = file.path.substr(0, file.path.find('/'));
    EXPECT_TRUE(top.starts_with('.') || allowed.contains(top)) << file.path;
  }
}

TEST(Tidy, IncludesKeepToTheFloorsAndOutOfOthersRooms) {
  for_each_code([](const SourceFile& file) {
    size_t number = 0;
    for (const std::string& line : lines_of(file.text)) {
      ++number;
      const std::string target = included(line);
      if (target.empty()) continue;
      EXPECT_EQ(include_trouble(file.path, target), "") << file.path << ":" << number;
    }
  });
}

TEST(Tidy, NoFilesIncludeEachOtherInACircle) {
  std::map<std::string, std::vector<std::string>> includes;
  for_each_code([&includes](const SourceFile& file) {
    for (const std::string& line : lines_of(file.text)) {
      const std::string target = included(line);
      if (!target.empty()) includes[file.path].push_back(target);
    }
  });
  EXPECT_EQ(include_circle(includes), "");
}

TEST(Tidy, LinesHaveAtMost100Columns) {
  for_each_code([](const SourceFile& file) {
    size_t number = 0;
    for (const std::string& line : lines_of(file.text)) {
      ++number;
      EXPECT_LE(columns(line), 100u) << file.path << ":" << number;
    }
  });
}

TEST(Tidy, FilesHaveAtMost500LinesAndHeaders250) {
  for_each_code([](const SourceFile& file) {
    EXPECT_LE(lines_of(file.text).size(), is_header(file.path) ? 250u : 500u) << file.path;
  });
}

TEST(Tidy, FunctionsHaveAtMost70Lines) {
  for_each_code([](const SourceFile& file) {
    for (const Finding& finding : long_functions(file.text, 70)) {
      ADD_FAILURE() << file.path << ":" << finding.line << ": " << finding.message;
    }
  });
}

TEST(Tidy, NothingBannedIsCalled) {
  for_each_code([](const SourceFile& file) {
    for (const Finding& finding : banned_words(file.path, file.text)) {
      ADD_FAILURE() << file.path << ":" << finding.line << ": " << finding.message;
    }
  });
}

TEST(Tidy, EveryHeaderBeginsWithWhatItIsAndHasAPragmaOnce) {
  for_each_code([](const SourceFile& file) {
    if (!is_header(file.path)) return;
    EXPECT_TRUE(file.text.starts_with("// ")) << file.path;
    EXPECT_NE(file.text.find("\n#pragma once\n"), std::string::npos) << file.path;
  });
}

TEST(Tidy, NothingNamesSomebodysMachine) {
  for (const SourceFile& file : repository()) {
    for (const Finding& finding : machine_paths(file.text)) {
      ADD_FAILURE() << file.path << ":" << finding.line << ": " << finding.message;
    }
  }
}

}  // namespace
}  // namespace tests
