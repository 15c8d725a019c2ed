// Random jobs against the oracle: the same sequence of steps, the same statuses, whatever fails, stops or dies,
// execution after execution. A job that differs is made simpler until it is readable, and printed as job XML.
//
// Most run without helpers, where the order of everything follows from the job. Some run with flows and partitions at
// the same time: without stops, whose effect depends on what runs just then, all but the order is the same.
//
// FERMATA_GRAPHS=n makes each shard run n graphs, FERMATA_GRAPH_SEED=n begin at n.
#include "harness.hpp"
#include "oracle.hpp"

#include <fermata/testing/forwarding.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <set>
#include <thread>

namespace fermata::test {
namespace {

namespace fs = std::filesystem;

constexpr int executions_an_instance = 4;
constexpr int graphs_a_repository = 500;

struct Shard {
    std::uint64_t first;
    std::uint64_t count;
    std::size_t helpers;
    bool pauses = false;  ///< steps pause at random places, and the execution is resumed
};

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
    const char* given = std::getenv(name);
    return given != nullptr ? std::strtoull(given, nullptr, 10) : otherwise;
}

/// What flows that run at the same time leave open.
OracleExecution without_order(OracleExecution execution) {
    std::ranges::sort(execution.steps, {}, &OracleStep::name);
    std::ranges::sort(execution.decisions);
    return execution;
}

std::string to_text(const OracleExecution& execution) {
    std::string text = fmt::format("  {} exit \"{}\" restart \"{}\"\n", execution.status, execution.exit_status,
                                   execution.restart_from);
    for (const OracleStep& step : execution.steps)
        text += fmt::format("    {} {} \"{}\"\n", step.name, step.status, step.exit_status);
    for (const std::string& decision : execution.decisions) text += fmt::format("    asked {}\n", decision);
    return text;
}

using Calls = std::set<std::tuple<std::string, int, int>>;

/// The simplest job for which it still holds; `calls` are those that were made when it was asked last.
template <class Holds, class MadeCalls>
RandomJob simplest(RandomJob job, Holds holds, MadeCalls calls) {
    for (bool again = true; again;) {
        again = false;
        (void)holds(job);
        for (RandomJob& simpler : job.simpler(calls())) {
            if (!holds(simpler)) continue;
            job = std::move(simpler);
            again = true;
            break;
        }
    }
    return job;
}

/// Threads that have lost their execution: what they ask of the repository next tells them so.
class Lost {
public:
    void add_this_thread() {
        const std::lock_guard lock(mutex_);
        threads_.insert(std::this_thread::get_id());
    }
    void clear() {
        const std::lock_guard lock(mutex_);
        threads_.clear();
    }
    void check() {
        const std::lock_guard lock(mutex_);
        if (threads_.erase(std::this_thread::get_id()) > 0) throw Error(ErrorKind::stale, "the owner died");
    }

private:
    std::mutex mutex_;
    std::set<std::thread::id> threads_;
};

class LosingConnection final : public testing::ForwardingConnection {
public:
    LosingConnection(std::unique_ptr<sql::Connection> real, Lost& lost)
        : ForwardingConnection(std::move(real)), lost_(lost) {}
    using sql::Connection::execute;
    sql::Result execute(const sql::Command& command) override {
        lost_.check();
        return real().execute(command);
    }
    void begin() override {
        lost_.check();
        real().begin();
    }

private:
    Lost& lost_;
};

class Graphs : public Harness, public ::testing::WithParamInterface<Shard> {
protected:
    ~Graphs() override {
        operator_.reset();
        repository_.reset();
    }
    /// What differs in this job, or nothing. One that pauses is compared with the oracle, which knows nothing of it,
    /// and with the whole record of a run that does not.
    std::optional<std::string> difference(const RandomJob& job) {
        if (!job.pauses) return difference_from_oracle(job);
        RandomJob plain = job;
        plain.pauses = false;
        if (auto found = difference_from_oracle(plain)) return found;
        const std::vector<std::string> expected = std::exchange(records_, {});
        if (auto found = difference_from_oracle(job)) return found;
        for (std::size_t i = 0; i < std::max(expected.size(), records_.size()); ++i)
            if (i >= expected.size() || i >= records_.size() || expected[i] != records_[i])
                return fmt::format("execution {} left the record\n{}but without pauses\n{}", i + 1,
                                   i < records_.size() ? records_[i] : "", i < expected.size() ? expected[i] : "");
        return std::nullopt;
    }
    std::optional<std::string> difference_from_oracle(const RandomJob& job) {
        records_.clear();
        const ParsedJob parsed = parse_job(job.xml(), "random.xml");
        if (!parsed.job) return "it does not parse";
        Oracle oracle(job);
        std::optional<JobExecutionId> last;
        begin_script(job);
        for (int i = 0; i < executions_an_instance; ++i) {
            try {
                last = last ? operator_->restart(*last, {}) : operator_->start(*parsed.job, {});
            } catch (const JobStartException&) {
                ++refused_;
                return std::nullopt;  // certain to loop
            }
            OracleExecution found = finish(*last);
            if (GetParam().pauses) records_.push_back(record(*last));
            OracleExecution expected = oracle.execute();
            calls_ = oracle.calls();
            if (GetParam().helpers > 0) {
                found = without_order(std::move(found));
                expected = without_order(std::move(expected));
            }
            if (!(found == expected))
                return fmt::format("execution {} was\n{}but should be\n{}", i + 1, to_text(found), to_text(expected));
            if (found.status == "COMPLETED") break;
        }
        return std::nullopt;
    }

