// What the TCK leaves untested, beside what the tests of each subject hold (the list is in docs/conformance.md): here
// listeners and checkpoint algorithms that throw, rollbacks and what counts them, a commit that fails, checkpoint
// policies.
#include "harness.hpp"

#include <gmock/gmock.h>

#include <fmt/format.h>

#include <condition_variable>

namespace fermata::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

using Lines = std::vector<std::string>;

const std::string recorder = R"(<listeners><listener ref="recorder"/></listeners>)";
const std::string skippable =
    R"(<skippable-exception-classes><include class="test.Flaky"/></skippable-exception-classes>)";
const std::string retryable =
    R"(<retryable-exception-classes><include class="test.Flaky"/></retryable-exception-classes>)";
const std::string in_place =
    R"(<no-rollback-exception-classes><include class="test.Flaky"/></no-rollback-exception-classes>)";

/// A writer that knows no database and keeps nothing safe: at least once.
class Kept {
public:
    using item_type = std::int64_t;
    explicit Kept(const ArtifactContext& context) : context_(context), job_(context.job) {}
    void open(const Checkpoint& from) { say(fmt::format("writer.open {}", from ? from.integer() : -1)); }
    void close() { say("writer.close"); }
    [[nodiscard]] Checkpoint checkpoint() const { return Checkpoint::of(written_); }
    void write(std::span<std::int64_t> items, Transaction&) {
        for (const std::int64_t item : items)
            if (script().on_write) script().on_write(item);
        written_ = items.empty() ? written_ : items.back();
        say(fmt::format("write {}", fmt::join(items, " ")));
    }

private:
    void say(const std::string& what) { script().called(what, context_.step, job_); }
    ArtifactContext context_;
    JobContext& job_;
    std::int64_t written_ = 0;
};

/// A checkpoint after every two questions; tells what it is told.
class Told {
public:
    explicit Told(const ArtifactContext& context) : context_(context) {}
    void begin_checkpoint() { say("begin"); }
    bool is_ready_to_checkpoint() {
        say("ready");
        return ++asked_ % 2 == 0;
    }
    void end_checkpoint() { say("end"); }

private:
    void say(const std::string& what) { script().called(what, context_.step, context_.job); }
    ArtifactContext context_;
    int asked_ = 0;
};

class Corners : public Harness {
protected:
    Corners() {
        registry_.writer<Kept>("kept");
        registry_.checkpoint_algorithm<Told>("told");
    }
    static std::function<void(std::int64_t)> fail_at(std::int64_t n, int times) {
        return [n, times](std::int64_t item) {
            if (item == n && script().attempts[n]++ < times) throw Flaky("at " + std::to_string(n));
        };
    }
    static void refuse_at(std::int64_t n, int times) {
        script().on_process = [fail = fail_at(n, times)](std::int64_t item) {
            fail(item);
            return true;
        };
    }
    static Lines log_without(const Lines& starts) {
        Lines found;
        for (const std::string& line : script().log)
            if (std::ranges::none_of(starts, [&](const std::string& start) { return line.starts_with(start); }))
                found.push_back(line);
        return found;
    }
    /// Rows whose commit fails unless their number is in `parent`.
    void make_out_with_deferred_key(const std::string& database) {
        auto connection = drivers_.open(path(database))->connect(sql::OpenMode::create);
        connection->execute("CREATE TABLE parent(n INTEGER PRIMARY KEY)");
        connection->execute("CREATE TABLE out(n INTEGER REFERENCES parent(n) DEFERRABLE INITIALLY DEFERRED)");
        for (const std::int64_t n : {1, 2, 3, 4, 6, 7, 8}) connection->execute("INSERT INTO parent VALUES($1)", {n});
    }
    JobDefinition into(const std::string& database, const std::string& inside, const std::string& before = "") {
        JobDefinition definition = job(chunk(R"(item-count="3")", 8, inside, "rows", "", before));
        if (!database.empty())
            std::get<ChunkDefinition>(std::get<StepDefinition>(definition.elements[0].what).work)
                .writer.properties.push_back({"url", Template::literal(path(database)), {}});
        return definition;
    }
    static std::string lists_of_constraints(bool skips, bool retries) {
        const std::string inside = R"(<include class="fermata.ConstraintError"/>)";
        return (skips ? "<skippable-exception-classes>" + inside + "</skippable-exception-classes>" : "") +
               (retries ? "<retryable-exception-classes>" + inside + "</retryable-exception-classes>" : "");
    }
};

