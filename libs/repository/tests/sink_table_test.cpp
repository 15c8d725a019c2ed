#include <fermata/drivers/sqlite.hpp>
#include <fermata/repository/sink_table.hpp>
#include <fermata/testing/forwarding.hpp>
#include <fermata/testing/temp_folder.hpp>
#include <fermata/testing/thrown_by.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace fermata {
namespace {

using ::testing::HasSubstr;
using testing::thrown_by;

constexpr StepExecutionId first_execution{11};
constexpr StepExecutionId second_execution{12};

std::unique_ptr<sql::Database> open_database(const std::string& path) {
    sql::Drivers drivers;
    add_sqlite_driver(drivers);
    return drivers.open(path);
}

class SinkTableTest : public ::testing::Test {
protected:
    SinkTableTest()
        : database_(open_database(folder_ / "sink.db")), connection_(database_->connect(sql::OpenMode::create)) {}

    SinkTable table(const std::string& uuid = "uuid-1") {
        return {*connection_, database_->dialect(), "fermata_sink", {uuid, "load", 0}};
    }
    void commit(SinkTable& table, std::int64_t epoch, const Progress& next) {
        sql::Transaction transaction(*connection_);
        const sql::Command save = table.save(epoch, next);
        transaction.commit({&save, 1});
    }
    std::int64_t rows() { return connection_->execute("SELECT count(*) FROM fermata_sink")[0][0].integer(); }

    testing::TempFolder folder_;
    std::unique_ptr<sql::Database> database_;
    std::unique_ptr<sql::Connection> connection_;
};

Progress at(std::int64_t generation, std::int64_t sequence) {
    Progress progress;
    progress.generation = generation;
    progress.sequence = sequence;
    if (sequence > 0) progress.reader = "after chunk " + std::to_string(sequence);
    progress.metrics.commits = sequence;
    return progress;
}

TEST_F(SinkTableTest, FirstEntryStartsFromTheCopyAndInsertsTheRow) {
    Progress copy = at(0, 0);
    copy.user_data = "kept";
    EXPECT_EQ(table().open(1, first_execution, copy, false), copy);
    EXPECT_EQ(rows(), 1);
}

TEST_F(SinkTableTest, ANameIsANameWhateverItHolds) {
    const std::string name = R"(x" AS SELECT sqlite_version() AS v --)";
    SinkTable table(*connection_, database_->dialect(), name, {"uuid-1", "load", 0});
    EXPECT_THAT(connection_->tables(), ::testing::ElementsAre(name));
}

TEST_F(SinkTableTest, TheSinkIsTheTruthWhenItIsAheadOfTheCopy) {
    SinkTable sink = table();
    (void)sink.open(1, first_execution, at(0, 0), false);
    commit(sink, 1, at(0, 1));
    commit(sink, 1, at(0, 2));
    EXPECT_EQ(table().open(2, first_execution, at(0, 1), false), at(0, 2));
}

TEST_F(SinkTableTest, ASaveIsOneStatement) {
    SinkTable sink = table();
    (void)sink.open(1, first_execution, at(0, 0), false);
    sql::Transaction transaction(*connection_);
    const std::int64_t before = connection_->statement_count();
    const sql::Command save = sink.save(1, at(0, 1));
    transaction.commit({&save, 1});
    EXPECT_EQ(connection_->statement_count() - before, 2) << "the UPDATE and COMMIT";
}

TEST_F(SinkTableTest, MetricsAndExitStatusBelongToOneStepExecution) {
    SinkTable sink = table();
    (void)sink.open(1, first_execution, at(0, 0), false);
    Progress saved = at(0, 1);
    saved.exit_status = "HALF";
    commit(sink, 1, saved);

    EXPECT_EQ(table().open(2, first_execution, at(0, 0), false), saved) << "adopted";
    const Progress restarted = table().open(3, second_execution, at(0, 0), false);
    EXPECT_EQ(restarted.metrics, Metrics{});
    EXPECT_EQ(restarted.exit_status, std::nullopt);
    EXPECT_EQ(restarted.reader, saved.reader);
}

