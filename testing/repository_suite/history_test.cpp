// What the database itself refuses, and how history goes.
#include <fermata/testing/repository_suite.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <algorithm>

namespace fermata::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr BatchStatus all_statuses[] = {BatchStatus::starting, BatchStatus::started,   BatchStatus::stopping,
                                        BatchStatus::stopped,  BatchStatus::pausing,   BatchStatus::paused,
                                        BatchStatus::failed,   BatchStatus::completed, BatchStatus::abandoned};

struct Guards : RepositorySuite {
    void refuses(sql::Connection& connection, const std::string& sql) {
        EXPECT_THROW(connection.execute(sql), ConstraintError) << sql;
    }
    // Tries it in a transaction that is rolled back.
    static bool allows(sql::Connection& connection, const std::string& sql) {
        const sql::Transaction attempt(connection);
        try {
            connection.execute(sql);
            return true;
        } catch (const ConstraintError&) {
            return false;
        }
    }
};
struct Purging : RepositorySuite {
    [[nodiscard]] std::vector<std::int64_t> left() {
        std::vector<std::int64_t> ids;
        for (const JobExecution& e : repository().find_executions({.limit = 10'000})) ids.push_back(e.id.value());
        std::ranges::reverse(ids);
        return ids;
    }
    [[nodiscard]] std::int64_t count(const std::string& table) {
        return raw()->execute("SELECT COUNT(*) FROM " + table)[0][0].integer();
    }
    Claim ended(const std::string& job, BatchStatus status) {
        const Claim claim = launch(job);
        end_step(repository().enter_step(claim, "load", StepEntryMode::start), BatchStatus::completed);
        end(claim, status);
        return claim;
    }
};

TEST_F(Guards, ChangesOfAStatusAreThoseOfTheTable) {
    failed();
    const auto connection = raw();
    for (const BatchStatus from : all_statuses) {
        const sql::Result made = connection->execute(
            fmt::format("INSERT INTO job_execution (instance_id, job_name, status, created, updated, epoch, ended) "
                        "SELECT id, job_name, '{}', 1, 1, 1, {} FROM job_instance RETURNING id",
                        to_string(from), has_ended(from) ? "1" : "NULL"));
        const std::int64_t id = made[0][0].integer();
        for (const BatchStatus to : all_statuses) {
            if (from == to) continue;
            const std::string change = fmt::format("UPDATE job_execution SET status = '{}', ended = {} WHERE id = {}",
                                                   to_string(to), has_ended(to) ? "1" : "NULL", id);
            EXPECT_EQ(is_legal(Subject::job_execution, from, to), allows(*connection, change)) << change;
        }
        if (is_running(from))
            connection->execute(
                fmt::format("UPDATE job_execution SET status = 'STOPPING' WHERE id = {} AND status "
                            "<> 'STOPPING'",
                            id));
        if (!has_ended(from))
            connection->execute(
                fmt::format("UPDATE job_execution SET status = 'STOPPED', ended = 1 WHERE id = {}", id));
    }
}

TEST_F(Guards, ChangesOfAStepsStatusAreThoseOfTheTable) {
    const Claim claim = launch();
    const auto connection = raw();
    for (const BatchStatus from : all_statuses) {
        if (from == BatchStatus::abandoned || from == BatchStatus::pausing) continue;
        const sql::Result made = connection->execute(
            fmt::format("INSERT INTO step_execution (execution_id, step, status, started, updated, ended) "
                        "VALUES ({}, 'load', '{}', 1, 1, {}) RETURNING id",
                        claim.execution.value(), to_string(from), has_ended(from) ? "1" : "NULL"));
        for (const BatchStatus to : all_statuses) {
            if (from == to) continue;
            const std::string change = fmt::format("UPDATE step_execution SET status = '{}', ended = {} WHERE id = {}",
                                                   to_string(to), has_ended(to) ? "1" : "NULL", made[0][0].integer());
            const bool legal = is_legal(Subject::step_execution, from, to) && to != BatchStatus::abandoned;
            EXPECT_EQ(legal, allows(*connection, change)) << change;
        }
    }
}

TEST_F(Guards, RowsThatCannotBeAreNeitherMadeNorLeft) {
    const Claim claim = launch();
    StepEntry step = repository().enter_step(claim, "load", StepEntryMode::start);
    repository().store_plan(step, {.partitions = 1, .for_workers = true});
    const auto connection = raw();
    for (const char* sql :
         {"UPDATE job_execution SET ended = 1", "UPDATE job_execution SET status = 'COMPLETED', owner = NULL",
          "UPDATE job_execution SET status = 'COMPLETED', ended = 1", "UPDATE job_execution SET epoch = 0",
          "UPDATE job_execution SET status = 'LOST'", "UPDATE step_execution SET ended = 1",
          "UPDATE step_execution SET status = 'FAILED'", "UPDATE step_execution SET status = 'LOST', ended = 1",
          "UPDATE step_execution SET cut_by = 'ann'", "UPDATE step_execution SET cut_after = 1",
          "UPDATE partition_execution SET ended = 1", "UPDATE partition_execution SET status = 'STARTED'",
          "UPDATE partition_execution SET owner = 1", "UPDATE partition_execution SET status = 'LOST'",
          "INSERT INTO job_execution (instance_id, job_name, status, created, updated, epoch, ended) VALUES (1, "
          "'import', 'LOST', 1, 1, 1, 1)",
          "INSERT INTO job_execution (instance_id, job_name, status, created, updated, epoch, ended) VALUES (1, "
          "'import', 'COMPLETED', 1, 1, 0, 1)",
          "INSERT INTO job_execution (instance_id, job_name, status, created, updated, epoch, ended) VALUES (1, "
          "'import', 'COMPLETED', 1, 1, 1, NULL)",
          "INSERT INTO step_execution (execution_id, step, status, started, updated, ended) VALUES (1, 'x', 'PAUSING', "
          "1, 1, NULL)",
          "INSERT INTO partition_execution (step_execution_id, partition, properties, status, ended) VALUES (1, 7, "
          "'{}', 'ABANDONED', 1)"})
        refuses(*connection, sql);
}

TEST_F(Guards, OneExecutionOfAnInstanceIsAlive) {
    launch();
    refuses(*raw(),
            "INSERT INTO job_execution (instance_id, job_name, status, created, updated, epoch) "
            "VALUES (1, 'import', 'STARTED', 1, 1, 1)");
}

TEST_F(Guards, HistoryStaysAndEpochsRise) {
    const Claim claim = launch();
    const StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::start);
    repository().record_sink(claim, {"sink.db", "fermata_sink"});
    commit_chunk(entry, entry.state.progress);
    end_step(entry, BatchStatus::completed);
    const auto connection = raw();
    refuses(*connection, "UPDATE job_execution SET epoch = 0");
    refuses(*connection, "UPDATE step_progress SET epoch = 0");
    refuses(*connection, "UPDATE step_progress SET sequence = 0");
    refuses(*connection, "UPDATE step_progress SET generation = -1");
    refuses(*connection, "UPDATE step_progress SET generation = -1, sequence = 9");
    refuses(*connection, "UPDATE step_progress SET sequence = -1, updated = 9");
    refuses(*connection, "UPDATE step_progress SET status = 'RUNNING'");
    refuses(*connection,
            "INSERT INTO step_progress (instance_id, step, partition, status, starts, epoch, last_execution, updated) "
            "SELECT instance_id, 'other', 0, 'RUNNING', 1, 1, 1, 1 FROM step_progress LIMIT 1");
    refuses(*connection, "UPDATE job_execution SET parameters = '{}'");
    refuses(*connection, "UPDATE job_execution SET instance_key = 'other'");
    end(claim, BatchStatus::completed);
    refuses(*connection, "UPDATE job_execution SET exit_status = 'BETTER'");
    refuses(*connection, "UPDATE event SET actor = 'nobody'");
    refuses(*connection, "UPDATE walk SET step = 'other'");
    refuses(*connection, "UPDATE job_parameter SET value = 'other.csv'");
    refuses(*connection, "UPDATE job_parameter SET execution_id = 2");
    refuses(*connection, "UPDATE job_definition SET canonical = '{}'");
    refuses(*connection, "UPDATE instance_sink SET url = 'other.db'");
    for (const char* column : {"uuid", "job_name", "instance_key", "working_directory"})
        refuses(*connection, fmt::format("UPDATE job_instance SET {} = 'other'", column));
    refuses(*connection, "UPDATE job_instance SET created = 0");
    for (const char* table : {"event", "walk", "job_parameter", "step_execution", "step_progress", "instance_sink",
                              "job_execution", "job_instance"})
        refuses(*connection, fmt::format("DELETE FROM {}", table));
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_F(Purging, TakesWholeInstancesAndWhatBelongsToThem) {
    const Claim first = ended("import", BatchStatus::failed);
    const Claim second = restart(first.execution);
    const SinkAddress sink{"sqlite:/data/sink.db", "fermata_sink"};
    repository().record_sink(second, sink);
    end(second, BatchStatus::completed);
    const Claim other = ended("export", BatchStatus::completed);
    const PurgeResult result = repository().purge({.job_name = "import", .actor = "ann"});
    EXPECT_EQ(1, result.instances);
    EXPECT_EQ(2, result.executions);
    EXPECT_THAT(result.execution_ids, ElementsAre(first.execution, second.execution));
    EXPECT_THAT(result.sinks, ElementsAre(Pair(sink, ElementsAre(first.instance_uuid))));
    EXPECT_THAT(left(), ElementsAre(other.execution.value()));
    for (const char* table : {"job_instance", "step_execution", "step_progress", "walk", "job_definition"})
        EXPECT_EQ(1, count(table)) << table;
    EXPECT_EQ(0, count("instance_sink"));
    EXPECT_EQ(0, count("purge_in_progress"));
    const std::vector<Event> journal = repository().events_after(0, 100);
    EXPECT_EQ("repository.purged", journal.back().kind);
    EXPECT_EQ("ann", journal.back().actor);
    EXPECT_EQ(R"({"executions":2,"instances":1})", journal.back().data);
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_F(Purging, NoEventIsGivenTheIdOfOneThatIsGone) {
    const Claim claim = ended("import", BatchStatus::completed);
    const std::int64_t newest = repository().events_after(0, 100).back().id;
    repository().purge({});
    EXPECT_FALSE(repository().find_execution(claim.execution));
    ended("import", BatchStatus::completed);
    EXPECT_GT(repository().events_after(0, 100).front().id, newest);
}

TEST_F(Purging, ADryRunChangesNothing) {
    const Claim claim = ended("import", BatchStatus::completed);
    const std::int64_t events = count("event");
    const PurgeResult result = repository().purge({.dry_run = true});
    EXPECT_THAT(result.execution_ids, ElementsAre(claim.execution));
    EXPECT_THAT(left(), ElementsAre(claim.execution.value()));
    EXPECT_EQ(events, count("event"));
}

TEST_F(Purging, WhatRunsIsNeverTaken) {
    const Claim first = ended("import", BatchStatus::failed);
    restart(first.execution);
    const Claim stopping = launch();
    repository().request_stop(stopping.execution, {.actor = "bob"});
    EXPECT_EQ(0, repository().purge({}).instances);
    EXPECT_EQ(3U, left().size());
}

TEST_F(Purging, TheNewestExecutionDecides) {
    const Claim old = ended("import", BatchStatus::failed);
    end(restart(old.execution), BatchStatus::completed);
    const Claim bad = ended("import", BatchStatus::failed);
    EXPECT_EQ(1, repository().purge({.statuses = {BatchStatus::failed, BatchStatus::stopped}}).executions);
    EXPECT_EQ(2U, left().size());
    EXPECT_FALSE(repository().find_execution(bad.execution));
}

TEST_F(Purging, FiltersMustAllMatch) {
    const Claim early = ended("import", BatchStatus::completed);
    const Claim other = ended("export", BatchStatus::completed);
    const Timestamp then = clock_.now();
    const Claim late = ended("import", BatchStatus::completed);
    EXPECT_EQ(1, repository().purge({.ended_before = then, .job_name = "import"}).instances);
    EXPECT_THAT(left(), ElementsAre(other.execution.value(), late.execution.value()));
    EXPECT_FALSE(repository().find_execution(early.execution));
}

TEST_F(Purging, KeepsTheLastOfEachJob) {
    for (int i = 0; i < 3; ++i) {
        ended("import", BatchStatus::completed);
        ended("export", BatchStatus::completed);
    }
    EXPECT_EQ(2, repository().purge({.keep_last = 2}).instances);
    EXPECT_THAT(left(), ElementsAre(3, 4, 5, 6));
    EXPECT_EQ(4, repository().purge({.keep_last = 0}).instances);
    EXPECT_THAT(left(), IsEmpty());
}

TEST_F(Purging, ALongHistoryGoesInSeveralTransactions) {
    const auto connection = raw();
    failed();
    connection->execute_script(
        "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 1200) "
        "INSERT INTO job_instance (uuid, job_name, definition_hash, working_directory, created) "
        "SELECT 'uuid ' || i, 'import', 'hash of import', '/', i FROM n; "
        "INSERT INTO job_execution (instance_id, job_name, status, created, ended, updated, epoch) "
        "SELECT id, job_name, 'COMPLETED', created, created, created, 1 FROM job_instance WHERE id > 1;");
    const PurgeResult result = repository().purge({});
    EXPECT_EQ(1'200, result.instances);
    EXPECT_EQ(1'200, result.executions);
    EXPECT_EQ(3U, repository().events_after(0, 100).size());
    EXPECT_EQ(0, count("job_definition"));
}

TEST_F(Purging, IdsAreNotGivenAgain) {
    const Claim claim = ended("import", BatchStatus::completed);
    repository().purge({});
    EXPECT_GT(launch().execution, claim.execution);
}

}  // namespace
}  // namespace fermata::testing
