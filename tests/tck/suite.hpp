#pragma once
// The fixture of every scenario: a repository of its own, the artifacts of the suite, and the job XML of the batch TCK,
// which is data outside of this repository (FERMATA_TCK_DIR). What a scenario says about itself goes into the report.
#include "artifacts/artifacts.hpp"
#include "stage.hpp"

#include <fermata/drivers/sqlite.hpp>
#include <fermata/jobxml/jobxml.hpp>
#include <fermata/runtime/job_operator.hpp>
#include <fermata/sql/sql.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fermata::tck {

class Suite : public ::testing::Test {
protected:
    Suite();
    ~Suite() override;
    /// Skips the scenario, with the word why, where the job XML is not there.
    void SetUp() override;

    // --- what the report says of the scenario
    void note(const std::string& text) { tell("note", text); }
    /// Asserted as the description says, in the words of C++.
    void adapted(const std::string& why) { tell("adapted", why); }
    /// Fermata decided otherwise; the scenario asserts the decision.
    void differs(const std::string& why) { tell("differs", why); }

    void not_applicable(const std::string& job, const std::string& what) {
        tell("job", job);
        tell("not_applicable", what + ": there is no container for dependency injection in C++");
    }

    // --- jobs
    /// The job of META-INF/batch-jobs/NAME.xml, `changes` made in its text: what stands there becomes something else.
    using Changes = std::vector<std::pair<std::string, std::string>>;
    JobDefinition load(const std::string& name, const Changes& changes = {});
    /// Parameters the job uses without default and that are not given are given as "" (and told in the report): the
    /// suite's artifacts take that for absent, as those of the TCK do.
    JobExecutionId start(const JobDefinition& job, Parameters parameters = {});
    JobExecution run(const JobDefinition& job, Parameters parameters = {});
    JobExecution run(const std::string& name, Parameters parameters = {}) { return run(load(name), parameters); }
    JobExecution restart(const JobExecution& execution, Parameters parameters = {});
    /// The end of an execution, which must come.
    JobExecution end_of(JobExecutionId id);
    std::vector<StepExecution> steps_of(const JobExecution& execution) { return op().step_executions(execution.id); }
    StepExecution only_step_of(const JobExecution& execution);
    /// The job is not started, or fails (§13.1).
    void expect_refused(const std::string& name);
    JobOperator& op() { return *operator_; }
    std::string path(const std::string& name) const { return (folder_ / name).string(); }

    std::filesystem::path folder_;
    sql::Drivers drivers_;
    Registry registry_;

private:
    Parameters complete(const JobDefinition& job, Parameters parameters);
    void tell(const std::string& key, const std::string& text);
    std::map<std::string, std::string> told_;
    std::map<JobInstanceId, JobDefinition> definitions_;
    std::unique_ptr<Repository> repository_;
    std::unique_ptr<JobOperator> operator_;
};

/// Status and exit status of a job execution; its failure where they are others.
void expect_end(const JobExecution& execution, BatchStatus status, const std::string& exit_status);
void expect_status(const JobExecution& execution, BatchStatus status);

}  // namespace fermata::tck