TEST_F(SinkTableTest, UserDataOfTheEndOfTheStepIsKept) {
    SinkTable sink = table();
    (void)sink.open(1, first_execution, at(0, 0), false);
    commit(sink, 1, at(0, 1));
    Progress copy = at(0, 1);
    copy.user_data = "set after the last chunk";
    EXPECT_EQ(table().open(2, first_execution, copy, false), copy);
}

TEST_F(SinkTableTest, ANewerGenerationStartsFromNothing) {
    SinkTable sink = table();
    (void)sink.open(1, first_execution, at(0, 0), false);
    commit(sink, 1, at(0, 1));
    SinkTable again = table();
    EXPECT_EQ(again.open(2, second_execution, at(1, 0), false), at(1, 0));
    commit(again, 2, at(1, 1));
    EXPECT_EQ(table().open(3, second_execution, at(1, 0), false), at(1, 1));
}

TEST_F(SinkTableTest, AHigherEpochIsStale) {
    (void)table().open(5, first_execution, at(0, 0), false);
    SinkTable late = table();
    const auto error = thrown_by<Error>([&] { (void)late.open(4, first_execution, at(0, 0), false); });
    EXPECT_EQ(error.kind(), ErrorKind::stale);
    EXPECT_STREQ(error.what(),
                 "step \"load\" in fermata_sink of the sink: another owner (epoch 5) writes it now, "
                 "ours was 4");
    EXPECT_FALSE(connection_->in_transaction());
}

TEST_F(SinkTableTest, ASaveOfAnOvertakenOwnerKeepsNothing) {
    SinkTable zombie = table();
    (void)zombie.open(1, first_execution, at(0, 0), false);
    (void)table().open(2, first_execution, at(0, 0), false);
    EXPECT_THROW(commit(zombie, 1, at(0, 1)), sql::RowCountError);
    EXPECT_EQ(table().open(3, first_execution, at(0, 0), false), at(0, 0));
}

TEST_F(SinkTableTest, ASaveOutOfSequenceKeepsNothing) {
    SinkTable sink = table();
    (void)sink.open(1, first_execution, at(0, 0), false);
    commit(sink, 1, at(0, 1));
    EXPECT_THROW(commit(sink, 1, at(0, 1)), sql::RowCountError);
    EXPECT_THROW(commit(sink, 1, at(0, 3)), sql::RowCountError);
    EXPECT_THROW(commit(sink, 1, at(1, 2)), sql::RowCountError);
    commit(sink, 1, at(0, 2));
}

TEST_F(SinkTableTest, ACopyAheadOfTheSinkIsRefusedWithBothValues) {
    SinkTable sink = table();
    (void)sink.open(1, first_execution, at(0, 0), false);
    commit(sink, 1, at(0, 1));
    const auto error = thrown_by<Error>([&] { (void)table().open(2, first_execution, at(0, 3), false); });
    EXPECT_EQ(error.kind(), ErrorKind::refused);
    EXPECT_THAT(error.what(), HasSubstr("chunk 3 of generation 0 was committed"));
    EXPECT_THAT(error.what(), HasSubstr("the sink holds chunk 1 of generation 0"));
    EXPECT_THAT(error.remedy(), HasSubstr("--accept-sink"));
    commit(sink, 1, at(0, 2));  // the refusal changed nothing, the epoch neither
}

/// What it holds, at a place no copy has seen.
Progress moved(Progress progress, std::int64_t generation, std::int64_t sequence) {
    progress.generation = generation;
    progress.sequence = sequence;
    return progress;
}

TEST_F(SinkTableTest, ACopyAheadOfTheSinkCanBeAcceptedAtANewPlace) {
    SinkTable sink = table();
    (void)sink.open(1, first_execution, at(0, 0), false);
    commit(sink, 1, at(0, 1));
    const Progress accepted = moved(at(0, 1), 0, 4);
    EXPECT_EQ(sink.open(2, first_execution, at(0, 3), true), accepted);
    // Its owner may die before the copy knows: the next one needs no word of the operator.
    EXPECT_EQ(sink.open(3, first_execution, at(0, 3), false), accepted);
    commit(sink, 3, at(0, 5));
}

