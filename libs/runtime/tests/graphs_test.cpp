// Random jobs against the oracle: the same sequence of steps, the same statuses, whatever fails, stops or dies,
// execution after execution. A job that differs is made simpler until it is readable, and printed as job XML.
#include "harness.hpp"
#include "oracle.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace fermata::test {
namespace {

namespace fs = std::filesystem;

constexpr int executions_an_instance = 4;
constexpr int graphs_a_repository = 500;

std::string to_text(const OracleExecution& execution) {
    std::string text = fmt::format("  {} exit \"{}\" restart \"{}\"\n", execution.status, execution.exit_status,
                                   execution.restart_from);
    for (const OracleStep& step : execution.steps)
        text += fmt::format("    {} {} \"{}\"\n", step.name, step.status, step.exit_status);
    for (const std::string& decision : execution.decisions) text += fmt::format("    asked {}\n", decision);
    return text;
}

class Graphs : public Harness {
protected:
    /// What differs in this job, or nothing.
    std::optional<std::string> difference(const RandomJob& job) {
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
            const OracleExecution found = finish(*last);
            const OracleExecution expected = oracle.execute();
            calls_ = oracle.calls();
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
                return as_oracle(ended);
            } catch (const Error& error) {
                if (error.kind() != ErrorKind::stale) throw;
                die();
                operator_->recover(id);
            }
        }
    }

    void begin_script(const RandomJob& job) {
        calls_made_.clear();
        decisions_.clear();
        script().on_batchlet = [this, &job](StepContext& step) {
            return act(job, step.step_name, step.partition ? static_cast<int>(*step.partition) : -1,
                       step.job->execution_id);
        };
        script().on_decide = [this, &job](std::span<const StepExecution> steps, JobContext& context) {
            return decide(job, steps, context.execution_id);
        };
    }
    std::string act(const RandomJob& job, const std::string& id, int partition, JobExecutionId execution) {
        const Deed deed = job.deed(id, partition, calls_made_[{id, partition}]++);
        if (deed.kind == Deed::Kind::fail) throw Bad("as drawn");
        if (deed.kind == Deed::Kind::die) throw Error(ErrorKind::stale, "the owner died");
        if (deed.kind == Deed::Kind::stop) operator_->stop(execution);
        return deed.status;
    }
    std::string decide(const RandomJob& job, std::span<const StepExecution> steps, JobExecutionId execution) {
        std::string asked = script().deciding + ":";
        for (const StepExecution& step : steps) asked += " " + step.name;
        const bool dies = job.deed(script().deciding, -1, calls_made_[{script().deciding, -1}]).kind == Deed::Kind::die;
        if (!dies) decisions_.push_back(asked);
        return act(job, script().deciding, -1, execution);
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
        operator_ =
            std::make_unique<JobOperator>(*repository_, registry_, drivers_, JobOperator::Settings{.helpers = 0});
    }
    void begin_anew() {
        operator_.reset();
        repository_.reset();
        for (const auto& file : fs::directory_iterator(folder_)) fs::remove_all(file.path());
        reopen();
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
        for (bool again = true; again;) {
            again = false;
            (void)difference(job);
            for (RandomJob& simpler : job.simpler(calls_)) {
                if (!difference(simpler)) continue;
                job = std::move(simpler);
                again = true;
                break;
            }
        }
        return job;
    }

    std::map<std::pair<std::string, int>, int> calls_made_;
    std::vector<std::string> decisions_;
    std::set<std::tuple<std::string, int, int>> calls_;
    int refused_ = 0;
};

TEST_F(Graphs, RandomJobsDoWhatTheSpecificationSays) {
    // FERMATA_GRAPHS=10500 is the long run, by hand: it takes minutes, and about one graph in several thousand is still
    // found to differ once and not again (seed 6955 was one), which is not explained yet.
    const char* from = std::getenv("FERMATA_GRAPH_SEED");
    const char* many = std::getenv("FERMATA_GRAPHS");
    const std::uint64_t first = from != nullptr ? std::strtoull(from, nullptr, 10) : 1;
    const std::uint64_t count = many != nullptr ? std::strtoull(many, nullptr, 10) : 300;
    for (std::uint64_t i = 0; i < count; ++i) {
        if (i % graphs_a_repository == 0) begin_anew();
        const RandomJob job = RandomJob::drawn(first + i);
        const auto found = difference(job);
        if (!found) continue;
        const RandomJob simplest = shrunk(job);
        FAIL() << "FERMATA_GRAPH_SEED=" << first + i << "\n"
               << simplest.xml()
               << difference(simplest).value_or("but not another time; the first time, " + *found + job.xml());
    }
    EXPECT_LT(refused_, static_cast<int>(count / 20));
    EXPECT_TRUE(repository_->verify().empty());
}

}  // namespace
}  // namespace fermata::test