    /// Runs it to its end, however often its owner dies.
    OracleExecution finish(JobExecutionId id) {
        for (;;) {
            try {
                const JobExecution ended = *operator_->wait(id);
                if (ended.status != BatchStatus::paused) return as_oracle(ended);
                operator_->resume(id);
            } catch (const Error& error) {
                if (error.kind() != ErrorKind::stale) throw;
                die();
                operator_->recover(id);
            }
        }
    }

    /// Everything that is recorded but times, epochs and events.
    std::string record(JobExecutionId id) {
        const JobExecution execution = operator_->job_execution(id);
        std::vector<std::string> lines;
        for (const StepExecution& s : repository_->steps_of(id)) {
            lines.push_back(fmt::format("{} {} {} {} {}/{}", s.name, to_string(s.status), s.exit_status.value_or("-"),
                                        s.user_data.value_or("-"), s.metrics.commits, s.partitions.value_or(-1)));
            for (const PartitionExecution& p : repository_->partitions_of(s.id))
                lines.push_back(
                    fmt::format("{} {} {} {}", s.name, p.number, to_string(p.status), p.exit_status.value_or("-")));
        }
        for (const WalkEntry& w : repository_->walk_of(id))
            lines.push_back(fmt::format("{}.{} {} {} {} {} {} {} {}", w.scope, w.number, w.step, w.outcome, w.taken,
                                        w.to, to_string(w.status), w.exit_status.value_or("-"),
                                        w.job_exit_status.value_or("-")));
        for (const auto& [name, s] : repository_->steps_of_instance(execution.instance_id))
            lines.push_back(
                fmt::format("{} {} {} starts {}", name, to_string(s.status), s.exit_status.value_or("-"), s.starts));
        if (GetParam().helpers > 0) std::ranges::sort(lines);
        return fmt::format("{} {} {}\n{}\n", to_string(execution.status), execution.exit_status.value_or("-"),
                           execution.restart_from.value_or("-"), fmt::join(lines, "\n"));
    }

