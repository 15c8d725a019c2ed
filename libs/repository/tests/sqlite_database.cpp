// The repository suite on SQLite.
#include <fermata/drivers/sqlite.hpp>
#include <fermata/testing/repository_suite.hpp>

#include <gmock/gmock.h>
#include <fstream>

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

namespace {

struct SqliteRepository : RepositorySuite {};

TEST_F(SqliteRepository, AFileThatIsNoDatabaseIsRefused) {
    std::ofstream(folder_ / "fermata.db") << std::string(8'192, 'x');
    try {
        std::ignore = open();
        FAIL() << "a repository in a text file";
    } catch (const Error& error) {
        EXPECT_EQ(ErrorKind::refused, error.kind());
        EXPECT_THAT(error.what(), ::testing::HasSubstr("is damaged or no database"));
    }
}

TEST_F(SqliteRepository, AFolderIsNoDatabase) {
    std::filesystem::create_directory(folder_ / "fermata.db");
    try {
        std::ignore = open();
        FAIL() << "a repository in a folder";
    } catch (const Error& error) {
        EXPECT_EQ(ErrorKind::unreachable, error.kind());
    }
}

}  // namespace
}  // namespace fermata::testing
