// The chunk is one transaction of the business database, whatever happens in it and however long it takes.
#include "suite.hpp"

#include <fermata/drivers/postgres.hpp>
#include <fermata/testing/postgres_cluster.hpp>

#include <cstdlib>

namespace fermata::tck {
namespace {

class TransactionTests : public Suite {
protected:
    /// The business database is a SQLite file, or in a run that has the tests' PostgreSQL, one of its databases.
    void SetUp() override {
        Suite::SetUp();
        if (IsSkipped()) return;
        if (std::getenv("FERMATA_TEST_POSTGRES") != nullptr) {
            if (const auto why = testing::PostgresCluster::missing()) GTEST_SKIP() << *why;
            add_postgres_driver(drivers_);
            auto& cluster = testing::PostgresCluster::shared();
            postgres_ = cluster.create_database();
            stage().database = cluster.url(*postgres_);
        }
        make_tables();
    }
    void TearDown() override {
        connection_.reset();
        if (postgres_) testing::PostgresCluster::shared().drop_database(*postgres_);
    }
    void make_tables() {
        const auto database = drivers_.open(stage().database);
        connection_ = database->connect(sql::OpenMode::create);
        for (const char* table : {"Numbers", "Orders", "Inventory"})
            connection_->execute_script(std::string("DROP TABLE IF EXISTS ") + table);
        connection_->execute_script("CREATE TABLE Numbers(item BIGINT PRIMARY KEY, quantity BIGINT)");
        connection_->execute_script(std::string("CREATE TABLE Orders(orderID ") +
                                    std::string(database->dialect().auto_id) + ", itemID BIGINT, quantity BIGINT)");
        connection_->execute_script("CREATE TABLE Inventory(itemID BIGINT PRIMARY KEY, quantity BIGINT)");
        connection_->execute("INSERT INTO Inventory(itemID, quantity) VALUES (1, 100)");
        for (std::int64_t item = 1; item <= 20; ++item)
            connection_->execute("INSERT INTO Numbers(item, quantity) VALUES ($1, 10)", {item});
    }
    std::int64_t number(std::string_view sql) { return connection_->execute(sql)[0][0].integer(); }

    /// Twenty numbers of which the twelfth fails twice, in `phase`: every other one is raised by one, once.
    void retry_then_skip(const std::string& phase, const std::string& told) {
        Parameters parameters = {{"init.numbers.quantity", "100"},
                                 {"jakarta.transaction.global.mode", "true"},
                                 {"jakarta.transaction.global.timeout", "20"},
                                 {"rollback", "true"},
                                 {"dummy.delay.seconds", "0"},
                                 {"forced.fail.count.read", "0"},
                                 {"forced.fail.count.process", "0"},
                                 {"forced.fail.count.write", "0"}};
        parameters["forced.fail.count." + phase] = "12";
        const JobExecution execution = run("job_chunk_retryskip_rollback", parameters);
        expect_end(execution, BatchStatus::completed, told);
        EXPECT_EQ(number("SELECT count(*) FROM Numbers WHERE quantity = 101"), 19);
        EXPECT_EQ(number("SELECT quantity FROM Numbers WHERE item = 12"), 100);
        for (const StepExecution& step : steps_of(execution))
            EXPECT_EQ(step.metrics.rollbacks, step.name == "step2" ? 1 : 0) << step.name;
    }
    void all_is_ordered(const std::string& job, const Parameters& parameters) {
        expect_end(run(job, parameters), BatchStatus::completed, "Inventory=0 Orders=99");
        EXPECT_EQ(number("SELECT quantity FROM Inventory"), 0);
        EXPECT_EQ(number("SELECT count(*) FROM Orders"), 99);
    }
    /// Longer than the timeout of the job's level, which does not count; shorter than it need be where none applies.
    static Parameters with_delay() {
        return {{"init.inventory.quantity", "99"},
                {"commit.interval", "9"},
                {"forced.fail.count", "15"},
                {"dummy.delay.seconds", "1.1"}};
    }

private:
    std::unique_ptr<sql::Connection> connection_;
    std::optional<std::string> postgres_;  ///< the name of its database
};

TEST_F(TransactionTests, testTranRollbackRetryReadSkipRead) { retry_then_skip("read", "null RetryRead SkipRead"); }
TEST_F(TransactionTests, testTranRollbackRetryProcessSkipProcess) {
    retry_then_skip("process", "null RetryProcess SkipProcess");
}
TEST_F(TransactionTests, testTranRollbackRetryWriteSkipWrite) { retry_then_skip("write", "null RetryWrite SkipWrite"); }

TEST_F(TransactionTests, testGlobalTranNoDelayLongTimeout) {
    all_is_ordered("job_chunk_globaltran_default", {{"init.inventory.quantity", "99"},
                                                    {"commit.interval", "9"},
                                                    {"forced.fail.count", "0"},
                                                    {"dummy.delay.seconds", "0"}});
}
TEST_F(TransactionTests, testGlobalTranLongDelayMixOfLongTimeoutStepsAndShortTimeoutSteps) {
    note("the delay is 1.1 s; there are no transaction timeouts");
    all_is_ordered("job_chunk_globaltran_multiple_steps", with_delay());
}
TEST_F(TransactionTests, testGlobalTranLongDelayMixOfLongTimeoutStepsAndShortTimeoutStepsCustomCheckpointAlgorithm) {
    note("the delay is 1.1 s; there are no transaction timeouts");
    all_is_ordered("job_chunk_globaltran_multiple_steps-customCA", with_delay());
}

}  // namespace
}  // namespace fermata::tck
