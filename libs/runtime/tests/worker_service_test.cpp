// A worker that serves, as a library: what it claims, and how it leaves.
#include "gate.hpp"
#include "harness.hpp"

#include <fermata/runtime/worker_service.hpp>

#include <gmock/gmock.h>

#include <atomic>
#include <condition_variable>
#include <thread>

namespace fermata::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = WorkerService::News::Kind;

constexpr auto deadline = std::chrono::seconds(60);

class Service : public Harness {
protected:
    static constexpr std::string_view batchlet = R"(<step id="s"><batchlet ref="scripted"/></step>)";

    /// Serves what `definitions` holds until drained.
    void serve(std::int64_t slots = 2, Duration grace = deadline) {
        WorkerService::Settings settings{.name = "alpha", .slots = slots, .grace = grace};
        settings.jobs = [this]() -> std::optional<std::vector<JobDefinition>> {
            const std::lock_guard lock(mutex_);
            return std::exchange(definitions_, std::nullopt);
        };
        settings.tell = [this](const WorkerService::News& news) {
            const std::lock_guard lock(mutex_);
            news_.emplace_back(news.kind, news.execution ? news.execution->id.value() : 0, news.text);
            changed_.notify_all();
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
    void define(std::vector<JobDefinition> definitions) {
        const std::lock_guard lock(mutex_);
        definitions_ = std::move(definitions);
    }
    void drain() {
        service_->drain();
        thread_.join();
        service_.reset();
    }
    void await_news(Kind kind, std::int64_t execution) {
        std::unique_lock lock(mutex_);
        ASSERT_TRUE(changed_.wait_for(lock, deadline, [&] { return told(kind, execution); }));
    }
    [[nodiscard]] bool told(Kind kind, std::int64_t execution) const {
        return std::ranges::any_of(
            news_, [&](const auto& each) { return std::get<0>(each) == kind && std::get<1>(each) == execution; });
    }
    void await_status(BatchStatus wanted, JobExecutionId id) {
        const auto until = std::chrono::steady_clock::now() + deadline;
        while (status(id) != wanted && std::chrono::steady_clock::now() < until)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        ASSERT_EQ(wanted, status(id));
    }
    BatchStatus status(JobExecutionId id) { return operator_->job_execution(id).status; }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<std::vector<JobDefinition>> definitions_;
    std::vector<std::tuple<Kind, std::int64_t, std::string>> news_;
    std::string left_;
    std::atomic<bool> service_is_draining_{false};
    std::unique_ptr<WorkerService> service_;
    std::jthread thread_;
};

TEST_F(Service, RunsWhatIsSubmitted) {
    const JobDefinition numbers = job(chunk("item-count=\"2\"", 5));
    define({numbers});
    serve();
    const JobExecutionId id = operator_->submit(numbers, {});
    await_news(Kind::ended, id.value());
    EXPECT_EQ(BatchStatus::completed, status(id));
    EXPECT_EQ(test::numbers(1, 5), written());
    EXPECT_TRUE(told(Kind::claimed, id.value()));
    drain();
    EXPECT_THAT(repository_->workers(), IsEmpty());
    EXPECT_THAT(repository_->verify(), IsEmpty());
}

TEST_F(Service, WhatIsAddedIsServed) {
    const JobDefinition numbers = job(chunk("item-count=\"2\"", 5));
    define({});
    serve();
    const JobExecutionId id = operator_->submit(numbers, {});
    define({numbers});
    await_news(Kind::ended, id.value());
    drain();
}

TEST_F(Service, FailsWhatItsParametersForbid) {
    const JobDefinition asks = job(R"(<step id="s" start-limit="#{jobParameters['limit']}?:1;">)"
                                   R"(<batchlet ref="scripted"/></step>)");
    define({asks});
    const auto submitted = repository_->submit({.definition = {hash_of(asks), asks.id, to_json(asks)},
                                                .parameters = {{"limit", "many"}},
                                                .working_directory = folder_.string(),
                                                .actor = "ann"});
    const auto id = std::get<JobExecutionId>(submitted);
    serve();
    await_news(Kind::ended, id.value());
    EXPECT_EQ(BatchStatus::failed, status(id));
    EXPECT_THAT(operator_->job_execution(id).failure->message, HasSubstr("many"));
    drain();
    EXPECT_THAT(repository_->verify(), IsEmpty());
}

TEST_F(Service, DrainedItClaimsNothingMoreAndWaitsForWhatRuns) {
    const JobDefinition waits = job(std::string(batchlet));
    Gate entered;
    Gate may_end;
    script().on_batchlet = [&](StepContext&) -> std::string {
        entered.open();
        EXPECT_TRUE(may_end.wait(deadline));
        return "";
    };
    define({waits});
    serve();
    const JobExecutionId first = operator_->submit(waits, {});
    ASSERT_TRUE(entered.wait(deadline));
    service_->drain();
    const auto draining = [&] { return repository_->workers().at(0).draining; };
    while (!draining()) std::this_thread::yield();
    const JobExecutionId second = operator_->submit(waits, {});
    may_end.open();
    drain();
    EXPECT_EQ(BatchStatus::completed, status(first));
    EXPECT_EQ(BatchStatus::starting, status(second));
}

TEST_F(Service, AfterTheGraceWhatRunsIsHandedOnAtItsCheckpoint) {
    const JobDefinition numbers = job(chunk("item-count=\"2\"", 100));
    Gate reached;
    script().on_read = [&](std::int64_t n) {
        if (n == 10) {
            reached.open();
            while (!service_is_draining_) std::this_thread::yield();
        }
    };
    define({numbers});
    serve(1, Duration{0});
    const JobExecutionId id = operator_->submit(numbers, {});
    ASSERT_TRUE(reached.wait(deadline));
    service_->drain();
    while (!repository_->workers().at(0).draining) std::this_thread::yield();
    service_is_draining_ = true;
    drain();
    EXPECT_EQ(BatchStatus::starting, status(id));
    EXPECT_TRUE(told(Kind::handed, id.value()));
    EXPECT_LT(written().size(), 100U);

    script().on_read = nullptr;
    define({numbers});
    serve();
    await_news(Kind::ended, id.value());
    drain();
    EXPECT_EQ(test::numbers(1, 100), written());
    EXPECT_EQ(100, step(id).metrics.written);
    EXPECT_THAT(repository_->verify(), IsEmpty());
}

TEST_F(Service, WhatIsPausedHoldsNoSlotAndGoesOnHereWhenItIsSignalled) {
    const JobDefinition definition = job(std::string(batchlet));
    std::atomic<bool> asked = false;
    script().on_batchlet = [&](StepContext& step) -> std::string {
        if (!asked.exchange(true)) step.pause({.point = "approve"});
        return "";
    };
    define({definition});
    serve(1);
    const JobExecutionId waiting = operator_->submit(definition, {});
    await_status(BatchStatus::paused, waiting);
    const JobExecutionId other = operator_->submit(definition, {});
    await_status(BatchStatus::completed, other);
    EXPECT_EQ(BatchStatus::paused, status(waiting));
    operator_->signal(waiting, {.point = "approve"});
    await_status(BatchStatus::completed, waiting);
    drain();
    EXPECT_THAT(repository_->verify(), IsEmpty());
}

TEST_F(Service, ServesDeadlines) {
    const JobDefinition definition = job(std::string(batchlet));
    script().on_batchlet = [&](StepContext& step) -> std::string {
        step.pause_after({.point = "approve", .timeout = Duration(1), .on_timeout = OnTimeout::resume});
        return "";
    };
    define({definition});
    serve(1);
    await_status(BatchStatus::completed, operator_->submit(definition, {}));
    drain();
}

TEST_F(Service, TakenForDeadItGivesUp) {
    define({});
    serve();
    while (repository_->workers().empty()) std::this_thread::yield();
    const auto submitted = operator_->submit(job(std::string(batchlet)), {});
    repository_->database().connect(sql::OpenMode::read_write)->execute("DELETE FROM worker");
    std::ignore = submitted;
    define({job(std::string(batchlet))});
    thread_.join();
    EXPECT_THAT(left_, HasSubstr("taken for dead"));
    service_.reset();
}

}  // namespace
}  // namespace fermata::test
