#include "fixture.hpp"

namespace fermata::postgres {
namespace {

using sql::BulkTarget;
using ::testing::HasSubstr;

constexpr std::size_t always_copy = 1;
constexpr std::size_t never_copy = 1'000'000'000;

/// Both ways must do the same.
class BulkTest : public PostgresTest, public ::testing::WithParamInterface<std::size_t> {
protected:
    BulkTest() : connection_(connect(OpenMode::read_write, {.copy_from_rows = GetParam()})) {}
    void write(const BulkTarget& target, std::span<const Value> cells) {
        Transaction transaction(*connection_);
        connection_->bulk(target)->write(cells.size() / target.columns.size(), cells);
        transaction.commit();
    }
    template <class E>
    E refusal(const BulkTarget& target, std::span<const Value> cells) {
        const Transaction transaction(*connection_);
        const auto bulk = connection_->bulk(target);
        return thrown_by<E>([&] { bulk->write(cells.size() / target.columns.size(), cells); });
    }
    std::string all(const std::string& table) {
        const auto rows =
            connection_->execute("SELECT string_agg(t::text, ' ' ORDER BY t::text) FROM " + table + " AS t");
        return rows[0][0].is_null() ? "" : std::string(rows[0][0].text());
    }

    std::unique_ptr<sql::Connection> connection_;
};

INSTANTIATE_TEST_SUITE_P(Ways, BulkTest, ::testing::Values(always_copy, never_copy),
                         [](const auto& way) { return way.param == always_copy ? "Copy" : "Arrays"; });

TEST_P(BulkTest, EveryTypeTakesValuesAndText) {
    connection_->execute_script(
        "CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE TYPE mood AS ENUM ('sad', 'glad');"
        "CREATE TABLE native (a smallint, b int, c bigint, d real, e float8, f boolean, g text, h varchar(5), i bytea, "
        "j name);"
        "CREATE TABLE cast_ (a numeric(5, 1), b date, c timestamptz, d uuid, e jsonb, f positive, g mood, h int[], "
        "i bit(3), j char(3));");
    const Value native[] = {
        1,       2,       3,       0.5,     0.25,    true,    "x",     "y",     std::as_bytes(std::span("z", 1)),
        "n",  //
        "1",     "2",     "3",     "0.5",   "0.25",  "yes",   7,       8.5,     "z",
        false,  //
        2.0,     true,    3.0,     1,       2,       0,       true,    "",      "",
        "",  //
        nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
        nullptr};
    write({.table = "native", .columns = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}}, native);
    EXPECT_EQ(
        all("native"),
        R"((,,,,,,,,,) (1,2,3,0.5,0.25,t,7,8.5,"\\x7a",false) (1,2,3,0.5,0.25,t,x,y,"\\x7a",n) (2,1,3,1,2,f,true,"","\\x",""))");
    const Value cast[] = {12,
                          "2026-02-28",
                          "2026-02-28 10:00:00+00",
                          "00000000-0000-0000-0000-000000000001",
                          "{}",
                          7,
                          "sad",
                          "{1,2}",
                          "101",
                          "abc",  //
                          1.25,
                          nullptr,
                          nullptr,
                          nullptr,
                          nullptr,
                          "8",
                          nullptr,
                          nullptr,
                          nullptr,
                          "a"};
    connection_->execute("SET TIME ZONE 'UTC'");
    write({.table = "cast_", .columns = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}}, cast);
    EXPECT_EQ(all("cast_"), R"((1.3,,,,,8,,,,"a  ") (12.0,2026-02-28,"2026-02-28 10:00:00+00",)"
                            R"(00000000-0000-0000-0000-000000000001,{},7,sad,"{1,2}",101,abc))");
}