// --- listeners

TEST_F(Corners, AListenerThatThrowsFailsTheStepWhateverItListensTo) {  // §8.2.7, §8.7
    struct Case {
        std::string call;
        std::string lists;
        std::string where;  ///< reading, processing or writing fails at 1, once
    };
    const std::vector<Case> cases{{"afterRead null", "", ""},
                                  {"onReadError at 1", skippable, "read"},
                                  {"onSkipRead at 1", skippable, "read"},
                                  {"onRetryRead at 1", retryable, "read"},
                                  {"onProcessError 1 at 1", skippable, "process"},
                                  {"onSkipProcess 1", skippable, "process"},
                                  {"onRetryProcess 1", retryable, "process"},
                                  {"onWriteError 2 at 1", skippable, "write"},
                                  {"onSkipWrite 2", skippable, "write"},
                                  {"onRetryWrite 2", retryable, "write"},
                                  {"onRetryProcess 1", retryable + in_place, "process"},
                                  {"onError at 1", retryable, "process"},
                                  {"onError at 1", "", "process"}};
    for (const Case& each : cases) {
        SCOPED_TRACE(each.call + " " + each.where);
        script().log.clear();
        script().attempts.clear();
        script().on_call.clear();
        script().on_read = each.where == "read" ? fail_at(1, 1) : nullptr;
        script().on_write = each.where == "write" ? fail_at(1, 1) : nullptr;
        script().on_process = nullptr;
        if (each.where == "process") refuse_at(1, 1);
        script().on_call[each.call] = [](StepContext*, JobContext&) { throw Flaky("listener"); };
        // The listener's exception is of a class that is listed: still it is nobody's item.
        const JobExecution execution =
            run(job(recorder + chunk(R"(item-count="2")", 2, each.lists, "rows", "", recorder)));
        EXPECT_EQ(execution.status, BatchStatus::failed);
        ASSERT_TRUE(execution.failure);
        EXPECT_EQ(execution.failure->message, "listener");
        EXPECT_EQ(execution.failure->error_class, "test.Flaky");
        EXPECT_THAT(script().log, Not(Contains("onRetryProcess 2")));
        EXPECT_THAT(script().log, Contains("afterStep"));
        EXPECT_EQ(script().log.back(), "afterJob");
    }
    EXPECT_THAT(written(), ElementsAre(1, 2)) << "one failed behind its first commit";
}

TEST_F(Corners, AChunkListenerThatThrowsInAPartitionFailsThatPartition) {  // §8.2.6, §8.2.7
    script().on_call["afterChunk"] = [](StepContext* step, JobContext&) {
        if (*step->partition == 1) throw Bad("listener");
    };
    const JobExecution execution =
        run(job(R"(<step id="s">)" + recorder +
                R"(<chunk><reader ref="numbers"><properties><property name="count" value="2"/></properties></reader>)"
                R"(<writer ref="rows"/></chunk><partition><plan partitions="3"/></partition></step>)"));
    EXPECT_EQ(execution.status, BatchStatus::failed);
    EXPECT_EQ(execution.failure->message, "partition 1: listener");
    std::vector<BatchStatus> statuses;
    for (const PartitionExecution& each : repository_->partitions_of(step(execution.id).id))
        statuses.push_back(each.status);
    EXPECT_THAT(statuses, ElementsAre(BatchStatus::completed, BatchStatus::failed, BatchStatus::completed));
}

// --- errors of artifacts that are of the kind that fences throw

[[noreturn]] void overtaken() { throw Error(ErrorKind::stale, "a token of mine was overtaken"); }

