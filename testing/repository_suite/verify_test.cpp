// Every invariant that verify() states, broken by hand once.
#include <fermata/testing/repository_suite.hpp>

#include <gmock/gmock.h>

namespace fermata::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Damage {
    const char* sql;
    const char* finding;
};
void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.sql; }

class Verifying : public RepositorySuite, public ::testing::WithParamInterface<Damage> {
protected:
    // Execution 1 (instance 1): COMPLETED, steps load and check. Execution 2 (instance 2): FAILED in load.
    // Execution 3 restarts it and runs.
    void live() {
        const Claim one = launch();
        const StepEntry load = repository().enter_step(one, "load", StepEntryMode::start);
        repository().record_sink(one, {"sqlite:/data/sink.db", "fermata_sink"});
        commit_chunk(load, load.state.progress);
        end_step(load, BatchStatus::completed, 1);
        end_step(repository().enter_step(one, "check", StepEntryMode::start), BatchStatus::completed, 2);
        end(one, BatchStatus::completed);
        const Claim two = launch();
        end_step(repository().enter_step(two, "load", StepEntryMode::start), BatchStatus::failed);
        end(two, BatchStatus::failed);
        const Claim three = restart(two.execution);
        const StepEntry running = repository().enter_step(three, "load", StepEntryMode::start);
        commit_chunk(running, running.state.progress);
        // Execution 4 (instance 3) waits, one signal of two has come.
        const Claim four = launch();
        const StepEntry waits = repository().enter_step(four, "load", StepEntryMode::start);
        repository().rest_step(
            waits.claim, {.progress = waits.state.progress, .pause = PauseRequest{.point = "approve", .signals = 2}});
        repository().rest_execution(four, {});
        repository().signal(four.execution, {.point = "approve", .key = "a", .sender = "ann"});
    }
};

