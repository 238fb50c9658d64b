// Promises: an export is what the service's own would be, read page by page; the file is whole or
// not there; an end that cannot be reached is status 1.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "hosts/command_fixture.hpp"

namespace dispatcher {
namespace {

class ExportCommandTest : public CommandsTest {
 protected:
  ExportCommandTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "export-XXXXXX").string();
    directory = ::mkdtemp(pattern.data());
    file = directory + "/events.json";
  }
  ~ExportCommandTest() override { std::filesystem::remove_all(directory); }

  static std::string read(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
  }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator{directory}, {}));
  }
  void two_pages() {
    api.answers.push_back(
        answer_of(200, R"({"items":[{"id":"1","payload":{"n":1.0}}],"next_cursor":"c"})"));
    api.answers.push_back(make_error(ErrorKind::retry_later, "cut"));  // and asked for again
    api.answers.push_back(
        answer_of(200, R"({"items":[{"id":"2"},{"id":"3"}],"next_cursor":null})"));
  }

  std::string directory;
  std::string file;
};

TEST_F(ExportCommandTest, all_pages_are_one_array_on_standard_output) {
  two_pages();
  EXPECT_EQ(call({"events", "export", "--from", "2024-01-01", "--type", "a&b"}), 0) << err.str();
  EXPECT_EQ(out.str(), "[{\"id\":\"1\",\"payload\":{\"n\":1.0}},{\"id\":\"2\"},{\"id\":\"3\"}]\n");
  EXPECT_EQ(api.requests.at(0).path, "/events?limit=1000&type=a%26b&from=2024-01-01");
  EXPECT_EQ(api.requests.at(2).path, "/events?limit=1000&type=a%26b&from=2024-01-01&cursor=c");
}

TEST_F(ExportCommandTest, no_events_are_an_empty_array) {
  api.answers.push_back(answer_of(200, R"({"items":[],"next_cursor":null})"));
  EXPECT_EQ(call({"events", "export"}), 0);
  EXPECT_EQ(out.str(), "[]\n");
}

TEST_F(ExportCommandTest, csv_has_the_services_columns_and_quotes_where_needed) {
  api.answers.push_back(answer_of(
      200, R"({"items":[{"id":"1","type":"a,\"b\"","source":"s","payload":{"n": 1,"m":"x"},)"
           R"("status":"pending","created_at":"c","updated_at":"u"}],"next_cursor":null})"));
  EXPECT_EQ(call({"events", "export", "--format", "csv"}), 0);
  EXPECT_EQ(out.str(),
            "id,type,source,status,created_at,updated_at,payload\r\n"
            "1,\"a,\"\"b\"\"\",s,pending,c,u,\"{\"\"n\"\": 1,\"\"m\"\":\"\"x\"\"}\"\r\n");
}

TEST_F(ExportCommandTest, a_file_takes_the_place_of_the_one_before_when_it_is_whole) {
  std::ofstream{file} << "before";
  two_pages();
  EXPECT_EQ(call({"events", "export", "--file", file}), 0) << err.str();
  EXPECT_EQ(out.str(), "");
  EXPECT_TRUE(read(file).starts_with(R"([{"id":"1")"));
  EXPECT_TRUE(read(file).ends_with("{\"id\":\"3\"}]\n"));
  EXPECT_EQ(files(), 1U);
}

TEST_F(ExportCommandTest, a_file_that_is_replaced_keeps_its_mode) {
  using std::filesystem::perms;
  const auto mode = [this] { return std::filesystem::status(file).permissions(); };
  std::ofstream{file} << "before";
  for (const perms before : {perms::owner_read | perms::owner_write, perms{0666}}) {
    std::filesystem::permissions(file, before);
    two_pages();
    EXPECT_EQ(call({"events", "export", "--file", file}), 0) << err.str();
    EXPECT_EQ(mode(), before);
  }
}

TEST_F(ExportCommandTest, an_export_that_is_cut_leaves_the_file_as_it_was) {
  std::ofstream{file} << "before";
  api.answers.push_back(answer_of(200, R"({"items":[{"id":"1"}],"next_cursor":"c"})"));
  api.answers.push_back(make_error(ErrorKind::refused, "gone for good"));
  expect_refusal({"events", "export", "--file", file}, 1, "gone for good");
  EXPECT_EQ(read(file), "before");
  EXPECT_EQ(files(), 1U);
}

TEST_F(ExportCommandTest, an_export_that_is_cut_says_so_on_standard_output_too) {
  api.answers.push_back(answer_of(200, R"({"items":[{"id":"1"}],"next_cursor":"c"})"));
  api.answers.push_back(answer_of(500, "{}"));
  EXPECT_EQ(call({"events", "export"}), 1);
  EXPECT_NE(err.str().find("500"), std::string::npos);
  EXPECT_FALSE(out.str().ends_with("]\n"));
}

TEST_F(ExportCommandTest, only_a_file_is_written_over) {
  expect_refusal({"events", "export", "--file", directory}, 1, "is no regular file");
  expect_refusal({"events", "export", "--file", directory + "/no/such"}, 1, "cannot write");
  expect_refusal({"events", "export", "--file", "/dev/null"}, 1, "is no regular file");
  EXPECT_TRUE(api.requests.empty());
}

TEST_F(ExportCommandTest, through_a_link_the_file_behind_it_is_replaced) {
  std::ofstream{file} << "before";
  const std::string link = directory + "/link";
  std::filesystem::create_symlink("events.json", link);
  api.answers.push_back(answer_of(200, R"({"items":[],"next_cursor":null})"));
  EXPECT_EQ(call({"events", "export", "--file", link}), 0);
  EXPECT_EQ(read(file), "[]\n");
  EXPECT_TRUE(std::filesystem::is_symlink(link));
}

}  // namespace
}  // namespace dispatcher