TEST_F(Corners, AnArtifactsOwnErrorIsNeverTakenForAnotherOwner) {
    const auto once = [] {
        if (script().attempts[0]++ == 0) overtaken();
    };
    const auto read = [&](std::int64_t) { once(); };
    const auto process = [&](std::int64_t) { return once(), true; };
    const std::map<std::string, std::function<void()>> cases{
        {"read", [&] { script().on_read = read; }},
        {"process", [&] { script().on_process = process; }},
        {"write", [&] { script().on_write = read; }},
        {"batchlet", [&] { script().on_batchlet = [&](StepContext&) { return once(), std::string(); }; }},
        {"mapper", [&] { script().on_map = [&] { return once(), PartitionPlan{.partitions = 2}; }; }},
        {"decider", [&] { script().on_decide = [&](auto, JobContext&) { return once(), std::string("on"); }; }},
        {"before", [&] { script().on_call["beforeStep"] = [&](StepContext*, JobContext&) { once(); }; }},
        {"close", [&] { script().on_call["reader.close"] = [&](StepContext*, JobContext&) { once(); }; }}};
    const JobDefinition definition =
        job(chunk(R"(item-count="3")", 8, "", "rows", R"(next="d")", recorder) +
            R"(<decision id="d" ref="decider"><next on="*" to="b"/></decision>)"
            R"(<step id="b"><batchlet ref="scripted"/><partition><mapper ref="mapper"/></partition></step>)");
    std::size_t runs = 0;
    for (const auto& [where, arm] : cases) {
        SCOPED_TRACE(where);
        script().attempts.clear();
        script().on_call.clear();
        script().on_read = nullptr;
        script().on_process = nullptr;
        script().on_write = nullptr;
        script().on_batchlet = nullptr;
        script().on_map = [] { return PartitionPlan{.partitions = 2}; };
        script().on_decide = [](auto, JobContext&) { return "on"; };
        arm();
        const JobExecution failed = run(definition);
        EXPECT_EQ(failed.status, BatchStatus::failed);
        ASSERT_TRUE(failed.failure);
        EXPECT_NE(failed.failure->message.find("a token of mine was overtaken"), std::string::npos);
        EXPECT_EQ(restart(failed.id).status, BatchStatus::completed);
        EXPECT_EQ(written().size(), 8 * ++runs);
    }
}

/// Expects a row to be there that is not.
class Strict {
public:
    using item_type = std::int64_t;
    [[nodiscard]] Sink sink() const { return {.sink_class = SinkClass::transactional}; }
    void write(std::span<std::int64_t> items, Transaction& transaction) {
        sql::Connection& connection = transaction.connection();
        connection.execute("CREATE TABLE IF NOT EXISTS out(n INTEGER)");
        for (const std::int64_t item : items) connection.execute("INSERT INTO out(n) VALUES($1)", {item});
        connection.execute(sql::Command{"UPDATE out SET n = n WHERE n = -1", {}, 1});
    }
};

TEST_F(Corners, ARowCountThatAWriterAsksForFailsTheStepAndNothingIsKept) {
    registry_.writer<Strict>("strict");
    const JobExecution execution = run(job(chunk("", 4, "", "strict")));
    EXPECT_EQ(execution.status, BatchStatus::failed);
    ASSERT_TRUE(execution.failure);
    EXPECT_NE(execution.failure->message.find("0 rows"), std::string::npos) << execution.failure->message;
    make_out_with_deferred_key("repo.db");  // the table is not there: it was made in what was rolled back
}

// --- text that an engine's text column would refuse, which would leave its step without an end

