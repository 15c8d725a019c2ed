#pragma once
// What every database behind the repository has to do. A program runs the suite on its engine by linking
// fermata_repository_suite and defining database_in().
#include <fermata/repository/repository.hpp>

#include <gtest/gtest.h>
#include <atomic>
#include <functional>

namespace fermata::testing {

/// Defined by the program: the engine's database that belongs to `folder`; the same folder, the same database.
[[nodiscard]] std::unique_ptr<sql::Database> database_in(const std::filesystem::path& folder);
/// Defined by the program: statements after which `connection` takes any row, for damage by hand.
void drop_constraints(sql::Connection& connection);

/// Moves on by a second at each look, so that no two instants are equal.
class SteppingClock : public Clock {
public:
    [[nodiscard]] Timestamp now() const override { return from_micros(micros_ += 1'000'000); }

private:
    mutable std::atomic<std::int64_t> micros_{1'800'000'000'000'000};
};

class RepositorySuite : public ::testing::Test {
protected:
    RepositorySuite();
    ~RepositorySuite() override;

    /// Another view of the same repository, as another process would open it.
    [[nodiscard]] std::unique_ptr<Repository> open();
    Repository& repository();
    Worker& worker();
    /// A connection for what no verb does.
    [[nodiscard]] std::unique_ptr<sql::Connection> raw();
    void close();  ///< before fork: nothing of the repository may live on both sides

    [[nodiscard]] static LaunchRequest request(const std::string& job = "import");
    Claim launch(const std::string& job = "import");
    Claim launch(const LaunchRequest& request);
    Claim restart(JobExecutionId previous);
    [[nodiscard]] JobExecution execution(JobExecutionId id);
    void end(const Claim& claim, BatchStatus status);
    void end_step(const StepEntry& entry, BatchStatus status, std::int64_t number = 1);
    /// One chunk of `items` read and written.
    Progress commit_chunk(const StepEntry& entry, Progress progress, std::int64_t items = 10);
    /// Of its partitions, by number.
    [[nodiscard]] std::vector<BatchStatus> statuses(StepExecutionId step);
    [[nodiscard]] StepExecutionId only_step(JobExecutionId execution);
    Claim failed(const std::string& job = "import");
    [[nodiscard]] std::vector<std::string> kinds(JobExecutionId id);

    /// Runs `life` in a process of its own that is killed (-9) when it returns.
    void in_killed_process(const std::function<void()>& life);
    /// An execution whose owner was killed in step "load" after `chunks` chunks.
    JobExecutionId orphan(std::int64_t chunks);

    SteppingClock clock_;
    std::filesystem::path folder_;

private:
    std::unique_ptr<Repository> repository_;
    std::unique_ptr<Worker> worker_;
};

}  // namespace fermata::testing
