#include "suite.hpp"

#include <fermata/base/file.hpp>
#include <fermata/base/id.hpp>

#include <cstdlib>

namespace fermata::tck {
namespace {

namespace fs = std::filesystem;

fs::path tck_folder() {
    const char* given = std::getenv("FERMATA_TCK_DIR");
    return given != nullptr ? fs::path(given) : fs::path(FERMATA_SOURCE_DIR) / "../shared/tck";
}

fs::path jobs_folder() { return tck_folder() / "com.ibm.jbatch.tck/src/main/resources/META-INF/batch-jobs"; }

/// In memory where the machine has it: nothing here is about disks.
fs::path scratch() {
    const fs::path memory = "/dev/shm";
    return fs::is_directory(memory) ? memory : fs::temp_directory_path();
}

constexpr Duration deadline = std::chrono::seconds(60);

}  // namespace

Suite::Suite() : folder_(scratch() / ("fermata-tck-" + new_uuid())) {
    fs::create_directories(folder_);
    reset_stage();
    add_sqlite_driver(drivers_);
    add_artifacts(registry_);
    repository_ = std::make_unique<Repository>(drivers_.open(path("repository.db")), folder_ / "repository.db.d", true);
    JobOperator::Settings settings;
    settings.system_properties = {{"file.separator", "/"}, {"file.name.junit", "myfile2"}};
    operator_ = std::make_unique<JobOperator>(*repository_, registry_, drivers_, settings);
    stage().op = operator_.get();
    stage().database = path("business.db");
}

Suite::~Suite() {
    operator_.reset();
    repository_.reset();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

void Suite::SetUp() {
    if (!fs::is_directory(jobs_folder()))
        GTEST_SKIP() << "no TCK job XML in " << tck_folder() << " (set FERMATA_TCK_DIR)";
}

void Suite::tell(const std::string& key, const std::string& text) {
    std::string& told = told_[key];
    if (told.find(text) != std::string::npos) return;
    told += (told.empty() ? "" : "; ") + text;
    RecordProperty(key, told);
}

JobDefinition Suite::load(const std::string& name, const Changes& changes) {
    tell("job", name);
    const fs::path file = jobs_folder() / (name + ".xml");
    std::string text = read_file(file);
    for (const auto& [from, to] : changes) {
        const auto at = text.find(from);
        if (at == std::string::npos) throw std::runtime_error(file.string() + " does not say " + from);
        text.replace(at, from.size(), to);
    }
    ParsedJob parsed = parse_job(text, file.string());
    std::string findings;
    for (const Diagnostic& found : parsed.diagnostics.all()) findings += to_string(found) + "\n";
    if (!parsed.job) throw std::runtime_error(findings);
    return std::move(*parsed.job);
}

Parameters Suite::complete(const JobDefinition& job, Parameters parameters) {
    for (const ParameterUse& use : parameters_of(job))
        if (!use.fallback && parameters.emplace(use.name, "").second) tell("empty", use.name);
    return parameters;
}

JobExecutionId Suite::start(const JobDefinition& job, Parameters parameters) {
    const JobExecutionId id = op().start(job, {.parameters = complete(job, std::move(parameters))});
    definitions_[op().job_instance(id).id] = job;
    return id;
}

JobExecution Suite::run(const JobDefinition& job, Parameters parameters) {
    return end_of(start(job, std::move(parameters)));
}

JobExecution Suite::restart(const JobExecution& execution, Parameters parameters) {
    const JobDefinition& job = definitions_.at(execution.instance_id);
    return end_of(op().restart(execution.id, {.parameters = complete(job, std::move(parameters))}));
}

JobExecution Suite::end_of(JobExecutionId id) {
    auto ended = op().wait(id, deadline);
    if (!ended) throw std::runtime_error("execution " + std::to_string(id.value()) + " did not end");
    return std::move(*ended);
}

StepExecution Suite::only_step_of(const JobExecution& execution) {
    const auto steps = steps_of(execution);
    EXPECT_EQ(steps.size(), 1U);
    return steps.empty() ? StepExecution{} : steps.front();
}

void Suite::expect_refused(const std::string& name) {
    try {
        expect_status(run(name), BatchStatus::failed);
    } catch (const JobStartException&) {
        note("not started");
    }
}

void expect_status(const JobExecution& execution, BatchStatus status) {
    EXPECT_EQ(to_string(execution.status), to_string(status))
        << (execution.failure ? execution.failure->error_class + ": " + execution.failure->message : "no failure");
}

void expect_end(const JobExecution& execution, BatchStatus status, const std::string& exit_status) {
    expect_status(execution, status);
    EXPECT_EQ(execution.exit_status.value_or("(none)"), exit_status);
}

}  // namespace fermata::tck