TEST_F(Corners, BytesThatAreNoTextAreRecordedAsTextWhoeverSaysThem) {
    const std::string bytes("\xff\0!", 3);
    const std::string told = R"(\xFF\x00!)";
    const JobDefinition definition = job(R"(<step id="s" next="d"><batchlet ref="scripted"/></step>)"
                                         R"(<decision id="d" ref="decider"><end on="*\x00!"/></decision>)");
    script().on_decide = [&](auto, JobContext&) { return std::string(bytes); };
    script().on_batchlet = [&](StepContext&) { return std::string(bytes); };
    const JobExecution said = run(definition);
    EXPECT_EQ(said.status, BatchStatus::completed) << "the transition meets what is recorded";
    EXPECT_EQ(said.exit_status, told);
    EXPECT_EQ(step(said.id).exit_status, told);

    script().on_batchlet = [&](StepContext& context) {
        context.job->exit_status = bytes;
        context.exit_status = bytes;
        context.pause_after({.point = bytes, .message = bytes});
        return std::string();
    };
    const JobExecution waits = run(definition);
    ASSERT_EQ(waits.status, BatchStatus::paused);
    EXPECT_EQ(waits.exit_status.value_or(told), told);
    EXPECT_EQ(waits.waits.at(0).what.point, told);
    EXPECT_EQ(waits.waits.at(0).what.message, told);
    EXPECT_EQ(step(waits.id).exit_status, told);

    script().on_batchlet = [&](StepContext&) -> std::string { throw ItemError(bytes, bytes, bytes); };
    const JobExecution thrown = run(definition);
    EXPECT_EQ(thrown.status, BatchStatus::failed);
    ASSERT_TRUE(thrown.failure);
    EXPECT_EQ(thrown.failure->message, R"(\xFF)") << "what() ends at the zero byte";
    EXPECT_EQ(thrown.failure->position, told);
}

// --- rollbacks

TEST_F(Corners, RetryWithRollbackNeedsNoDatabase) {  // §8.2.1.4.4
    refuse_at(5, 1);
    const JobExecution execution = run(job(chunk(R"(item-count="3")", 6, retryable, "kept")));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    EXPECT_THAT(script().log, ElementsAre("reader.open 0", "writer.open -1", "write 1 2 3", "writer.close",
                                          "reader.close", "reader.open 3", "writer.open 3", "write 4", "write 5",
                                          "write 6", "writer.close", "reader.close"));
}

TEST_F(Corners, AWriterThatCannotTakeBackIsNotReopenedWhereNothingIsRolledBack) {  // §8.2.1.4.4
    for (const std::string& lists : {retryable + in_place, skippable}) {
        script().log.clear();
        script().attempts.clear();
        script().on_write = fail_at(2, 1);
        const JobExecution execution = run(job(chunk(R"(item-count="2")", 3, lists, "kept")));
        EXPECT_EQ(execution.status, BatchStatus::completed);
        EXPECT_EQ(std::ranges::count(script().log, "writer.close"), 1);
        EXPECT_EQ(std::ranges::count(script().log, "write 1 2"), lists == skippable ? 0 : 1);
        EXPECT_THAT(script().log, Contains("write 3"));
    }
}

TEST_F(Corners, EveryRollbackIsCountedAndNothingElse) {  // §10.2 ROLLBACK_COUNT
    const auto rollbacks = [&](const std::string& lists, int times) {
        script().attempts.clear();
        refuse_at(2, times);
        return step(run(job(chunk(R"(item-count="2")", 4, lists))).id).metrics.rollbacks;
    };
    EXPECT_EQ(rollbacks("", 0), 0);
    EXPECT_EQ(rollbacks("", 1), 1) << "a failure";
    EXPECT_EQ(rollbacks(retryable, 1), 1);
    EXPECT_EQ(rollbacks(retryable, 3), 3);
    EXPECT_EQ(rollbacks(retryable + in_place, 3), 0);
    EXPECT_EQ(rollbacks(skippable, 1), 0);
    EXPECT_EQ(rollbacks(skippable + retryable, 9), 1) << "then it is skipped";
}

// --- a commit that fails (§8.2.1.4: like a write)

