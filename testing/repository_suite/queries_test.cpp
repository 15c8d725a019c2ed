// Reading: what the queries answer, the views, and what everything costs in statements.
#include <fermata/testing/repository_suite.hpp>

#include <gmock/gmock.h>
#include <algorithm>
#include <cctype>

namespace fermata::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Queries : RepositorySuite {
    [[nodiscard]] std::vector<std::int64_t> ids(const ExecutionFilter& filter) {
        std::vector<std::int64_t> found;
        for (const JobExecution& e : repository().find_executions(filter)) found.push_back(e.id.value());
        return found;
    }
};
struct Views : RepositorySuite {};
struct Costs : RepositorySuite {};

TEST_F(Queries, ListTheNewestFirstAPageAtATime) {
    for (int i = 0; i < 5; ++i) launch();
    EXPECT_THAT(ids({.limit = 2}), ElementsAre(5, 4));
    EXPECT_THAT(ids({.before = JobExecutionId(4), .limit = 2}), ElementsAre(3, 2));
    EXPECT_EQ((Parameters{{"file", "vendors.csv"}, {"day", "2026-11-22"}}),
              repository().find_executions({}).at(4).parameters);
}

TEST_F(Queries, FiltersMustAllMatch) {
    const Claim first = failed();                  // 1
    const Claim again = restart(first.execution);  // 2
    launch("export");                              // 3
    const Timestamp then = clock_.now();
    end(launch(), BatchStatus::completed);  // 4
    EXPECT_THAT(ids({.statuses = {BatchStatus::failed}}), ElementsAre(1));
    EXPECT_THAT(ids({.statuses = {BatchStatus::started, BatchStatus::completed}}), ElementsAre(4, 3, 2));
    EXPECT_THAT(ids({.statuses = {BatchStatus::completed, BatchStatus::started, BatchStatus::completed}}),
                ElementsAre(4, 3, 2));
    EXPECT_THAT(ids({.job_name = "import"}), ElementsAre(4, 2, 1));
    EXPECT_THAT(ids({.statuses = {BatchStatus::started}, .job_name = "import"}), ElementsAre(2));
    EXPECT_THAT(ids({.instance = again.instance}), ElementsAre(2, 1));
    EXPECT_THAT(ids({.since = then}), ElementsAre(4));
    EXPECT_THAT(ids({.until = then}), ElementsAre(3, 2, 1));
    EXPECT_THAT(ids({.parameters = {{"file", "b.csv"}}}), ElementsAre(2));
    EXPECT_THAT(ids({.job_name = "import", .parameters = {{"file", "vendors.csv"}, {"day", "2026-11-22"}}}),
                ElementsAre(4, 1));
    EXPECT_THAT(ids({.parameters = {{"file", "vendors.csv"}, {"day", "2026-11-23"}}}), IsEmpty());
}

TEST_F(Queries, ParametersMatchBeyondWhatIsIndexed) {
    LaunchRequest one = request();
    LaunchRequest two = request();
    one.parameters = {{"long", std::string(500, 'x') + "1"}};
    two.parameters = {{"long", std::string(500, 'x') + "2"}};
    launch(one);
    launch(two);
    EXPECT_THAT(ids({.parameters = two.parameters}), ElementsAre(2));
}

TEST_F(Queries, LatestOfAllAndOfAJob) {
    EXPECT_FALSE(repository().latest(std::nullopt));
    EXPECT_FALSE(repository().latest("import"));
    const Claim import = launch("import");
    const Claim other = launch("export");
    EXPECT_EQ(other.execution, repository().latest(std::nullopt));
    EXPECT_EQ(import.execution, repository().latest("import"));
}

TEST_F(Queries, JobsAndTheirInstances) {
    EXPECT_THAT(repository().job_names(), IsEmpty());
    const Claim one = launch("import");
    launch("export");
    const Claim three = launch("import");
    EXPECT_THAT(repository().job_names(), ElementsAre("export", "import"));
    EXPECT_EQ(2, repository().instance_count("import"));
    EXPECT_EQ(0, repository().instance_count("report"));
    EXPECT_EQ(three.instance, repository().instances_of("import", 0, 1).at(0).id);
    EXPECT_EQ(one.instance, repository().instances_of("import", 1, 5).at(0).id);
    EXPECT_THAT(repository().instances_of("import", 2, 5), IsEmpty());
}

