#pragma once
// A process that owns executions: a worker that serves, or one in the foreground that runs one. It is alive, or asleep
// in the middle of anything, or gone; others may hold it for dead while it is not.
#include "run.hpp"

namespace fermata::simulation {

class Process {
public:
    Process(World& world, Ledger& ledger, Host& host, std::string name);
    virtual ~Process() = default;
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    /// One event.
    void act();
    /// It vanishes where it stands; the kernel frees its lock.
    void vanish();
    void sleep(Micros micros);
    void wake() { asleep_until_ = 0; }
    /// It is asked to; what it runs rests, for others.
    virtual void leave() {}
    /// Its lock is gone, and so is every proof of its life.
    void lose_lock();
    [[nodiscard]] bool is_gone() const { return gone_; }
    [[nodiscard]] const Host& host() const { return host_; }
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] virtual bool serves() const = 0;

protected:
    /// What it does beside its runs, a verb a turn.
    virtual void look_around() = 0;
    /// Before anything else.
    virtual void look_at_clock() {}
    virtual void run_ended(bool badly) = 0;
    void enter(Run::Start start);
    void call(const std::function<void()>& verb);

    Repository& store() { return world_.on(host_); }
    World& world_;
    Ledger& ledger_;
    Host& host_;
    const std::string name_;
    Worker worker_;
    std::vector<std::unique_ptr<Run>> runs_;
    std::vector<std::unique_ptr<Part>> parts_;
    bool is_lost_ = false;  ///< it was told that it was taken for dead

private:
    void go_on_with_one();
    template <class Drivers>
    void go_on(Drivers& drivers, std::size_t one);
    Micros asleep_until_ = 0;
    bool gone_ = false;
};

/// `fermata worker`.
class Server final : public Process {
public:
    Server(World& world, Ledger& ledger, Host& host, std::string name);
    [[nodiscard]] bool serves() const override { return true; }
    void leave() override;

private:
    void look_around() override;
    void look_at_clock() override;
    void run_ended(bool badly) override { has_unknown_ = has_unknown_ || badly; }
    void enlist();
    void change_terms();
    [[nodiscard]] WorkerTerms its_terms() const;
    template <class Verb>
    void as_one_who_lives(Verb&& verb);
    void beat();
    void distrust();
    void claim();
    void claim_partitions();
    Script take_over();
    void take_over(const LostExecution& lost);
    void disown();
    void disown_partitions();
    void hand_on();
    void drain();
    [[nodiscard]] bool is_trusted() const { return trusted_until_ == 0 || world_.micros() < trusted_until_; }
    [[nodiscard]] std::vector<JobExecutionId> known() const;
    [[nodiscard]] std::vector<PartitionKey> known_partitions() const;
    [[nodiscard]] std::int64_t waiting() const;
    [[nodiscard]] std::int64_t free_slots() const;
    [[nodiscard]] bool is_idle() const { return runs_.empty() && parts_.empty(); }

    std::int64_t slots_;
    bool is_enlisted_ = false;
    std::size_t served_ = 0;  ///< jobs, as its row says
    bool draining_ = false;
    bool has_told_ = true;  ///< that it does
    bool has_unknown_ = false;
    Micros trusted_until_ = 0;
    Micros next_beat_ = 0;
    Script errand_;  ///< looking for what others have lost
};

/// `fermata run`, `resume`, `recover`: with one execution, and gone when that has ended.
class Foreground final : public Process {
public:
    using Begin = std::function<std::optional<Run::Start>(Repository&, Worker&)>;
    Foreground(World& world, Ledger& ledger, Host& host, std::string name, Begin begin);
    [[nodiscard]] bool serves() const override { return false; }

private:
    void look_around() override;
    void run_ended(bool) override {}
    Begin begin_;
    bool has_begun_ = false;
};

}  // namespace fermata::simulation
