// Owners that die in the middle of a step.
#include "deadly.hpp"

#include <fermata/base/point.hpp>

#include <random>

namespace fermata::test {
namespace {

using Death = Deadly;

TEST_F(Death, TheSameExecutionGoesOnFromTheCheckpoint) {
    const JobDefinition definition = job(chunk(R"(item-count="3")", 10));
    ASSERT_TRUE(died(in_child([&] {
        script().on_process = [](std::int64_t n) {
            if (n == 8) die();
            return true;
        };
        return static_cast<int>(run(definition).id.value());
    })));
    const JobExecutionId id = latest();
    EXPECT_EQ(operator_->job_execution(id).status, BatchStatus::started);
    EXPECT_TRUE(operator_->job_execution(id).owner_lost);
    operator_->recover(id);
    const JobExecution recovered = *operator_->wait(id);
    EXPECT_EQ(recovered.status, BatchStatus::completed);
    EXPECT_EQ(step(id).metrics, (Metrics{.read = 10, .written = 10, .commits = 4}));
    EXPECT_EQ(written(), numbers(1, 10));
    EXPECT_EQ(repository_->steps_of(id).size(), 1U);
    EXPECT_TRUE(repository_->verify().empty());
}

TEST_F(Death, RestartFailsTheLostExecutionFirst) {
    ASSERT_TRUE(died(in_child([&] {
        script().on_process = [](std::int64_t n) {
            if (n == 8) die();
            return true;
        };
        run(job(chunk(R"(item-count="3")", 10)));
        return 0;
    })));
    const JobExecutionId id = latest();
    const JobExecution second = restart(id);
    EXPECT_NE(second.id, id);
    EXPECT_EQ(second.status, BatchStatus::completed);
    EXPECT_EQ(operator_->job_execution(id).status, BatchStatus::failed);
    EXPECT_EQ(written(), numbers(1, 10));
}

TEST_F(Death, CountsAddUpWhereTheSinkIsAnotherDatabase) {
    JobDefinition definition = job(chunk(R"(item-count="3")", 10));
    std::get<ChunkDefinition>(std::get<StepDefinition>(definition.elements[0].what).work)
        .writer.properties.push_back({"url", Template::literal(path("other.db")), {}});
    const auto dies_at_eight = [&] {
        return died(in_child([&] {
            script().on_process = [](std::int64_t n) {
                if (n == 8) die();
                return true;
            };
            run(definition);
            return 0;
        }));
    };
    const Metrics six{.read = 6, .written = 6, .commits = 2};
    const auto counts_of_a_lost_one = [&](const std::function<void(JobExecutionId)>& end) {
        if (!dies_at_eight()) ADD_FAILURE() << "it was not killed";
        const JobExecutionId lost = latest();
        EXPECT_NE(step(lost).metrics, six) << "the copy is exact already: nothing is shown here";
        end(lost);
        return step(lost).metrics;
    };
    EXPECT_EQ(counts_of_a_lost_one([&](JobExecutionId id) { operator_->fail_lost(id); }), six);
    EXPECT_EQ(counts_of_a_lost_one([&](JobExecutionId id) { operator_->stop(id); }), six);
    EXPECT_EQ(counts_of_a_lost_one([&](JobExecutionId id) { restart(id); }), six);
    EXPECT_EQ(step(latest()).metrics, (Metrics{.read = 4, .written = 4, .commits = 2}));
    const auto after_the_sink_went = [&](JobExecutionId id) {
        std::filesystem::remove(path("other.db"));
        operator_->fail_lost(id);
    };
    EXPECT_NE(counts_of_a_lost_one(after_the_sink_went), six);
    EXPECT_TRUE(repository_->verify().empty());
}

TEST_F(Death, ALivingOwnerIsNotRobbed) {
    script().on_batchlet = [&](StepContext&) {
        const JobExecutionId id = latest();
        Repository other(drivers_.open(path("repo.db")), folder_ / "repo.db.d", false);
        JobOperator elsewhere(other, registry_, drivers_, {});
        EXPECT_THROW(elsewhere.recover(id), Error);
        EXPECT_THROW(elsewhere.fail_lost(id), Error);
        EXPECT_THROW(elsewhere.restart(id, {}), JobRestartException);
        EXPECT_THROW(elsewhere.abandon(id), JobExecutionIsRunningException);
        return std::string();
    };
    EXPECT_EQ(run(job(R"(<step id="a"><batchlet ref="scripted"/></step>)")).status, BatchStatus::completed);
}

TEST_F(Death, OnOwnerLossFailIsObeyed) {
    ASSERT_TRUE(died(in_child([&] {
        script().on_batchlet = [](StepContext&) -> std::string {
            die();
            return "";
        };
        run(job(
            R"(<properties><property name="fermata.on-owner-loss" value="fail"/></properties><step id="a"><batchlet ref="scripted"/></step>)"));
        return 0;
    })));
    operator_->recover(latest());
    EXPECT_EQ(operator_->wait(latest())->status, BatchStatus::failed);
}

TEST_F(Death, AStoppingExecutionWhoseOwnerDiedEntersNothing) {
    ASSERT_TRUE(died(in_child([&] {
        script().on_batchlet = [&](StepContext&) -> std::string {
            Repository other(drivers_.open(path("repo.db")), folder_ / "repo.db.d", false);
            other.request_stop(latest(), {.actor = "test"});
            die();
            return "";
        };
        run(job(
            R"(<step id="a" next="b"><batchlet ref="scripted"/></step><step id="b"><batchlet ref="scripted"/></step>)"));
        return 0;
    })));
    bool ran = false;
    script().on_batchlet = [&](StepContext&) {
        ran = true;
        return std::string();
    };
    operator_->recover(latest());
    EXPECT_EQ(operator_->wait(latest())->status, BatchStatus::stopped);
    EXPECT_FALSE(ran);
}

TEST_F(Death, AnItemThatKillsItsProcessIsNamedTheThirdTime) {
    const JobDefinition definition = job(chunk(R"(item-count="4")", 10));
    const auto poison = [](std::int64_t n) {
        if (n == 6) die();
        return true;
    };
    ASSERT_TRUE(died(in_child([&] {
        script().on_process = poison;
        run(definition);
        return 0;
    })));
    for (int round = 0; round < 2; ++round)
        ASSERT_TRUE(died(in_child([&] {
            script().on_process = poison;
            restart(latest());
            return 0;
        }))) << round;
    script().on_process = poison;
    const JobExecution named = restart(latest());
    EXPECT_EQ(named.status, BatchStatus::failed);
    ASSERT_TRUE(named.failure);
    EXPECT_NE(named.failure->message.find("died"), std::string::npos) << named.failure->message;
    EXPECT_NE(named.failure->message.find("number 6"), std::string::npos) << named.failure->message;
    EXPECT_EQ(written(), numbers(1, 5));
    script().on_process = nullptr;
    EXPECT_EQ(restart(named.id).status, BatchStatus::completed);
    EXPECT_EQ(written(), numbers(1, 10));
}

/// The oracle: whatever is drawn (skips, retries, failures, stops, deaths, restarts), each item ends written, filtered
/// or skipped exactly once.
class Oracle : public Death {
protected:
    enum class Fate { write, filter, skip_read, skip_process, skip_write };
    struct Fault {
        enum class Kind { die, fail, retry, stop } kind;
        std::int64_t item;
        enum class Where { read, process, write } where;
    };
    struct Plan {
        int items;
        int item_count;
        std::map<std::int64_t, Fate> fates;
        std::vector<Fault> faults;  ///< one a run, then none
        std::string database;
    };