TEST_F(Queries, WhatIsNotThereIsNotFound) {
    EXPECT_FALSE(repository().find_execution(JobExecutionId(7)));
    EXPECT_FALSE(repository().find_instance(JobInstanceId(7)));
    EXPECT_FALSE(repository().find_instance("import", "key"));
    EXPECT_FALSE(repository().find_step(StepExecutionId(7)));
    EXPECT_FALSE(repository().definition_of(JobInstanceId(7)));
    EXPECT_THAT(repository().steps_of(JobExecutionId(7)), IsEmpty());
    EXPECT_THAT(repository().walk_of(JobExecutionId(7)), IsEmpty());
    EXPECT_THAT(repository().steps_of_instance(JobInstanceId(7)), IsEmpty());
    EXPECT_THROW(std::ignore = repository().owner_of(JobExecutionId(7)), Error);
    EXPECT_THROW(std::ignore = repository().owner_liveness(JobExecutionId(7)), Error);
}

TEST_F(Queries, TheJournalIsReadByExecutionKindAndId) {
    const Claim one = failed();
    launch();
    const std::vector<Event> all = repository().events_after(0, 10);
    ASSERT_EQ(3U, all.size());
    EXPECT_THAT(repository().events_after(all[1].id, 10), ::testing::SizeIs(1));
    EXPECT_THAT(repository().events_after(0, 2), ::testing::SizeIs(2));
    EXPECT_THAT(repository().events_of(one.execution, "execution.e", 10), ::testing::SizeIs(1));
    EXPECT_EQ("ann@host pid 1", all[0].actor);
    EXPECT_THAT(all[0].data, HasSubstr(R"("job":"import")"));
    EXPECT_LT(all[0].at, all[1].at);
}

// --- Spring Batch's names
// ---------------------------------------------------------------------------------------------

std::string columns_of(sql::Connection& connection, const std::string& view) {
    std::string names;
    for (std::string column : connection.execute("SELECT * FROM " + view).columns) {
        std::ranges::transform(column, column.begin(), [](unsigned char c) { return std::toupper(c); });
        names += (names.empty() ? "" : " ") + column;
    }
    return names;
}

TEST_F(Views, HaveSpringBatchsColumns) {
    const Claim claim = launch();
    repository().enter_step(claim, "load", StepEntryMode::start);
    const auto c = raw();
    EXPECT_EQ("JOB_INSTANCE_ID VERSION JOB_NAME JOB_KEY", columns_of(*c, "BATCH_JOB_INSTANCE"));
    EXPECT_EQ(
        "JOB_EXECUTION_ID VERSION JOB_INSTANCE_ID CREATE_TIME START_TIME END_TIME STATUS EXIT_CODE EXIT_MESSAGE "
        "LAST_UPDATED",
        columns_of(*c, "BATCH_JOB_EXECUTION"));
    EXPECT_EQ("JOB_EXECUTION_ID PARAMETER_NAME PARAMETER_TYPE PARAMETER_VALUE IDENTIFYING",
              columns_of(*c, "BATCH_JOB_EXECUTION_PARAMS"));
    EXPECT_EQ(
        "STEP_EXECUTION_ID VERSION STEP_NAME JOB_EXECUTION_ID CREATE_TIME START_TIME END_TIME STATUS "
        "COMMIT_COUNT READ_COUNT FILTER_COUNT WRITE_COUNT READ_SKIP_COUNT WRITE_SKIP_COUNT PROCESS_SKIP_COUNT "
        "ROLLBACK_COUNT EXIT_CODE EXIT_MESSAGE LAST_UPDATED",
        columns_of(*c, "BATCH_STEP_EXECUTION"));
    for (const char* view : {"BATCH_STEP_EXECUTION_CONTEXT", "BATCH_JOB_EXECUTION_CONTEXT"})
        EXPECT_THAT(columns_of(*c, view), ::testing::EndsWith("_EXECUTION_ID SHORT_CONTEXT SERIALIZED_CONTEXT"));
}

TEST_F(Views, AreForReading) {
    const auto c = raw();
    for (const char* change : {"UPDATE BATCH_JOB_INSTANCE SET JOB_NAME = 'x'",
                               "UPDATE BATCH_JOB_EXECUTION_PARAMS SET PARAMETER_VALUE = 'x'"})
        EXPECT_THROW((void)c->execute(change), sql::SqlError) << change;
}

TEST_F(Views, TellTheTruthWhileAStepRunsAndAfter) {
    const Claim claim = launch();
    const StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::start);
    Progress progress = entry.state.progress;
    progress.user_data = "{\"a\":1}";
    commit_chunk(entry, progress);
    const auto connection = raw();
    const auto row = [&] {
        const sql::Result found = connection->execute(
            "SELECT s.READ_COUNT, s.COMMIT_COUNT, s.STATUS, s.EXIT_CODE, j.STATUS, j.EXIT_CODE, c.SHORT_CONTEXT FROM "
            "BATCH_JOB_EXECUTION j JOIN BATCH_STEP_EXECUTION s ON s.JOB_EXECUTION_ID = j.JOB_EXECUTION_ID JOIN "
            "BATCH_STEP_EXECUTION_CONTEXT c ON c.STEP_EXECUTION_ID = s.STEP_EXECUTION_ID");
        std::string text;
        for (const Value& cell : found[0])
            text +=
                (cell.kind() == Value::Kind::integer ? std::to_string(cell.integer()) : std::string(cell.text())) + " ";
        return text;
    };
    EXPECT_EQ("10 1 STARTED EXECUTING STARTED UNKNOWN {\"a\":1} ", row());
    end_step(entry, BatchStatus::completed);
    end(claim, BatchStatus::completed);
    EXPECT_EQ("10 1 COMPLETED COMPLETED COMPLETED COMPLETED {\"a\":1} ", row());
    const sql::Result stuck = connection->execute(
        "SELECT COUNT(*) FROM BATCH_JOB_EXECUTION WHERE STATUS IN ('STARTING', 'STARTED') AND END_TIME IS NULL");
    EXPECT_EQ(0, stuck[0][0].integer());
}