TEST_F(SinkTableTest, WhatIsNotBehindStaysWhereItIsWhenItIsAccepted) {
    SinkTable sink = table();
    (void)sink.open(1, first_execution, at(0, 0), true);
    commit(sink, 1, at(0, 1));
    EXPECT_EQ(sink.open(2, first_execution, at(0, 1), true), at(0, 1));
}

TEST_F(SinkTableTest, ARowMissingAfterACommitIsRefused) {
    const auto error = thrown_by<Error>([&] { (void)table().open(2, first_execution, at(0, 3), false); });
    EXPECT_EQ(error.kind(), ErrorKind::refused);
    EXPECT_THAT(error.what(), HasSubstr("chunk 3 of generation 0 was committed, but the sink has no row"));
    EXPECT_EQ(rows(), 0);
}

TEST_F(SinkTableTest, ARowMissingAfterACommitCanBeAccepted) {
    SinkTable sink = table();
    EXPECT_EQ(sink.open(2, first_execution, at(1, 3), true), moved({}, 1, 4));
    commit(sink, 2, at(1, 5));
}

TEST_F(SinkTableTest, ACommittedNewerGenerationThatTheSinkLacksIsRefusedOrStartsAnew) {
    SinkTable sink = table();
    (void)sink.open(1, first_execution, at(0, 0), false);
    commit(sink, 1, at(0, 1));
    EXPECT_THROW((void)sink.open(2, first_execution, at(1, 2), false), Error);
    EXPECT_EQ(sink.open(2, first_execution, at(1, 2), true), moved({}, 1, 3));
}

TEST_F(SinkTableTest, AnotherTableOfThatNameIsRefused) {
    connection_->execute("CREATE TABLE fermata_sink (instance_uuid TEXT)");
    const auto error = thrown_by<Error>([&] { (void)table(); });
    EXPECT_EQ(error.kind(), ErrorKind::refused);
    EXPECT_THAT(error.what(), HasSubstr("has no column \"step\""));
}

TEST_F(SinkTableTest, WithoutTheRightToCreateItSaysTheSql) {
    connection_->execute("CREATE TABLE something (x TEXT)");
    connection_ = database_->connect(sql::OpenMode::read_only);
    const auto error = thrown_by<Error>([&] { (void)table(); });
    EXPECT_EQ(error.kind(), ErrorKind::refused);
    EXPECT_THAT(error.remedy(), HasSubstr("CREATE TABLE IF NOT EXISTS \"fermata_sink\" ("));
}

/// PostgreSQL's, to whom somebody else has just made the table.
class Late final : public testing::ForwardingConnection {
public:
    using ForwardingConnection::ForwardingConnection;
    std::vector<sql::Column> columns_of(std::string_view name) override {
        if (!std::exchange(has_looked_, true)) return {};
        return real().columns_of(name);
    }
    using sql::Connection::execute;
    sql::Result execute(const sql::Command& command) override {
        if (command.sql.starts_with("CREATE TABLE"))
            throw ConstraintError("duplicate key value violates pg_type_typname_nsp_index", "");
        return real().execute(command);
    }

private:
    bool has_looked_ = false;
};

TEST_F(SinkTableTest, OfTwoThatMakeItTheSecondTakesTheFirstOnes) {
    (void)table();
    connection_ = std::make_unique<Late>(std::move(connection_));
    EXPECT_EQ(table().open(1, first_execution, at(0, 0), false), at(0, 0));
    EXPECT_EQ(rows(), 1);
}

TEST_F(SinkTableTest, ABusySinkIsNotARefusal) {
    sql::Drivers drivers;
    add_sqlite_driver(drivers, {.turn_bound = std::chrono::milliseconds(1)});
    const auto impatient = drivers.open(folder_ / "sink.db")->connect(sql::OpenMode::read_write);
    const sql::Transaction holder(*connection_);
    EXPECT_EQ(thrown_by<sql::SqlError>([&] {
                  (void)SinkTable(*impatient, database_->dialect(), "fermata_sink", {"uuid-1", "load", 0});
              }).sql_kind(),
              sql::SqlError::Kind::busy);
}

