// Commits that others see before they are on disk, on servers that then lose their memory.
#include "fixture.hpp"

#include <fermata/sql/early_commit.hpp>

#include <fmt/format.h>

namespace fermata::postgres {
namespace {

using ::testing::HasSubstr;
using Stop = testing::PostgresCluster::Stop;

constexpr std::string_view update = "UPDATE number SET n = n + 1 WHERE id = 1";

class EarlyCommit : public ::testing::Test {
protected:
    /// A cluster where nothing gets to disk but by who waits for it, and that in a tenth of a second.
    EarlyCommit()
        : cluster_(testing::PostgresSettings{
              .others = {"wal_writer_delay=10s", "commit_delay=100000", "commit_siblings=0"}}) {
        connection_ = connect();
        connection_->execute_script(
            "CREATE TABLE number (id bigint PRIMARY KEY, n bigint); INSERT INTO number VALUES (1, 0)");
        connection_->execute(update);  // prepared
    }
    std::unique_ptr<sql::Connection> connect() { return open_database(cluster_.url())->connect(OpenMode::read_write); }
    std::int64_t number() { return connect()->execute("SELECT n FROM number WHERE id = 1")[0][0].integer(); }
    sql::EarlyCommit& early() { return *sql::early_commit_of(*connection_); }
    std::vector<sql::Result> commit_early() {
        const std::string say_so = fmt::format("SELECT {}", early().early());
        const Command last[] = {{update, {}}, {say_so, {}}};
        connection_->begin();
        std::vector<sql::Result> results = early().commit_early(last);
        early().send_to_disk();
        return results;
    }