TEST_P(BulkTest, AValueThatCannotBeOneOfItsColumnIsNamed) {
    connection_->execute_script(
        "CREATE TABLE t (a smallint, b int, c real, d boolean, e date, f varchar(2), g text, h float8)");
    const auto message = [&](const std::string& column, Value value) {
        const Value cells[] = {nullptr, value};
        const auto error = refusal<ConversionError>({.table = "t", .columns = {column}}, cells);
        EXPECT_EQ(error.position(), "1") << error.what();
        return std::string(error.what());
    };
    EXPECT_EQ(message("a", 40'000), "\"40000\" is too large for column t.a (smallint)");
    EXPECT_EQ(message("b", "3000000000"), "\"3000000000\" is too large for column t.b (integer)");
    EXPECT_EQ(message("b", 1.5), "\"1.5\" is no whole number for column t.b (integer)");
    EXPECT_EQ(message("b", std::as_bytes(std::span("xy", 2))),
              "\"(2 bytes)\" is not a number for column t.b (integer)");
    EXPECT_EQ(message("c", 1e300), "\"1e+300\" is too large for column t.c (real)");
    EXPECT_EQ(message("h", std::as_bytes(std::span("xy", 2))),
              "\"(2 bytes)\" is not a number for column t.h (double precision)");
    EXPECT_EQ(message("d", "perhaps"), "\"perhaps\" is neither true nor false for column t.d (boolean)");
    EXPECT_EQ(message("d", 2), "\"2\" is neither true nor false for column t.d (boolean)");
    EXPECT_THAT(message("e", "2026-02-30"), HasSubstr("date/time field value out of range: \"2026-02-30\""));
    EXPECT_THAT(message("f", "long"), HasSubstr("value too long for type character varying(2)"));
    EXPECT_THAT(message("g", std::string_view("a\0b", 3)), HasSubstr("invalid byte sequence"));
}

TEST_P(BulkTest, TheFirstRowRefusedIsFound) {
    connection_->execute_script(
        "CREATE TABLE t (a int PRIMARY KEY, b text NOT NULL, c int CHECK (c < 100)); INSERT INTO t VALUES (500, 'x', "
        "1)");
    const BulkTarget target{.table = "t", .columns = {"a", "b", "c"}};
    const auto position = [&](auto&& change) {
        std::vector<Value> cells;
        for (std::int64_t i = 0; i < 100; ++i) cells.insert(cells.end(), {i, "text", 1});
        change(cells);
        return refusal<ConstraintError>(target, cells).position();
    };
    EXPECT_EQ(position([](auto& c) { c[3 * 42] = 500; }), "42");
    EXPECT_EQ(position([](auto& c) { c[0] = 500; }), "0");
    EXPECT_EQ(position([](auto& c) { c[3 * 99] = 98; }), "99");
    // COPY itself would tell of row 70: it checks rules before keys.
    EXPECT_EQ(position([](auto& c) { c[3 * 30] = 500, c[3 * 70 + 1] = nullptr; }), "30");
    EXPECT_EQ(position([](auto& c) { c[3 * 30 + 2] = 100, c[3 * 20 + 1] = nullptr, c[3 * 90] = 500; }), "20");
    EXPECT_EQ(all("t"), "(500,x,1)");
}

TEST_P(BulkTest, WhatStoodBeforeInTheTransactionCounts) {
    connection_->execute_script(
        "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (p int REFERENCES parent, n int UNIQUE)");
    const Transaction transaction(*connection_);
    connection_->execute("INSERT INTO parent VALUES (1), (2)");
    const auto bulk = connection_->bulk({.table = "child", .columns = {"p", "n"}});
    const Value good[] = {1, 1, 2, 2};
    bulk->write(2, good);
    bulk->write(0, {});
    const Value bad[] = {1, 3, 2, 4, 3, 5, 1, 1};
    EXPECT_EQ(thrown_by<ConstraintError>([&] { bulk->write(4, bad); }).position(), "2");
    EXPECT_THROW(bulk->write(2, good), SqlError);
    EXPECT_THROW(connection_->commit(), SqlError);
    EXPECT_EQ(all("child"), "");
}

TEST_P(BulkTest, AFailureThatIsNoRowsIsTold) {
    connection_->execute_script("CREATE TABLE t (a int PRIMARY KEY)");
    const auto holder = connect();
    const Transaction transaction(*holder);
    holder->execute("INSERT INTO t VALUES (1)");
    connection_->execute("SET lock_timeout = 50");
    const Value cells[] = {7, 1};
    const auto error = refusal<SqlError>({.table = "t", .columns = {"a"}}, cells);
    EXPECT_EQ(error.sql_kind(), SqlError::Kind::busy);
}

TEST_P(BulkTest, UpsertsOfOneKeyFollowEachOther) {
    connection_->execute_script(
        "CREATE TABLE t (a int, b int, n text, PRIMARY KEY (a, b)); INSERT INTO t VALUES (2, 1, 'old')");
    const BulkTarget target{.table = "t", .columns = {"n", "b", "a"}, .upsert = true, .keys = {"b", "a"}};
    const Value cells[] = {"first", 1, 1, "new", 1, 2, "second", 1, 1, "x", 1, 3, "last", 1, 1};
    write(target, cells);
    EXPECT_EQ(all("t"), "(1,1,last) (2,1,new) (3,1,x)");
    const Value bad[] = {"a", 1, 1, "b", 1, 1, "c", nullptr, 1};
    EXPECT_EQ(refusal<ConstraintError>(target, bad).position(), "2");
    EXPECT_EQ(all("t"), "(1,1,last) (2,1,new) (3,1,x)");
}

TEST_P(BulkTest, TablesThatAreNotPlain) {
    connection_->execute_script(
        "CREATE SCHEMA s; CREATE TABLE s.t (id int GENERATED ALWAYS AS IDENTITY, x int, y int GENERATED ALWAYS AS (x * "
        "2) STORED);"
        "CREATE VIEW v AS SELECT x FROM s.t; ALTER TABLE s.t ENABLE ROW LEVEL SECURITY;");
    const Value cells[] = {1, 2, 3};
    write({.table = "s.t", .columns = {"x"}}, cells);
    write({.table = "v", .columns = {"x"}}, cells);
    EXPECT_EQ(connection_->execute("SELECT sum(y)::int FROM s.t")[0][0].integer(), 24);
    EXPECT_THROW((void)refusal<SqlError>({.table = "s.t", .columns = {"id"}}, cells), SqlError);
}

TEST_F(PostgresTest, AboveTheCrossoverRowsAreCopied) {
    const auto connection = connect();
    connection->execute("CREATE TABLE t (a bigint, b text)");
    const auto bulk = connection->bulk({.table = "t", .columns = {"a", "b"}});
    const auto copies = [&](std::int64_t rows) {
        std::vector<Value> cells;
        for (std::int64_t i = 0; i < rows; ++i) cells.insert(cells.end(), {i, "text"});
        Transaction transaction(*connection);
        bulk->write(cells.size() / 2, cells);
        const auto seen = connection->execute("SELECT count(*) FROM t")[0][0].integer();
        EXPECT_EQ(seen, rows);
        connection->rollback();
    };
    copies(1'499);
    EXPECT_EQ(round_trips(*connection, [&] { copies(1'499); }), 3);
    EXPECT_EQ(round_trips(*connection, [&] { copies(1'500); }), 4);
    copies(100'000);
}

}  // namespace
}  // namespace fermata::postgres
