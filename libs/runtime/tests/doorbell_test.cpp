// What rings, and what a worker does with what it hears: with a doorbell of the test's own.
#include "harness.hpp"

#include <fermata/runtime/doorbell.hpp>
#include <fermata/runtime/worker_service.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <thread>
#include <utility>

namespace fermata::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr auto deadline = std::chrono::seconds(60);

/// Remembers what was done to it, in order; says what the test makes it say.
class TestBell final : public Doorbell {
public:
    void ring(JobExecutionId execution, std::int64_t workers) noexcept override {
        on_ring(execution);
        note(fmt::format("ring {} for {}", execution.value(), workers));
    }
    bool sent(std::chrono::milliseconds) noexcept override { return true; }
    void listen() override {
        if (!refuses.empty()) throw Error(ErrorKind::usage, refuses);
        note("listen");
    }
    std::vector<JobExecutionId> heard(std::chrono::milliseconds bound) override {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, bound, [this] { return is_woken_ || !messages_.empty(); });
        is_woken_ = false;
        std::vector<JobExecutionId> ids(messages_.begin(), messages_.end());
        messages_.clear();
        for (const JobExecutionId id : ids) done_.push_back(fmt::format("heard {}", id.value()));
        return ids;
    }
    void answered() noexcept override { note("answered"); }
    void leave() noexcept override { note("leave"); }
    void wake() noexcept override {
        const std::lock_guard lock(mutex_);
        is_woken_ = true;
        changed_.notify_all();
    }
    [[nodiscard]] std::string trouble() const override {
        const std::lock_guard lock(mutex_);
        return trouble_;
    }
    [[nodiscard]] Counts counts() const noexcept override { return {}; }

    void say(std::int64_t id) {
        const std::lock_guard lock(mutex_);
        messages_.emplace_back(id);
        changed_.notify_all();
    }
    void break_down(const std::string& why) {
        const std::lock_guard lock(mutex_);
        trouble_ = why;
    }
    [[nodiscard]] std::vector<std::string> done() const {
        const std::lock_guard lock(mutex_);
        return done_;
    }
    void await(std::size_t number, std::string_view what) {
        std::unique_lock lock(mutex_);
        ASSERT_TRUE(changed_.wait_for(lock, deadline, [&] {
            return static_cast<std::size_t>(std::ranges::count(done_, what)) >= number;
        })) << what;
    }

    std::function<void(JobExecutionId)> on_ring = [](JobExecutionId) {};
    std::string refuses;

private:
    void note(std::string what) {
        const std::lock_guard lock(mutex_);
        done_.push_back(std::move(what));
        changed_.notify_all();
    }
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<JobExecutionId> messages_;
    std::vector<std::string> done_;
    std::string trouble_;
    bool is_woken_ = false;
};

class RungFor : public Harness {
protected:
    static constexpr std::string_view batchlet = R"(<step id="s"><batchlet ref="scripted"/></step>)";

    void SetUp() override {
        Harness::SetUp();
        operator_ =
            std::make_unique<JobOperator>(*repository_, registry_, drivers_, JobOperator::Settings{.doorbell = &bell_});
    }
    void TearDown() override {
        service_.reset();
        Harness::TearDown();
    }
    void serve(std::vector<JobDefinition> definitions = {}) {
        WorkerService::Settings settings{.name = "alpha", .slots = 2, .grace = deadline};
        settings.jobs = [definitions, told = false]() mutable -> std::optional<std::vector<JobDefinition>> {
            if (std::exchange(told, true)) return std::nullopt;
            return definitions;
        };
        settings.tell = [this](const WorkerService::News& news) {
            const std::lock_guard lock(mutex_);
            if (news.kind == WorkerService::News::Kind::trouble) troubles_.push_back(news.text);
        };
        service_ = std::make_unique<WorkerService>(*operator_, std::move(settings));
        thread_ = std::jthread([this] {
            try {
                service_->run();
            } catch (const Error& error) {
                left_ = error.what();
            }
        });
    }
    void drain() {
        service_->drain();
        thread_.join();
    }
    /// The worker has gone round since this was called.
    void await_round() {
        const auto before = static_cast<std::size_t>(std::ranges::count(bell_.done(), "answered"));
        for (std::size_t round = 1; round <= 2; ++round) {
            bell_.say(4711);
            bell_.await(before + round, "answered");
        }
    }
    std::vector<std::string> troubles() {
        const std::lock_guard lock(mutex_);
        return troubles_;
    }

