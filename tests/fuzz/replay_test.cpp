// Promise: every fuzz target holds for the inputs of its corpus, which has those that once broke
// it, and for each of them cut short at any place.
#include "fuzz/fuzz_target.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace dispatcher::fuzz {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

std::vector<std::filesystem::path> corpus_of(const Target& target) {
  std::vector<std::filesystem::path> files;
  const auto folder = std::filesystem::path{FUZZ_CORPUS} / target.name;
  if (std::filesystem::is_directory(folder)) {
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Enough cuts to meet every part of an input, however long it is.
constexpr std::size_t kCuts = 200;

void hold(const Target& target, const std::string& input, const std::string& name) {
  const std::size_t step = input.size() / kCuts + 1;
  for (std::size_t size = 0; size < input.size(); size += step) {
    // A copy of just that size, so that a sanitizer sees a read behind it.
    const std::vector<char> cut(input.begin(), input.begin() + static_cast<std::ptrdiff_t>(size));
    ASSERT_NO_THROW(target.check({cut.data(), cut.size()})) << name << " cut to " << size;
  }
  ASSERT_NO_THROW(target.check(input)) << name;
}

class Replay : public testing::TestWithParam<Target> {};

TEST_P(Replay, the_promise_holds_for_the_corpus) {
  const auto files = corpus_of(GetParam());
  EXPECT_FALSE(files.empty()) << "no seeds in tests/fuzz/corpus/" << GetParam().name;
  for (const auto& file : files) {
    hold(GetParam(), read_file(file), file.filename().string());
  }
}

std::string name_of(const testing::TestParamInfo<Target>& info) {
  return std::string{info.param.name};
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Replay, testing::ValuesIn(targets()), name_of);

TEST(Replay, every_corpus_has_a_target) {
  for (const auto& entry : std::filesystem::directory_iterator{FUZZ_CORPUS}) {
    const auto name = entry.path().filename().string();
    EXPECT_TRUE(std::any_of(targets().begin(), targets().end(), [&](const Target& target) {
      return target.name == name;
    })) << name;
  }
}

}  // namespace
}  // namespace dispatcher::fuzz
