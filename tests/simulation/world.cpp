#include "world.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>

namespace fermata::simulation {
namespace {

World* sleeping_in = nullptr;

double sometimes_at_most(Chance& chance, double most) { return chance.happens(0.6) ? chance.fraction() * most : 0; }

}  // namespace

Weather Weather::any(Chance& chance) {
    Weather weather;
    weather.is_server = chance.happens(0.65);
    weather.hosts = weather.is_server ? chance.between(1, 3) : 1;
    weather.workers = chance.between(1, 3);
    weather.crash = sometimes_at_most(chance, 0.04);
    weather.sleep = sometimes_at_most(chance, 0.06);
    weather.leave = sometimes_at_most(chance, 0.05);
    weather.false_death = sometimes_at_most(chance, 0.04);
    weather.lost = sometimes_at_most(chance, 0.04);
    weather.lost_answer = sometimes_at_most(chance, 0.2);
    weather.break_step = sometimes_at_most(chance, 0.1);
    weather.shared = chance.happens(0.7) ? chance.fraction() : 0;
    weather.give_up = sometimes_at_most(chance, 0.2);
    weather.clock_step = sometimes_at_most(chance, 0.06);
    weather.database_clock_step = weather.is_server && chance.happens(0.2) ? 0.02 : 0;
    weather.cut_off = weather.is_server ? sometimes_at_most(chance, 0.03) : 0;
    weather.server_restart = weather.is_server ? sometimes_at_most(chance, 0.01) : 0;
    weather.jump = sometimes_at_most(chance, 0.06);
    return weather;
}

Timestamp HostClock::now() const {
    world_.pass(1);  // no two instants are equal, unless the clock stands still
    return from_micros(frozen_.value_or(world_.micros()) + offset_);
}
void HostClock::step(Chance& chance) { offset_ = chance.between(-3'600, 3'600) * second; }
void HostClock::freeze_or_thaw() {
    if (frozen_)
        frozen_.reset();
    else
        frozen_ = world_.micros();
}

Host::Host(World& world, std::string its_name) : name(std::move(its_name)), clock(world) {
    ::setenv("FERMATA_HOST", name.c_str(), 1);
    store = std::make_unique<Repository>(world.store.database(world, *this), world.store.data_folder(), false, clock);
}

World::World(std::uint64_t seed, Store& its_store) : chance(seed), weather(Weather::any(chance)), store(its_store) {
    store.empty();
    sleeping_in = this;
    server_started_ = micros_ - 3'600 * second;
    for (std::int64_t i = 1; i <= weather.hosts; ++i)
        hosts.push_back(std::make_unique<Host>(*this, fmt::format("h{}", i)));
    rough_ = true;
}
World::~World() { sleeping_in = nullptr; }

Repository& World::on(Host& host) {
    ::setenv("FERMATA_HOST", host.name.c_str(), 1);
    return *host.store;
}

void World::step_database_clock() {
    database_offset_ = chance.between(-60, 60) * second;
    note("the database's clock is {} s off", database_offset_ / second);
}

void World::restart_server() {
    out_until_ = micros_ + chance.between(1, 40) * second;
    server_started_ = out_until_ + database_offset_;
    note("the server is stopped for {} s", (out_until_ - micros_) / second);
}

void World::cut_off(Host& host) {
    host.cut_off_until = micros_ + chance.between(1, 40) * second;
    note("{} is cut off for {} s", host.name, (host.cut_off_until - micros_) / second);
}

/// The faults end: from here on everything must come to an end, too.
void World::calm_down() {
    rough_ = false;
    micros_ = std::max(micros_, out_until_);
}

void World::add_to_trace(std::string line) {
    for (const char c : line) trace_hash = (trace_hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211U;
    trace.push_back(std::move(line));
}

}  // namespace fermata::simulation

// Whoever sleeps lets the time of his world pass, not ours: in the tests of this program only.
// NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): the names there are reserved
extern "C" int nanosleep(const timespec* wanted, timespec*) {
    using fermata::simulation::sleeping_in;
    if (sleeping_in != nullptr)
        sleeping_in->pass(static_cast<std::int64_t>(wanted->tv_sec) * fermata::simulation::second +
                          wanted->tv_nsec / 1'000);
    return 0;
}
