// The proxy itself, with libpq between it and a real server.
#include <fermata/testing/postgres_cluster.hpp>
#include <fermata/testing/proxy.hpp>

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <atomic>
#include <memory>
#include <thread>

namespace fermata::testing {
namespace {

using namespace std::chrono_literals;
using Session = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using Act = Fault::Act;
using Direction = Fault::Direction;

class ProxyTest : public ::testing::Test {
protected:
    void SetUp() override {
        if (const auto reason = PostgresCluster::missing()) GTEST_SKIP() << *reason;
        database_ = std::make_unique<PostgresDatabase>();
        proxy_ = std::make_unique<Proxy>(PostgresCluster::shared().socket());
        ask(*connect(database_->url()), "CREATE TABLE number (n int)");
    }
    static Session connect(const std::string& url) { return {PQconnectdb(url.c_str()), PQfinish}; }
    Session through() { return connect(proxy_->url(database_->name())); }
    /// The first value, "ok" without one, or "" when it failed.
    static std::string ask(PGconn& session, const std::string& sql) {
        PGresult* answer = PQexec(&session, sql.c_str());
        std::string value;
        if (PQresultStatus(answer) == PGRES_COMMAND_OK) value = "ok";
        if (PQresultStatus(answer) == PGRES_TUPLES_OK) value = PQgetvalue(answer, 0, 0);
        PQclear(answer);
        return value;
    }
    std::string count() { return ask(*connect(database_->url()), "SELECT count(*) FROM number"); }

    std::unique_ptr<PostgresDatabase> database_;
    std::unique_ptr<Proxy> proxy_;
};

TEST_F(ProxyTest, PassesWhatHasNoFault) {
    const Session session = through();
    ASSERT_EQ(CONNECTION_OK, PQstatus(session.get())) << PQerrorMessage(session.get());
    EXPECT_EQ("2", ask(*session, "SELECT 1 + 1"));
    EXPECT_EQ("3000000", ask(*session, "SELECT length(repeat('x', 3000000)) || ''"));
    EXPECT_EQ(std::string(3'000'000, 'x'), ask(*session, "SELECT repeat('x', 3000000)"));
    EXPECT_EQ("3000000", ask(*session, "SELECT length('" + std::string(3'000'000, 'y') + "')"));
    EXPECT_FALSE(proxy_->fired());
}

TEST_F(ProxyTest, CutsAtEveryByteOfARequestAndOfItsAnswer) {
    const std::string insert = "INSERT INTO number VALUES (1)";
    const std::size_t request = insert.size() + 6;  // its kind, its length, its closing zero
    std::size_t cuts = 0;
    for (std::size_t byte = 0; byte <= request; ++byte, ++cuts) {
        const Session session = through();
        proxy_->arm({.act = Act::cut, .direction = Direction::to_server, .after = byte});
        const std::string answer = ask(*session, insert);
        EXPECT_EQ(byte < request, proxy_->fired()) << byte;
        EXPECT_EQ(byte < request ? "" : "ok", answer) << byte;
    }
    EXPECT_EQ("1", count());
    for (std::size_t byte = 0;; ++byte, ++cuts) {
        const Session session = through();
        proxy_->arm({.act = Act::cut, .direction = Direction::to_client, .after = byte});
        (void)ask(*session, insert);
        if (!proxy_->fired()) break;
    }
    EXPECT_EQ(std::to_string(cuts - request + 1), count()) << "each of them was executed";
}

TEST_F(ProxyTest, TheMarkerIsWhereCountingBegins) {
    const Session session = through();
    proxy_->arm({.act = Act::cut, .direction = Direction::to_server, .after = 2, .marker = "COMMIT"});
    EXPECT_EQ("ok", ask(*session, "BEGIN"));
    EXPECT_EQ("ok", ask(*session, "INSERT INTO number VALUES (1)"));
    EXPECT_FALSE(proxy_->fired());
    EXPECT_EQ("", ask(*session, "COMMIT AND CHAIN"));
    EXPECT_TRUE(proxy_->fired());
    EXPECT_EQ("0", count());
}

TEST_F(ProxyTest, ADisarmedFaultNeverFires) {
    const Session session = through();
    proxy_->arm({.act = Act::cut, .after = 0});
    proxy_->disarm();
    EXPECT_EQ("1", ask(*session, "SELECT 1"));
}

TEST_F(ProxyTest, WhatIsLateArrivesAfterTheClientHasGone) {
    const Session session = through();
    proxy_->arm({.act = Act::late, .after = 3, .delay = 1h});
    EXPECT_EQ("", ask(*session, "INSERT INTO number VALUES (1)"));
    EXPECT_EQ("0", count());
    EXPECT_FALSE(proxy_->settled());
    proxy_->release();
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (!proxy_->settled() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    EXPECT_EQ("1", count());
}

TEST_F(ProxyTest, WhatIsDelayedIsNotLost) {
    for (const Direction direction : {Direction::to_server, Direction::to_client}) {
        const Session session = through();
        proxy_->arm({.act = Act::delay, .direction = direction, .after = 3, .delay = 50ms});
        EXPECT_EQ("42", ask(*session, "SELECT 42"));
        EXPECT_TRUE(proxy_->fired());
    }
}

TEST_F(ProxyTest, ABlackHoleTellsNobodyUntilItIsCut) {
    const Session session = through();
    proxy_->arm({.act = Act::black_hole, .direction = Direction::to_client, .after = 0});
    std::atomic<bool> answered = false;
    std::thread client([&] {
        EXPECT_EQ("", ask(*session, "INSERT INTO number VALUES (1)"));
        answered = true;
    });
    while (!proxy_->fired()) std::this_thread::yield();
    EXPECT_EQ("1", count());
    EXPECT_FALSE(answered);
    EXPECT_EQ("1", ask(*through(), "SELECT 1")) << "others pass";
    proxy_->cut_all();
    client.join();
}

TEST_F(ProxyTest, WhatIsCloggedPassesLater) {
    for (const bool to_server : {false, true}) {
        const Session session = through();
        proxy_->set({.to_server = to_server, .to_client = !to_server});
        std::thread client([&] { EXPECT_EQ("ok", ask(*session, "INSERT INTO number VALUES (1)")); });
        if (to_server)
            while (count() != "2") std::this_thread::yield();  // done, and the client does not know
        else
            EXPECT_EQ("0", count());
        proxy_->set({});
        client.join();
    }
    EXPECT_EQ("2", count());
}

TEST_F(ProxyTest, ALagHoldsEverythingForAWhile) {
    const Session session = through();
    proxy_->set({.lag = 20ms});
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ("300000", ask(*session, "SELECT length('" + std::string(300'000, 'y') + "')"));
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 40ms) << "there and back";
    EXPECT_EQ("1", ask(*through(), "SELECT 1")) << "new ones, too";
}

TEST_F(ProxyTest, RefusesWhileToldTo) {
    proxy_->refuse(true);
    EXPECT_EQ(CONNECTION_BAD, PQstatus(through().get()));
    proxy_->refuse(false);
    EXPECT_EQ(CONNECTION_OK, PQstatus(through().get()));
}

TEST_F(ProxyTest, AServerThatIsNotThereClosesTheConnection) {
    Proxy nowhere("/nonexistent/.s.PGSQL.5432");
    EXPECT_EQ(CONNECTION_BAD, PQstatus(connect(nowhere.url("postgres")).get()));
}

TEST_F(ProxyTest, AnAnswerCannotBeLate) {
    EXPECT_THROW(proxy_->arm({.act = Act::late, .direction = Direction::to_client}), std::invalid_argument);
}

}  // namespace
}  // namespace fermata::testing