TEST_F(SinkTableTest, AnUnreadableProgressIsRefused) {
    (void)table().open(1, first_execution, at(0, 0), false);
    connection_->execute("UPDATE fermata_sink SET progress = 'nonsense'");
    EXPECT_EQ(thrown_by<Error>([&] { (void)table().open(2, first_execution, at(0, 0), false); }).kind(),
              ErrorKind::refused);
}

TEST_F(SinkTableTest, RemoveDeletesTheRowsOfTheInstancesNamed) {
    const std::vector<std::string> one{"uuid-1"};
    EXPECT_EQ(SinkTable::remove(*connection_, "fermata_sink", one), 0) << "there is no table";
    for (const char* uuid : {"uuid-1", "uuid-2", "uuid-3"}) (void)table(uuid).open(1, first_execution, at(0, 0), false);
    EXPECT_EQ(SinkTable::remove(*connection_, "fermata_sink", one), 1);
    EXPECT_EQ(rows(), 2);
    EXPECT_EQ(SinkTable::remove(*connection_, "fermata_sink", std::vector<std::string>{"uuid-3", "uuid-1"}), 1);
    EXPECT_EQ(connection_->execute("SELECT instance_uuid FROM fermata_sink")[0][0].text(), "uuid-2");
}

TEST_F(SinkTableTest, ARowSaysWhoseItIsAndWhatWasCounted) {
    EXPECT_TRUE(SinkTable::rows_of(*connection_, "fermata_sink", "uuid-1").empty()) << "there is no table";
    SinkTable sink = table();
    (void)sink.open(1, first_execution, at(0, 0), false);
    EXPECT_FALSE(sink.former()) << "first entry";
    commit(sink, 1, at(0, 1));
    const auto rows = SinkTable::rows_of(*connection_, "fermata_sink", "uuid-1");
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows.front().step_execution, first_execution);
    EXPECT_EQ(rows.front().progress, at(0, 1));

    SinkTable next = table();
    (void)next.open(2, second_execution, at(0, 0), false);
    ASSERT_TRUE(next.former());
    EXPECT_EQ(next.former()->step_execution, first_execution);
    EXPECT_EQ(next.former()->progress.metrics, at(0, 1).metrics);
    EXPECT_EQ(SinkTable::rows_of(*connection_, "fermata_sink", "uuid-1").front().step_execution, second_execution);
}

TEST_F(SinkTableTest, AfterALostConnectionTheRowTellsWhetherTheChunkIsIn) {
    SinkTable sink = table();
    (void)sink.open(1, first_execution, at(0, 0), false);
    commit(sink, 1, at(0, 1));
    EXPECT_TRUE(sink.holds(1, at(0, 1)));
    EXPECT_FALSE(sink.holds(1, at(0, 2)));
    EXPECT_FALSE(sink.holds(1, at(1, 1)));
    (void)table().open(2, first_execution, at(0, 1), false);
    EXPECT_EQ(thrown_by<Error>([&] { (void)sink.holds(1, at(0, 1)); }).kind(), ErrorKind::stale);
}

TEST_F(SinkTableTest, TheRowNamesTheSessionThatWritesIt) {
    const auto session = [&] {
        return std::string(connection_->execute("SELECT session FROM fermata_sink")[0][0].text());
    };
    SinkTable sink = table();
    (void)sink.open(1, first_execution, at(0, 0), false);
    EXPECT_EQ(session(), "") << "SQLite has none";
    sql::Dialect with_sessions = database_->dialect();
    with_sessions.session = "'pid 4711'";
    SinkTable next(*connection_, with_sessions, "fermata_sink", {"uuid-1", "load", 0});
    (void)next.open(2, first_execution, at(0, 0), false);
    EXPECT_EQ(session(), "pid 4711");
}

TEST_F(SinkTableTest, TheTableMayStandInASchema) {
    SinkTable sink(*connection_, database_->dialect(), "main.my_sink", {"uuid-1", "load", 0});
    (void)sink.open(1, first_execution, at(0, 0), false);
    EXPECT_EQ(connection_->execute("SELECT * FROM my_sink").size(), 1U);
}

}  // namespace
}  // namespace fermata
