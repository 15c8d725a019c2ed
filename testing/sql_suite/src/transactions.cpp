#include <fermata/testing/sql_suite.hpp>

namespace fermata::testing {

using sql::Command;
using sql::SqlError;
using sql::Transaction;
using ::testing::HasSubstr;

namespace {

const Command insert_ann{"INSERT INTO person (id, name) VALUES ($1, $2)", {1, "Ann"}, 1};

}  // namespace

TEST_P(SqlSuite, CommitRunsTheLastCommandsAndKeepsAll) {
    create_person();
    Transaction transaction(*connection_);
    transaction->execute(insert_ann);
    const Command last[] = {{"UPDATE person SET height = $1 WHERE id = 1 RETURNING name", {1.8}, 1},
                            {"SELECT height FROM person", {}}};
    const auto results = transaction.commit(last);
    ASSERT_EQ(results.size(), 2U);
    EXPECT_EQ(results[0][0][0].text(), "Ann");
    EXPECT_EQ(results[1][0][0].real(), 1.8);
    EXPECT_FALSE(connection_->in_transaction());
    EXPECT_EQ(count(*database_->connect(sql::OpenMode::read_only)), 1);
}

TEST_P(SqlSuite, TransactionRollsBackUnlessCommitted) {
    create_person();
    {
        const Transaction transaction(*connection_);
        connection_->execute(insert_ann);
        EXPECT_TRUE(connection_->in_transaction());
    }
    EXPECT_FALSE(connection_->in_transaction());
    EXPECT_EQ(count(), 0);
}

TEST_P(SqlSuite, AnotherNumberOfRowsKeepsNothing) {
    create_person();
    Transaction transaction(*connection_);
    transaction->execute(insert_ann);
    const Command last[] = {{"UPDATE person SET height = 1 WHERE id = 7", {}, 1}};
    const auto error = thrown_by<sql::RowCountError>([&] { transaction.commit(last); });
    EXPECT_EQ(error.kind(), ErrorKind::stale);
    EXPECT_THAT(error.what(), HasSubstr("0 rows instead of 1"));
    EXPECT_FALSE(connection_->in_transaction());
    EXPECT_EQ(count(), 0);
}

TEST_P(SqlSuite, AnotherNumberOfRowsInsideATransactionRollsItBack) {
    create_person();
    const Transaction transaction(*connection_);
    connection_->execute(insert_ann);
    EXPECT_THROW(connection_->execute(Command{"SELECT * FROM person", {}, 2}), sql::RowCountError);
    EXPECT_FALSE(connection_->in_transaction());
    EXPECT_EQ(count(), 0);
}

TEST_P(SqlSuite, AnotherNumberOfRowsWithoutATransactionKeepsNothing) {
    create_person();
    EXPECT_EQ(connection_->execute(insert_ann).changed, 1);
    EXPECT_THROW(connection_->execute(Command{"DELETE FROM person", {}, 2}), sql::RowCountError);
    EXPECT_EQ(count(), 1);
    EXPECT_THROW(connection_->execute(Command{"SELECT * FROM person", {}, 2}), sql::RowCountError);
    EXPECT_FALSE(connection_->in_transaction());
}

TEST_P(SqlSuite, ConstraintAtCommitKeepsNothing) {
    create_person();
    connection_->execute(insert_ann);
    Transaction transaction(*connection_);
    transaction->execute("INSERT INTO person (id, name) VALUES (2, 'Bob')");
    const Command last[] = {insert_ann};
    const auto error = thrown_by<ConstraintError>([&] { transaction.commit(last); });
    EXPECT_THAT(error.what(), HasSubstr("person"));
    EXPECT_FALSE(connection_->in_transaction());
    EXPECT_EQ(count(), 1);
}

TEST_P(SqlSuite, DeferredConstraintFailsTheCommit) {
    create_person();
    connection_->execute(
        "CREATE TABLE pet (owner BIGINT REFERENCES person (id) DEFERRABLE INITIALLY DEFERRED, name TEXT)");
    Transaction transaction(*connection_);
    transaction->execute("INSERT INTO pet VALUES (7, 'Rex')");
    EXPECT_THROW(transaction.commit(), ConstraintError);
    EXPECT_FALSE(connection_->in_transaction());
    EXPECT_TRUE(connection_->execute("SELECT * FROM pet").empty());
}

TEST_P(SqlSuite, ForeignKeysAreEnforced) {
    create_person();
    connection_->execute("CREATE TABLE pet (owner BIGINT REFERENCES person (id))");
    EXPECT_THROW(connection_->execute("INSERT INTO pet VALUES (7)"), ConstraintError);
}

TEST_P(SqlSuite, GuardRefusesWithItsMessage) {
    create_person();
    connection_->execute_script(database_->dialect().guard("person_shrinks", "UPDATE OF height", "person",
                                                           "NEW.height < OLD.height", "people don't shrink"));
    connection_->execute("INSERT INTO person (id, name, height) VALUES (1, 'Ann', 1.7)");
    EXPECT_EQ(connection_->execute("UPDATE person SET height = 1.8").changed, 1);
    const auto error = thrown_by<ConstraintError>([&] { connection_->execute("UPDATE person SET height = 1.6"); });
    EXPECT_THAT(error.what(), HasSubstr("people don't shrink"));
}

TEST_P(SqlSuite, AStatementRefusedInATransactionLeavesItToTheCaller) {
    create_person();
    Transaction transaction(*connection_);
    transaction->execute(insert_ann);
    EXPECT_THROW(transaction->execute(insert_ann), ConstraintError);
    EXPECT_TRUE(connection_->in_transaction());
}

TEST_P(SqlSuite, TransactionsDoNotNest) {
    const Transaction transaction(*connection_);
    EXPECT_THROW(connection_->begin(), SqlError);
    EXPECT_TRUE(connection_->in_transaction());
}

TEST_P(SqlSuite, CommitWithoutATransactionIsAnError) {
    EXPECT_THROW(connection_->commit(), SqlError);
    connection_->rollback();
    EXPECT_FALSE(connection_->in_transaction());
}

TEST_P(SqlSuite, ClosingAConnectionRollsBack) {
    create_person();
    connection_->begin();
    connection_->execute(insert_ann);
    connection_ = database_->connect(sql::OpenMode::read_write);
    EXPECT_EQ(count(), 0);
}

TEST_P(SqlSuite, ExecuteAllStopsAtTheFirstError) {
    create_person();
    const Transaction transaction(*connection_);
    const Command commands[] = {insert_ann, insert_ann, {"DELETE FROM person", {}}};
    EXPECT_THROW(connection_->execute_all(commands), ConstraintError);
}

}  // namespace fermata::testing
