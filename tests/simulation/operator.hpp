#pragma once
// Whoever asks something of an execution, from any host: people, scripts, other systems. Answers get lost, and then
// they ask again.
#include "process.hpp"

namespace fermata::simulation {

class Operator {
public:
    Operator(World& world, Ledger& ledger, std::vector<std::unique_ptr<Process>>& processes)
        : world_(world), ledger_(ledger), processes_(processes) {}
    /// One event.
    void act();
    /// All that waits for somebody gets what it waits for.
    void wake_all();

private:
    void submit();
    void ask(JobExecutionId execution);
    void stop(JobExecutionId execution);
    void stop_step(JobExecutionId execution);
    void pause(JobExecutionId execution);
    void signal(JobExecutionId execution);
    void resume(JobExecutionId execution);
    void abandon(JobExecutionId execution);
    void restart(JobExecutionId execution);
    void recover(JobExecutionId execution);
    void run_in_foreground(Foreground::Begin begin);
    void launch(const Job& job, std::optional<std::string> key);
    [[nodiscard]] std::optional<JobExecutionId> any_execution();
    [[nodiscard]] std::vector<JobExecutionId> with_status(std::string_view condition);
    Repository& store() { return world_.on(*host_); }
    Host& any_host() { return *world_.chance.one_of(world_.hosts); }

    World& world_;
    Ledger& ledger_;
    std::vector<std::unique_ptr<Process>>& processes_;
    Host* host_ = nullptr;
    std::int64_t jobs_ = 0;
    std::int64_t runs_ = 0;
};

}  // namespace fermata::simulation
