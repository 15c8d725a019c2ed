#include <fermata/testing/sql_suite.hpp>

namespace fermata::testing {

using sql::SqlError;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_P(SqlSuite, ParametersAreBoundByNumber) {
    const auto rows = connection_->execute("SELECT $2 || $1 || $2", {"a", "b"});
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0][0].text(), "bab");
}

TEST_P(SqlSuite, NumberOfParametersMustFit) {
    for (const sql::Params& params : {sql::Params{}, sql::Params{1, 2}}) {
        const auto error = thrown_by<SqlError>([&] { connection_->execute("SELECT 1 WHERE $1 = 1", params); });
        EXPECT_EQ(error.sql_kind(), SqlError::Kind::syntax);
    }
}

TEST_P(SqlSuite, EveryKindOfValueComesBack) {
    create_person();
    const std::string bytes("\0\x01\xff", 3);
    connection_->execute("INSERT INTO person VALUES ($1, $2, $3, $4)",
                         {9'000'000'000, "", 1.75, std::as_bytes(std::span(bytes))});
    connection_->execute("INSERT INTO person VALUES ($1, $2, $3, $4)", {2, "Zoë", nullptr, nullptr});
    const auto rows = connection_->execute("SELECT id, name, height, photo FROM person ORDER BY id DESC");
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_THAT(rows.columns, ElementsAre("id", "name", "height", "photo"));
    EXPECT_EQ(rows[0][0].integer(), 9'000'000'000);
    EXPECT_EQ(rows[0][1].kind(), Value::Kind::text);
    EXPECT_EQ(rows[0][1].text(), "");
    EXPECT_EQ(rows[0][2].real(), 1.75);
    ASSERT_EQ(rows[0][3].bytes().size(), 3U);
    EXPECT_EQ(rows[0][3].bytes()[2], std::byte{0xff});
    EXPECT_EQ(rows[1][1].text(), "Zoë");
    EXPECT_TRUE(rows[1][2].is_null());
    EXPECT_TRUE(rows[1][3].is_null());
}

TEST_P(SqlSuite, ChangedCountsTheRowsOfThisStatement) {
    create_person();
    EXPECT_EQ(connection_->execute("INSERT INTO person (id, name) VALUES (1, 'a'), (2, 'b')").changed, 2);
    EXPECT_EQ(connection_->execute("UPDATE person SET height = 1 WHERE id = 7").changed, 0);
    EXPECT_EQ(connection_->execute("SELECT * FROM person").changed, 0);
    EXPECT_EQ(connection_->execute("DELETE FROM person").changed, 2);
}

TEST_P(SqlSuite, ReturningAnswersRowsAndCount) {
    create_person();
    const auto result = connection_->execute("INSERT INTO person (id, name) VALUES (1, 'a'), (2, 'b') RETURNING id");
    EXPECT_EQ(result.changed, 2);
    ASSERT_EQ(result.size(), 2U);
    EXPECT_EQ(result[1][0].integer(), 2);
}

TEST_P(SqlSuite, SyntaxErrorShowsTheStatement) {
    const auto error = thrown_by<SqlError>([&] { connection_->execute("SELEKT 1"); });
    EXPECT_EQ(error.sql_kind(), SqlError::Kind::syntax);
    EXPECT_THAT(error.what(), HasSubstr("SELEKT 1"));
    EXPECT_EQ(thrown_by<SqlError>([&] { connection_->execute("SELECT * FROM nobody"); }).sql_kind(),
              SqlError::Kind::syntax);
}

TEST_P(SqlSuite, AFailedStatementCanBeRunAgain) {
    create_person();
    const std::string_view insert = "INSERT INTO person (id, name) VALUES ($1, $2)";
    connection_->execute(insert, {1, "a"});
    EXPECT_THROW(connection_->execute(insert, {1, "b"}), ConstraintError);
    EXPECT_EQ(connection_->execute(insert, {2, "b"}).changed, 1);
}

TEST_P(SqlSuite, ScriptRunsManyStatements) {
    connection_->execute_script("CREATE TABLE a (x BIGINT);\n-- a remark\nCREATE TABLE b (y BIGINT);\n");
    EXPECT_THAT(connection_->tables(), ElementsAre("a", "b"));
    EXPECT_EQ(thrown_by<SqlError>([&] {
                  connection_->execute_script("CREATE TABLE c (z BIGINT); DROP nothing;");
              }).sql_kind(),
              SqlError::Kind::syntax);
}

TEST_P(SqlSuite, CursorReadsRowByRow) {
    create_person();
    connection_->execute("INSERT INTO person (id, name) VALUES (1, 'a'), (2, 'b'), (3, 'c')");
    const auto reader = database_->connect(sql::OpenMode::read_only);
    std::string from = "1";
    const auto cursor = reader->query("SELECT id, name FROM person WHERE name > $1 ORDER BY id", {"a"});
    from = "#";
    EXPECT_THAT(cursor->columns(), ElementsAre("id", "name"));
    ASSERT_TRUE(cursor->next());
    EXPECT_EQ(cursor->row()[0].integer(), 2);
    ASSERT_TRUE(cursor->next());
    EXPECT_EQ(cursor->row()[1].text(), "c");
    EXPECT_FALSE(cursor->next());
    EXPECT_FALSE(cursor->next());
}

TEST_P(SqlSuite, CursorDoesNotWrite) {
    create_person();
    EXPECT_THROW((void)connection_->query("DELETE FROM person"), SqlError);
}

TEST_P(SqlSuite, ReadOnlyConnectionsRefuseToWrite) {
    create_person();
    const auto reader = database_->connect(sql::OpenMode::read_only);
    EXPECT_EQ(count(*reader), 0);
    for (const auto& write : std::vector<std::function<void()>>{
             [&] { reader->execute("DELETE FROM person"); },
             [&] { reader->execute_script("DELETE FROM person;"); },
             [&] { reader->begin(); },
         })
        EXPECT_EQ(thrown_by<SqlError>(write).sql_kind(), SqlError::Kind::read_only);
}

TEST_P(SqlSuite, StatementCountCountsOnThisConnection) {
    create_person();
    const std::int64_t before = connection_->statement_count();
    connection_->execute("SELECT 1");
    connection_->execute("SELECT 1");
    EXPECT_EQ(connection_->statement_count() - before, 2);
}

TEST_P(SqlSuite, AsTimestampKeepsMicroseconds) {
    const auto sql = "SELECT CAST(" + database_->dialect().as_timestamp("$1") + " AS TEXT)";
    const auto rows = connection_->execute(sql, {std::int64_t{1'795'298'406'000'123}});
    EXPECT_EQ(rows[0][0].text(), "2026-11-21 22:00:06.000123");
    EXPECT_TRUE(connection_->execute(sql, {nullptr})[0][0].is_null());
}

}  // namespace fermata::testing
