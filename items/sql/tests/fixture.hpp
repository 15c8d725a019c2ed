#pragma once
// A step over real databases, once on each engine: SQLite files in a folder of its own, PostgreSQL databases of its
// own.
#include <fermata/base/error.hpp>
#include <fermata/batch/registry.hpp>
#include <fermata/drivers/postgres.hpp>
#include <fermata/drivers/sqlite.hpp>
#include <fermata/items/sql.hpp>
#include <fermata/sql/sql.hpp>
#include <fermata/testing/postgres_cluster.hpp>

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fermata {

/// The runtime's part: begins when the connection is first asked for.
class ChunkTransaction final : public Transaction {
public:
    explicit ChunkTransaction(sql::Connection& connection) : connection_(connection) {}
    ~ChunkTransaction() override {
        if (connection_.in_transaction()) connection_.rollback();
    }
    sql::Connection& connection() override {
        if (!connection_.in_transaction()) connection_.begin();
        return connection_;
    }
    void commit() { connection_.commit(); }

private:
    sql::Connection& connection_;
};

enum class Engine { sqlite, postgres };

inline std::string engine_name(const ::testing::TestParamInfo<Engine>& info) {
    return info.param == Engine::sqlite ? "Sqlite" : "Postgres";
}

class SqlFixture : public ::testing::TestWithParam<Engine> {
protected:
    using Pairs = std::initializer_list<std::pair<std::string, std::string>>;
    using Row = std::vector<std::string>;

    void SetUp() override {
        if (is_postgres()) {
            if (const auto reason = testing::PostgresCluster::missing()) GTEST_SKIP() << *reason;
        }
        add_sql_artifacts(registry);
        add_sqlite_driver(drivers);
        add_postgres_driver(drivers);
        job.working_directory = folder;
        step.job = &job;
        step.drivers = &drivers;
        step.stop = &stop;
        data_url = new_database("data.db");
        database = drivers.open(is_postgres() ? data_url : (folder / data_url).string());
        connection = database->connect(sql::OpenMode::create);
        prepare();
    }
    /// What a suite needs in the database.
    virtual void prepare() {}
    ~SqlFixture() override {
        connection.reset();
        std::filesystem::remove_all(folder);
    }
    static bool is_postgres() { return GetParam() == Engine::postgres; }
    /// As a job would name it. `name` is of the file, where it is one.
    std::string new_database(const std::string& name) {
        if (!is_postgres()) return name;
        return servers.emplace_back(std::make_unique<testing::PostgresDatabase>())->url();
    }
    void make_repository() {
        const std::string url = new_database("repository.db");
        job.repository_url = is_postgres() ? url : "sqlite:" + (folder / url).string();
    }

    static Properties properties(Pairs pairs) {
        ResolvedProperties values;
        for (const auto& [name, value] : pairs) values.push_back({name, Text(value), {}});
        return {"artifact", "job.xml", std::move(values)};
    }
    static std::filesystem::path make_folder() {
        char name[] = "/tmp/fermata-sql-XXXXXX";
        return ::mkdtemp(name);
    }
    static std::string shown(const Value& value) {
        switch (value.kind()) {
            case Value::Kind::null:
                return "null";
            case Value::Kind::text:
                return std::string(value.text());
            case Value::Kind::integer:
                return std::to_string(value.integer());
            case Value::Kind::real:
                return std::to_string(value.real());
            default:
                return "bytes";
        }
    }
    std::vector<Row> rows(std::string_view query) {
        const sql::Result result = connection->execute(query);
        std::vector<Row> all(result.size());
        for (std::size_t row = 0; row < result.size(); ++row)
            for (const Value& value : result[row]) all[row].push_back(shown(value));
        return all;
    }
    /// What `action` throws, as "message" or "message; remedy".
    template <class E = Error, class Action>
    static std::string refusal(Action action) {
        try {
            action();
        } catch (const E& error) {
            return error.remedy().empty() ? error.what() : std::string(error.what()) + "; " + error.remedy();
        }
        return "accepted";
    }
    std::string invalid(ArtifactKind kind, const std::string& name, Pairs pairs) {
        return refusal([&] { registry.find(kind, name)->check(properties(pairs)); });
    }

    std::filesystem::path folder = make_folder();
    Registry registry;
    sql::Drivers drivers;
    StopSignal stop;
    JobContext job;
    StepContext step;
    std::vector<std::unique_ptr<testing::PostgresDatabase>> servers;
    std::string data_url;
    std::unique_ptr<sql::Database> database;
    std::unique_ptr<sql::Connection> connection;
};

}  // namespace fermata

#define ON_BOTH_ENGINES(Suite) \
    INSTANTIATE_TEST_SUITE_P(On, Suite, ::testing::Values(Engine::sqlite, Engine::postgres), engine_name)