    void begin_script(const RandomJob& job) {
        calls_made_.clear();
        entries_.clear();
        decisions_.clear();
        script().on_batchlet = [this, &job](StepContext& step) -> std::string {
            if (job.pauses && pauses_here(job, step)) return "not looked at";
            return act(job, step.step_name, step.partition ? static_cast<int>(*step.partition) : -1,
                       step.job->execution_id);
        };
        script().on_decide = [this, &job](std::span<const StepExecution> steps, JobContext& context) {
            return decide(job, steps, context.execution_id);
        };
    }
    /// The oracle knows nothing of it: a job that waits now and then comes to the same.
    bool pauses_here(const RandomJob& job, StepContext& step) {
        const std::string place = fmt::format("{} {} {}", job.seed, step.step_name, step.partition.value_or(-1));
        std::size_t draw = 0;
        {
            const std::lock_guard lock(mutex_);
            draw = std::hash<std::string>{}(fmt::format("{} {}", place, entries_[place]++));
        }
        if (draw % 5 == 0) step.pause({.point = "here"});
        if (draw % 5 == 1) step.pause_after({.point = "behind"});
        if (draw % 7 == 2) pause_from_outside(step.job->execution_id);
        return draw % 5 == 0;
    }
    void pause_from_outside(JobExecutionId execution) {
        try {
            operator_->pause(execution);
        } catch (const JobExecutionNotRunningException&) {
            // A stop came first.
        }
    }
    std::string act(const RandomJob& job, const std::string& id, int partition, JobExecutionId execution) {
        const Deed deed = next_deed(job, id, partition);
        if (deed.kind == Deed::Kind::fail) throw Bad("as drawn");
        if (deed.kind == Deed::Kind::die) {
            lost_.add_this_thread();
            throw Error(ErrorKind::stale, "the owner died");
        }
        if (deed.kind == Deed::Kind::stop) operator_->stop(execution);
        return deed.status;
    }
    std::string decide(const RandomJob& job, std::span<const StepExecution> steps, JobExecutionId execution) {
        const std::string& id = Script::deciding;
        std::string asked = id + ":";
        for (const StepExecution& step : steps) asked += " " + step.name;
        {
            const std::lock_guard lock(mutex_);
            const bool dies = job.deed(id, -1, calls_made_[{id, -1}]).kind == Deed::Kind::die;
            if (!dies) decisions_.push_back(asked);
        }
        return act(job, id, -1, execution);
    }
    Deed next_deed(const RandomJob& job, const std::string& id, int partition) {
        const std::lock_guard lock(mutex_);
        return job.deed(id, partition, calls_made_[{id, partition}]++);
    }

    /// As a kill would: nothing more is written, and the kernel lets go of the owner's file, which stays.
    void die() {
        std::vector<std::pair<fs::path, fs::path>> kept;
        for (const auto& file : fs::directory_iterator(folder_ / "repo.db.d" / "owners")) {
            kept.emplace_back(file.path(), folder_ / file.path().filename());
            fs::create_hard_link(kept.back().first, kept.back().second);
        }
        make_operator();
        for (const auto& [there, here] : kept) fs::rename(here, there);
    }
    void make_operator() {
        operator_.reset();
        lost_.clear();
        operator_ = std::make_unique<JobOperator>(*repository_, registry_, drivers_,
                                                  JobOperator::Settings{.helpers = GetParam().helpers});
    }
    void begin_anew() {
        operator_.reset();
        repository_.reset();
        for (const auto& file : fs::directory_iterator(folder_)) fs::remove_all(file.path());
        auto database = std::make_unique<testing::ForwardingDatabase>(
            drivers_.open(path("repo.db")), [this](std::unique_ptr<sql::Connection> connection) {
                return std::make_unique<LosingConnection>(std::move(connection), lost_);
            });
        repository_ = std::make_unique<Repository>(std::move(database), folder_ / "repo.db.d", true);
        make_operator();
    }

    OracleExecution as_oracle(const JobExecution& execution) {
        OracleExecution found{.status = std::string(to_string(execution.status)),
                              .exit_status = execution.exit_status.value_or(""),
                              .restart_from = execution.restart_from.value_or(""),
                              .steps = {},
                              .decisions = std::exchange(decisions_, {})};
        for (const StepExecution& step : repository_->steps_of(execution.id))
            found.steps.push_back({step.name, std::string(to_string(step.status)), step.exit_status.value_or("")});
        return found;
    }

