#pragma once
// Where the actors of one seed live: hosts with clocks of their own, the database they share, the dice, and the trace
// of all that was done. One thread; nothing depends on the real time.
#include "chance.hpp"
#include "job.hpp"
#include "store.hpp"

#include <fermata/repository/repository.hpp>

#include <fmt/format.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fermata::simulation {

using Micros = std::int64_t;
inline constexpr Micros second = 1'000'000;

/// How rough it is: drawn anew for each seed, so that every mix comes up.
struct Weather {
    bool is_server = false;  ///< several hosts, leases, connections that are lost; else one file on one host
    std::int64_t hosts = 1;
    std::int64_t workers = 2;
    double crash = 0;
    double sleep = 0;
    double leave = 0;        ///< a worker is asked to
    double false_death = 0;  ///< the kernel says that a process is dead, which goes on
    double lost = 0;         ///< a connection, in a statement or a commit
    double lost_answer = 0;  ///< of a verb, to whoever called it
    double break_step = 0;
    double give_up = 0;  ///< of an owner that hears of its partitions
    double shared = 0;   ///< partitioned steps whose partitions any worker may claim
    double clock_step = 0;
    double database_clock_step = 0;
    double cut_off = 0;
    double server_restart = 0;
    double jump = 0;  ///< of time, for everybody
    [[nodiscard]] static Weather any(Chance& chance);
};

class World;

class HostClock final : public Clock {
public:
    explicit HostClock(World& world) : world_(world) {}
    [[nodiscard]] Timestamp now() const override;
    void step(Chance& chance);
    void freeze_or_thaw();

private:
    World& world_;
    Micros offset_ = 0;
    std::optional<Micros> frozen_;
};

struct Host {
    Host(World& world, std::string its_name);
    std::string name;
    HostClock clock;
    std::unique_ptr<Repository> store;
    Micros cut_off_until = 0;  ///< from the database
};

/// Something that must never be was seen.
struct Violation : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class World {
public:
    World(std::uint64_t seed, Store& its_store);
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    /// The following is done by somebody on this host.
    Repository& on(Host& host);
    void pass(Micros micros) { micros_ += micros; }
    [[nodiscard]] Micros micros() const { return micros_; }
    [[nodiscard]] Micros database_micros() const { return micros_ + database_offset_; }
    [[nodiscard]] Micros server_started() const { return server_started_; }

    void step_database_clock();
    /// The server is stopped, and started again after a while.
    void restart_server();
    void cut_off(Host& host);
    [[nodiscard]] bool is_cut_off(const Host& host) const {
        return rough_ && (micros_ < out_until_ || micros_ < host.cut_off_until);
    }
    [[nodiscard]] bool is_rough() const { return rough_; }
    void calm_down();
    /// While it lives, nothing goes wrong: for whoever only looks.
    class Silence {
    public:
        explicit Silence(World& world) : world_(world), rough_(std::exchange(world.rough_, false)) {}
        ~Silence() { world_.rough_ = rough_; }
        Silence(const Silence&) = delete;
        Silence& operator=(const Silence&) = delete;

    private:
        World& world_;
        bool rough_;
    };
    [[nodiscard]] bool loses_connection() { return rough_ && weather.is_server && chance.happens(weather.lost); }
    /// Of a database that only waits for nobody.
    [[nodiscard]] bool is_busy() { return rough_ && !weather.is_server && chance.happens(weather.lost); }
    [[nodiscard]] bool loses_answer() { return rough_ && chance.happens(weather.lost_answer); }

    /// What was done, for whoever replays it.
    template <class... Args>
    void note(fmt::format_string<Args...> format, Args&&... args) {
        add_to_trace(fmt::format(format, std::forward<Args>(args)...));
    }
    /// A state that is rare and must come up all the same.
    void sometimes(const std::string& what) { ++rare[what]; }

    Chance chance;
    Weather weather;
    Store& store;
    std::vector<std::unique_ptr<Host>> hosts;
    std::map<std::string, Job> jobs;
    std::vector<std::string> trace;
    std::uint64_t trace_hash = 14'695'981'039'346'656'037U;
    std::map<std::string, std::int64_t> rare;
    /// What the process knows that let an execution rest in its last step.
    struct Memory {
        StepClaim rested;
        std::size_t recorded = 0;  ///< entries of its walk
    };
    std::map<JobExecutionId, Memory> memories;

private:
    void add_to_trace(std::string line);
    Micros micros_ = 1'800'000'000 * second;
    Micros database_offset_ = 0;
    Micros server_started_ = 0;
    Micros out_until_ = 0;
    bool rough_ = false;
};

}  // namespace fermata::simulation
