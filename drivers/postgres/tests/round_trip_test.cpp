// What is counted, so that nobody has to measure it.
#include "fixture.hpp"

#include <fermata/base/idle_work.hpp>

namespace fermata::postgres {
namespace {

using ::testing::HasSubstr;

class RoundTripTest : public PostgresTest {
protected:
    RoundTripTest() {
        create_number();
        connection_ = connect();
    }
    static constexpr std::string_view update = "UPDATE number SET n = $2 WHERE id = $1";

    std::unique_ptr<sql::Connection> connection_;
};

TEST_F(RoundTripTest, CommandsTheirCountsAndTheCommitAreOne) {
    const auto chunk = [&](std::int64_t n) {
        Transaction transaction(*connection_);
        const Command last[] = {{update, {1, n}, 1}, {"SELECT n FROM number", {}, 1}, {"SELECT 7", {}}};
        const auto results = transaction.commit(last);
        EXPECT_EQ(results[0].changed, 1);
        EXPECT_TRUE(results[0].empty());
        EXPECT_EQ(results[1][0][0].integer(), n);
        EXPECT_EQ(results[2][0][0].integer(), 7);
    };
    EXPECT_EQ(round_trips(*connection_, [&] { chunk(1); }), 2);  // the first time they are prepared
    EXPECT_EQ(round_trips(*connection_, [&] { chunk(2); }), 1);
    EXPECT_EQ(number(), 2);
}

TEST_F(RoundTripTest, AFenceThatFailsIsOneMoreForTheRollbackOfWhatHasBegun) {
    const Command missed[] = {{"INSERT INTO number VALUES (2, 0)", {}, 1}, {update, {7, 1}, 1}};
    const auto chunk = [&](bool has_begun) {
        Transaction transaction(*connection_);
        if (has_begun) connection_->execute("SELECT 1");
        const auto error = thrown_by<sql::RowCountError>([&] { transaction.commit(missed); });
        EXPECT_THAT(error.what(), HasSubstr("0 rows instead of 1: UPDATE number"));
        EXPECT_FALSE(connection_->in_transaction());
    };
    chunk(true);
    EXPECT_EQ(round_trips(*connection_, [&] { chunk(true); }), 3);
    EXPECT_EQ(round_trips(*connection_, [&] { chunk(false); }), 1);
    EXPECT_EQ(connection_->execute("SELECT count(*) FROM number")[0][0].integer(), 1);
}

TEST_F(RoundTripTest, FencesCountEveryKindOfStatement) {
    const auto refusal = [&](std::string_view sql, std::int64_t rows) {
        return std::string(thrown_by<sql::RowCountError>([&] { connection_->execute(Command{sql, {}, rows}); }).what());
    };
    EXPECT_THAT(refusal("INSERT INTO number VALUES (1, 1) ON CONFLICT DO NOTHING; ", 1),
                HasSubstr("0 rows instead of 1"));
    EXPECT_THAT(refusal("UPDATE number SET n = 5 RETURNING id, n -- all", 3), HasSubstr("1 rows instead of 3"));
    EXPECT_THAT(refusal("DELETE FROM number /* ; */", 0), HasSubstr("1 rows instead of 0"));
    EXPECT_THAT(refusal("VALUES (1), (2)", 1), HasSubstr("2 rows instead of 1"));
    EXPECT_THAT(refusal("SELECT 'it''s', $tag$;$tag$, E'\\'', \"n\" FROM number", 2), HasSubstr("1 rows instead of 2"));
    EXPECT_THAT(refusal("WITH a AS (DELETE FROM number RETURNING id) SELECT id FROM a", 2),
                HasSubstr("1 rows instead of 2"));
    EXPECT_THAT(refusal("CREATE TABLE made (x int)", 1), HasSubstr("0 rows instead of 1"));
    EXPECT_EQ(number(), 0);
    EXPECT_THAT(connection_->tables(), ::testing::ElementsAre("number"));
    const auto none = connection_->execute(Command{"DELETE FROM number WHERE id = 9 RETURNING id", {}, 0});
    EXPECT_TRUE(none.empty());
    const auto all = connection_->execute(Command{"UPDATE number SET n = 4 RETURNING id, id, n", {}, 1});
    EXPECT_EQ(all.changed, 1);
    EXPECT_EQ(all[0][2].integer(), 4);
    EXPECT_EQ(connection_->execute(Command{"SELECT n FROM number", {}, 1}).changed, 0);
}

TEST_F(RoundTripTest, WhatDependsOnDefinitionsWaitsForThem) {
    const Command commands[] = {{"CREATE TABLE a (x int)", {}}, {"INSERT INTO a VALUES (1), (2)", {}, 2}};
    Transaction transaction(*connection_);
    transaction.commit(commands);
    EXPECT_EQ(connection_->execute("SELECT sum(x)::int FROM a")[0][0].integer(), 3);
}

TEST_F(RoundTripTest, AWriteThatMayBeDeferredGoesOutWithTheCommit) {
    connection_->execute("CREATE TABLE item (id bigint PRIMARY KEY, what text)");
    const auto bulk = connection_->bulk(
        {.table = "item", .columns = {"id", "what"}, .place_of = [](std::size_t row) -> sql::BulkTarget::Place {
             return {"items.csv:" + std::to_string(row + 2), "raw"};
         }});
    const auto chunk = [&](std::vector<Value> cells) {
        Transaction transaction(*connection_);
        bulk->write(cells.size() / 2, cells);
        const Command last[] = {{update, {1, 1}, 1}};
        transaction.commit(last);
    };
    chunk({1, "a", 2, "b"});
    EXPECT_EQ(round_trips(*connection_, [&] { chunk({3, "c", 4, "d"}); }), 1);
    EXPECT_EQ(round_trips(*connection_, [&] { Transaction(*connection_).commit(); }), 0);

    const auto error = thrown_by<ConstraintError>([&] { chunk({5, "e", 6, "f", 2, "g", 5, "h"}); });
    EXPECT_EQ(error.position(), "items.csv:4");
    EXPECT_EQ(error.raw(), "raw");
    EXPECT_FALSE(connection_->in_transaction());
    EXPECT_EQ(connection_->execute("SELECT count(*) FROM item")[0][0].integer(), 4);
    chunk({5, "e"});
}

TEST_F(RoundTripTest, ADeferredWriteIsToldByWhateverComesNext) {
    connection_->execute("CREATE TABLE item (id bigint PRIMARY KEY)");
    const sql::BulkTarget target{
        .table = "item", .columns = {"id"}, .place_of = [](std::size_t row) -> sql::BulkTarget::Place {
            return {std::to_string(row), {}};
        }};
    const std::vector<Value> twice{1, 2, 1};
    const auto refused_by = [&](const std::function<void(sql::BulkWriter&)>& next) {
        const Transaction transaction(*connection_);
        const auto bulk = connection_->bulk(target);
        bulk->write(3, twice);
        const auto error = thrown_by<ConstraintError>([&] { next(*bulk); });
        EXPECT_EQ(thrown_by<SqlError>([&] { connection_->execute("SELECT 1"); }).sql_kind(), SqlError::Kind::other);
        return error.position();
    };
    EXPECT_EQ(refused_by([&](sql::BulkWriter& bulk) { bulk.write(1, twice); }), "2");
    EXPECT_EQ(refused_by([&](sql::BulkWriter&) { connection_->execute("SELECT 2"); }), "2");
    EXPECT_EQ(refused_by([&](sql::BulkWriter&) { (void)connection_->query("SELECT 3"); }), "2");
    EXPECT_EQ(refused_by([&](sql::BulkWriter&) { connection_->execute_script("SELECT 4"); }), "2");
    EXPECT_EQ(refused_by([&](sql::BulkWriter&) { (void)connection_->bulk(target); }), "2");
}

TEST_F(RoundTripTest, RollingBackADeferredWriteKeepsNothing) {
    for (const std::int64_t second : {2, 1}) {
        const Transaction transaction(*connection_);
        const Value cells[] = {7, 0, second == 2 ? 8 : 7, 0};
        connection_
            ->bulk({.table = "number",
                    .columns = {"id", "n"},
                    .place_of = [](std::size_t) { return sql::BulkTarget::Place{}; }})
            ->write(2, cells);
    }
    EXPECT_EQ(connection_->execute("SELECT count(*) FROM number")[0][0].integer(), 1);
}

TEST_F(RoundTripTest, ACopyBringsTheBeginningOfItsTransaction) {
    const auto connection = connect(OpenMode::read_write, {.copy_from_rows = 1});
    const auto bulk = connection->bulk({.table = "number", .columns = {"id", "n"}});
    const auto copy = [&](std::int64_t id) {
        Transaction transaction(*connection);
        const Value cells[] = {Value(id), Value(id)};
        bulk->write(1, cells);
        transaction.commit();
    };
    EXPECT_EQ(round_trips(*connection, [&] { copy(2); }), 3) << "the COPY, its end, COMMIT";
    EXPECT_EQ(round_trips(*connection, [&] { copy(3); }), 3);
    EXPECT_EQ(connection_->execute("SELECT count(*) FROM number")[0][0].integer(), 3);
}

TEST_F(RoundTripTest, WhatCanBeDoneMeanwhileIsDoneWhileTheCommitIsAwaited) {
    int done = 0;
    const IdleWork work([&] { ++done; });
    Transaction transaction(*connection_);
    transaction->execute(Command{update, {1, 5}, 1});
    work.offer();
    transaction.commit();
    EXPECT_EQ(done, 1);
    EXPECT_EQ(number(), 5);
}

TEST_F(RoundTripTest, TextsMadeAtRunTimeDoNotPileUp) {
    for (int i = 0; i < 600; ++i) {
        const std::string sql = "SELECT " + std::to_string(i);
        ASSERT_EQ(connection_->execute(sql)[0][0].integer(), i);
    }
    EXPECT_LE(connection_->execute("SELECT count(*) FROM pg_prepared_statements")[0][0].integer(), 256);
}

TEST_F(RoundTripTest, WhoReadsFirstGetsTheSessionThatSawTheDatabase) {
    const auto database = open_database(place_.url());
    EXPECT_TRUE(database->exists());
    constexpr std::string_view others =
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    const sql::Result opened = connect(OpenMode::read_only)->execute(others);
    const auto reader = database->connect(OpenMode::read_only);
    const std::int64_t pid = reader->execute("SELECT CAST(pg_backend_pid() AS BIGINT)")[0][0].integer();
    bool is_known = false;
    for (std::size_t i = 0; i < opened.size(); ++i) is_known = is_known || opened[i][0].integer() == pid;
    EXPECT_TRUE(is_known);
    EXPECT_THROW(reader->execute("CREATE TABLE forbidden (n INT)"), SqlError);
    const auto another = database->connect(OpenMode::read_only);
    EXPECT_NE(pid, another->execute("SELECT CAST(pg_backend_pid() AS BIGINT)")[0][0].integer());
}

}  // namespace
}  // namespace fermata::postgres
