// The hint that a stop was asked for.
#include <fermata/repository/bell.hpp>
#include <fermata/testing/repository_suite.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <thread>

namespace fermata::testing {
namespace {

using namespace std::chrono_literals;

class Ringing : public RepositorySuite {
protected:
    void ask() { repository().request_stop(claim_.execution, {.now = true, .actor = "ann"}); }
    bool can_ring() { return sql::notices_of(*raw()) != nullptr; }
    Claim claim_ = launch();
    Bell bell_{repository()};
};

TEST_F(Ringing, AStopRingsWhereTheEngineCan) {
    EXPECT_FALSE(bell_.listens());
    EXPECT_FALSE(bell_.wait(0ms));
    bell_.listen();
    bell_.listen();
    EXPECT_EQ(can_ring(), bell_.listens());
    EXPECT_FALSE(bell_.wait(0ms));
    ask();
    EXPECT_EQ(can_ring(), bell_.wait(can_ring() ? 30s : 0s));
    EXPECT_FALSE(bell_.wait(0ms));
}

TEST_F(Ringing, AnEndRingsForThoseWhoWaitForOne) {
    Bell ends{repository(), Bell::About::ends};
    ends.listen();
    const auto rang = [&] { return ends.wait(can_ring() ? 30s : 0s); };
    const Claim resting = launch();
    repository().request_pause(resting.execution, {.what = {.point = "p"}, .actor = "ann"});
    EXPECT_FALSE(ends.wait(0ms));
    EXPECT_EQ(Rested::paused, repository().rest_execution(resting, {}));
    EXPECT_EQ(can_ring(), rang());
    repository().request_stop(resting.execution, {.actor = "ann"});
    EXPECT_EQ(can_ring(), rang());
    end(claim_, BatchStatus::completed);
    EXPECT_EQ(can_ring(), rang());
    const JobExecutionId lost = orphan(1);
    EXPECT_FALSE(ends.wait(0ms));
    EXPECT_TRUE(repository().fail_lost(lost, "ann"));
    EXPECT_EQ(can_ring(), rang());
}

TEST_F(Ringing, WhoEndsOneOfTheLastPartitionsRingsForTheOwnerOfTheStep) {
    constexpr std::int64_t all = 40;
    StepEntry step = repository().enter_step(claim_, "slices", StepEntryMode::start);
    repository().store_plan(step, {.partitions = all, .for_workers = true});
    std::vector<ClaimedPartition> running;
    const auto claim = [&](std::int64_t most) {
        auto claimed = repository().claim_partitions_of(step.claim, worker(), most);
        std::ranges::move(claimed->partitions, std::back_inserter(running));
    };
    const auto end_one = [&] {
        repository().end_partition(running.back().entry.claim, {.status = BatchStatus::completed});
        running.pop_back();
    };
    bell_.listen();
    claim(3);
    end_one();
    EXPECT_FALSE(bell_.wait(0ms)) << "others wait";
    claim(20);
    claim(20);
    end_one();
    EXPECT_FALSE(bell_.wait(0ms)) << "many run";
    while (running.size() > 3) end_one();
    EXPECT_EQ(can_ring(), bell_.wait(can_ring() ? 30s : 0s));
    while (bell_.wait(0ms)) continue;
    // Each of two that end at once sees that the other one still runs.
    while (!running.empty()) {
        end_one();
        EXPECT_EQ(can_ring(), bell_.wait(can_ring() ? 30s : 0s)) << running.size() << " run";
    }
}

TEST_F(Ringing, ASubmissionAloneIsAnOffer) {
    Bell work{repository(), Bell::About::work};
    EXPECT_FALSE(work.offer());
    work.listen();
    const auto submit = [&] { return std::get<JobExecutionId>(repository().submit(request())); };
    const auto rang = [&] { return work.wait(can_ring() ? 30s : 0s); };
    const JobExecutionId one = submit();
    EXPECT_EQ(can_ring(), rang());
    const auto offer = work.offer();
    ASSERT_EQ(can_ring(), offer.has_value());
    if (offer) {
        EXPECT_EQ(one, offer->execution);
        EXPECT_EQ("hash of import", offer->definition_hash);
    }
    EXPECT_FALSE(work.wait(0ms));
    EXPECT_FALSE(work.offer()) << "it was heard before";
    if (!can_ring()) return;
    // What else rings offers nothing.
    sql::notices_of(*raw())->say("fermata_work");
    EXPECT_TRUE(rang());
    EXPECT_FALSE(work.offer());
    raw()->execute("SELECT pg_notify('fermata_work', w) FROM unnest(ARRAY['x y', '7']) w");
    EXPECT_TRUE(rang());
    EXPECT_FALSE(work.offer());
    raw()->execute("SELECT pg_notify('fermata_work', 'seven hash')");
    EXPECT_TRUE(rang());
    EXPECT_FALSE(work.offer());
}

TEST_F(Ringing, AWaitCanBeEnded) {
    for (int i = 0; i < 2; ++i) {
        std::thread waker([&] { bell_.wake(); });
        EXPECT_FALSE(bell_.wait(30s));
        waker.join();
        bell_.listen();
    }
}

}  // namespace
}  // namespace fermata::testing
