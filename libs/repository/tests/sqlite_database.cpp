// The repository suite on SQLite.
#include <fermata/drivers/sqlite.hpp>
#include <fermata/testing/repository_suite.hpp>

namespace fermata::testing {

std::unique_ptr<sql::Database> database_in(const std::filesystem::path& folder) {
    sql::Drivers drivers;
    add_sqlite_driver(drivers);
    return drivers.open((folder / "fermata.db").string());
}

void drop_constraints(sql::Connection& connection) {
    const sql::Result found = connection.execute(
        "SELECT type || ' \"' || name || '\"' FROM sqlite_schema WHERE type = 'trigger' OR name IN "
        "('job_instance_key', 'job_execution_live')");
    for (std::size_t i = 0; i < found.size(); ++i) connection.execute_script("DROP " + std::string(found[i][0].text()));
    connection.execute_script("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;");
}

}  // namespace fermata::testing