TEST_F(Corners, ASkippedCommitSkipsTheWholeList) {  // §8.2.1.4
    for (const std::string database : {"", "sink.db"}) {
        SCOPED_TRACE(database);
        script().log.clear();
        make_out_with_deferred_key(database.empty() ? "repo.db" : database);
        const JobExecution execution = run(into(database, lists_of_constraints(true, false), recorder));
        EXPECT_EQ(execution.status, BatchStatus::completed);
        EXPECT_EQ(step(execution.id).metrics, (Metrics{.read = 8, .written = 5, .write_skips = 3, .commits = 3}));
        EXPECT_THAT(written(database.empty() ? "repo.db" : database), ElementsAre(1, 2, 3, 7, 8));
        EXPECT_EQ(std::ranges::count(script().log, "onSkipWrite 3"), 1);
        EXPECT_EQ(std::ranges::count_if(script().log, [](const auto& l) { return l.starts_with("onWriteError 3"); }),
                  1);
        EXPECT_THAT(script().log, Not(Contains(testing::StartsWith("onError"))));
    }
}

TEST_F(Corners, ACommitRetriedAndSkippedIsolatesTheOneItem) {  // §8.2.1.4
    for (const std::string database : {"", "sink.db"}) {
        SCOPED_TRACE(database);
        make_out_with_deferred_key(database.empty() ? "repo.db" : database);
        const JobExecution execution = run(into(database, lists_of_constraints(true, true), recorder));
        EXPECT_EQ(execution.status, BatchStatus::completed);
        EXPECT_THAT(written(database.empty() ? "repo.db" : database), ElementsAre(1, 2, 3, 4, 6, 7, 8));
        const Metrics metrics = step(execution.id).metrics;
        EXPECT_EQ(metrics.write_skips, 1);
        EXPECT_EQ(metrics.rollbacks, 1);
        EXPECT_EQ(metrics.read, metrics.written + metrics.write_skips);
    }
}

TEST_F(Corners, ACommitThatFailsUnhandledFailsTheStepAtItsLastCheckpoint) {  // §8.2.1.4
    make_out_with_deferred_key("repo.db");
    const JobExecution execution = run(into("", "", recorder));
    EXPECT_EQ(execution.status, BatchStatus::failed);
    EXPECT_EQ(execution.failure->error_class, "fermata.ConstraintError");
    EXPECT_EQ(step(execution.id).metrics, (Metrics{.read = 3, .written = 3, .commits = 1, .rollbacks = 1}));
    EXPECT_THAT(written(), ElementsAre(1, 2, 3));
    EXPECT_THAT(script().log, Contains(testing::StartsWith("onError")));
}

TEST_F(Corners, WhatACollectorGaveForAChunkThatWasRolledBackIsNeverHeardOf) {  // §8.2.6.5, §11.7
    std::atomic<int> asked = 0;
    script().on_collect = [&](StepContext&) { return std::to_string(++asked); };
    make_out_with_deferred_key("repo.db");
    const JobExecution execution = run(job(
        R"(<step id="s"><chunk item-count="3"><reader ref="numbers"><properties><property name="count" value="7"/></properties></reader>)"
        R"(<writer ref="rows"/>)" +
        lists_of_constraints(true, true) +
        R"(</chunk><partition><plan partitions="1"/><collector ref="collector"/><analyzer ref="analyzer"/></partition></step>)"));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    // 1-3 | 4-6 fails at its commit | 4 | 5, skipped | 6 | 7 and the end
    EXPECT_THAT(script().log, Contains("data 1"));
    EXPECT_THAT(script().log, Not(Contains("data 2")));
    EXPECT_THAT(script().log, Contains("data 3"));
    Lines stored;
    for (const CollectedData& data : repository_->collected_of(step(execution.id).id))
        stored.push_back("data " + data.data);
    EXPECT_EQ(stored, log_without({"reader", "writer", "write", "COMPLETED"}));
}

// --- checkpoint policies

TEST_F(Corners, ACustomPolicyIsNotInterferedWithByItemCountAndTimeLimit) {  // §8.2.1
    script().on_read = [](std::int64_t n) {
        if (n != 1) return;
        const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1'050);
        while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
    };
    const JobExecution execution = run(job(chunk(R"(checkpoint-policy="custom" item-count="1" time-limit="1")", 7,
                                                 R"(<checkpoint-algorithm ref="every"/>)")));
    EXPECT_EQ(step(execution.id).metrics, (Metrics{.read = 7, .written = 7, .commits = 3}));
}

