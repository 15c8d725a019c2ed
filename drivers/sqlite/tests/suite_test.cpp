#include <fermata/drivers/sqlite.hpp>
#include <fermata/testing/sql_suite.hpp>

namespace fermata::testing {

INSTANTIATE_TEST_SUITE_P(Sqlite, SqlSuite,
                         ::testing::Values(Engine{"file",
                                                  [](const std::filesystem::path& folder) {
                                                      sql::Drivers drivers;
                                                      add_sqlite_driver(drivers);
                                                      return drivers.open(folder / "suite.db");
                                                  }}),
                         engine_name);

}  // namespace fermata::testing