    testing::PostgresCluster cluster_;
    std::unique_ptr<sql::Connection> connection_;
};

TEST_F(EarlyCommit, IsSeenBeforeItIsOnDisk) {
    EXPECT_EQ(commit_early()[0].changed, 1);
    EXPECT_FALSE(connection_->in_transaction());
    EXPECT_EQ(number(), 2);
    cluster_.stop(Stop::immediate);
    EXPECT_EQ(thrown_by<SqlError>([&] { early().wait_for_disk(); }).sql_kind(), SqlError::Kind::lost);
    cluster_.start();
    EXPECT_EQ(number(), 1) << "the server has forgotten it";
}

TEST_F(EarlyCommit, IsKeptOnceTheDiskWasWaitedFor) {
    commit_early();
    early().wait_for_disk();
    early().wait_for_disk();  // there is nothing to wait for
    cluster_.restart(Stop::immediate);
    EXPECT_EQ(number(), 2);
    EXPECT_EQ(connection_->execute(update).changed, 1);
}

TEST_F(EarlyCommit, OfATransactionThatHasBegunIsTheSame) {
    connection_->begin();
    connection_->execute(fmt::format("SELECT {}", early().early()));
    connection_->execute(update);
    EXPECT_TRUE(early().commit_early().empty());
    early().send_to_disk();
    EXPECT_EQ(number(), 2);
    cluster_.restart(Stop::immediate);
    EXPECT_EQ(thrown_by<SqlError>([&] { early().wait_for_disk(); }).sql_kind(), SqlError::Kind::lost);
    EXPECT_EQ(number(), 1);
}

TEST_F(EarlyCommit, OfWhoDidNotSaySoIsOnDiskAtOnce) {
    const Command last[] = {{update, {}}};
    connection_->begin();
    early().commit_early(last);
    cluster_.restart(Stop::immediate);
    early().wait_for_disk();  // there is nothing to wait for
    EXPECT_EQ(number(), 2);
}

TEST_F(EarlyCommit, IsForOneTransaction) {
    commit_early();
    early().wait_for_disk();
    connection_->begin();
    connection_->execute(update);
    connection_->commit({});
    cluster_.restart(Stop::immediate);
    EXPECT_EQ(number(), 3);
}

TEST_F(EarlyCommit, WhatFollowsOnTheConnectionWaitsForTheDisk) {
    commit_early();
    EXPECT_EQ(connection_->execute("SELECT n FROM number")[0][0].integer(), 2);
    cluster_.restart(Stop::immediate);
    EXPECT_EQ(number(), 2);
}

TEST_F(EarlyCommit, TheLossIsToldToWhoeverUsesTheConnectionNext) {
    commit_early();
    cluster_.restart(Stop::immediate);
    EXPECT_EQ(thrown_by<SqlError>([&] { connection_->execute("SELECT 1"); }).sql_kind(), SqlError::Kind::lost);
    EXPECT_EQ(connection_->execute(update).changed, 1);
    EXPECT_EQ(number(), 2);
}

TEST_F(EarlyCommit, ThatFailsLeavesNothing) {
    const Command last[] = {{update, {}}, {"INSERT INTO number VALUES (1, 1)", {}}};
    connection_->begin();
    EXPECT_THROW(early().commit_early(last), ConstraintError);
    EXPECT_FALSE(connection_->in_transaction());
    EXPECT_EQ(number(), 1);
    commit_early();
    early().wait_for_disk();
    EXPECT_EQ(number(), 2);
}

/// A commit that the server makes at the end of what came in one round trip.
class WholeTransaction : public PostgresTest {
protected:
    WholeTransaction() { connection_ = connect(); }
    static sql::BulkTarget rows_of(std::string table) {
        return {.table = std::move(table), .columns = {"id"}, .place_of = [](std::size_t row) {
                    return sql::BulkTarget::Place{std::to_string(row), {}};
                }};
    }
    std::unique_ptr<sql::Connection> connection_;
};

TEST_F(WholeTransaction, FailsByWhatIsCheckedAtItsEnd) {
    connection_->execute_script(
        "CREATE TABLE owner (id bigint PRIMARY KEY);"
        "CREATE TABLE owned (owner bigint REFERENCES owner (id) DEFERRABLE INITIALLY DEFERRED)");
    const Command orphan[] = {{"INSERT INTO owned VALUES (7)", {}, 1}, {"SELECT 1", {}}};
    const auto commit = [&] { Transaction(*connection_).commit(orphan); };
    for (int i = 0; i < 2; ++i) {
        EXPECT_THAT(thrown_by<ConstraintError>(commit).what(), HasSubstr("owned_owner_fkey"));
        EXPECT_FALSE(connection_->in_transaction());
        EXPECT_TRUE(connection_->execute("SELECT 1 FROM owned").empty());
    }
    connection_->execute("INSERT INTO owner VALUES (7)");
    commit();
    EXPECT_EQ(connection_->execute("SELECT 1 FROM owned").size(), 1U);
}

TEST_F(WholeTransaction, BeginsWithRowsThatWaitForTheCommit) {
    connection_->execute("CREATE TABLE item (id bigint PRIMARY KEY)");
    const auto bulk = connection_->bulk(rows_of("item"));
    const auto write = [&](std::vector<Value> ids, bool alone) {
        Transaction transaction(*connection_);
        bulk->write(ids.size(), ids);
        const Command last[] = {{"SELECT count(*) FROM item", {}}};
        return alone ? transaction.commit() : transaction.commit(last);
    };
    EXPECT_EQ(write({1, 2}, false)[0][0][0].integer(), 2);
    const std::int64_t before = connection_->statement_count();
    EXPECT_EQ(round_trips(*connection_, [&] { write({3}, true); }), 1);
    EXPECT_EQ(connection_->statement_count() - before, 1) << "no BEGIN, no COMMIT";
    EXPECT_EQ(thrown_by<ConstraintError>([&] { write({4, 5, 1}, true); }).position(), "2");
    EXPECT_EQ(thrown_by<ConstraintError>([&] { write({4, 5, 1}, false); }).position(), "2");
    EXPECT_EQ(connection_->execute("SELECT count(*) FROM item")[0][0].integer(), 3);
}

TEST_F(WholeTransaction, RowsThatWaitAreLostWithTheirSession) {
    connection_->execute("CREATE TABLE item (id bigint PRIMARY KEY)");
    const auto bulk = connection_->bulk(rows_of("item"));
    const std::int64_t pid = pid_of(*connection_);
    Transaction transaction(*connection_);
    const Value ids[] = {1};
    bulk->write(1, ids);
    terminate(pid);
    EXPECT_EQ(thrown_by<SqlError>([&] { transaction.commit(); }).sql_kind(), SqlError::Kind::lost);
    EXPECT_TRUE(connection_->execute("SELECT 1 FROM item").empty());
}

/// What one writer holds back comes before what the next one sends at once.
TEST_F(WholeTransaction, RowsThatWaitComeBeforeACopy) {
    const auto connection = connect(OpenMode::read_write, {.copy_from_rows = 2});
    connection->execute_script(
        "CREATE TABLE item (id bigint PRIMARY KEY); CREATE TABLE part (id bigint REFERENCES item (id))");
    const auto items = connection->bulk(rows_of("item"));
    const auto parts = connection->bulk(rows_of("part"));
    Transaction transaction(*connection);
    const Value ids[] = {1, 1};
    items->write(1, ids);
    parts->write(2, ids);
    transaction.commit();
    EXPECT_EQ(connection->execute("SELECT count(*) FROM part")[0][0].integer(), 2);
}

TEST_F(WholeTransaction, ARequiredConditionFailsForARowThatDoesNotMeetIt) {
    create_number();
    const auto& dialect = open_database(place_.url())->dialect();
    const std::string sql = "UPDATE number SET n = $1 WHERE id = $2 AND " + dialect.required("n = $3", "n");
    EXPECT_EQ(connection_->execute(Command{sql, {5, 1, 0}}).changed, 1);
    EXPECT_THAT(thrown_by<sql::RowCountError>([&] { connection_->execute(Command{sql, {6, 1, 0}}); }).what(),
                HasSubstr("0 rows instead of 1: UPDATE number"));
    const Command last[] = {{"INSERT INTO number VALUES (2, 2)", {}}, {sql, {6, 1, 0}}};
    EXPECT_THROW(Transaction(*connection_).commit(last), sql::RowCountError);
    EXPECT_EQ(connection_->execute(Command{sql, {6, 9, 0}}).changed, 0) << "there is no such row";
    EXPECT_EQ(connection_->execute("SELECT count(*), max(n) FROM number")[0][1].integer(), 5);
}

}  // namespace
}  // namespace fermata::postgres