    /// The simplest job that still differs.
    RandomJob shrunk(RandomJob job) {
        return simplest(
            std::move(job), [this](const RandomJob& each) { return difference(each).has_value(); },
            [this]() -> const Calls& { return calls_; });
    }

    Lost lost_;
    std::mutex mutex_;  // of what artifacts use
    std::map<std::pair<std::string, int>, int> calls_made_;
    std::map<std::string, int> entries_;
    std::vector<std::string> decisions_;
    std::vector<std::string> records_;  ///< of the instance, where some are to be compared

    Calls calls_;
    int refused_ = 0;
};

TEST_P(Graphs, RandomJobsDoWhatTheSpecificationSays) {
    const std::uint64_t first = from_environment("FERMATA_GRAPH_SEED", GetParam().first);
    const std::uint64_t count = from_environment("FERMATA_GRAPHS", GetParam().count);
    const auto kind = GetParam().helpers > 0 ? RandomJob::Kind::without_stops : RandomJob::Kind::any;
    for (std::uint64_t i = 0; i < count; ++i) {
        if (i % graphs_a_repository == 0) begin_anew();
        RandomJob job = RandomJob::drawn(first + i, kind);
        job.pauses = GetParam().pauses;
        const auto found = difference(job);
        if (!found) continue;
        const RandomJob simplest = shrunk(job);
        FAIL() << "FERMATA_GRAPH_SEED=" << first + i << "\n"
               << simplest.xml()
               << difference(simplest).value_or("but not another time; the first time, " + *found + job.xml());
    }
    EXPECT_LE(refused_, static_cast<int>(count / 20));
    EXPECT_TRUE(repository_->verify().empty());
}

/// What a difference is shown by: of any job that has them, nothing is left but what it takes, and it is job XML.
TEST(RandomJobs, ShrinkToAReadableJob) {
    const std::vector<std::string> what{"<partition>", "<decision", "<split", "start-limit"};
    std::map<std::string, int> shrunk;
    for (std::uint64_t seed = 1; seed <= 200; ++seed)
        for (const std::string& needed : what) {
            const RandomJob job = RandomJob::drawn(seed, RandomJob::Kind::any);
            const auto holds = [&](const RandomJob& each) {
                const std::string xml = each.xml();
                return xml.find(needed) != std::string::npos && parse_job(xml, "random.xml").job.has_value();
            };
            if (!holds(job)) continue;
            const std::string xml = simplest(job, holds, [] { return Calls(); }).xml();
            ++shrunk[needed];
            EXPECT_LE(std::ranges::count(xml, '\n'), needed == "<split" ? 8 : 4) << xml;
        }
    for (const std::string& needed : what) EXPECT_GT(shrunk[needed], 10) << needed;
}

/// 11,100 graphs, in pieces that ctest runs beside each other.
std::vector<Shard> shards() {
    std::vector<Shard> all;
    for (std::uint64_t i = 0; i < 10; ++i) all.push_back({.first = 1 + i * 950, .count = 950, .helpers = 0});
    for (std::uint64_t i = 0; i < 2; ++i) all.push_back({.first = 20'001 + i * 500, .count = 500, .helpers = 3});
    all.push_back({.first = 30'001, .count = 400, .helpers = 0, .pauses = true});
    all.push_back({.first = 40'001, .count = 200, .helpers = 3, .pauses = true});
    return all;
}

INSTANTIATE_TEST_SUITE_P(Shards, Graphs, ::testing::ValuesIn(shards()), [](const auto& shard) {
    return fmt::format("From{}{}{}", shard.param.first, shard.param.helpers > 0 ? "AtTheSameTime" : "",
                       shard.param.pauses ? "WithPauses" : "");
});

}  // namespace
}  // namespace fermata::test