    TestBell bell_;
    std::mutex mutex_;
    std::vector<std::string> troubles_;
    std::string left_;
    std::unique_ptr<WorkerService> service_;
    std::jthread thread_;
};

TEST_F(RungFor, WhatIsHeardIsAnsweredOnceTheDatabaseWasAskedWhateverItSaid) {
    serve();
    bell_.say(4711);  // forged
    bell_.await(1, "answered");
    drain();
    EXPECT_THAT(bell_.done(), ElementsAre("listen", "heard 4711", "answered", "leave"));
    EXPECT_THAT(repository_->verify(), IsEmpty());
}

TEST_F(RungFor, WhoDrainsLeavesWhatIsRungForToOthers) {
    const JobDefinition waits = job(std::string(batchlet));
    script().on_batchlet = [&](StepContext&) -> std::string {
        service_->drain();
        bell_.await(1, "leave");
        bell_.say(4711);
        return "";
    };
    serve({waits});
    const JobExecutionId id = operator_->submit(waits, {});
    thread_.join();
    EXPECT_EQ(BatchStatus::completed, operator_->job_execution(id).status);
    EXPECT_EQ(0, std::ranges::count(bell_.done(), "heard 4711"));
}

TEST_F(RungFor, WhateverLeavesWorkForWorkersRingsAfterItsCommit) {
    bell_.on_ring = [this](JobExecutionId id) {
        EXPECT_EQ(BatchStatus::starting, repository_->find_execution(id)->status);
    };
    const JobDefinition waits = job(std::string(batchlet));
    const JobExecutionId id = operator_->submit(waits, {});
    operator_->pause(id);
    EXPECT_EQ(ResumeAnswer::Effect::released, operator_->submit_resume(id).effect);
    operator_->pause(id, {.point = "p"});
    EXPECT_EQ(BatchStatus::starting, operator_->signal(id, {.point = "p"}).status);
    operator_->stop(id);
    const JobExecutionId next = operator_->submit_restart(id, {});
    EXPECT_THAT(bell_.done(), ElementsAre("ring 1 for 1", "ring 1 for 1", "ring 1 for 1", "ring 2 for 1"));
    EXPECT_EQ(JobExecutionId(2), next);
    (void)operator_->signal(next, {.point = "q"});  // waits for a pause that may come: no work of anybody's
    EXPECT_EQ(4U, bell_.done().size());
}

TEST_F(RungFor, WhatADeadlineResumesRingsAndWhatItEndsDoesNot) {
    const JobDefinition waits = job(std::string(batchlet));
    const JobExecutionId resumed = operator_->submit(waits, {});
    const JobExecutionId failed = operator_->submit(waits, {});
    operator_->pause(resumed, {.timeout = Duration(1), .on_timeout = OnTimeout::resume});
    operator_->pause(failed, {.timeout = Duration(1)});
    EXPECT_TRUE(operator_->serve_duties());
    EXPECT_EQ(BatchStatus::failed, operator_->job_execution(failed).status);
    EXPECT_THAT(bell_.done(), ElementsAre("ring 1 for 1", "ring 2 for 1", "ring 1 for 1"));
}

TEST_F(RungFor, TroubleIsToldOnceUntilItIsOver) {
    bell_.break_down("no broker: 1 ms");
    serve();
    await_round();
    bell_.break_down("no broker: 2 ms");
    await_round();
    EXPECT_THAT(troubles(), ElementsAre(HasSubstr("no broker: 1 ms; work is looked for meanwhile")));
    bell_.break_down("");
    await_round();
    bell_.break_down("no broker: 3 ms");
    await_round();
    EXPECT_THAT(troubles(), ElementsAre(HasSubstr("1 ms"), HasSubstr("3 ms")));
    drain();
}

TEST_F(RungFor, AWorkerThatCannotListenSaysSoAtOnce) {
    bell_.refuses = "no such setting";
    serve();
    thread_.join();
    EXPECT_EQ("no such setting", left_);
}

}  // namespace
}  // namespace fermata::test
