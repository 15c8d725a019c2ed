#pragma once
// The suite every driver of the sql port runs:
//
//   INSTANTIATE_TEST_SUITE_P(Sqlite, SqlSuite, Values(Engine{"sqlite", [](const auto& folder) { … }}), engine_name);
#include <fermata/sql/sql.hpp>
#include <fermata/testing/temp_folder.hpp>
#include <fermata/testing/thrown_by.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>

namespace fermata::testing {

struct Engine {
    std::string name;
    /// A database without tables; `folder` is the test's own and lives as long as the database.
    std::function<std::unique_ptr<sql::Database>(const std::filesystem::path& folder)> fresh;
};
/// Shown instead of the object's bytes.
inline void PrintTo(const Engine& engine, std::ostream* out) { *out << engine.name; }
inline std::string engine_name(const ::testing::TestParamInfo<Engine>& info) { return info.param.name; }

class SqlSuite : public ::testing::TestWithParam<Engine> {
protected:
    SqlSuite() : database_(GetParam().fresh(folder_.path())), connection_(database_->connect(sql::OpenMode::create)) {}

    /// person(id primary key, name not null unique, height real, photo bytes)
    void create_person() {
        connection_->execute(
            "CREATE TABLE person (id BIGINT PRIMARY KEY, name TEXT NOT NULL UNIQUE, height DOUBLE PRECISION, photo " +
            std::string(database_->dialect().bytes) + ")");
    }
    std::int64_t count(sql::Connection& connection) {
        return connection.execute("SELECT count(*) FROM person")[0][0].integer();
    }
    std::int64_t count() { return count(*connection_); }
    void write(const sql::BulkTarget& target, std::span<const Value> cells) {
        sql::Transaction transaction(*connection_);
        connection_->bulk(target)->write(cells.size() / target.columns.size(), cells);
        transaction.commit();
    }

    TempFolder folder_;
    std::unique_ptr<sql::Database> database_;
    std::unique_ptr<sql::Connection> connection_;
};

}  // namespace fermata::testing
