// What the simulation is worth: protocols that are broken on purpose, by changing statements on their way to the
// database. Each must be noticed within the seeds of a campaign; one whose change finds no statement to change is a
// test that tests nothing, and fails too. Where the store guards a thing twice (a condition and a trigger), both are
// broken.
#include "simulation.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <ostream>

namespace fermata::simulation {

// NOLINTNEXTLINE(readability-identifier-naming,misc-use-internal-linkage): GoogleTest looks for it
void PrintTo(const Mutant& mutant, std::ostream* out) { *out << mutant.name; }

namespace {

constexpr std::uint64_t seeds_at_most = 2'000;

const std::vector<Mutant>& mutants() {
    static const std::vector<Mutant> all{
        {.name = "AnOwnersFenceLooksAtNoEpoch",
         .edits = {{"AND epoch = $2 AND (status = 'STARTED' OR", "AND 0 * $2 = 0 AND (status = 'STARTED' OR"}}},
        {.name = "AChunkLooksNeitherAtEpochNorAtStatus",
         .edits = {{"AND epoch = $23 AND status = 'STARTED'", "AND 0 * $23 = 0"}}},
        {.name = "AClaimLeavesTheEpoch",
         .edits = {{"e.epoch + 1 AS", "e.epoch AS"},
                   {"owner = $1, epoch = epoch + 1, updated = $2", "owner = $1, updated = $2"}}},
        {.name = "AnAdoptionLeavesTheEpoch",
         .edits = {{"SET epoch = epoch + 1, owner = $3, updated = $4 WHERE", "SET owner = $3, updated = $4 WHERE"}}},
        {.name = "ADeathLeavesTheEpochsOfSteps",
         .edits = {{"SET epoch = epoch + 1, updated = $2, deaths", "SET updated = $2, deaths"}}},
        {.name = "AnEpochComesBack",  // ABA
         .edits = {{"SET status = 'STARTING', owner = NULL, updated = $2",
                    "SET status = 'STARTING', owner = NULL, epoch = 1, updated = $2"}},
         .script = "DROP TRIGGER job_execution_transition"},
        {.name = "AClaimTakesWhatOthersRun",
         .edits = {{"e.status = 'STARTING' AND e.owner IS NULL JOIN", "e.status IN ('STARTING', 'STARTED') JOIN"},
                   {" AND status = 'STARTING' AND owner IS NULL", ""}}},
        {.name = "ALeaseThatRunsIsTakenForRunOut",
         .edits = {{"dead = 0 AND lease < ", "dead = 0 AND lease - 12000000 < "}}},
        {.name = "EverybodyElseIsDead", .edits = {{"w.started, w.name, w.dead", "w.started, w.name, 1"}}},
        {.name = "AServersRestartExcusesNobody", .edits = {{" + 18000000", " - 1"}}},
        {.name = "AHeartbeatThatFailedCounts", .edits = {}, .believes_heartbeats = true},
        {.name = "ALeaseRunsByTheClockOfItsHost", .edits = {}, .leases_by_own_clock = true},
        {.name = "AWorkersRowGoesWithItsLastExecution",
         .edits = {{"WHERE id = $1 AND slots = 0 AND NOT EXISTS", "WHERE id = $1 AND NOT EXISTS"}}},
        {.name = "ProgressIsReadOneChunkLate",
         .edits = {{"generation, sequence, read, written", "generation, MAX(sequence - 1, 0), read, written"}}},
        {.name = "ACheckpointIsForgotten",
         .edits = {{"commits, rollbacks, reader, writer", "commits, rollbacks, NULL, writer"}}},
        {.name = "AChunkWhoseAnswerWasLostIsDoneAgain",  // guarded twice
         .edits = {{"SELECT epoch, generation, sequence FROM step_progress",
                    "SELECT epoch, generation, sequence - 1 FROM step_progress"},
                   {" AND generation = $1 AND sequence < $2", ""}}},
        {.name = "AResumeBelievesThatALostCommitWasKept",
         .edits = {{"WHERE execution_id = $1 AND kind = $2 AND data = $3",
                    "WHERE execution_id = $1 AND length($2) + length($3) > 0"}}},
        {.name = "AKeyCountsAgain",  // guarded twice
         .edits = {{"counted, needed, pause, payload FROM signal WHERE",
                    "counted, needed, pause, payload FROM signal WHERE 1 = 0 AND"}},
         .script = "DROP INDEX signal_once"},
        {.name = "ABufferedSignalIsTakenTwice",  // guarded twice
         .edits = {{"b.answer = 'buffered' AND b.pause IS NULL", "b.answer = 'buffered'"}},
         .script = "DROP TRIGGER signal_acted"},
        {.name = "ABufferedSignalIsOverlooked",
         .edits = {{"b.answer = 'buffered' AND b.pause IS NULL", "b.answer = 'counted' AND b.pause IS NULL"}}},
        {.name = "APauseIsCompletedTwice",  // guarded twice
         .edits = {{"WHERE execution_id = $1 AND completed IS NULL AND ($5 = ''",
                    "WHERE execution_id = $1 AND ($5 = ''"}},
         .script = "DROP TRIGGER pause_complete"},
        {.name = "APauseOverrulesAStop",  // guarded twice
         .edits = {{"SELECT pauses + 1 FROM job_execution WHERE id = $1 AND status <> 'STOPPING'",
                    "SELECT pauses + 1 FROM job_execution WHERE id = $1"}},
         .script = "DROP TRIGGER job_execution_transition"},
        // --- of partitions that workers claim
        {.name = "AClaimOfAPartitionLeavesTheEpoch",
         .edits = {{"SET status = 'STARTED', epoch = epoch + 1, last_execution = $4",
                    "SET status = 'STARTED', last_execution = $4"}}},
        {.name = "APartitionEndsOrRestsUnderAnyEpoch",
         .edits = {{"AND partition = $23 AND epoch = $24 AND status = 'STARTED'",
                    "AND partition = $23 AND 0 * $24 = 0"}}},
        {.name = "AnAdoptionTakesPartitionsOfTheLiving",
         .edits = {{"x.partition = step_progress.partition - 1 AND x.owner <> $3",
                    "x.partition = step_progress.partition - 1 AND x.owner < $3 * 0"}}},
        {.name = "APartitionOfTheLivingIsLetGo",
         .edits = {{"w.dead, w.slots FROM worker w WHERE w.id <> $1 AND EXISTS (SELECT 1 FROM "
                    "partition_execution",
                    "1, w.slots FROM worker w WHERE w.id <> $1 AND EXISTS (SELECT 1 FROM "
                    "partition_execution"}}},
        {.name = "APartitionThatIsLetGoIsNotOffered",
         .edits = {{"SET status = 'STARTING', owner = NULL, offered = 1 WHERE step_execution_id = $1",
                    "SET status = 'STARTING', owner = NULL, offered = 0 WHERE step_execution_id = $1"}}},
        {.name = "APartitionThatGivesUpItsTurnIsNotOffered",
         .edits = {{"owner = NULL, offered = (SELECT COALESCE(MAX",
                    "owner = NULL, offered = 0 * (SELECT COALESCE(MAX"}}},
        {.name = "APartitionThatGivesUpItsTurnForgetsAChunk",
         .edits = {{"status = 'STARTING', updated = $25, deaths = 0",
                    "status = 'STARTING', reader = NULL, deaths = 0 * $25"}}},
        {.name = "APartitionIsClaimedInSpiteOfAStop",
         .edits = {{"e.id = s.execution_id AND e.status = 'STARTED' JOIN", "e.id = s.execution_id JOIN"}}},
        {.name = "APartitionIsClaimedInSpiteOfACut",
         .edits = {{"s.status = 'STARTED' AND s.cut_by IS NULL AND s.id", "s.status = 'STARTED' AND s.id"}}},
        {.name = "APartitionIsClaimedThoughItWasWithdrawn",
         .edits = {{"WHERE s.offers = 1 AND s.ended IS NULL", "WHERE s.offers > 0 AND s.ended IS NULL"}}},
        {.name = "AnExecutionThatIsHandedOnTakesPartitionsOfOthers",
         .edits = {{"AND x.partition = step_progress.partition - 1 AND x.owner IS NOT NULL)",
                    "AND x.partition = step_progress.partition - 1 AND x.owner < 0)"}}},
        {.name = "APartitionIsCountedBeforeItsLastChunk",
         .edits =
             {{"p.sequence FROM step_progress p WHERE p.instance_id = e.instance_id AND p.step = s.step AND",
               "p.sequence - 1 FROM step_progress p WHERE p.instance_id = e.instance_id AND p.step = s.step AND"}}},
        {.name = "APartitionThatEndsKeepsOldCounters",
         .edits = {{"error_position = $9, read = $10, written = $11",
                    "error_position = $9, read = $10 * 0, written = $11"}}},
        {.name = "WhatAPartitionThatWasLostHasDoneIsNotCounted",
         .edits = {{"SET read = p.read, written = p.written, filtered = p.filtered, read_skips = p.read_skips, "
                    "process_skips = p.process_skips, write_skips = p.write_skips, commits = p.commits, rollbacks = "
                    "p.rollbacks FROM step_progress p WHERE partition_execution.step_execution_id = $3",
                    "SET read = 0, written = 0, commits = 0 FROM step_progress p WHERE "
                    "partition_execution.step_execution_id = $3"}}},
    };
    return all;
}

class Teeth : public ::testing::TestWithParam<Mutant> {};

TEST_P(Teeth, ABrokenProtocolIsNoticed) {
    Store store(GetParam());
    std::string noticed;
    std::uint64_t seed = 0;
    while (noticed.empty() && seed < seeds_at_most) noticed = simulate(++seed, store).violation;
    EXPECT_THAT(store.texts().unused(), ::testing::IsEmpty()) << "there was nothing to change";
    EXPECT_NE("", noticed) << "in " << seeds_at_most << " seeds nobody noticed";
    RecordProperty("seeds", static_cast<int>(seed));
    RecordProperty("noticed", noticed);
    std::cout << GetParam().name << ": seed " << seed << ": " << noticed << '\n';
}
INSTANTIATE_TEST_SUITE_P(Simulation, Teeth, ::testing::ValuesIn(mutants()),
                         [](const auto& mutant) { return mutant.param.name; });

}  // namespace
}  // namespace fermata::simulation
