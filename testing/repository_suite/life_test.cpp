// Opening, launching, restarting, and what an owner does.
#include <fermata/testing/forwarding.hpp>
#include <fermata/testing/repository_suite.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <thread>

namespace fermata::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Reason = RestartRefused::Reason;

template <class F>
Error thrown_by(F&& verb) {
    try {
        verb();
    } catch (const Error& error) {
        return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return Error(ErrorKind::failed, "nothing was thrown");
}

struct Opening : RepositorySuite {};
struct Launching : RepositorySuite {};
struct Restarting : RepositorySuite {};
struct Owning : RepositorySuite {};

TEST_F(Opening, ARepositoryThatIsNotThereIsUnreachableUnlessItMayBeCreated) {
    const Error error = thrown_by([&] { Repository(database_in(folder_), folder_ / "data", false, clock_); });
    EXPECT_EQ(ErrorKind::unreachable, error.kind());
    EXPECT_THAT(error.what(), HasSubstr("there is no repository at"));
    EXPECT_THAT(error.remedy(), HasSubstr("fermata db init"));
}

TEST_F(Opening, TheSameRepositoryIsFoundAgain) {
    const std::string uuid = repository().uuid();
    EXPECT_EQ(36U, uuid.size());
    close();
    Repository again(database_in(folder_), folder_ / "data", false, clock_);
    EXPECT_EQ(uuid, again.uuid());
}

TEST_F(Opening, ARepositoryWithoutAnIdentityIsRefusedWhereItIsAsked) {
    raw()->execute("DELETE FROM repository");
    const Error error = thrown_by([&] { std::ignore = repository().uuid(); });
    EXPECT_EQ(ErrorKind::refused, error.kind());
    EXPECT_THAT(error.what(), HasSubstr("has lost its identity"));
}

TEST_F(Opening, CostsOneStatement) {
    repository();
    close();
    EXPECT_EQ(1, repository().statement_count());
}

TEST_F(Opening, ManyProcessesAtOnceCreateOneRepository) {
    std::vector<std::string> uuids(4);
    {
        std::vector<std::jthread> threads;
        for (std::string& uuid : uuids) threads.emplace_back([&] { uuid = open()->uuid(); });
    }
    EXPECT_THAT(uuids, ::testing::Each(uuids[0]));
}

TEST_F(Opening, ANewerSchemaIsRefusedWithBothVersions) {
    const int newer = schema_version + 1;
    raw()->execute(fmt::format("UPDATE schema_version SET version = {}", newer));
    close();
    const Error error = thrown_by([&] { std::ignore = open(); });
    EXPECT_EQ(ErrorKind::refused, error.kind());
    EXPECT_THAT(error.what(),
                HasSubstr(fmt::format("has schema version {}, this program knows version {}", newer, schema_version)));
    EXPECT_THAT(error.remedy(), HasSubstr("newer fermata"));
}

TEST_F(Opening, AnOlderSchemaIsRefused) {
    raw()->execute("UPDATE schema_version SET version = 0");
    close();
    const Error error = thrown_by([&] { std::ignore = open(); });
    EXPECT_EQ(ErrorKind::refused, error.kind());
    EXPECT_THAT(error.remedy(), HasSubstr("made before any release"));
}

TEST_F(Opening, SomethingElsesDatabaseIsLeftAlone) {
    const auto database = database_in(folder_);
    database->connect(sql::OpenMode::create)->execute("CREATE TABLE customers (id BIGINT)");
    const Error error = thrown_by([&] { std::ignore = open(); });
    EXPECT_EQ(ErrorKind::refused, error.kind());
    EXPECT_THAT(error.what(), HasSubstr("is no Fermata repository: it has the tables customers"));
    EXPECT_THAT(database->connect(sql::OpenMode::read_only)->tables(), ElementsAre("customers"));
}

TEST_F(Opening, OneThatIsMadeWhileItIsLookedForIsNobodyElses) {
    class LookedAt final : public ForwardingConnection {
    public:
        LookedAt(std::unique_ptr<sql::Connection> real, std::function<void()> meanwhile)
            : ForwardingConnection(std::move(real)), meanwhile_(std::move(meanwhile)) {}
        std::vector<std::string> tables() override {
            meanwhile_();
            return ForwardingConnection::tables();
        }

    private:
        std::function<void()> meanwhile_;
    };
    std::ignore = database_in(folder_)->connect(sql::OpenMode::create);
    auto looked_at = std::make_unique<ForwardingDatabase>(database_in(folder_), [&](auto connection) {
        return std::make_unique<LookedAt>(std::move(connection), [&] { std::ignore = open(); });
    });
    EXPECT_EQ(36U, Repository(std::move(looked_at), folder_ / "data", false, clock_).uuid().size());
}

TEST_F(Opening, AnEmptyDatabaseIsNoRepositoryUntilItIsCreated) {
    const auto database = database_in(folder_);
    const auto connection = database->connect(sql::OpenMode::create);
    connection->execute("CREATE TABLE customers (id BIGINT)");
    connection->execute("DROP TABLE customers");
    const Error error = thrown_by([&] { Repository(database_in(folder_), folder_ / "data", false, clock_); });
    EXPECT_EQ(ErrorKind::unreachable, error.kind());
    EXPECT_NO_THROW(std::ignore = open());
}

TEST_F(Launching, LeavesAStartedAndOwnedExecution) {
    const Claim claim = launch();
    const JobExecution e = execution(claim.execution);
    EXPECT_EQ(BatchStatus::started, e.status);
    EXPECT_EQ("import", e.job_name);
    EXPECT_EQ(claim.instance, e.instance_id);
    EXPECT_EQ(1, e.epoch);
    EXPECT_TRUE(e.owner);
    EXPECT_FALSE(e.owner_lost);
    EXPECT_EQ(e.created, e.started);
    EXPECT_FALSE(e.ended);
    EXPECT_FALSE(e.exit_status);
    EXPECT_EQ((Parameters{{"file", "vendors.csv"}, {"day", "2026-11-22"}}), e.parameters);
    EXPECT_THAT(kinds(claim.execution), ElementsAre("execution.started"));
    EXPECT_EQ(worker().record().incarnation, repository().owner_of(claim.execution)->incarnation);
}

TEST_F(Launching, KeepsWhatTheInstanceNeedsForEver) {
    const Claim claim = launch();
    const JobInstance instance = repository().find_instance(claim.instance).value();
    EXPECT_EQ(claim.instance_uuid, instance.uuid);
    EXPECT_EQ("/data", instance.working_directory);
    const StoredDefinition definition = repository().definition_of(claim.instance).value();
    EXPECT_EQ("hash of import", definition.hash);
    EXPECT_EQ("{\"id\":\"import\"}", definition.canonical);
}

TEST_F(Launching, ManyParametersAndLongValuesAreKept) {
    LaunchRequest many = request();
    for (int i = 0; i < 3'000; ++i) many.parameters["p" + std::to_string(i)] = std::to_string(i);
    many.parameters["long"] = std::string(1 << 20, 'x');
    EXPECT_EQ(many.parameters, execution(launch(many).execution).parameters);
}

TEST_F(Launching, NoParametersAreLegal) {
    LaunchRequest none = request();
    none.parameters.clear();
    EXPECT_THAT(execution(launch(none).execution).parameters, IsEmpty());
}

TEST_F(Launching, AnInstanceKeyNamesOneInstance) {
    LaunchRequest keyed = request();
    keyed.instance_key = "2026-11-22";
    const Claim first = launch(keyed);
    const auto second = std::get<InstanceExists>(repository().launch(keyed, worker()));
    EXPECT_EQ(first.instance, second.instance);
    EXPECT_EQ(first.execution, second.latest);
    EXPECT_EQ(1, repository().instance_count("import"));
    keyed.definition = request("export").definition;
    EXPECT_NE(first.instance, launch(keyed).instance);
    EXPECT_EQ(first.instance, repository().find_instance("import", "2026-11-22")->id);
}

TEST_F(Launching, WithoutAKeyEveryLaunchIsANewInstance) { EXPECT_NE(launch().instance, launch().instance); }

TEST_F(Restarting, MakesANewExecutionOfTheSameInstance) {
    const Claim first = failed();
    const Claim second = restart(first.execution);
    EXPECT_EQ(first.instance, second.instance);
    EXPECT_EQ(first.instance_uuid, second.instance_uuid);
    const JobExecution e = execution(second.execution);
    EXPECT_EQ(first.execution, e.restart_of);
    EXPECT_EQ((Parameters{{"file", "b.csv"}}), e.parameters);
    EXPECT_EQ("hash of import", repository().definition_of(second.instance)->hash);
}

TEST_F(Restarting, ANewDefinitionReplacesTheStoredOneAndIsRecorded) {
    const Claim first = failed();
    const StoredDefinition repaired{"hash 2", "import", "{\"id\":\"import\",\"x\":2}"};
    const Claim second = std::get<Claim>(repository().restart(first.execution, {.definition = repaired}, worker()));
    EXPECT_EQ("hash 2", repository().definition_of(second.instance)->hash);
    EXPECT_THAT(repository().events_of(second.execution, "execution.started", 1).at(0).data, HasSubstr("hash 2"));
}

TEST_F(Restarting, IsRefusedWithItsReason) {
    const auto reason = [&](JobExecutionId id, bool restartable = true) {
        const auto answer = repository().restart(id, {.restartable = restartable}, worker());
        return std::get<RestartRefused>(answer).reason;
    };
    const Claim old = failed();
    const Claim running = restart(old.execution);
    EXPECT_EQ(Reason::not_most_recent, reason(old.execution));
    EXPECT_EQ(Reason::running, reason(running.execution));
    end(running, BatchStatus::completed);
    EXPECT_EQ(Reason::not_most_recent, reason(old.execution));
    EXPECT_EQ(Reason::already_complete, reason(running.execution));
    const Claim other = failed();
    EXPECT_EQ(Reason::not_restartable, reason(other.execution, false));
    repository().abandon(other.execution, "ann");
    EXPECT_EQ(Reason::abandoned, reason(other.execution));
}

TEST_F(Restarting, ARefusalTellsTheOwnerAndLeavesNothingBehind) {
    const Claim running = launch();
    const StoredDefinition other{"hash 2", "import", "{}"};
    const auto refused =
        std::get<RestartRefused>(repository().restart(running.execution, {.definition = other}, worker()));
    EXPECT_EQ(BatchStatus::started, refused.status);
    EXPECT_EQ(running.execution, refused.latest);
    EXPECT_THAT(refused.owner, HasSubstr("pid " + std::to_string(this_process().pid)));
    EXPECT_EQ("hash of import", repository().definition_of(running.instance)->hash);
    EXPECT_THAT(raw()->execute("SELECT hash FROM job_definition WHERE hash = 'hash 2'").size(), 0U);
}

TEST_F(Restarting, OfAnUnknownExecutionIsNotFound) {
    const Error error = thrown_by([&] { std::ignore = repository().restart(JobExecutionId(77), {}, worker()); });
    EXPECT_EQ(ErrorKind::not_found, error.kind());
    EXPECT_STREQ("there is no execution 77", error.what());
}

TEST_F(Owning, AStepIsEnteredSavedAndEnded) {
    const Claim claim = launch();
    const StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::start);
    EXPECT_EQ(1, entry.state.starts);
    EXPECT_EQ(1, entry.claim.epoch);
    EXPECT_EQ(Progress{}, entry.state.progress);
    const Progress saved = commit_chunk(entry, entry.state.progress);
    EXPECT_EQ(saved, repository().steps_of_instance(claim.instance).at("load").progress);
    EXPECT_EQ(saved.metrics, repository().find_step(entry.claim.id)->metrics);
    end_step(entry, BatchStatus::completed);
    const StepExecution step = repository().steps_of(claim.execution).at(0);
    EXPECT_EQ(BatchStatus::completed, step.status);
    EXPECT_EQ("COMPLETED", step.exit_status);
    EXPECT_EQ(saved.metrics, step.metrics);
    EXPECT_LT(step.started, step.ended);
    const WalkEntry walked = repository().walk_of(claim.execution).at(0);
    EXPECT_EQ("load", walked.step);
    EXPECT_EQ("after", walked.to);
    EXPECT_THAT(kinds(claim.execution), ElementsAre("execution.started", "step.started", "step.ended"));
}

TEST_F(Owning, ProgressKeepsEveryField) {
    const StepEntry entry = repository().enter_step(launch(), "load", StepEntryMode::start);
    using namespace std::string_literals;
    const Progress all{.generation = 0,
                       .sequence = 3,
                       .metrics = {12, 4, 3, 2, 3, 2, 7, 8},
                       .reader = "a\0b"s,
                       .writer = ""s,
                       .side_outputs = "{\"0\":\"17\"}"s,
                       .skips_used = 9,
                       .retries_used = 10,
                       .replay_left = 11,
                       .user_data = "\xff\x00\x01"s,
                       .exit_status = "GOOD"s,
                       .exhausted = true,
                       .publishing = true};
    repository().save_progress(entry.claim, all);
    EXPECT_EQ(all, repository().steps_of_instance(entry.claim.execution.instance).at("load").progress);
    EXPECT_EQ(all.user_data, repository().find_step(entry.claim.id)->user_data);
}

TEST_F(Owning, ARestartGoesOnFromTheProgressAndCountsFromZero) {
    const Claim first = launch();
    const StepEntry before = repository().enter_step(first, "load", StepEntryMode::start);
    Progress progress = before.state.progress;
    progress.skips_used = 2;
    progress.user_data = "mine";
    progress = commit_chunk(before, progress);
    end_step(before, BatchStatus::failed);
    end(first, BatchStatus::failed);
    const StepEntry after = repository().enter_step(restart(first.execution), "load", StepEntryMode::start);
    EXPECT_EQ(2, after.state.starts);
    EXPECT_EQ(2, after.claim.epoch);
    EXPECT_NE(before.claim.id, after.claim.id);
    EXPECT_EQ(1, after.state.progress.sequence);
    EXPECT_EQ("10", after.state.progress.reader);
    EXPECT_EQ("mine", after.state.progress.user_data);
    EXPECT_EQ(Metrics{}, after.state.progress.metrics);
    EXPECT_EQ(0, after.state.progress.skips_used);
    EXPECT_EQ(10, repository().find_step(before.claim.id)->metrics.written);
}

TEST_F(Owning, EnteringAgainStartsFromTheBeginning) {
    const Claim first = launch();
    const StepEntry before = repository().enter_step(first, "load", StepEntryMode::start);
    commit_chunk(before, before.state.progress);
    end_step(before, BatchStatus::completed);
    end(first, BatchStatus::failed);
    const StepEntry again = repository().enter_step(restart(first.execution), "load", StepEntryMode::again);
    EXPECT_EQ((Progress{.generation = 1}), again.state.progress);
    EXPECT_EQ(2, again.state.starts);
}

TEST_F(Owning, TheChunkSharesTheTransactionOfItsRows) {
    raw()->execute("CREATE TABLE sink (n BIGINT)");
    const StepEntry entry = repository().enter_step(launch(), "load", StepEntryMode::start);
    Progress next = entry.state.progress;
    {
        Repository::Unit dropped = repository().unit();
        dropped.connection().execute("INSERT INTO sink VALUES (1)");
    }
    {
        Repository::Unit unit = repository().unit();
        unit.connection().execute("INSERT INTO sink VALUES (2)");
        ++next.sequence;
        const sql::Command more[] = {{"INSERT INTO sink VALUES ($1)", {Value(3)}, 1}};
        Repository::Unit moved = std::move(unit);
        moved.commit(entry.claim, next, more);
    }
    const sql::Result kept = raw()->execute("SELECT n FROM sink ORDER BY n");
    ASSERT_EQ(2U, kept.size());
    EXPECT_EQ(2, kept[0][0].integer());
    EXPECT_EQ(3, kept[1][0].integer());
}

// What was on its way when the connection was lost may arrive when the chunk has been done again.
TEST_F(Owning, AChunkThatArrivesASecondTimeIsRefused) {
    raw()->execute("CREATE TABLE sink (n BIGINT)");
    const StepEntry entry = repository().enter_step(launch(), "load", StepEntryMode::start);
    Progress next = entry.state.progress;
    const auto arrive = [&] {
        Repository::Unit unit = repository().unit();
        unit.connection().execute("INSERT INTO sink VALUES ($1)", {Value(next.sequence)});
        unit.commit(entry.claim, next);
    };
    const auto refused = [&] { return thrown_by(arrive).kind() == ErrorKind::stale; };
    EXPECT_TRUE(refused());  // a chunk has a number
    ++next.sequence;
    arrive();
    EXPECT_TRUE(refused());
    next.sequence += 2;  // one was empty and not saved
    arrive();
    repository().save_progress(entry.claim, next);
    EXPECT_TRUE(refused());
    EXPECT_EQ(2, raw()->execute("SELECT COUNT(*) FROM sink")[0][0].integer());
}

TEST_F(Owning, CommitTellsWhatWasAskedMeanwhile) {
    const StepEntry entry = repository().enter_step(launch(), "load", StepEntryMode::start);
    Progress next = entry.state.progress;
    ++next.sequence;
    EXPECT_EQ(BatchStatus::started, repository().unit().commit(entry.claim, next).status);
    open()->request_stop(entry.claim.execution.execution, {.now = true, .actor = "bob"});
    ++next.sequence;
    const Requests requests = repository().unit().commit(entry.claim, next);
    EXPECT_EQ(BatchStatus::stopping, requests.status);
    EXPECT_TRUE(requests.stop_now);
    EXPECT_TRUE(repository().poll(entry.claim.execution).stop_now);
    EXPECT_EQ(BatchStatus::stopping, repository().save_progress(entry.claim, next).status);
}

TEST_F(Owning, ProgressNeverGoesBack) {
    const StepEntry entry = repository().enter_step(launch(), "load", StepEntryMode::start);
    commit_chunk(entry, commit_chunk(entry, entry.state.progress));
    const Progress back{.sequence = 1};
    EXPECT_THROW(repository().save_progress(entry.claim, back), ConstraintError);
}

TEST_F(Owning, WhatTheEndLeavesUnfinishedEndsWithIt) {
    const Claim claim = launch();
    const StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::start);
    commit_chunk(entry, entry.state.progress);
    end(claim, BatchStatus::stopped);
    const StepExecution step = repository().find_step(entry.claim.id).value();
    EXPECT_EQ(BatchStatus::stopped, step.status);
    EXPECT_EQ(10, step.metrics.read);
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_F(Owning, TheJobsExitStatusIsStoredWithEachStep) {
    const Claim claim = launch();
    const StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::start);
    repository().end_step(
        entry.claim,
        {.status = BatchStatus::completed, .job_exit_status = "HALF", .walk = {1, "load", "ran", "next", "check"}});
    EXPECT_EQ("HALF", execution(claim.execution).exit_status);
    repository().record_walk(claim, {2, "check", "passed", "finish", ""});
    EXPECT_EQ("passed", repository().walk_of(claim.execution).at(1).outcome);
    repository().end_execution(claim, {.status = BatchStatus::failed,
                                       .exit_status = "BAD",
                                       .failure = Failure{"fermata.ParseError", "3 columns", "load", "v.csv:6"},
                                       .restart_from = "check"});
    const JobExecution e = execution(claim.execution);
    EXPECT_EQ(BatchStatus::failed, e.status);
    EXPECT_EQ("BAD", e.exit_status);
    EXPECT_EQ("check", e.restart_from);
    EXPECT_EQ("fermata.ParseError", e.failure->error_class);
    EXPECT_EQ("v.csv:6", e.failure->position);
    EXPECT_FALSE(e.owner);
    EXPECT_TRUE(e.ended);
}

