#include "simulation.hpp"

#include "operator.hpp"

#include <algorithm>

namespace fermata::simulation {
namespace {

constexpr int events = 150;
constexpr int events_between_looks = 40;  ///< at everything
constexpr int events_to_the_end = 6'000;  ///< more, and something waits for ever
constexpr int events_of_rest = 20;        ///< for what is PAUSED, until somebody wakes it

class Simulation {
public:
    Simulation(std::uint64_t seed, Store& store) : world_(seed, store) {}

    void run() {
        begin();
        for (int i = 0; i < events; ++i) {
            world_.pass(world_.chance.below(second / 2));
            one_event();
            ledger_.after_event();
            if (i % events_between_looks == events_between_looks - 1) ledger_.all();
        }
        come_to_an_end();
        ledger_.all();
    }
    World& world() { return world_; }

private:
    void begin() {
        const Weather& w = world_.weather;
        world_.note("{}, {} hosts, {} workers", w.is_server ? "a server" : "a file", w.hosts, w.workers);
        for (std::int64_t i = 0; i < w.workers; ++i) add_server(*world_.chance.one_of(world_.hosts));
    }
    void add_server(Host& host) {
        processes_.push_back(std::make_unique<Server>(world_, ledger_, host, fmt::format("w{}", ++servers_)));
        world_.note("{} begins", processes_.back()->name());
    }
    void one_event() {
        if (mischief()) return;
        if (world_.chance.happens(0.2)) return operator_.act();
        if (Process* process = any_process()) process->act();
    }
    Process* any_process() {
        std::vector<Process*> alive;
        for (const auto& process : processes_)
            if (!process->is_gone()) alive.push_back(process.get());
        return alive.empty() ? nullptr : world_.chance.one_of(alive);
    }

    // --- what can go wrong

    bool mischief() {
        const Weather& w = world_.weather;
        const auto happens = [&](double probability) { return world_.chance.happens(probability); };
        Process* victim = any_process();
        if (victim == nullptr || happens(0.01)) return add_server(*world_.chance.one_of(world_.hosts)), true;
        if (happens(w.crash)) return victim->vanish(), true;
        if (happens(w.sleep)) return victim->sleep(world_.chance.between(1, 60) * second), true;
        if (happens(w.leave)) return victim->leave(), true;
        if (happens(w.false_death)) return mistake(*victim), true;
        if (happens(w.clock_step)) return step_a_clock(), true;
        if (happens(w.database_clock_step)) return world_.step_database_clock(), true;
        if (happens(w.cut_off)) return world_.cut_off(*world_.chance.one_of(world_.hosts)), true;
        if (happens(w.server_restart)) return world_.restart_server(), true;
        if (happens(w.jump)) world_.pass(world_.chance.between(1, 20) * second);
        return false;
    }
    void mistake(Process& victim) {
        victim.lose_lock();
        world_.note("{} is taken for dead, and lives", victim.name());
    }
    void step_a_clock() {
        Host& host = *world_.chance.one_of(world_.hosts);
        if (world_.chance.happens(0.3))
            host.clock.freeze_or_thaw();
        else
            host.clock.step(world_.chance);
        world_.note("the clock of {} is wrong", host.name);
    }

    // --- and then nothing more

    void come_to_an_end() {
        world_.note("from here on nothing goes wrong");
        world_.calm_down();
        for (const auto& process : processes_) process->wake();
        for (int i = 1; !ledger_.unfinished().empty(); ++i) {
            if (i > events_to_the_end) throw Violation("it never ends: " + ledger_.unfinished());
            staff();
            world_.pass(world_.chance.below(second / 2));
            if (Process* process = any_process()) process->act();
            if (i % events_of_rest == 0) operator_.wake_all();
            ledger_.after_event();
        }
        world_.note("everything has ended");
    }
    /// A live worker on every host.
    void staff() {
        for (const auto& host : world_.hosts) {
            const bool is_served = std::ranges::any_of(processes_, [&](const auto& process) {
                return !process->is_gone() && process->serves() && &process->host() == host.get();
            });
            if (!is_served) add_server(*host);
        }
    }

    World world_;
    Ledger ledger_{world_};
    std::vector<std::unique_ptr<Process>> processes_;
    Operator operator_{world_, ledger_, processes_};
    std::int64_t servers_ = 0;
};

}  // namespace

Report simulate(std::uint64_t seed, Store& store) {
    Simulation simulation(seed, store);
    Report report{.seed = seed, .violation = {}, .trace = {}, .rare = {}};
    try {
        simulation.run();
    } catch (const std::exception& error) {
        report.violation = error.what();
    }
    report.trace = std::move(simulation.world().trace);
    report.trace_hash = simulation.world().trace_hash;
    report.rare = std::move(simulation.world().rare);
    return report;
}

}  // namespace fermata::simulation