TEST_F(Corners, WhicheverOfItemCountAndTimeLimitComesFirstEndsTheChunk) {  // §8.2.1, §11.8
    const JobExecution execution = run(job(chunk(R"(item-count="2" time-limit="3600")", 4)));
    EXPECT_EQ(step(execution.id).metrics, (Metrics{.read = 4, .written = 4, .commits = 3}));
}

TEST_F(Corners, ACheckpointEndsOnlyAfterItsCommit) {  // §9.1.1.4, §11.8
    refuse_at(3, 1);
    const JobExecution execution = run(
        job(chunk(R"(checkpoint-policy="custom")", 6, R"(<checkpoint-algorithm ref="told"/>)" + retryable, "kept")));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    // 1 2 | 3 fails | 3, by itself, without the policy | 4 5 | 6 and the end
    EXPECT_THAT(log_without({"reader", "writer", "ready"}),
                ElementsAre("begin", "write 1 2", "end", "begin", "write 3", "begin", "write 4 5", "end", "begin",
                            "write 6", "end"));
}

TEST_F(Corners, ACheckpointAlgorithmThatThrowsFailsTheStepWhereItStands) {  // §9.1.1.4
    const JobDefinition definition =
        job(chunk(R"(checkpoint-policy="custom")", 4, R"(<checkpoint-algorithm ref="told"/>)" + skippable));
    for (const auto& [call, kept] :
         std::map<std::string, std::vector<std::int64_t>>{{"begin", {}}, {"ready", {}}, {"end", {1, 2}}}) {
        SCOPED_TRACE(call);
        script().on_call.clear();
        script().on_call[call] = [](StepContext*, JobContext&) { throw Flaky("algorithm"); };
        const JobExecution failed = run(definition);
        EXPECT_EQ(failed.status, BatchStatus::failed);
        ASSERT_TRUE(failed.failure);
        EXPECT_EQ(failed.failure->message, "algorithm");
        EXPECT_EQ(written(), kept) << "endCheckpoint comes behind the commit";
        script().on_call.clear();
        EXPECT_EQ(restart(failed.id).status, BatchStatus::completed);
        EXPECT_THAT(written(), ElementsAre(1, 2, 3, 4));
        drivers_.open(path("repo.db"))->connect(sql::OpenMode::read_write)->execute("DELETE FROM out");
    }
}

// --- the JobOperator (§10.9)

TEST_F(Corners, WhatRunsIsNeitherAbandonedNorRestartedNorRecovered) {  // §10.9.11
    std::mutex mutex;
    std::condition_variable changed;
    bool runs = false;
    bool may_end = false;
    script().on_batchlet = [&](StepContext&) {
        std::unique_lock lock(mutex);
        runs = true;
        changed.notify_all();
        EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(30), [&] { return may_end; }));
        return std::string();
    };
    const JobExecutionId id = operator_->start(job(R"(<step id="a"><batchlet ref="scripted"/></step>)"), {});
    {
        std::unique_lock lock(mutex);
        ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(30), [&] { return runs; }));
    }
    EXPECT_THROW(operator_->abandon(id), JobExecutionIsRunningException);
    EXPECT_THROW((void)operator_->restart(id, {}), JobRestartException);
    EXPECT_THROW(operator_->recover(id), Error);
    EXPECT_THAT(operator_->running_executions("j"), ElementsAre(id));
    {
        const std::lock_guard lock(mutex);
        may_end = true;
        changed.notify_all();
    }
    EXPECT_EQ(operator_->wait(id)->status, BatchStatus::completed);
    EXPECT_THROW((void)operator_->job_execution(JobExecutionId(9)), NoSuchJobExecutionException);
    EXPECT_THROW((void)operator_->job_instance(JobExecutionId(9)), NoSuchJobExecutionException);
    EXPECT_THROW(operator_->recover(JobExecutionId(9)), NoSuchJobExecutionException);
}

}  // namespace
}  // namespace fermata::test
