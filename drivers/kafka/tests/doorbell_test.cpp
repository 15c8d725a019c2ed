#include "fixture.hpp"

#include <set>
#include <thread>

namespace fermata::kafka {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;

using Ids = std::set<std::int64_t>;

/// What is heard within `bound`.
Ids heard(Doorbell& bell, std::chrono::milliseconds bound) {
    Ids ids;
    for (const JobExecutionId id : bell.heard(bound)) ids.insert(id.value());
    return ids;
}

class DoorbellOnKafka : public OnKafka {
protected:
    /// A worker's, that hears.
    static std::unique_ptr<Doorbell> bell(const KafkaTopic& topic) {
        auto made = listener(url() + "/" + topic.name() + "?group.id=" + topic.name());
        // Only who is rung for knows that it hears: the group needs a moment to form.
        EXPECT_TRUE(comes_true([&] {
            made->ring(JobExecutionId(999), 8);
            return !made->heard(50ms).empty();
        }));
        made->answered();
        return made;
    }
    static Ids without_trial(Ids ids) {
        ids.erase(999);
        return ids;
    }
};

TEST_F(DoorbellOnKafka, ManyRingsAreHeardOnceEachAndGarbageIsDismissed) {
    KafkaTopic topic(4);
    const auto worker = bell(topic);
    for (int i = 0; i < 10; ++i) worker->ring(JobExecutionId(7), 1);
    worker->ring(JobExecutionId(8), 1);
    worker->ring(JobExecutionId(9), 0);
    topic.send({{.value = "garbage"},
                {.value = "-3"},
                {.value = "0"},
                {.value = std::nullopt},
                {.value = ""},
                {.value = std::string(900'000, '1')}});
    Ids all;
    const auto before = worker->counts();
    EXPECT_TRUE(comes_true([&] {
        all.merge(heard(*worker, 50ms));
        return worker->counts().dismissed == 6 && all.contains(8) && all.contains(7);
    }));
    EXPECT_EQ(without_trial(all), (Ids{7, 8}));
    EXPECT_GE(worker->counts().heard, before.heard + 11 - 10);
    EXPECT_EQ(worker->counts().not_rung, 0);
}

TEST_F(DoorbellOnKafka, WhatWasAnsweredIsNotHeardAgainAndWhatWasNotIs) {
    KafkaTopic topic(1);
    {
        const auto worker = bell(topic);
        worker->ring(JobExecutionId(1), 1);
        EXPECT_TRUE(comes_true([&] { return heard(*worker, 50ms).contains(1); }));
        const auto answered = static_cast<std::int64_t>(topic.read().size());
        worker->answered();
        worker->ring(JobExecutionId(2), 1);
        EXPECT_TRUE(comes_true([&] { return heard(*worker, 50ms).contains(2); }));
        EXPECT_TRUE(comes_true([&] { return topic.committed(topic.name()) == answered; }));
    }
    const auto successor = listener(url() + "/" + topic.name() + "?group.id=" + topic.name());
    Ids all;
    EXPECT_TRUE(comes_true([&] {
        all.merge(heard(*successor, 50ms));
        return all.contains(2);
    }));
    EXPECT_FALSE(all.contains(1));
}

TEST_F(DoorbellOnKafka, TheRingsOfAnExecutionReachSeveralWorkersEachRingOne) {
    KafkaTopic topic(6);
    const auto one = bell(topic);
    const auto other = listener(url() + "/" + topic.name() + "?group.id=" + topic.name());
    int by_one = 0;
    int by_other = 0;
    EXPECT_TRUE(comes_true([&] {  // from when the two share the topic
        one->ring(JobExecutionId(5), 6);
        by_one += static_cast<int>(heard(*one, 50ms).size());
        by_other += static_cast<int>(heard(*other, 50ms).size());
        return by_other > 0;
    }));
    EXPECT_GT(by_one, 0);
    // From now on: no message to both.
    const auto count = [&] { return one->counts().heard + other->counts().heard; };
    std::int64_t before = -1;
    EXPECT_TRUE(comes_true([&] {  // what was rung before is heard
        const bool quiet = before == count();
        before = count();
        return heard(*one, 200ms).empty() && heard(*other, 200ms).empty() && quiet;
    }));
    one->ring(JobExecutionId(6), 12);
    EXPECT_TRUE(comes_true([&] { return (void)heard(*one, 20ms), (void)heard(*other, 20ms), count() >= before + 12; }));
    (void)heard(*one, 200ms);
    (void)heard(*other, 200ms);
    EXPECT_EQ(count(), before + 12);
}

TEST_F(DoorbellOnKafka, WhatIsRungForIsHeardByOthersOnceSomebodyLeaves) {
    KafkaTopic topic(4);
    const auto one = bell(topic);
    one->leave();
    const auto other = bell(topic);
    const std::int64_t before = other->counts().heard;
    EXPECT_TRUE(comes_true([&] {  // what is rung for before the group has noticed is nobody's
        other->ring(JobExecutionId(6), 8);
        (void)other->heard(50ms);
        return other->counts().heard >= before + 8;
    }));
    EXPECT_TRUE(other->sent(1h));
    EXPECT_EQ(other->trouble(), "");
    EXPECT_THAT(one->heard(50ms), IsEmpty());
}

TEST_F(DoorbellOnKafka, WakingEndsAWait) {
    const auto worker = listener(url() + "/" + KafkaTopic().name());
    std::thread waker([&] { worker->wake(); });
    EXPECT_THAT(worker->heard(1h), IsEmpty());
    waker.join();
}

TEST_F(DoorbellOnKafka, ATopicThatIsNotThereIsMade) {
    const std::string name = KafkaTopic().name() + "-made";
    const auto worker = listener(url() + "/" + name);
    EXPECT_TRUE(comes_true([&] {
        worker->ring(JobExecutionId(3), 1);
        return heard(*worker, 50ms).contains(3);
    }));
}

TEST(DoorbellWithoutKafka, RingsAndWaitsAsIfNothingWere) {
    const auto worker = listener("kafka://127.0.0.1:1?queue.buffering.max.messages=10");
    worker->ring(JobExecutionId(3), 1000);
    EXPECT_EQ(worker->counts().rung, 10);
    EXPECT_EQ(worker->counts().not_rung, 118);
    EXPECT_THAT(worker->heard(10ms), IsEmpty());
    worker->answered();
    EXPECT_FALSE(worker->sent(1h)) << "as soon as nobody can be reached";
    EXPECT_TRUE(comes_true([&] { return !worker->trouble().empty(); }));
    EXPECT_THAT(worker->trouble(), ::testing::StartsWith("no broker of kafka://127.0.0.1:1 can be reached: "));
    worker->leave();
}

TEST(DoorbellWithoutKafka, AUrlThatIsWrongIsTold) {
    EXPECT_THAT(message_of(ErrorKind::usage, [] { (void)open_doorbell("kafka://a?no.such.thing=1"); }),
                ::testing::HasSubstr("No such configuration property"));
    EXPECT_THAT(message_of(ErrorKind::usage, [] { (void)open_doorbell("http://a"); }),
                ::testing::HasSubstr("does not begin with kafka://"));
    EXPECT_THAT(message_of(ErrorKind::usage, [] { (void)open_doorbell("kafka://a/no%20topic"); }),
                ::testing::HasSubstr("\"no topic\" is no name of a topic"));
}

}  // namespace
}  // namespace fermata::kafka
