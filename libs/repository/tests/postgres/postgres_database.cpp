// The repository suite on PostgreSQL: a database for each folder, as long as the folder is there.
#include <fermata/drivers/postgres.hpp>
#include <fermata/testing/postgres_cluster.hpp>
#include <fermata/testing/repository_suite.hpp>

#include <fmt/format.h>
#include <unistd.h>
#include <map>

namespace fermata::testing {
namespace {

std::map<std::filesystem::path, PostgresDatabase>& databases() {
    std::ignore = PostgresCluster::shared();  // made before them, so gone after them
    static std::map<std::filesystem::path, PostgresDatabase> all;
    static const pid_t owner = ::getpid();  // a child of a test's shares what it did not make
    if (::getpid() == owner)
        std::erase_if(all, [](const auto& entry) { return !std::filesystem::exists(entry.first); });
    return all;
}

}  // namespace

std::unique_ptr<sql::Database> database_in(const std::filesystem::path& folder) {
    return postgres::open_database(databases()[folder].url());
}

void drop_constraints(sql::Connection& connection) {
    connection.execute_script(R"sql(
DO $$
DECLARE r record;
BEGIN
    FOR r IN SELECT tgname, tgrelid::regclass AS tab FROM pg_trigger WHERE NOT tgisinternal LOOP
        EXECUTE format('DROP TRIGGER %I ON %s', r.tgname, r.tab);
    END LOOP;
    FOR r IN SELECT conname, conrelid::regclass AS tab FROM pg_constraint
             WHERE contype IN ('c', 'f') AND connamespace = 'public'::regnamespace AND conrelid <> 0 LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', r.tab, r.conname);
    END LOOP;
    DROP INDEX job_instance_key, job_execution_live;
END $$)sql");
}

namespace {

struct PostgresRepository : RepositorySuite {};

TEST_F(PostgresRepository, HistoryIsNotTruncatedEither) {
    const Claim claim = launch();
    end(claim, BatchStatus::completed);
    const auto connection = raw();
    for (const char* table : {"event", "walk", "job_parameter", "signal", "pause", "step_progress", "instance_sink"})
        EXPECT_THROW(connection->execute(fmt::format("TRUNCATE {}", table)), ConstraintError) << table;
    EXPECT_THROW(connection->execute("TRUNCATE job_instance CASCADE"), ConstraintError);
    connection->execute("INSERT INTO purge_in_progress (instance_id) VALUES (1)");
    EXPECT_THROW(connection->execute("TRUNCATE event"), ConstraintError) << "a purge deletes row by row";
}

}  // namespace
}  // namespace fermata::testing