TEST_F(Owning, AWorkerRowLivesAsLongAsItOwnsSomething) {
    const auto workers = [&] { return raw()->execute("SELECT COUNT(*) FROM worker")[0][0].integer(); };
    const Claim one = launch();
    const Claim two = launch();
    EXPECT_EQ(1, workers());
    end(one, BatchStatus::completed);
    EXPECT_EQ(1, workers());
    end(two, BatchStatus::completed);
    EXPECT_EQ(0, workers());
    end(launch(), BatchStatus::completed);
    EXPECT_EQ(0, workers());
}

TEST_F(Owning, AStaleClaimWritesNothing) {
    const Claim claim = launch();
    const StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::start);
    Claim stale = claim;
    stale.epoch = claim.epoch + 1;  // there is no such owner
    StepClaim stale_step = entry.claim;
    stale_step.epoch = 0;
    stale_step.execution = stale;
    const Event line[] = {{.kind = "item.skipped"}};
    const std::vector<std::function<void()>> verbs{
        [&] { repository().enter_step(stale, "other", StepEntryMode::start); },
        [&] { repository().record_walk(stale, {1, "load", "ran", "next", ""}); },
        [&] { repository().end_step(stale_step, {.status = BatchStatus::failed}); },
        [&] { repository().end_execution(stale, {.status = BatchStatus::failed}); },
        [&] { std::ignore = repository().poll(stale); },
        [&] { repository().unit().commit(stale_step, {.sequence = 9}); },
        [&] { repository().save_progress(stale_step, {.sequence = 9}, line); },
        [&] { repository().append(stale, line); },
        [&] { repository().set_intent(stale_step, "item 7"); },
        [&] { repository().record_sink(stale, {"sqlite:/sink.db", "fermata_sink"}); }};
    for (const auto& verb : verbs) EXPECT_EQ(ErrorKind::stale, thrown_by(verb).kind());
    EXPECT_THAT(kinds(claim.execution), ElementsAre("execution.started", "step.started"));
    EXPECT_EQ(0, repository().steps_of_instance(claim.instance).at("load").progress.sequence);
}