// --- statements
// -------------------------------------------------------------------------------------------------------

using Bill = std::vector<std::pair<std::string, std::int64_t>>;

struct Meter {
    Repository& repository;
    Bill bill;
    template <class F>
    auto operator()(const std::string& verb, F&& run) {
        struct Count {
            Meter& meter;
            std::string verb;
            std::int64_t before = meter.repository.statement_count();
            ~Count() { meter.bill.emplace_back(verb, meter.repository.statement_count() - before); }
        } const count{*this, verb};
        return run();
    }
};

Bill bill_of_everything(Repository& store, Worker& worker, const LaunchRequest& launch) {
    Meter meter{store, {}};
    std::ignore = store.uuid();  // opens the connection that reads
    meter("submit", [&] { std::ignore = store.submit(launch); });
    const Claim one = meter("launch", [&] { return std::get<Claim>(store.launch(launch, worker)); });
    const StepEntry entry = meter("enter_step", [&] { return store.enter_step(one, "load", StepEntryMode::start); });
    Progress next = entry.state.progress;
    next.sequence = 1;
    meter("chunk", [&] { store.unit().commit(entry.claim, next); });
    meter("save_progress", [&] { store.save_progress(entry.claim, next); });
    meter("set_intent", [&] { store.set_intent(entry.claim, "item"); });
    meter("poll", [&] { std::ignore = store.poll(one); });
    meter("steps_of_instance", [&] { std::ignore = store.steps_of_instance(one.instance); });
    meter("end_step", [&] {
        store.end_step(entry.claim,
                       {.status = BatchStatus::failed, .progress = next, .walk = {1, "load", "ran", "", ""}});
    });
    meter("request_stop", [&] { store.request_stop(one.execution, {}); });
    meter("end_execution", [&] { store.end_execution(one, {.status = BatchStatus::failed}); });
    const Claim two = meter("restart", [&] { return std::get<Claim>(store.restart(one.execution, {}, worker)); });
    meter("end again", [&] { store.end_execution(two, {.status = BatchStatus::failed}); });
    meter("abandon", [&] { store.abandon(two.execution, "ann"); });
    meter("find_execution", [&] { std::ignore = store.find_execution(one.execution); });
    meter("find_executions", [&] { std::ignore = store.find_executions({.job_name = "import"}); });
    meter("latest", [&] { std::ignore = store.latest("import"); });
    return meter.bill;
}

TEST_F(Costs, DoNotGrowWithTheHistory) {
    const Bill young = bill_of_everything(repository(), worker(), request());
    JobExecutionId last = failed().execution;
    for (int i = 0; i < 200; ++i) {
        const Claim claim = restart(last);
        end(claim, BatchStatus::failed);
        last = claim.execution;
    }
    EXPECT_EQ(young, bill_of_everything(repository(), worker(), request()));
}

TEST_F(Costs, AreFew) {
    Bill bill = bill_of_everything(repository(), worker(), request());
    const std::map<std::string, std::int64_t> cost(bill.begin(), bill.end());
    const bool server = repository().database().dialect().concurrent_writers;
    EXPECT_EQ(server ? 2 : 4, cost.at("chunk")) << "one update, one question; begin and commit where writers queue";
    EXPECT_EQ(1, cost.at("poll"));
    EXPECT_EQ(1, cost.at("latest"));
    EXPECT_EQ(1, cost.at("find_execution"));
    EXPECT_EQ(1, cost.at("find_executions"));
    EXPECT_LE(cost.at("launch"), 8);
    EXPECT_EQ(server ? 2 : 7, cost.at("submit")) << "all rows at once, with the bell, and the disk";
    EXPECT_LE(cost.at("restart"), 8);
    EXPECT_LE(cost.at("enter_step"), 6);
    EXPECT_LE(cost.at("end_step"), 8);
    EXPECT_LE(cost.at("end_execution"), 10) << "the bell for those who wait for it is one of them";
}

}  // namespace
}  // namespace fermata::testing
