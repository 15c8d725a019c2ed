#include <fermata/base/id.hpp>
#include <fermata/testing/repository_suite.hpp>

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

namespace fermata::testing {

RepositorySuite::RepositorySuite() : folder_(std::filesystem::temp_directory_path() / ("fermata-" + new_uuid())) {
    std::filesystem::create_directory(folder_);
    std::ignore = database_in(folder_);  // on a server it is made by this: before anybody forks
}

RepositorySuite::~RepositorySuite() {
    close();
    std::filesystem::remove_all(folder_);
}

std::unique_ptr<Repository> RepositorySuite::open() {
    return std::make_unique<Repository>(database_in(folder_), folder_ / "data", true, clock_);
}

Repository& RepositorySuite::repository() {
    if (!repository_) repository_ = open();
    return *repository_;
}

Worker& RepositorySuite::worker() {
    if (!worker_) worker_ = std::make_unique<Worker>(folder_ / "data");
    return *worker_;
}

std::unique_ptr<sql::Connection> RepositorySuite::raw() {
    repository();
    return repository().database().connect(sql::OpenMode::read_write);
}

void RepositorySuite::close() {
    worker_.reset();
    repository_.reset();
}

LaunchRequest RepositorySuite::request(const std::string& job) {
    return {.definition = {.hash = "hash of " + job, .job_name = job, .canonical = "{\"id\":\"" + job + "\"}"},
            .parameters = {{"file", "vendors.csv"}, {"day", "2026-11-22"}},
            .working_directory = "/data",
            .actor = "ann@host pid 1"};
}

Claim RepositorySuite::launch(const std::string& job) { return launch(request(job)); }

Claim RepositorySuite::launch(const LaunchRequest& request) {
    return std::get<Claim>(repository().launch(request, worker()));
}

Claim RepositorySuite::restart(JobExecutionId previous) {
    return std::get<Claim>(
        repository().restart(previous, {.parameters = {{"file", "b.csv"}}, .actor = "ann"}, worker()));
}

JobExecution RepositorySuite::execution(JobExecutionId id) { return repository().find_execution(id).value(); }

void RepositorySuite::end(const Claim& claim, BatchStatus status) {
    repository().end_execution(claim, {.status = status, .exit_status = std::string(to_string(status))});
}

void RepositorySuite::end_step(const StepEntry& entry, BatchStatus status, std::int64_t number) {
    const Progress now = repository().steps_of_instance(entry.claim.execution.instance).at(entry.claim.step).progress;
    repository().end_step(entry.claim, {.status = status,
                                        .exit_status = std::string(to_string(status)),
                                        .progress = now,
                                        .walk = {number, entry.claim.step, "ran", "next", "after"}});
}

Progress RepositorySuite::commit_chunk(const StepEntry& entry, Progress progress, std::int64_t items) {
    ++progress.sequence;
    ++progress.metrics.commits;
    progress.metrics.read += items;
    progress.metrics.written += items;
    progress.reader = std::to_string(progress.metrics.read);
    repository().unit().commit(entry.claim, progress);
    return progress;
}

std::vector<BatchStatus> RepositorySuite::statuses(StepExecutionId step) {
    std::vector<BatchStatus> found;
    for (const PartitionExecution& each : repository().partitions_of(step)) found.push_back(each.status);
    return found;
}

StepExecutionId RepositorySuite::only_step(JobExecutionId execution) {
    return repository().steps_of(execution).at(0).id;
}

Claim RepositorySuite::failed(const std::string& job) {
    Claim claim = launch(job);
    end(claim, BatchStatus::failed);
    return claim;
}

std::vector<std::string> RepositorySuite::kinds(JobExecutionId id) {
    std::vector<std::string> kinds;
    for (const Event& event : repository().events_of(id, "", 1'000)) kinds.push_back(event.kind);
    return kinds;
}

void RepositorySuite::in_killed_process(const std::function<void()>& life) {
    close();
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        try {
            life();
        } catch (const std::exception& error) {
            std::fprintf(stderr, "the life of the process to be killed ended early: %s\n", error.what());
            ::_exit(1);
        }
        ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(child, ::waitpid(child, &status, 0));
    ASSERT_TRUE(WIFSIGNALED(status)) << "the process to be killed ended by itself, status " << status;
}

JobExecutionId RepositorySuite::orphan(std::int64_t chunks) {
    in_killed_process([&] {
        const StepEntry entry = repository().enter_step(launch(), "load", StepEntryMode::start);
        Progress progress = entry.state.progress;
        for (std::int64_t i = 0; i < chunks; ++i) progress = commit_chunk(entry, progress);
    });
    return repository().latest(std::nullopt).value();
}

}  // namespace fermata::testing
