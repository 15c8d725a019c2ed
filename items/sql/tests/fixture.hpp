#pragma once
// A step over real SQLite files in a folder of its own.
#include <fermata/base/error.hpp>
#include <fermata/batch/registry.hpp>
#include <fermata/drivers/sqlite.hpp>
#include <fermata/items/sql.hpp>
#include <fermata/sql/sql.hpp>

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

class SqlFixture : public testing::Test {
protected:
    using Pairs = std::initializer_list<std::pair<std::string, std::string>>;
    using Row = std::vector<std::string>;

    SqlFixture() {
        add_sql_artifacts(registry);
        add_sqlite_driver(drivers);
        job.working_directory = folder;
        job.repository_url = "sqlite:" + (folder / "repository.db").string();
        step.job = &job;
        step.drivers = &drivers;
        step.stop = &stop;
        database = drivers.open("sqlite:" + (folder / "data.db").string());
        connection = database->connect(sql::OpenMode::create);
    }
    ~SqlFixture() override {
        connection.reset();
        std::filesystem::remove_all(folder);
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
    std::unique_ptr<sql::Database> database;
    std::unique_ptr<sql::Connection> connection;
};

}  // namespace fermata
