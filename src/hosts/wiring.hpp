// The composition root: the only place that names adapters. Each command's part is in a file of its
// own, `wiring_COMMAND.cpp`.
#pragma once

#include "hosts/services.hpp"

namespace dispatcher {

[[nodiscard]] Services make_services();

[[nodiscard]] Result<int> serve(const ServeConfig& config, std::ostream& out);
[[nodiscard]] Result<RunOutcome> run(const RunConfig& config);
[[nodiscard]] Result<int> lambda(const Result<LambdaConfig>& config,
                                 const std::string& runtime_api);
[[nodiscard]] Result<int> listen(const ListenConfig& config, std::ostream& out);
[[nodiscard]] Result<int> with_api(const ClientConfig& config, Services::ClientWork work);
[[nodiscard]] Result<StoreReport> report_backup(const std::string& data_dir,
                                                const std::string& file);
[[nodiscard]] Result<StoreReport> report_check(const std::string& data_dir);
[[nodiscard]] Result<StoreReport> report_restore(const std::string& data_dir,
                                                 const std::string& file);

}  // namespace dispatcher
