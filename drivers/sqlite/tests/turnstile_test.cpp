#include "fixture.hpp"

#include <thread>

namespace fermata::sqlite {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TurnstileTest : public SqliteTest {
protected:
    TurnstileTest() { create_number(); }

    /// A process that holds the turn until it is killed.
    std::unique_ptr<Child> holder() {
        const Signal holds;
        auto child = std::make_unique<Child>([&] {
            const auto connection = connect();
            connection->begin();
            connection->execute("UPDATE number SET n = 1000");
            holds.give();
            ::pause();
        });
        holds.await();
        return child;
    }
};

void increment(sql::Connection& connection) {
    sql::Transaction transaction(connection);
    transaction->execute("UPDATE number SET n = $1", {connection.execute("SELECT n FROM number")[0][0].integer() + 1});
    transaction.commit();
}

TEST_F(TurnstileTest, ATightLoopOfCommitsLetsOthersIn) {
    const Signal looping;
    const Child loop([&] {
        const auto connection = connect();
        increment(*connection);
        looping.give();
        while (true) increment(*connection);
    });
    looping.await();
    const auto reader = connect(OpenMode::read_only);
    const auto writer = connect();
    constexpr int rounds = 50;
    std::int64_t passed = 0;
    for (int round = 0; round < rounds; ++round) {
        const std::int64_t asked = number(*reader);
        writer->begin();
        passed += number(*writer) - asked;
        writer->rollback();
    }
    // One or two a round while nothing else runs; without the turnstile thousands, or SQLITE_BUSY.
    EXPECT_LT(passed, rounds * 50);
    RecordProperty("commits_passed_per_round", std::to_string(static_cast<double>(passed) / rounds));
}

TEST_F(TurnstileTest, ManyProcessesLoseNoUpdate) {
    constexpr int processes = 4;
    constexpr int times = 25;
    {
        std::vector<std::unique_ptr<Child>> children;
        for (int i = 0; i < processes; ++i) {
            children.push_back(std::make_unique<Child>([&] {
                const auto connection = connect();
                for (int n = 0; n < times; ++n) increment(*connection);
            }));
        }
        for (const auto& child : children) EXPECT_EQ(child->wait(), 0);
    }
    EXPECT_EQ(number(*connect()), processes * times);
    EXPECT_THAT(open_database(path())->integrity_check(), ElementsAre());
}

TEST_F(TurnstileTest, ConnectionsOfOneProcessTakeTurns) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            const auto connection = connect();
            for (int n = 0; n < 25; ++n) increment(*connection);
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(number(*connect()), 100);
}

TEST_F(TurnstileTest, AKilledHolderGivesItsTurnBack) {
    const auto child = holder();
    std::thread killer([&] { child->kill(); });
    const auto connection = connect();
    connection->begin();
    killer.join();
    EXPECT_EQ(number(*connection), 0);
}

TEST_F(TurnstileTest, ALongWaitIsReportedAndBounded) {
    const auto child = holder();
    std::vector<std::string> notices;
    const auto connection = connect(
        OpenMode::read_write,
        {.turn_bound = 50ms, .notice_after = 5ms, .notice = [&](const auto& line) { notices.push_back(line); }});
    const auto error = thrown_by<SqlError>([&] { connection->begin(); });
    const std::string pid = "process " + std::to_string(child->pid());
    EXPECT_EQ(error.sql_kind(), SqlError::Kind::busy);
    EXPECT_TRUE(error.is_transient());
    EXPECT_THAT(error.what(), HasSubstr(path() + ": " + pid));
    EXPECT_THAT(notices, ElementsAre(path() + ": waiting to write: " + pid + " holds test.db-fermata.lock"));
    EXPECT_FALSE(connection->in_transaction());
}

TEST_F(TurnstileTest, ByDefaultAWaitIsReportedOnStandardError) {
    const auto child = holder();
    ::testing::internal::CaptureStderr();
    EXPECT_THROW(connect(OpenMode::read_write, {.turn_bound = 50ms, .notice_after = 5ms})->begin(), SqlError);
    EXPECT_THAT(::testing::internal::GetCapturedStderr(), HasSubstr("waiting to write"));
}

