// Sessions that end under us: by the server, on the way, at a restart.
#include "fixture.hpp"
#include "outage.hpp"

#include <filesystem>
#include <fstream>

namespace fermata::postgres {
namespace {

using Kind = SqlError::Kind;
using Act = testing::Fault::Act;
using Direction = testing::Fault::Direction;
using ::testing::HasSubstr;

class LostTest : public PostgresTest {
protected:
    LostTest() { create_number(); }
    static constexpr std::string_view update = "UPDATE number SET n = n + 1 WHERE id = 1";
    template <class Work>
    static Kind kind_of(Work&& work) {
        return thrown_by<SqlError>(std::forward<Work>(work)).sql_kind();
    }
};

TEST_F(LostTest, ASessionEndedBetweenTransactionsIsMadeAnew) {
    const auto connection = connect();
    connection->execute(Command{update, {}, 1});
    terminate(pid_of(*connection));
    Transaction transaction(*connection);
    transaction->execute(Command{update, {}, 1});
    transaction.commit();
    EXPECT_EQ(number(), 2);
    terminate(pid_of(*connection));
    EXPECT_EQ(connection->execute("SELECT n FROM number")[0][0].integer(), 2);
}

TEST_F(LostTest, ATransactionWhoseSessionEndedIsOver) {
    const auto connection = connect();
    const auto cursor_of_nobody = connection->query("SELECT 1");
    while (cursor_of_nobody->next()) {
    }
    connection->begin();
    connection->execute(update);
    terminate(pid_of(*connection));
    const auto error = thrown_by<SqlError>([&] { connection->execute(update); });
    EXPECT_EQ(error.sql_kind(), Kind::lost);
    EXPECT_TRUE(error.is_transient());
    EXPECT_THAT(error.what(), HasSubstr("terminating connection due to administrator command"));
    EXPECT_TRUE(connection->in_transaction());
    EXPECT_EQ(kind_of([&] { connection->execute(update); }), Kind::lost);
    EXPECT_EQ(kind_of([&] { connection->execute_script("SELECT 1"); }), Kind::lost);
    EXPECT_EQ(kind_of([&] { connection->commit(); }), Kind::lost);
    EXPECT_FALSE(connection->in_transaction());
    connection->execute(update);
    EXPECT_EQ(number(), 1);
}

TEST_F(LostTest, RollbackOfALostTransactionIsQuiet) {
    const auto connection = connect();
    {
        const Transaction transaction(*connection);
        connection->execute(update);
        terminate(pid_of(*connection));
    }
    EXPECT_FALSE(connection->in_transaction());
    EXPECT_EQ(connection->execute("SELECT n FROM number")[0][0].integer(), 0);
}

TEST_F(LostTest, AStoppedTransactionLosesItsSession) {
    const auto connection = connect(OpenMode::read_write, {.idle_in_transaction = 50ms});
    const std::int64_t pid = pid_of(*connection);
    connection->begin();
    connection->execute(update);
    const auto other = connect();
    const auto end = std::chrono::steady_clock::now() + 30s;
    while (!other->execute("SELECT 1 FROM pg_stat_activity WHERE pid = $1", {pid}).empty())
        ASSERT_LT(std::chrono::steady_clock::now(), end);
    EXPECT_EQ(kind_of([&] { connection->commit(); }), Kind::lost);
}

/// Cut off on the way: the server has not heard of it, so the session lives on with its locks, and what was sent may
/// yet arrive.
TEST_F(LostTest, TheSessionThatWasLostIsEndedByTheNext) {
    testing::Proxy proxy(testing::PostgresCluster::shared().socket());
    const auto connection = connect_through(proxy);
    const std::int64_t former = pid_of(*connection);
    const auto bystander = connect();
    pid_of(*bystander);
    connection->begin();
    connection->execute(update);
    proxy.arm({.act = Act::late, .direction = Direction::to_server, .marker = "COMMIT", .delay = 1h});
    EXPECT_EQ(kind_of([&] { connection->commit(); }), Kind::lost);
    EXPECT_EQ(connection->execute("SELECT n FROM number WHERE id = 1 FOR UPDATE")[0][0].integer(), 0);
    EXPECT_TRUE(bystander->execute("SELECT 1 FROM pg_stat_activity WHERE pid = $1", {former}).empty());
    EXPECT_TRUE(proxy.fired());
    proxy.release();
    EXPECT_EQ(number(), 0);
}

TEST_F(LostTest, TheSessionsOfOthersAreNotEnded) {
    const auto connection = connect();
    const auto other = open_database(place_.url() + "&application_name=other")->connect(OpenMode::read_write);
    const std::int64_t pid = pid_of(*other);
    terminate(pid_of(*connection));
    EXPECT_EQ(connection->execute(update).changed, 1);
    EXPECT_EQ(pid_of(*other), pid);
}

TEST_F(LostTest, TheUrlMayGiveOtherBounds) {
    const auto options =
        "&options=-c%20idle_in_transaction_session_timeout%3D7s%20-c%20lock_timeout%3D8s"
        "%20-c%20synchronous_commit%3Doff&application_name=mine";
    const auto connection = open_database(place_.url() + options)->connect(OpenMode::read_write);
    const auto setting = [](sql::Connection& c, const std::string& name) {
        const auto row = c.execute("SELECT current_setting($1)", {std::string_view(name)});
        return std::string(row[0][0].text());
    };
    EXPECT_EQ(setting(*connection, "idle_in_transaction_session_timeout"), "7s");
    EXPECT_EQ(setting(*connection, "lock_timeout"), "8s");
    EXPECT_EQ(setting(*connection, "synchronous_commit"), "on");
    EXPECT_EQ(setting(*connection, "application_name"), "mine");
    const auto plain = connect();
    EXPECT_TRUE(setting(*plain, "application_name").starts_with("fermata "));
    EXPECT_EQ(setting(*plain, "lock_timeout"), "10s");
    EXPECT_EQ(setting(*plain, "idle_in_transaction_session_timeout"), "1min");
    EXPECT_EQ(setting(*plain, "client_connection_check_interval"), "1s");
    const auto apply = open_database(place_.url() + "&options=-csynchronous_commit%3Dremote_apply");
    EXPECT_EQ(setting(*apply->connect(OpenMode::read_write), "synchronous_commit"), "remote_apply");
}

/// Commands and COMMIT go out together; cut after each byte from "COMMIT" on, and after each byte of the answer. Where
/// they are all of the transaction there is no COMMIT, and it is cut after each byte from their beginning on.
class CutTest : public LostTest, public ::testing::WithParamInterface<std::pair<Direction, bool>> {
protected:
    CutTest() : direction_(GetParam().first), is_whole_(GetParam().second) {}
    /// Whether the cut happened; then, by a locking read on the same connection, whether the commit did.
    struct Outcome {
        bool cut;
        bool committed;
    };
    Outcome commit_cut_after(std::size_t bytes) {
        const auto connection = connect_through(proxy_);
        connection->execute(last_[0]);
        const std::int64_t before = number();
        connection->begin();
        if (!is_whole_) connection->execute("SELECT 1");
        proxy_.arm({.act = Act::cut, .direction = direction_, .after = bytes, .marker = is_whole_ ? "" : "COMMIT"});
        try {
            connection->commit(last_);
            proxy_.disarm();
            return {.cut = false, .committed = number() == before + 1};
        } catch (const SqlError& error) {
            EXPECT_EQ(error.sql_kind(), Kind::lost) << error.what();
        }
        EXPECT_FALSE(connection->in_transaction());
        const auto truth = connection->execute("SELECT n FROM number WHERE id = 1 FOR UPDATE")[0][0].integer();
        EXPECT_EQ(truth, number());
        return {.cut = true, .committed = truth == before + 1};
    }
    testing::Proxy proxy_{testing::PostgresCluster::shared().socket()};
    const Command last_[1] = {{update, {}, 1}};
    const Direction direction_;
    const bool is_whole_;
};

INSTANTIATE_TEST_SUITE_P(Ways, CutTest,
                         ::testing::Values(std::pair(Direction::to_server, false),
                                           std::pair(Direction::to_client, false),
                                           std::pair(Direction::to_server, true),
                                           std::pair(Direction::to_client, true)),
                         [](const auto& way) {
                             return std::string(way.param.first == Direction::to_server ? "ToServer" : "ToClient") +
                                    (way.param.second ? "Whole" : "");
                         });

TEST_P(CutTest, ACommitCutAtAnyByteIsLostAndTheTruthCanBeAsked) {
    std::size_t bytes = 0;
    for (; bytes < 1'000; ++bytes) {
        const Outcome outcome = commit_cut_after(bytes);
        if (!outcome.cut) {
            EXPECT_TRUE(outcome.committed);
            break;
        }
        if (direction_ == Direction::to_client) {
            EXPECT_TRUE(outcome.committed) << bytes;
        }
    }
    EXPECT_GT(bytes, 20U);
    EXPECT_LT(bytes, 1'000U);
}

TEST_F(LostTest, ABulkWriteSurvivesItsSession) {
    const auto connection = connect();
    const auto bulk = connection->bulk({.table = "number", .columns = {"id", "n"}});
    const auto write = [&](std::int64_t id) {
        Transaction transaction(*connection);
        const Value cells[] = {id, 0};
        bulk->write(1, cells);
        transaction.commit();
    };
    write(2);
    terminate(pid_of(*connection));
    write(3);
    EXPECT_EQ(connect()->execute("SELECT count(*) FROM number")[0][0].integer(), 3);
}

TEST_F(LostTest, ATableGoneWithTheSessionIsToldByTheNextWrite) {
    const auto connection = connect();
    const auto bulk = connection->bulk({.table = "number", .columns = {"id", "n"}});
    terminate(pid_of(*connection));
    connect()->execute("DROP TABLE number");
    const Transaction transaction(*connection);
    const Value cells[] = {2, 0};
    EXPECT_EQ(kind_of([&] { bulk->write(1, cells); }), Kind::syntax);
}

TEST_F(LostTest, ASessionLostDuringCopyKeepsNothing) {
    const auto connection = connect();
    const auto bulk = connection->bulk({.table = "number", .columns = {"id", "n"}});
    std::vector<Value> cells;
    for (std::int64_t id = 10; id < 10'010; ++id) cells.insert(cells.end(), {id, id});
    connection->begin();
    connection->execute(update);
    terminate(pid_of(*connection));
    EXPECT_EQ(kind_of([&] { bulk->write(cells.size() / 2, cells); }), Kind::lost);
    connection->rollback();
    EXPECT_EQ(connect()->execute("SELECT count(*) FROM number")[0][0].integer(), 1);
}

/// A cluster that may be stopped.
class RestartTest : public ::testing::Test {
protected:
    std::unique_ptr<sql::Connection> connect(OpenMode mode, const Settings& settings = {}) {
        return open_database(cluster_.url(), settings)->connect(mode);
    }
    testing::PostgresCluster cluster_{testing::PostgresSettings{.fsync = false}};
};

TEST_F(RestartTest, AServerThatStartsAgainIsWaitedFor) {
    const auto connection = connect(OpenMode::read_write);
    connection->execute("CREATE TABLE number AS SELECT 1 AS n");
    for (const auto how : {testing::PostgresCluster::Stop::fast, testing::PostgresCluster::Stop::immediate}) {
        cluster_.stop(how);
        std::thread starter([&] { cluster_.start(); });
        EXPECT_EQ(connection->execute("UPDATE number SET n = n + 1").changed, 1);
        starter.join();
    }
    EXPECT_EQ(connection->execute("SELECT n FROM number")[0][0].integer(), 3);
}

TEST_F(RestartTest, TheWaitHasABoundAndCanBeEnded) {
    const auto impatient = connect(OpenMode::read_write, {.reconnect_bound = 10ms});
    const auto patient = connect(OpenMode::read_write, {.reconnect_bound = 1h});
    cluster_.stop(testing::PostgresCluster::Stop::fast);
    const auto error = thrown_by<SqlError>([&] { impatient->execute("SELECT 1"); });
    EXPECT_EQ(error.sql_kind(), Kind::unreachable);
    EXPECT_THAT(error.what(), HasSubstr("(waited for 0.01 s)"));
    std::atomic<bool> ended{false};
    std::thread interrupter([&] {
        while (!ended) patient->interrupt();
    });
    EXPECT_EQ(thrown_by<SqlError>([&] { patient->execute("SELECT 1"); }).sql_kind(), Kind::unreachable);
    ended = true;
    interrupter.join();
}

/// Of a store's many calls during one outage each would wait the bound otherwise.
TEST_F(RestartTest, TheBoundIsOneForAllConnectionsOfADatabase) {
    const auto database = open_database(cluster_.url(), {.reconnect_bound = 300ms});
    const auto one = database->connect(OpenMode::read_write);
    const auto two = database->connect(OpenMode::read_write);
    cluster_.stop(testing::PostgresCluster::Stop::fast);
    const auto tries = [](sql::Connection& connection) -> std::string {
        return thrown_by<SqlError>([&] { connection.execute("SELECT 1"); }).what();
    };
    EXPECT_THAT(tries(*one), HasSubstr("(waited for 0.3 s)"));
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < 20; ++i) {
        tries(*two);
        EXPECT_THROW((void)database->connect(OpenMode::read_write), SqlError) << "a new one waits no longer";
    }
    EXPECT_LT(std::chrono::steady_clock::now() - began, 40 * 300ms);
    cluster_.start();
    EXPECT_EQ(two->execute("SELECT 1")[0][0].integer(), 1);
    EXPECT_EQ(one->execute("SELECT 1")[0][0].integer(), 1);
    (void)database->connect(OpenMode::read_write);
}

TEST_F(RestartTest, AStandbyIsReadButNotWritten) {
    std::string folder(connect(OpenMode::read_only)->execute("SHOW data_directory")[0][0].text());
    cluster_.stop(testing::PostgresCluster::Stop::fast);
    std::ofstream(folder + "/standby.signal") << "";
    cluster_.start();
    const auto error = thrown_by<SqlError>([&] { (void)connect(OpenMode::read_write); });
    EXPECT_EQ(error.sql_kind(), Kind::read_only);
    EXPECT_THAT(error.what(), HasSubstr("the server is a standby"));
    EXPECT_EQ(connect(OpenMode::read_only)->execute("SELECT 1")[0][0].integer(), 1);
}

std::string refusal(Outage& outage, const History& found, const std::optional<History>& before) {
    try {
        outage.require_same(found, before, "db");
    } catch (const Error& error) {
        EXPECT_EQ(ErrorKind::stale, error.kind());
        return error.what();
    }
    return {};
}

std::string refusal(Outage& outage, const History& found) { return refusal(outage, found, outage.known()); }

TEST(ServerHistory, OfTwoSessionsThatAreOpenedAtOnceTheSecondMayHaveLookedFirst) {
    Outage outage(std::chrono::seconds(1));
    EXPECT_EQ("", refusal(outage, {"00000001", 500}));
    const auto before = outage.known();
    EXPECT_EQ("", refusal(outage, {"00000001", 900}, before));
    EXPECT_EQ("", refusal(outage, {"00000001", 800}, before));
    EXPECT_THAT(refusal(outage, {"00000001", 800}), HasSubstr("its log ends at 800, before 900"));
}

TEST(ServerHistory, NeitherEndsEarlierNorIsAnotherOne) {
    Outage outage(std::chrono::seconds(1));
    EXPECT_EQ("", refusal(outage, {"00000001", 500}));
    EXPECT_EQ("", refusal(outage, {"00000001", 500}));
    EXPECT_EQ("", refusal(outage, {"00000001", 900}));
    EXPECT_THAT(refusal(outage, {"00000001", 800}), HasSubstr("went back in time"));
    EXPECT_THAT(refusal(outage, {"00000001", 800}), HasSubstr("its log ends at 800, before 900"));
    EXPECT_THAT(refusal(outage, {"00000002", 1'000}), HasSubstr("timeline 00000002, before 00000001"));
    EXPECT_EQ("", refusal(outage, {"00000001", 900})) << "that one is still the one it knows";
}

}  // namespace
}  // namespace fermata::postgres
