// Many seeds. One that fails prints what must never be, all that led to it, and the command that does it again:
//   FERMATA_SIMULATION_SEED=n .../simulation_test --gtest_filter='Simulation.OneSeed'
// FERMATA_SIMULATION_SEEDS=n tries n seeds a test instead of a thousand.
#include "simulation.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace fermata::simulation {
namespace {

constexpr std::uint64_t seeds_a_test = 1'000;

std::uint64_t wanted(const char* variable, std::uint64_t otherwise) {
    const char* value = std::getenv(variable);
    return value == nullptr ? otherwise : std::stoull(value);
}

std::string story_of(const Report& report) {
    std::string story = fmt::format("seed {}: {}\n", report.seed, report.violation);
    for (const std::string& line : report.trace) story += line + "\n";
    return story +
           fmt::format("again: FERMATA_SIMULATION_SEED={} bin/simulation_test --gtest_filter=Simulation.OneSeed\n",
                       report.seed);
}

class Simulation : public ::testing::Test {
protected:
    Store store_;
};

class Seeds : public Simulation, public ::testing::WithParamInterface<std::uint64_t> {};

// What must come up in so many seeds, or the seeds are worth nothing.
constexpr const char* rare_states[] = {
    "a claimed partition opened a pause",
    "a claimed partition rests",
    "a claimed partition gave up its turn",
    "a claimed partition was cut short",
    "a claimed partition was handed on",
    "a partition runs elsewhere than its execution",
    "a partition runs while nobody owns its execution",
    "a worker let go of a partition that it did not know",
    "a zombie's chunk of a partition was refused",
    "an execution was adopted while its partitions ran elsewhere",
    "an execution was ended or rested without the owner of a partition",
    "partitions of a dead worker were let go",
    "the answer to a claim of partitions was lost",
    "the owner of a step withdrew its partitions",
    "the owner of an execution heard what collectors said",
    "a chunk is done again after its connection was lost",
    "a heartbeat failed",
    "a heartbeat told a worker that it was taken for dead",
    "a job was submitted twice with one key",
    "a partition rests",
    "a pause was complete before the execution rested",
    "a pause was withdrawn",
    "a resume was refused",
    "a run was adopted",
    "a running execution was asked to stop",
    "a running partition was adopted",
    "a running step was adopted",
    "a signal was applied",
    "a signal was buffered",
    "a signal was conflict",
    "a signal was counted",
    "a signal was duplicate",
    "a signal was finished",
    "a signal was sent again since its answer was lost",
    "a signal was stale",
    "a step rests",
    "a step was cut short",
    "a stop ended what a dead owner left",
    "a worker fenced itself",
    "a worker let go of what it did not know",
    "a worker was declared dead",
    "a zombie's chunk was refused",
    "an execution is PAUSED",
    "an execution was handed on",
    "an execution was recovered by hand",
    "an execution was restarted",
    "an owner's verb was refused",
    "the answer to a claim was lost",
    "the answer to a commit was lost",
    "what a dead owner left was PAUSING",
    "what a dead owner left was STARTED",
    "what a dead owner left was STOPPING",
    "what waited was resumed in the foreground",
    "what waited was resumed for a worker",
};

TEST_P(Seeds, HoldThePromises) {
    const std::uint64_t count = wanted("FERMATA_SIMULATION_SEEDS", seeds_a_test);
    std::map<std::string, std::int64_t> rare;
    for (std::uint64_t seed = GetParam() * count + 1; seed <= (GetParam() + 1) * count; ++seed) {
        const Report report = simulate(seed, store_);
        ASSERT_EQ("", report.violation) << story_of(report);
        for (const auto& [what, times] : report.rare) rare[what] += times;
    }
    for (auto& [a, b] : rare) fmt::print("{} {}\n", b, a);
    for (const char* state : rare_states) {
        RecordProperty(state, fmt::format("{}", rare[state]));
        EXPECT_GE(rare[state], 1) << "in " << count << " seeds it never came up that " << state;
    }
}
INSTANTIATE_TEST_SUITE_P(Simulation, Seeds, ::testing::Range<std::uint64_t>(0, 2));

TEST_F(Simulation, TheSameSeedLeavesTheSameTrace) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        const Report one = simulate(seed, store_);
        const Report other = simulate(seed, store_);
        EXPECT_EQ(one.trace, other.trace);
        EXPECT_EQ(one.trace_hash, other.trace_hash);
    }
}

TEST_F(Simulation, OneSeed) {
    const std::uint64_t seed = wanted("FERMATA_SIMULATION_SEED", 1);
    const Report report = simulate(seed, store_);
    if (std::getenv("FERMATA_SIMULATION_SEED") != nullptr) fmt::print("{}", story_of(report));
    EXPECT_EQ("", report.violation);
}

}  // namespace
}  // namespace fermata::simulation
