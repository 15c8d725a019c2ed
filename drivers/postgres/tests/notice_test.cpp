// What one session says and another one hears.
#include "fixture.hpp"

#include <fermata/sql/notices.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

namespace fermata::postgres {
namespace {

class NoticeTest : public PostgresTest {
protected:
    NoticeTest() : listener_(connect(OpenMode::read_only)), speaker_(connect()) {
        sql::notices_of(*listener_)->listen("A channel");
    }
    ~NoticeTest() override { ::close(wake_); }
    void say(std::string_view channel) { sql::notices_of(*speaker_)->say(channel); }
    bool hears() { return sql::notices_of(*listener_)->wait(30s, wake_); }
    bool heard() { return sql::notices_of(*listener_)->wait(0s, wake_); }

    int wake_ = ::eventfd(0, EFD_CLOEXEC);
    std::unique_ptr<sql::Connection> listener_;
    std::unique_ptr<sql::Connection> speaker_;
};

TEST_F(NoticeTest, WhatIsCommittedIsHeard) {
    EXPECT_FALSE(heard());
    say("another");
    say("A channel");
    say("A channel");
    EXPECT_TRUE(hears());
    speaker_->begin();
    say("A channel");
    speaker_->rollback();
    std::thread later([&] { say("A channel"); });
    EXPECT_TRUE(hears());
    later.join();
}

TEST_F(NoticeTest, WhatIsSaidWithItIsHeard) {
    const auto& words = sql::notices_of(*listener_)->words();
    speaker_->execute("SELECT pg_notify('A channel', w) FROM unnest(ARRAY['one', '', 'two']) w");
    EXPECT_TRUE(hears());
    EXPECT_THAT(words, ::testing::ElementsAre("one", "", "two"));
    EXPECT_FALSE(heard());
    EXPECT_THAT(words, ::testing::IsEmpty());
}

TEST_F(NoticeTest, AWaitIsEndedByWhoWakesIt) {
    std::thread waker([&] { ::eventfd_write(wake_, 1); });
    EXPECT_FALSE(hears());
    waker.join();
}

TEST_F(NoticeTest, ASessionThatEndsHearsNothingMore) {
    terminate(pid_of(*listener_));
    EXPECT_EQ(thrown_by<SqlError>([&] { hears(); }).sql_kind(), SqlError::Kind::lost);
    EXPECT_EQ(thrown_by<SqlError>([&] { hears(); }).sql_kind(), SqlError::Kind::lost);
}

}  // namespace
}  // namespace fermata::postgres
