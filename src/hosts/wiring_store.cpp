// `store`: what can be done with a store's files.
#include "adapters/sqlite/store_files.hpp"
#include "base/json_text.hpp"
#include "hosts/wiring.hpp"

#include <filesystem>

namespace dispatcher {
namespace {

StoreReport file_report(std::string_view what, const std::string& path,
                        const StoreFileReport& written) {
  StoreReport report;
  report.text = std::string{what} + " " + path + ": " + std::to_string(written.events) +
                " events, " + std::to_string(written.bytes) + " bytes\n";
  report.json = R"({"file":)";
  append_json_string(report.json, path);
  report.json += R"(,"events":)" + std::to_string(written.events) + R"(,"bytes":)" +
                 std::to_string(written.bytes) + "}";
  return report;
}

}  // namespace

Result<StoreReport> report_backup(const std::string& data_dir, const std::string& file) {
  const auto written = backup_store(std::filesystem::path{data_dir}, std::filesystem::path{file});
  if (!written) {
    return written.error();
  }
  return file_report("wrote", file, *written);
}

Result<StoreReport> report_check(const std::string& data_dir) {
  const auto check = check_store(std::filesystem::path{data_dir});
  if (!check) {
    return check.error();
  }
  StoreReport report;
  report.is_good = check->findings.empty();
  report.json = std::string{R"({"good":)"} + (report.is_good ? "true" : "false") + R"(,"events":)" +
                std::to_string(check->events) + R"(,"findings":[)";
  for (const std::string& finding : check->findings) {
    report.text += finding + "\n";
    report.json += report.json.ends_with('[') ? "" : ",";
    append_json_string(report.json, finding);
  }
  report.json += "]}";
  if (report.is_good) {
    report.text =
        "the store in " + data_dir + " is sound: " + std::to_string(check->events) + " events\n";
  }
  return report;
}

Result<StoreReport> report_restore(const std::string& data_dir, const std::string& file) {
  const auto restored = restore_store(std::filesystem::path{file}, std::filesystem::path{data_dir},
                                      RestoreMode::into_empty);
  if (!restored) {
    return restored.error();
  }
  return file_report("restored", data_dir, *restored);
}

}  // namespace dispatcher
