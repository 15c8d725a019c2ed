// Cursors, values, and what the catalog says.
#include "fixture.hpp"

#include <filesystem>
#include <fstream>

namespace fermata::postgres {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ReadTest : public PostgresTest {
protected:
    ReadTest() : connection_(connect()) {}
    /// The value of `sql` with `value` as $1.
    sql::Result one(std::string_view sql, Value value) { return connection_->execute(sql, {value}); }

    std::unique_ptr<sql::Connection> connection_;
};

std::int64_t resident_kib() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmRSS:")) return std::stoll(line.substr(6));
    return 0;
}

TEST_F(ReadTest, AMillionRowsTakeNoMoreMemoryThanAFewThousand) {
    const auto cursor = connection_->query("SELECT i, repeat('x', 100) FROM generate_series(1, 1000000) AS s (i)");
    std::int64_t rows = 0;
    std::int64_t early = 0;
    while (cursor->next()) {
        if (++rows == 20'000) early = resident_kib();
        if (rows % 100'000 == 1) {
            EXPECT_EQ(cursor->row()[0].integer(), rows);
        }
    }
    EXPECT_EQ(rows, 1'000'000);
    EXPECT_LT(resident_kib() - early, 8 * 1024);
}

TEST_F(ReadTest, WideRowsComeInSmallPortions) {
    const auto cursor = connection_->query("SELECT repeat('x', 1000000) FROM generate_series(1, 150)");
    int rows = 0;
    while (cursor->next()) ++rows;
    EXPECT_EQ(rows, 150);
}

TEST_F(ReadTest, ACursorSeesOneInstant) {
    connection_->execute_script("CREATE TABLE t AS SELECT i FROM generate_series(1, 500) AS s (i)");
    const auto reader = connect(OpenMode::read_only);
    const auto cursor = reader->query("SELECT i FROM t ORDER BY i");
    ASSERT_TRUE(cursor->next());
    connection_->execute("DELETE FROM t");
    int rows = 1;
    while (cursor->next()) ++rows;
    EXPECT_EQ(rows, 500);
    EXPECT_TRUE(reader->execute("SELECT * FROM t").empty());
}

TEST_F(ReadTest, WhileACursorReadsNothingIsWrittenOnItsConnection) {
    connection_->execute("CREATE TABLE t (x int)");
    {
        const auto cursor = connection_->query("SELECT i FROM generate_series(1, 500) AS s (i)");
        const auto second = connection_->query("SELECT 1;");
        ASSERT_TRUE(second->next());
        ASSERT_TRUE(cursor->next());
        EXPECT_EQ(connection_->execute("SELECT 2")[0][0].integer(), 2);
        EXPECT_EQ(thrown_by<SqlError>([&] { connection_->begin(); }).sql_kind(), SqlError::Kind::other);
    }
    EXPECT_EQ(connection_->execute("INSERT INTO t VALUES (1)").changed, 1);
    const auto cursor = connection_->query("SELECT 1 FROM generate_series(1, 500)");
    EXPECT_EQ(thrown_by<SqlError>([&] { connection_->execute("DELETE FROM t"); }).sql_kind(),
              SqlError::Kind::read_only);
    EXPECT_THROW(cursor->next(), SqlError);
}

TEST_F(ReadTest, ACursorInATransactionSeesItAndEndsWithIt) {
    connection_->execute("CREATE TABLE t (x int)");
    Transaction transaction(*connection_);
    transaction->execute("INSERT INTO t SELECT generate_series(1, 300)");
    const auto cursor = connection_->query("SELECT x FROM t WHERE x > $1", {100});
    const auto left = connection_->query("SELECT x FROM t");
    int rows = 0;
    while (cursor->next()) ++rows;
    EXPECT_EQ(rows, 200);
    ASSERT_TRUE(left->next());
    transaction.commit();
    EXPECT_THROW(while (left->next()){}, SqlError);
}

TEST_F(ReadTest, ACursorOfATransactionThatFailedIsClosedQuietly) {
    connection_->begin();
    {
        const auto cursor = connection_->query("SELECT 1 FROM generate_series(1, 500)");
        ASSERT_TRUE(cursor->next());
        EXPECT_THROW(connection_->execute("SELECT 1 / 0"), SqlError);
    }
    connection_->rollback();
    EXPECT_EQ(connection_->execute("SELECT 3")[0][0].integer(), 3);
}

TEST_F(ReadTest, ACursorThatCannotBeOpenedLeavesTheConnection) {
    EXPECT_EQ(thrown_by<SqlError>([&] { (void)connection_->query("SELECT * FROM nothing"); }).sql_kind(),
              SqlError::Kind::syntax);
    EXPECT_EQ(thrown_by<SqlError>([&] { (void)connection_->query("SELECT $1::int", {}); }).sql_kind(),
              SqlError::Kind::syntax);
    const auto cursor = connection_->query("SELECT 1 / (200 - i) FROM generate_series(1, 300) AS s (i)");
    EXPECT_THROW(while (cursor->next()){}, SqlError);
    connection_->execute("CREATE TABLE t (x int)");
    EXPECT_THAT(connection_->tables(), ElementsAre("t"));
}

TEST_F(ReadTest, ValuesBecomeWhatTheServerWants) {
    const auto text = [&](std::string_view sql, Value value) { return std::string(one(sql, value)[0][0].text()); };
    EXPECT_EQ(text("SELECT ($1::date + 1)::text", "2026-02-28"), "2026-03-01");
    EXPECT_EQ(text("SELECT ($1::numeric * 3)::text", 1.1), "3.3");
    EXPECT_EQ(text("SELECT ($1::numeric)::text", 12), "12");
    EXPECT_EQ(text("SELECT $1::text", 7), "7");
    EXPECT_EQ(text("SELECT $1::text", true), "true");
    EXPECT_EQ(text("SELECT ($1::smallint)::text", 7), "7");
    EXPECT_EQ(text("SELECT ($1::int)::text", 2.0), "2");
    EXPECT_EQ(text("SELECT ($1::bigint)::text", "12"), "12");
    EXPECT_EQ(text("SELECT ($1::boolean)::text", 1), "true");
    EXPECT_EQ(text("SELECT ($1::real)::text", 1), "1");
    EXPECT_EQ(text("SELECT encode($1::bytea, 'escape')", "a\\b"), "a\\\\b");
    EXPECT_THROW(one("SELECT $1::smallint", 70'000), SqlError);
    EXPECT_THROW(one("SELECT $1::int", 1.5), SqlError);
    EXPECT_THROW(one("SELECT $1::int", "x"), SqlError);
    EXPECT_THROW(one("SELECT $1::date", "2026-02-30"), SqlError);
    EXPECT_THROW(one("SELECT $1::text", std::string_view("a\0b", 3)), SqlError);
    EXPECT_THROW(one("SELECT $1::date", std::string_view("2026-02-01\0b", 12)), SqlError);
}

TEST_F(ReadTest, OtherTypesComeAsText) {
    connection_->execute("SET TIME ZONE 'UTC'");
    const auto row = connection_->execute(
        "SELECT 1.50::numeric, date '2026-11-22', timestamptz '2026-11-22 08:10:00+00', '{a,b}'::text[], "
        "'{\"a\": 1}'::jsonb, true, 1::smallint, 2::bigint, 0.5::real, 'Infinity'::float8, '\\x00ff'::bytea, "
        "'x'::name, "
        "NULL::date, '-Infinity'::float8, 'NaN'::float8, false, 3::int");
    ASSERT_EQ(row.size(), 1U);
    const auto cells = row[0];
    EXPECT_EQ(cells[0].text(), "1.50");
    EXPECT_EQ(cells[1].text(), "2026-11-22");
    EXPECT_EQ(cells[2].text(), "2026-11-22 08:10:00+00");
    EXPECT_EQ(cells[3].text(), "{a,b}");
    EXPECT_EQ(cells[4].text(), "{\"a\": 1}");
    EXPECT_TRUE(cells[5].boolean());
    EXPECT_EQ(cells[6].integer(), 1);
    EXPECT_EQ(cells[7].integer(), 2);
    EXPECT_EQ(cells[8].real(), 0.5);
    EXPECT_GT(cells[9].real(), 1e308);
    ASSERT_EQ(cells[10].bytes().size(), 2U);
    EXPECT_EQ(cells[10].bytes()[1], std::byte{0xff});
    EXPECT_EQ(cells[11].text(), "x");
    EXPECT_TRUE(cells[12].is_null());
    EXPECT_LT(cells[13].real(), -1e308);
    EXPECT_NE(cells[14].real(), cells[14].real());
    EXPECT_FALSE(cells[15].boolean());
    EXPECT_EQ(cells[16].integer(), 3);
    const auto binary =
        connection_->execute("SELECT true, 1::smallint, -2::int, 0.5::real, 'x'::varchar, '\\x00ff'::bytea");
    EXPECT_EQ(binary[0][0].kind(), Value::Kind::boolean);
    EXPECT_EQ(binary[0][1].integer(), 1);
    EXPECT_EQ(binary[0][2].integer(), -2);
    EXPECT_EQ(binary[0][3].real(), 0.5);
    EXPECT_EQ(binary[0][4].text(), "x");
    EXPECT_EQ(binary[0][5].bytes().size(), 2U);
}

TEST_F(ReadTest, TablesOfOtherSchemasAreNamedWithThem) {
    connection_->execute_script(
        "CREATE SCHEMA other; CREATE TABLE other.t (a date PRIMARY KEY, b boolean NOT NULL DEFAULT true, c bytea, "
        "d numeric(5, 2), e bigint GENERATED ALWAYS AS IDENTITY); CREATE TABLE own (x int); CREATE VIEW v AS SELECT 1");
    EXPECT_THAT(connection_->tables(), ElementsAre("own"));
    EXPECT_THAT(connection_->columns_of("t"), IsEmpty());
    const auto columns = connection_->columns_of("other.t");
    ASSERT_EQ(columns.size(), 5U);
    EXPECT_EQ(columns[0].type, sql::ColumnType::any);
    EXPECT_EQ(columns[0].key, 1);
    EXPECT_EQ(columns[1].type, sql::ColumnType::boolean);
    EXPECT_TRUE(columns[1].has_default);
    EXPECT_EQ(columns[2].type, sql::ColumnType::bytes);
    EXPECT_EQ(columns[3].declared, "numeric(5,2)");
    EXPECT_TRUE(columns[4].has_default);
    connection_->execute("SET search_path = other");
    EXPECT_THAT(connection_->tables(), ElementsAre("t"));
    EXPECT_EQ(connection_->columns_of("t").size(), 5U);
}

TEST_F(ReadTest, IdentityIsTheDatabaseWhateverTheUrl) {
    const testing::Proxy proxy(testing::PostgresCluster::shared().socket());
    const testing::PostgresDatabase another;
    const std::string mine = open_database(place_.url())->identity();
    EXPECT_EQ(mine, open_database(proxy.url(place_.name()))->identity());
    EXPECT_NE(mine, open_database(another.url())->identity());
}

TEST_F(ReadTest, IntegrityTellsWhatIsDamagedOrOff) {
    connection_->execute_script(
        "CREATE EXTENSION amcheck;"
        "CREATE TABLE gone (x int); CREATE TABLE ruled (x int); ALTER TABLE ruled ADD CONSTRAINT late CHECK (x > 0) "
        "NOT VALID;"
        "CREATE TABLE ordered (x int); INSERT INTO ordered SELECT generate_series(1, 50);"
        "CREATE FUNCTION way(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 - $2';"
        "CREATE OPERATOR CLASS own_way FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, "
        "OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 way(int, int);"
        "CREATE INDEX turned ON ordered (x own_way);"
        "CREATE OR REPLACE FUNCTION way(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $2 - $1';");
    connection_->execute_script(
        open_database(place_.url())->dialect().guard("small", "UPDATE", "ruled", "NEW.x > 9", "too large"));
    connection_->execute("ALTER TABLE ruled DISABLE TRIGGER small");
    const auto file =
        connection_->execute("SELECT current_setting('data_directory') || '/' || pg_relation_filepath('gone')");
    std::filesystem::remove(std::string(file[0][0].text()));
    EXPECT_THAT(open_database(place_.url())->integrity_check(),
                ElementsAre(HasSubstr("could not open file"), HasSubstr("item order invariant violated for index"),
                            HasSubstr("constraint late of table ruled was never checked"),
                            HasSubstr("trigger small of table ruled is disabled")));
}

}  // namespace
}  // namespace fermata::postgres