TEST_F(Owning, EachSinkOfAnInstanceIsRecordedOnce) {
    const Claim claim = launch();
    const SinkAddress one{"sqlite:/a.db", "fermata_sink"};
    const SinkAddress other{"sqlite:/a.db", "mine"};
    repository().record_sink(claim, one);
    const std::int64_t before = repository().statement_count();
    repository().record_sink(claim, one);
    EXPECT_EQ(1, repository().statement_count() - before) << "a look, no write";
    repository().record_sink(claim, other);
    EXPECT_THAT(repository().sinks_of(claim.instance), UnorderedElementsAre(one, other));
    EXPECT_THAT(repository().sinks_of(launch().instance), IsEmpty());
}

TEST_F(Owning, CountsOfALostExecutionAreSettledByWhatTheSinkSays) {
    const auto metrics = [&](StepExecutionId id) { return repository().find_step(id)->metrics; };
    const JobExecutionId lost = orphan(2);
    const StepExecutionId id = repository().steps_of(lost).at(0).id;
    const Metrics copy{.read = 20, .written = 20, .commits = 2};
    const Progress sink{.sequence = 5, .metrics = {.read = 50, .written = 49, .filtered = 1, .commits = 5}};
    repository().settle_counts(id, 0, sink);
    EXPECT_EQ(copy, metrics(id)) << "its owner may still say more";
    ASSERT_TRUE(repository().fail_lost(lost, "ann"));
    repository().settle_counts(id, 0, {.metrics = {.read = 10, .written = 10, .commits = 1}});
    EXPECT_EQ(copy, metrics(id)) << "what the repository knows is newer";
    repository().settle_counts(id, 0, sink);
    EXPECT_EQ(sink.metrics, metrics(id));
    repository().settle_counts(StepExecutionId(99), 0, sink);
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_F(Owning, PollingAnUnknownExecutionIsNotFound) {
    Claim nobody{.execution = JobExecutionId(77)};
    EXPECT_EQ(ErrorKind::not_found, thrown_by([&] { std::ignore = repository().poll(nobody); }).kind());
}

TEST_F(Owning, AdoptingAStepThatDoesNotRunIsAConflict) {
    const Claim claim = launch();
    const Error error = thrown_by([&] { repository().enter_step(claim, "load", StepEntryMode::adopt); });
    EXPECT_EQ(ErrorKind::conflict, error.kind());
    EXPECT_THAT(error.what(), HasSubstr("step \"load\""));
}

TEST_F(Owning, TheJournalTakesLinesInsideAndOutsideOfAChunk) {
    const Claim claim = launch();
    const StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::start);
    const std::vector<Event> skipped(2'500, {.kind = "item.skipped", .actor = "", .data = R"({"position":"v:7"})"});
    {
        Repository::Unit unit = repository().unit();
        repository().append(unit, claim, skipped);
        unit.commit(entry.claim, {.sequence = 1});
    }
    {
        Repository::Unit unit = repository().unit();
        repository().append(unit, claim, skipped);
    }
    const Event noted[] = {{.kind = "step.noted", .actor = "ann"}};
    repository().append(claim, noted);
    EXPECT_EQ(2'500U, repository().events_of(claim.execution, "item.", 10'000).size());
    const Event note = repository().events_of(claim.execution, "step.noted", 1).at(0);
    EXPECT_EQ("{}", note.data);
    EXPECT_EQ("ann", note.actor);
    EXPECT_EQ("runtime", repository().events_of(claim.execution, "item.", 1).at(0).actor);
}

}  // namespace
}  // namespace fermata::testing
