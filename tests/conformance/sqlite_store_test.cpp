// The SQLite store keeps every promise of the port.
#include "conformance/sqlite_world.hpp"

namespace dispatcher::conformance {
namespace {

INSTANTIATE_TEST_SUITE_P(sqlite, StoreSuite,
                         ::testing::Values(StoreFactory{
                             "sqlite", [] { return std::make_unique<SqliteWorld>(); }}),
                         store_factory_name);

}  // namespace
}  // namespace dispatcher::conformance
