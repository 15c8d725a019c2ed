// Skip and retry against Jakarta Batch §8.2.1.4.
#include "harness.hpp"

namespace fermata::test {
namespace {

using Lines = std::vector<std::string>;
class SkipRetry : public Harness {
protected:
    static std::string lists(const std::string& skip, const std::string& retry = "",
                             const std::string& no_rollback = "") {
        const auto list = [](const std::string& element, const std::string& names) {
            return names.empty()
                       ? ""
                       : "<" + element + "-exception-classes>" + names + "</" + element + "-exception-classes>";
        };
        return list("skippable", skip) + list("retryable", retry) + list("no-rollback", no_rollback);
    }
    static std::string include(const std::string& name) { return "<include class=\"" + name + "\"/>"; }
    static std::string exclude(const std::string& name) { return "<exclude class=\"" + name + "\"/>"; }
    /// Lines of the log that begin with one of `starts`.
    static Lines only(const Lines& starts) {
        Lines found;
        for (const std::string& line : script().log)
            for (const std::string& start : starts)
                if (line.starts_with(start)) found.push_back(line);
        return found;
    }
};
const std::string recorder = R"(<listeners><listener ref="recorder"/></listeners>)";

/// Throws `E` the first `times` times item `n` comes by.
template <class E>
std::function<void(std::int64_t)> fail_at(std::int64_t n, int times) {
    return [n, times](std::int64_t item) {
        if (item == n && script().attempts[n]++ < times) throw E("at " + std::to_string(n));
    };
}
template <class E>
std::function<bool(std::int64_t)> refuse_at(std::int64_t n, int times) {
    return [fail = fail_at<E>(n, times)](std::int64_t item) {
        fail(item);
        return true;
    };
}

TEST_F(SkipRetry, ASkippedReadGoesOnWithTheNextItem) {
    script().on_read = fail_at<Flaky>(3, 99);
    const JobExecution execution =
        run(job(chunk(R"(item-count="2")", 5, lists(include("test.Flaky")), "rows", "", recorder)));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    EXPECT_EQ(step(execution.id).metrics, (Metrics{.read = 4, .written = 4, .read_skips = 1, .commits = 3}));
    EXPECT_EQ(written(), (std::vector<std::int64_t>{1, 2, 4, 5}));
    EXPECT_EQ(only({"onReadError", "onSkipRead"}), (Lines{"onReadError at 3", "onSkipRead at 3"}));
}

TEST_F(SkipRetry, WhatNoItemIsToBlameForIsNotSkipped) {
    const std::vector<std::function<void(std::int64_t)>> faults{[](std::int64_t item) {
                                                                    if (item == 3) throw IoError("the disk");
                                                                },
                                                                [](std::int64_t item) {
                                                                    if (item == 3)
                                                                        throw Error(ErrorKind::invalid, "a property");
                                                                },
                                                                [](std::int64_t item) {
                                                                    if (item == 3)
                                                                        throw sql::SqlError(sql::SqlError::Kind::syntax,
                                                                                            "no such table");
                                                                }};
    for (const auto& fault : faults) {
        script().on_write = fault;
        const JobExecution execution =
            run(job(chunk(R"(item-count="2")", 5, lists(include("fermata.Error") + include("java.lang.Exception")))));
        EXPECT_EQ(execution.status, BatchStatus::failed);
        EXPECT_EQ(step(execution.id).metrics.write_skips, 0);
    }
    script().on_write = fail_at<ItemError>(3, 99);
    EXPECT_EQ(run(job(chunk(R"(item-count="2")", 5, lists(include("fermata.Error"))))).status, BatchStatus::completed);
}

TEST_F(SkipRetry, ASkippedProcessDropsTheItem) {
    script().on_process = refuse_at<Flaky>(3, 99);
    const JobExecution execution =
        run(job(chunk(R"(item-count="2")", 5, lists(include("test.Flaky")), "rows", "", recorder)));
    EXPECT_EQ(step(execution.id).metrics, (Metrics{.read = 5, .written = 4, .process_skips = 1, .commits = 3}));
    EXPECT_EQ(written(), (std::vector<std::int64_t>{1, 2, 4, 5}));
    EXPECT_EQ(only({"onProcessError", "onSkipProcess"}), (Lines{"onProcessError 3 at 3", "onSkipProcess 3"}));
}

TEST_F(SkipRetry, ASkippedWriteSkipsTheWholeListAndLeavesNoPartOfIt) {
    script().on_write = fail_at<Flaky>(4, 99);
    const JobExecution execution =
        run(job(chunk(R"(item-count="3")", 7, lists(include("test.Flaky")), "rows", "", recorder)));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    EXPECT_EQ(step(execution.id).metrics, (Metrics{.read = 7, .written = 4, .write_skips = 3, .commits = 3}));
    EXPECT_EQ(written(), (std::vector<std::int64_t>{1, 2, 3, 7}));
    EXPECT_EQ(only({"onWriteError", "onSkipWrite"}), (Lines{"onWriteError 3 at 4", "onSkipWrite 3"}));
}

TEST_F(SkipRetry, ASkippedWriteIntoAnotherDatabaseLeavesNoPartOfIt) {
    script().on_write = fail_at<Flaky>(5, 99);
    JobDefinition definition = job(chunk(R"(item-count="3")", 7, lists(include("test.Flaky"))));
    std::get<ChunkDefinition>(std::get<StepDefinition>(definition.elements[0].what).work)
        .writer.properties.push_back({"url", Template::literal(path("other.db")), {}});
    const JobExecution execution = run(definition);
    EXPECT_EQ(step(execution.id).metrics, (Metrics{.read = 7, .written = 4, .write_skips = 3, .commits = 3}));
    EXPECT_EQ(written("other.db"), (std::vector<std::int64_t>{1, 2, 3, 7}));
}

TEST_F(SkipRetry, TheExceptionAfterTheLimitIsUnhandled) {
    script().on_process = [](std::int64_t) -> bool { throw Flaky("always"); };
    const JobExecution execution = run(job(chunk(R"(item-count="3" skip-limit="2")", 9, lists(include("test.Flaky")))));
    EXPECT_EQ(execution.status, BatchStatus::failed);
    EXPECT_EQ(execution.failure->error_class, "test.Flaky");
    EXPECT_EQ(step(execution.id).metrics, (Metrics{.rollbacks = 1}));
}

TEST_F(SkipRetry, ALimitOfZeroSkipsNothing) {
    script().on_process = refuse_at<Flaky>(1, 1);
    EXPECT_EQ(run(job(chunk(R"(skip-limit="0")", 2, lists(include("test.Flaky"))))).status, BatchStatus::failed);
}

TEST_F(SkipRetry, TheMostDerivedClassDecides) {
    script().on_process = refuse_at<VeryFlaky>(1, 1);
    EXPECT_EQ(run(job(chunk("", 2, lists(include("test.Flaky") + exclude("test.VeryFlaky"))))).status,
              BatchStatus::failed);
    script().attempts.clear();
    EXPECT_EQ(run(job(chunk("", 2, lists(include("test.VeryFlaky") + exclude("test.Flaky"))))).status,
              BatchStatus::completed);
    script().attempts.clear();
    EXPECT_EQ(run(job(chunk("", 2, lists(include("test.Flaky") + exclude("test.Flaky"))))).status, BatchStatus::failed);
    script().attempts.clear();
    EXPECT_EQ(run(job(chunk("", 2, lists(include("java.lang.Exception"))))).status, BatchStatus::completed);
}

TEST_F(SkipRetry, RetryWithRollbackReopensAtTheCheckpointAndGoesItemByItem) {
    script().on_process = refuse_at<Flaky>(5, 1);
    const JobExecution execution =
        run(job(chunk(R"(item-count="3")", 8, lists("", include("test.Flaky")), "rows", "", recorder)));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    // 1-3 | 4, 5 fails: 4 | 5 | then the configured policy: 6-8 | empty
    EXPECT_EQ(step(execution.id).metrics, (Metrics{.read = 8, .written = 8, .commits = 5, .rollbacks = 1}));
    EXPECT_EQ(written(), numbers(1, 8));
    EXPECT_EQ(only({"onProcessError", "onRetry", "reader.", "writer.", "onError", "write "}),
              (Lines{"reader.open 0", "writer.open", "write 3", "onProcessError 5 at 5", "onRetryProcess 5",
                     "writer.close", "reader.close", "onError at 5", "reader.open 3", "writer.open", "write 1",
                     "write 1", "write 3", "writer.close", "reader.close"}));
}

TEST_F(SkipRetry, RetryOfAWriteRollsTheRowsBack) {
    script().on_write = fail_at<Flaky>(2, 2);
    const JobExecution execution = run(job(chunk(R"(item-count="3")", 4, lists("", include("test.Flaky")))));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    EXPECT_EQ(step(execution.id).metrics, (Metrics{.read = 4, .written = 4, .commits = 4, .rollbacks = 2}));
    EXPECT_EQ(written(), numbers(1, 4));
}

TEST_F(SkipRetry, RetryOfAReadCountsTheItemOnce) {
    script().on_read = fail_at<Flaky>(2, 1);
    const JobExecution execution = run(job(chunk(R"(item-count="3")", 4, lists("", include("test.Flaky")))));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    EXPECT_EQ(step(execution.id).metrics.read, 4);
    EXPECT_EQ(written(), numbers(1, 4));
}

TEST_F(SkipRetry, RetryWithoutRollbackRepeatsTheCallInPlace) {
    script().on_process = refuse_at<Flaky>(2, 2);
    const JobExecution execution = run(job(
        chunk(R"(item-count="3")", 3, lists("", include("test.Flaky"), include("test.Flaky")), "rows", "", recorder)));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    EXPECT_EQ(step(execution.id).metrics, (Metrics{.read = 3, .written = 3, .commits = 2}));
    EXPECT_EQ(only({"onError", "onRetry"}), (Lines{"onRetryProcess 2", "onRetryProcess 2"}));
}

TEST_F(SkipRetry, AWriteRepeatedInPlaceWritesEachRowOnce) {
    script().on_write = fail_at<Flaky>(3, 2);
    const JobExecution execution =
        run(job(chunk(R"(item-count="3")", 3, lists("", include("test.Flaky"), include("test.Flaky")))));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    EXPECT_EQ(written(), numbers(1, 3));
}

TEST_F(SkipRetry, TheRetryLimitIsNotRolledBack) {
    script().on_process = refuse_at<Flaky>(1, 99);
    const JobExecution execution = run(job(chunk(R"(retry-limit="3")", 2, lists("", include("test.Flaky")))));
    EXPECT_EQ(execution.status, BatchStatus::failed);
    EXPECT_EQ(script().attempts[1], 4);
    EXPECT_EQ(step(execution.id).metrics.rollbacks, 4);
}

TEST_F(SkipRetry, RetryableAndSkippableIsolatesTheOneBadRow) {
    script().on_write = fail_at<Flaky>(5, 99);
    const JobExecution execution =
        run(job(chunk(R"(item-count="4")", 9, lists(include("test.Flaky"), include("test.Flaky")))));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    EXPECT_EQ(written(), (std::vector<std::int64_t>{1, 2, 3, 4, 6, 7, 8, 9}));
    const Metrics metrics = step(execution.id).metrics;
    EXPECT_EQ(metrics.write_skips, 1);
    EXPECT_EQ(metrics.read, metrics.written + metrics.filtered + metrics.process_skips + metrics.write_skips);
    EXPECT_EQ(metrics.rollbacks, 1);
}

TEST_F(SkipRetry, ARetryListenerThatThrowsFailsTheStep) {  // §9.2.8
    script().on_process = refuse_at<Flaky>(1, 1);
    script().on_call["onRetryProcess 1"] = [](StepContext*, JobContext&) { throw Bad("from the listener"); };
    const JobExecution execution = run(job(chunk("", 2, lists("", include("test.Flaky")), "rows", "", recorder)));
    EXPECT_EQ(execution.status, BatchStatus::failed);
    EXPECT_EQ(execution.failure->message, "from the listener");
}

TEST_F(SkipRetry, ASkippedItemIsInTheJournalOnceThoughItsChunkWasRolledBack) {
    script().on_process = [](std::int64_t n) -> bool {
        if (n == 2) throw Flaky("bad item 2");
        if (n == 3 && script().attempts[3]++ == 0) throw Bad("rolls back");
        return true;
    };
    const JobExecution execution = run(job(chunk("", 5, lists(include("test.Flaky"), include("test.Bad")))));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    const auto skipped = repository_->events_of(execution.id, "item.skipped", 10);
    ASSERT_EQ(skipped.size(), 1U);
    EXPECT_NE(skipped[0].data.find("bad item 2"), std::string::npos);
    EXPECT_EQ(step(execution.id).metrics.process_skips, 1);
}

}  // namespace
}  // namespace fermata::test