TEST_F(Verifying, FindsNothingInWhatTheVerbsMade) {
    live();
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_P(Verifying, Finds) {
    live();
    const auto connection = raw();
    drop_constraints(*connection);
    ASSERT_GT(connection->execute(GetParam().sql).changed, 0);
    EXPECT_THAT(repository().verify(), Contains(HasSubstr(GetParam().finding)));
}

INSTANTIATE_TEST_SUITE_P(
    Damage, Verifying,
    ::testing::Values(
        Damage{"UPDATE job_execution SET ended = NULL WHERE id = 1",
               "execution 1 is COMPLETED but its end time says otherwise"},
        Damage{"UPDATE step_execution SET ended = NULL WHERE id = 1",
               "step execution 1 (load) is COMPLETED but its end time says otherwise"},
        Damage{"UPDATE job_execution SET owner = 1 WHERE id = 1", "execution 1 is COMPLETED but owned by worker 1"},
        Damage{"UPDATE job_execution SET status = 'STARTED' WHERE id = 4",
               "execution 4 is STARTED but a pause is open"},
        Damage{"DELETE FROM pause", "execution 4 is PAUSED but no pause is open"},
        Damage{"UPDATE job_execution SET pauses = 7 WHERE id = 4",
               "execution 4 counts 7 pauses but has another number"},
        Damage{"UPDATE pause SET counted = 2", "pause 1 of execution 4 counts 2 signals but has another number"},
        Damage{"UPDATE step_execution SET execution_id = 2 WHERE status = 'PAUSED'",
               "is PAUSED in execution 2, which is FAILED"},
        Damage{"UPDATE pause SET execution_id = 99", "pause 1 belongs to execution 99, which does not exist"},
        Damage{"UPDATE signal SET execution_id = 99", "signal 1 belongs to execution 99, which does not exist"},
        Damage{"UPDATE job_execution SET owner = NULL WHERE id = 3", "execution 3 is STARTED but nobody owns it"},
        Damage{"UPDATE job_execution SET status = 'STARTED', ended = NULL WHERE id = 2",
               "instance 2 has 2 running executions"},
        Damage{"UPDATE job_instance SET instance_key = 'k'", "instance 1 and 2 more of job import have the key k"},
        Damage{"UPDATE step_execution SET status = 'STARTED', ended = NULL WHERE id = 1",
               "step execution 1 (load) runs in execution 1, which is COMPLETED"},
        Damage{"UPDATE job_execution SET restart_of = 1 WHERE id = 3",
               "execution 3 says it restarts execution 1, no earlier one of its instance"},
        Damage{"UPDATE job_execution SET restart_of = 99 WHERE id = 3",
               "execution 3 says it restarts execution 99, which does not exist"},
        Damage{"UPDATE step_execution SET written = 9 WHERE id = 1",
               "step execution 1 (load) has read 10 items but accounts for 9"},
        Damage{"UPDATE step_progress SET filtered = 1 WHERE instance_id = 1 AND step = 'load'",
               "step load of instance 1 has read 10 items but accounts for 11"},
        Damage{"UPDATE step_progress SET last_execution = 1 WHERE instance_id = 2",
               "step load of instance 2 names step execution 1, which is not one of its own"},
        Damage{"UPDATE step_progress SET status = 'FAILED' WHERE instance_id = 1 AND step = 'load'",
               "step load of instance 1 is FAILED but its last execution 1 is COMPLETED"},
        Damage{"UPDATE step_progress SET commits = 7 WHERE instance_id = 1 AND step = 'load'",
               "step load of instance 1 differs in its counters from its last execution 1"},
        Damage{"DELETE FROM step_progress WHERE step = 'check'", "step execution 2 (check) has no row of progress"},
        Damage{"UPDATE step_progress SET starts = 1 WHERE instance_id = 2",
               "step load of instance 2 says it was started 1 times but has another number of executions"},
        Damage{"UPDATE step_progress SET epoch = 1 WHERE instance_id = 2",
               "step load of instance 2 has epoch 1 after 2 starts"},
        Damage{"UPDATE step_execution SET status = 'COMPLETED' WHERE id = 3",
               "step load of instance 2 ran again after it was COMPLETED"},
        Damage{"UPDATE step_progress SET sequence = -1 WHERE instance_id = 2",
               "step load of instance 2 has an impossible place (generation 0, sequence -1, deaths 0)"},
        Damage{"DELETE FROM walk WHERE execution_id = 1 AND number = 1", "the walk of execution 1 has gaps"},
        Damage{"DELETE FROM event WHERE execution_id = 1 AND kind = 'execution.started'",
               "the journal of execution 1 has not exactly one start"},
        Damage{"DELETE FROM event WHERE execution_id = 1 AND kind = 'execution.ended'",
               "the journal of execution 1 does not agree that it is COMPLETED"},
        Damage{"UPDATE job_execution SET status = 'ABANDONED' WHERE id = 2",
               "the journal of execution 2 does not agree that it is ABANDONED"},
        Damage{"UPDATE event SET id = -1 WHERE execution_id = 1 AND kind = 'execution.ended'",
               "the journal of execution 1 tells of execution.ended before its start"},
        Damage{"DELETE FROM repository", "the repository has 0 identities"},
        Damage{"INSERT INTO purge_in_progress (instance_id) VALUES (1)", "a purge was interrupted at instance 1"},
        Damage{"UPDATE job_execution SET instance_id = 9 WHERE id = 1",
               "execution 1 belongs to instance 9, which does not exist"},
        Damage{"UPDATE job_execution SET job_name = 'other' WHERE id = 1",
               "execution 1 says job other, its instance says import"},
        Damage{"UPDATE job_execution SET instance_key = 'other' WHERE id = 1",
               "execution 1 says instance key other, its instance says none"},
        Damage{"UPDATE job_execution SET parameters = '{}' WHERE id = 1",
               "execution 1 says parameters {}, of which job_parameter says something else"},
        Damage{"UPDATE job_execution SET owner = 9 WHERE id = 3",
               "execution 3 is owned by worker 9, which does not exist"},
        Damage{"UPDATE job_execution SET owner = NULL", " owns nothing"},
        Damage{"DELETE FROM job_definition", "instance 1 has lost its definition hash of import"},
        Damage{"DELETE FROM job_execution WHERE instance_id = 1", "instance 1 has no execution"},
        Damage{"UPDATE step_execution SET execution_id = 9 WHERE id = 1",
               "step execution 1 belongs to execution 9, which does not exist"},
        Damage{"UPDATE job_parameter SET execution_id = 9 WHERE execution_id = 1 AND name = 'file'",
               "parameter file belongs to execution 9, which does not exist"},
        Damage{"UPDATE walk SET execution_id = 9 WHERE execution_id = 1 AND number = 1",
               "the walk entry 1 belongs to execution 9, which does not exist"},
        Damage{"UPDATE event SET execution_id = 9 WHERE id = 1",
               "event 1 belongs to execution 9, which does not exist"},
        Damage{"UPDATE step_progress SET instance_id = 9 WHERE step = 'check'",
               "the progress of step check belongs to instance 9, which does not exist"},
        Damage{"UPDATE instance_sink SET instance_id = 9",
               "the sink sqlite:/data/sink.db belongs to instance 9, which does not exist"}));

TEST_F(Verifying, WhatTheSchemaMadeAndIsNotThereIsNamed) {
    live();
    const auto connection = raw();
    const std::string of_table = repository().database().dialect().engine == "sqlite" ? "" : " ON walk";
    connection->execute_script("DROP TRIGGER walk_final" + of_table +
                               "; DROP INDEX job_execution_live; DROP INDEX pause_due; DROP VIEW "
                               "BATCH_JOB_EXECUTION_PARAMS");
    EXPECT_THAT(repository().verify(), ::testing::UnorderedElementsAre(
                                           "trigger walk_final is missing", "index job_execution_live is missing",
                                           "index pause_due is missing", "view batch_job_execution_params is missing"));
}

TEST_F(Verifying, AMissingTableIsNamedBeforeItIsRead) {
    live();
    raw()->execute_script("DROP TABLE signal");
    EXPECT_THAT(repository().verify(), Contains("table signal is missing"));
}

TEST_F(Verifying, AnUnknownStatusIsRefusedWhereItIsRead) {
    live();
    const auto connection = raw();
    drop_constraints(*connection);
    connection->execute("UPDATE job_execution SET status = 'LOST' WHERE id = 1");
    try {
        std::ignore = repository().find_execution(JobExecutionId(1));
        FAIL() << "an unknown status was read";
    } catch (const Error& error) {
        EXPECT_EQ(ErrorKind::refused, error.kind());
        EXPECT_THAT(error.what(), HasSubstr("unknown status \"LOST\""));
    }
}

}  // namespace
}  // namespace fermata::testing