    static Plan draw(unsigned seed) {
        std::mt19937 random(seed);
        const auto up_to = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
        Plan plan{5 + up_to(25), 1 + up_to(7), {}, {}, up_to(2) == 0 ? "" : "other.db"};
        for (int n = 1; n <= plan.items; ++n)
            if (up_to(4) == 0) plan.fates[n] = static_cast<Fate>(1 + up_to(4));
        for (int i = up_to(6); i > 0; --i)
            plan.faults.push_back(
                {static_cast<Fault::Kind>(up_to(4)), 1 + up_to(plan.items), static_cast<Fault::Where>(up_to(3))});
        return plan;
    }
    static Fate fate(const Plan& plan, std::int64_t n) {
        const auto found = plan.fates.find(n);
        return found == plan.fates.end() ? Fate::write : found->second;
    }
    void arm(const Plan& plan, std::size_t attempt) {
        Script& s = script();
        s.attempts.clear();
        const auto strike = [this, &plan, attempt](std::int64_t n, Fault::Where where) {
            if (attempt >= plan.faults.size()) return;
            const Fault& fault = plan.faults[attempt];
            if (fault.item != n || fault.where != where || script().attempts[n]++ > 0) return;
            switch (fault.kind) {
                case Fault::Kind::die:
                    die();
                    break;
                case Fault::Kind::fail:
                    throw Bad("fault");
                case Fault::Kind::retry:
                    throw Again(
                        "retry") /* retryable only: while retrying, a skippable one would be skipped (§8.2.1.4.3) */;
                case Fault::Kind::stop:
                    operator_->interrupt(false);
                    break;
            }
        };
        s.on_read = [&plan, strike](std::int64_t n) {
            strike(n, Fault::Where::read);
            if (fate(plan, n) == Fate::skip_read) throw Flaky("read " + std::to_string(n));
        };
        s.on_process = [&plan, strike](std::int64_t n) {
            strike(n, Fault::Where::process);
            if (fate(plan, n) == Fate::skip_process) throw Flaky("process " + std::to_string(n));
            return fate(plan, n) != Fate::filter;
        };
        s.on_write = [&plan, strike](std::int64_t n) {
            strike(n, Fault::Where::write);
            // Both skippable and retryable: isolated, then skipped alone.
            if (fate(plan, n) == Fate::skip_write) throw VeryFlaky("write " + std::to_string(n));
        };
    }
};

TEST_F(Oracle, EachItemEndsWrittenFilteredOrSkippedExactlyOnce) {
    const unsigned seeds =
        std::getenv("FERMATA_ORACLE_SEEDS") != nullptr ? std::stoul(std::getenv("FERMATA_ORACLE_SEEDS")) : 150;
    for (unsigned seed = 1; seed <= seeds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        const Plan plan = draw(seed);
        operator_.reset();
        repository_.reset();
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
        reopen();
        JobDefinition definition = job(chunk(
            "item-count=\"" + std::to_string(plan.item_count) + "\"", plan.items,
            R"(<skippable-exception-classes><include class="test.Flaky"/></skippable-exception-classes>)"
            R"(<retryable-exception-classes><include class="test.VeryFlaky"/><include class="test.Again"/></retryable-exception-classes>)"));
        if (!plan.database.empty())
            std::get<ChunkDefinition>(std::get<StepDefinition>(definition.elements[0].what).work)
                .writer.properties.push_back({"url", Template::literal(path(plan.database)), {}});

        BatchStatus status = BatchStatus::failed;
        for (std::size_t attempt = 0; attempt < 20 && status != BatchStatus::completed; ++attempt) {
            in_child([&] {
                arm(plan, attempt);
                const auto last = repository_->latest(std::nullopt);
                if (!last)
                    run(definition);
                else if (attempt % 2 == 0 && is_running(operator_->job_execution(*last).status)) {
                    operator_->recover(*last);
                    (void)operator_->wait(*last);
                } else
                    restart(*last);
                return 0;
            });
            if (repository_->latest(std::nullopt)) status = operator_->job_execution(latest()).status;
        }
        ASSERT_EQ(status, BatchStatus::completed);

        std::vector<std::int64_t> expected;
        std::map<Fate, std::int64_t> counted;
        for (std::int64_t n = 1; n <= plan.items; ++n) {
            ++counted[fate(plan, n)];
            if (fate(plan, n) == Fate::write) expected.push_back(n);
        }
        ASSERT_EQ(written(plan.database.empty() ? "repo.db" : plan.database), expected);
        Metrics sum;
        for (const JobExecution& execution : repository_->find_executions({}))
            for (const StepExecution& s : repository_->steps_of(execution.id)) {
                sum.read += s.metrics.read;
                sum.written += s.metrics.written;
                sum.filtered += s.metrics.filtered;
                sum.read_skips += s.metrics.read_skips;
                sum.process_skips += s.metrics.process_skips;
                sum.write_skips += s.metrics.write_skips;
            }
        ASSERT_EQ(sum.written, counted[Fate::write]);
        ASSERT_EQ(sum.filtered, counted[Fate::filter]);
        ASSERT_EQ(sum.read_skips, counted[Fate::skip_read]);
        ASSERT_EQ(sum.process_skips, counted[Fate::skip_process]);
        ASSERT_EQ(sum.write_skips, counted[Fate::skip_write]);
        const auto violations = repository_->verify();
        ASSERT_TRUE(violations.empty()) << violations.front();
    }
}

}  // namespace
}  // namespace fermata::test
