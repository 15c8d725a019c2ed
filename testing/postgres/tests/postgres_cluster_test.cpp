#include <fermata/testing/postgres_cluster.hpp>

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace fermata::testing {
namespace {

using namespace std::chrono_literals;

/// The one value a query returns; empty when it fails.
std::string ask(const std::string& url, const char* sql) {
    PGconn* session = PQconnectdb(url.c_str());
    PGresult* answer = PQexec(session, sql);
    const std::string value = PQresultStatus(answer) == PGRES_TUPLES_OK ? PQgetvalue(answer, 0, 0) : "";
    PQclear(answer);
    PQfinish(session);
    return value;
}

template <class Condition>
::testing::AssertionResult comes_true(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return ::testing::AssertionFailure() << "not within a minute";
        std::this_thread::sleep_for(2ms);
    }
    return ::testing::AssertionSuccess();
}

class PostgresClusterTest : public ::testing::Test {
protected:
    void SetUp() override {
        if (const auto reason = PostgresCluster::missing()) GTEST_SKIP() << *reason;
    }
};

TEST_F(PostgresClusterTest, EachDatabaseIsEmptyAndGoneAtTheEnd) {
    std::string url;
    {
        const PostgresDatabase one;
        const PostgresDatabase other;
        url = one.url();
        EXPECT_NE(url, other.url());
        EXPECT_EQ("0", ask(url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"));
        EXPECT_EQ("UTF8 UTC",
                  ask(url, "SELECT current_setting('server_encoding') || ' ' || current_setting('timezone')"));
    }
    EXPECT_EQ("", ask(url, "SELECT 1"));
}

TEST_F(PostgresClusterTest, OneOfItsOwnIsStoppedStartedAndBroken) {
    PostgresCluster cluster({.others = {"work_mem=1MB"}});
    EXPECT_EQ("on 1MB", ask(cluster.url(), "SELECT current_setting('fsync') || ' ' || current_setting('work_mem')"));
    const std::string url = cluster.url(cluster.create_database());
    cluster.stop(PostgresCluster::Stop::fast);
    EXPECT_EQ("", ask(url, "SELECT 1"));
    cluster.start();
    EXPECT_EQ("1", ask(url, "SELECT 1"));
    cluster.restart(PostgresCluster::Stop::immediate);
    EXPECT_EQ("1", ask(url, "SELECT 1"));

    PGconn* victim = PQconnectdb(url.c_str());
    cluster.kill_backends();
    PQclear(PQexec(victim, "SELECT 1"));
    EXPECT_EQ(CONNECTION_BAD, PQstatus(victim));
    PQfinish(victim);
    EXPECT_TRUE(comes_true([&] { return ask(url, "SELECT 1") == "1"; }));
}

TEST_F(PostgresClusterTest, ASettingThatDoesNotExistIsToldInPostgresWords) {
    try {
        const PostgresCluster cluster({.others = {"no_such_thing=1"}});
        FAIL() << "it started";
    } catch (const std::runtime_error& error) {
        EXPECT_NE(std::string::npos, std::string(error.what()).find("no_such_thing")) << error.what();
    }
}

TEST_F(PostgresClusterTest, KillingTheTestProcessLeavesNothing) {
    int ends[2];
    ASSERT_EQ(0, ::pipe(ends));
    const pid_t child = ::fork();
    if (child == 0) {
        const PostgresCluster cluster({.fsync = false});
        const std::string folder = cluster.socket().parent_path();
        if (::write(ends[1], folder.data(), folder.size()) < 0) ::_exit(1);
        ::raise(SIGKILL);
    }
    ::close(ends[1]);
    char folder[200] = {};
    ASSERT_LT(0, ::read(ends[0], folder, sizeof folder - 1));
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    EXPECT_TRUE(comes_true([&] { return !std::filesystem::exists(folder); })) << folder;
}

}  // namespace
}  // namespace fermata::testing
