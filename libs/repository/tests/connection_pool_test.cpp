#include "../src/store.hpp"

#include <fermata/drivers/sqlite.hpp>
#include <fermata/testing/forwarding.hpp>
#include <fermata/testing/temp_folder.hpp>
#include <fermata/testing/thrown_by.hpp>

#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace fermata {
namespace {

using testing::thrown_by;

class Pool : public ::testing::Test {
protected:
    std::unique_ptr<testing::ForwardingDatabase> database() {
        sql::Drivers drivers;
        add_sqlite_driver(drivers);
        return std::make_unique<testing::ForwardingDatabase>(
            drivers.open(folder_ / "pool.db"), [this](std::unique_ptr<sql::Connection> connection) {
                ++opened_;
                return std::make_unique<testing::ForwardingConnection>(std::move(connection));
            });
    }
    testing::TempFolder folder_;
    int opened_ = 0;
};

TEST_F(Pool, HasOneConnectionWhereWritersExcludeEachOther) {
    const auto file = database();
    ConnectionPool pool(*file, sql::OpenMode::create);
    std::thread other;
    {
        const auto lease = pool.lend();
        EXPECT_EQ(thrown_by<Error>([&] { (void)pool.lend(); }).kind(), ErrorKind::failed) << "it would wait for itself";
        other = std::thread([&] { (*pool.lend()).execute("SELECT 1"); });
    }
    other.join();
    EXPECT_EQ(opened_, 1);
    EXPECT_EQ(pool.statement_count(), 1);
}

TEST_F(Pool, AReaderWaitsForAnotherButNotForAWriterNorForItself) {
    const auto file = database();
    ConnectionPool pool(*file, sql::OpenMode::create);
    EXPECT_FALSE(pool.lend_idle()) << "it is not open yet";
    {
        const auto writer = pool.lend();
        EXPECT_FALSE(pool.lend_idle());
    }
    std::thread other;
    {
        const auto reader = pool.lend_idle();
        ASSERT_TRUE(reader);
        EXPECT_FALSE(pool.lend_idle()) << "it would wait for itself";
        other = std::thread([&] { EXPECT_TRUE(pool.lend_idle()); });
    }
    other.join();
    EXPECT_EQ(opened_, 1);
}

TEST_F(Pool, HasAsManyAsAreNeededWhereWritersRunBesideEachOther) {
    const auto server = database();
    server->pretend_to_be_a_server();
    ConnectionPool pool(*server, sql::OpenMode::create);
    {
        std::vector<ConnectionPool::Lease> leases;
        for (int i = 0; i < 6; ++i) (*leases.emplace_back(pool.lend())).execute("SELECT 1");
    }
    EXPECT_EQ(opened_, 6);
    EXPECT_EQ(pool.statement_count(), 6) << "also of those that were closed";
    for (int i = 0; i < 3; ++i) (void)pool.lend();
    EXPECT_EQ(opened_, 6);
}

TEST_F(Pool, OpensNoOtherForAReaderIfOneComesBackInTime) {
    const auto server = database();
    server->pretend_to_be_a_server();
    (void)server->connect(sql::OpenMode::create);
    ConnectionPool pool(*server, sql::OpenMode::read_only, std::chrono::minutes(1));
    std::promise<void> has;
    auto has_one = has.get_future();
    std::thread other;
    {
        const auto lease = pool.lend();
        other = std::thread([&] {
            (*pool.lend()).execute("SELECT 1");
            has.set_value();
        });
        // That it waits can only be seen by what it does not do.
        EXPECT_EQ(has_one.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
    }
    other.join();
    EXPECT_EQ(opened_, 2);
}

TEST_F(Pool, OpensAnotherForAReaderIfNoneComesBack) {
    const auto server = database();
    server->pretend_to_be_a_server();
    (void)server->connect(sql::OpenMode::create);
    ConnectionPool pool(*server, sql::OpenMode::read_only);
    const auto one = pool.lend();
    const auto another = pool.lend();
    EXPECT_EQ(opened_, 3);
}

TEST_F(Pool, IsNotUsedUpByAConnectionThatCannotBeOpened) {
    const auto file = database();
    ConnectionPool pool(*file, sql::OpenMode::read_write);  // there is no file
    for (int i = 0; i < 2; ++i) EXPECT_THROW((void)pool.lend(), sql::SqlError);
}

TEST_F(Pool, AStoreOnAFileDoesNotWaitForOneThatIsGone) {
    const auto file = database();
    Store store(*file, Clock::system());
    EXPECT_EQ(thrown_by<sql::SqlError>([&] { store.select("SELECT 1"); }).sql_kind(), sql::SqlError::Kind::unreachable);
}

}  // namespace
}  // namespace fermata
