#pragma once
// A repository in a folder of its own and artifacts whose behaviour a test writes down: numbers are read, the hooks say
// what happens at each, and everything called is written into one log.
#include <fermata/drivers/sqlite.hpp>
#include <fermata/jobxml/jobxml.hpp>
#include <fermata/runtime/job_operator.hpp>
#include <fermata/sql/sql.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace fermata::test {

/// What the artifacts of the running test do. One test runs at a time; artifacts find it by this global.
struct Script {
    std::function<void(std::int64_t)> on_read;     ///< before item n is returned; may throw
    std::function<bool(std::int64_t)> on_process;  ///< false filters
    std::function<void(std::int64_t)> on_write;    ///< before item n is written
    std::function<std::string(StepContext&)> on_batchlet;
    std::function<void()> on_batchlet_stop;
    std::function<std::string(std::span<const StepExecution>, JobContext&)> on_decide;
    static inline thread_local std::string deciding;  ///< the decision that is asking, in on_decide
    std::function<PartitionPlan()> on_map;
    std::function<std::optional<std::string>(StepContext&)> on_collect;
    std::function<void(const std::string&)> on_analyze;  ///< "data X", "COMPLETED exit status"; they are logged, too
    std::map<std::string, std::function<void(StepContext*, JobContext&)>> on_call;  ///< by log line
    std::map<std::int64_t, int> attempts;  ///< for scripts that fail a number of times

    void called(const std::string& what, StepContext* step, JobContext& job) {
        {
            const std::lock_guard lock(mutex);
            log.push_back(what);
        }
        if (const auto hook = on_call.find(what); hook != on_call.end()) hook->second(step, job);
    }
    std::mutex mutex;
    std::vector<std::string> log;
};
Script& script();

struct Flaky : std::runtime_error {
    using std::runtime_error::runtime_error;
};
struct VeryFlaky : Flaky {
    using Flaky::Flaky;
};
struct Again : std::runtime_error {
    using std::runtime_error::runtime_error;
};
struct Bad : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class Harness : public ::testing::Test {
protected:
    Harness();
    ~Harness() override;

    /// A job around `steps`; parse errors fail the test.
    static JobDefinition job(const std::string& body);
    /// One chunk step of numbers 1…count into table `out` (column n), with `inside` after writer.
    static std::string chunk(const std::string& attributes, int count, const std::string& inside = "",
                             const std::string& writer = "rows", const std::string& step_attributes = "",
                             const std::string& before = "");
    JobExecution run(const JobDefinition& definition, Parameters parameters = {});
    JobExecution restart(JobExecutionId id, Parameters parameters = {});
    StepExecution step(JobExecutionId id, const std::string& name = "s");
    /// Numbers in the sink, in order of their rowid.
    std::vector<std::int64_t> written(const std::string& database = "repo.db");
    void reopen();  ///< as another process would see it
    std::string path(const std::string& name) const { return (folder_ / name).string(); }

    std::filesystem::path folder_;
    sql::Drivers drivers_;
    Registry registry_;
    std::unique_ptr<Repository> repository_;
    std::unique_ptr<JobOperator> operator_;
};

std::vector<std::int64_t> numbers(std::int64_t from, std::int64_t to);

}  // namespace fermata::test