TEST_F(TurnstileTest, AHolderInThisProcessIsCalledSo) {
    const auto first = connect();
    first->begin();
    const auto second = connect(OpenMode::read_write, {.turn_bound = 1ms});
    EXPECT_THAT(thrown_by<SqlError>([&] { second->begin(); }).what(), HasSubstr("another connection of this process"));
    EXPECT_THROW(second->execute("UPDATE number SET n = 1"), SqlError);
    first->rollback();
    EXPECT_EQ(second->execute("UPDATE number SET n = 1").changed, 1);
}

TEST_F(TurnstileTest, AWaitAfterTheGateGivesTheGateBack) {
    const auto first = connect();
    first->begin();
    EXPECT_THROW(connect(OpenMode::read_write, {.turn_bound = 1ms})->begin(), SqlError);
    const auto third = connect(OpenMode::read_write, {.turn_bound = 1ms});
    first->rollback();
    third->begin();
    EXPECT_TRUE(third->in_transaction());
}

TEST_F(TurnstileTest, InterruptEndsAWait) {
    const auto first = connect();
    first->begin();
    const auto second = connect();
    std::atomic<bool> ended{false};
    std::thread interrupter([&] {
        while (!ended) second->interrupt();
    });
    EXPECT_THAT(thrown_by<SqlError>([&] { second->begin(); }).what(), HasSubstr("interrupted"));
    ended = true;
    interrupter.join();
}

TEST_F(TurnstileTest, ALinkLeadsToTheSameTurnstile) {
    std::filesystem::create_symlink(path(), path("link.db"));
    const auto first = connect();
    first->begin();
    const auto by_link = open_database(path("link.db"), {.turn_bound = 1ms})->connect(OpenMode::read_write);
    EXPECT_THROW(by_link->begin(), SqlError);
}

TEST_F(TurnstileTest, AForeignWriterIsWaitedForAndTheTurnGivenBack) {
    ForeignProgram foreign(path());
    foreign.run("BEGIN IMMEDIATE");
    const auto connection = connect(OpenMode::read_write, {.busy_timeout = 1ms});
    EXPECT_EQ(thrown_by<SqlError>([&] { connection->begin(); }).sql_kind(), SqlError::Kind::busy);
    EXPECT_FALSE(connection->in_transaction());
    foreign.run("COMMIT");
    increment(*connect());
    increment(*connection);
}

TEST_F(TurnstileTest, ClosingBesideAHolderLeavesTheCheckpointToIt) {
    const auto other = connect();
    increment(*other);
    const auto child = holder();
    auto closing = connect();
    closing.reset();
    EXPECT_EQ(number(*other), 1);
}

TEST_F(TurnstileTest, TheLastConnectionTidiesUp) {
    increment(*connect());
    EXPECT_THAT(files(), ::testing::UnorderedElementsAre("test.db", "test.db-fermata.lock"));
}

TEST_F(TurnstileTest, TheLockFileIsForEverybodyWhoMayWriteTheDatabase) {
    std::filesystem::remove(path("test.db-fermata.lock"));
    ASSERT_EQ(::chmod(path().c_str(), 0660), 0);
    increment(*connect());
    struct stat lock{};
    ASSERT_EQ(::stat(path("test.db-fermata.lock").c_str(), &lock), 0);
    EXPECT_EQ(lock.st_mode & 0777, 0660U);
}

TEST_F(TurnstileTest, ALockFileThatIsALinkIsRefused) {
    std::filesystem::remove(path("test.db-fermata.lock"));
    std::filesystem::create_symlink("/dev/null", path("test.db-fermata.lock"));
    const auto error = thrown_by<SqlError>([&] { connect()->begin(); });
    EXPECT_EQ(error.sql_kind(), SqlError::Kind::unreachable);
    EXPECT_THAT(error.what(), HasSubstr("test.db-fermata.lock"));
}

TEST_F(TurnstileTest, AnUnreadableHolderIsCalledAnotherProcess) {
    const auto child = holder();
    ASSERT_EQ(::truncate(path("test.db-fermata.lock").c_str(), 0), 0);
    EXPECT_THAT(thrown_by<SqlError>([&] { connect(OpenMode::read_write, {.turn_bound = 1ms})->begin(); }).what(),
                HasSubstr("another process has been writing"));
}

}  // namespace
}  // namespace fermata::sqlite
