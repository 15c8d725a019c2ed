// The chunk loop against Jakarta Batch §11.6 and §8.2.1.
#include "harness.hpp"

namespace fermata::test {
namespace {

using Lines = std::vector<std::string>;
class Chunk : public Harness {};

const std::string recorder = R"(<listeners><listener ref="recorder"/></listeners>)";

TEST_F(Chunk, CommitsEachChunkAndTheEmptyOneAtTheEnd) {
    const JobExecution execution = run(job(chunk(R"(item-count="10")", 20)));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    EXPECT_EQ(execution.exit_status, "COMPLETED");
    const StepExecution s = step(execution.id);
    EXPECT_EQ(s.metrics, (Metrics{.read = 20, .written = 20, .commits = 3}));
    EXPECT_EQ(written(), numbers(1, 20));
}

TEST_F(Chunk, CallsEveryListenerInTheOrderOfTheSpecification) {
    script().on_process = [](std::int64_t n) { return n != 2; };
    run(job(chunk(R"(item-count="2")", 3, "", "rows", "", recorder)));
    EXPECT_EQ(script().log,
              (Lines{"beforeStep",       "reader.open 0",       "writer.open",      "beforeChunk",   "beforeRead",
                     "afterRead 1",      "beforeProcess 1",     "afterProcess 1 1", "beforeRead",    "afterRead 2",
                     "beforeProcess 2",  "afterProcess 2 null", "beforeWrite 1",    "write 1",       "afterWrite 1",
                     "afterChunk",       "beforeChunk",         "beforeRead",       "afterRead 3",   "beforeProcess 3",
                     "afterProcess 3 3", "beforeRead",          "afterRead null",   "beforeWrite 1", "write 1",
                     "afterWrite 1",     "afterChunk",          "writer.close",     "reader.close",  "afterStep"}));
}

TEST_F(Chunk, AFirstNullIsAChunkWithoutWrite) {
    const JobExecution execution = run(job(chunk("", 0, "", "rows", "", recorder)));
    EXPECT_EQ(step(execution.id).metrics, (Metrics{.commits = 1}));
    EXPECT_EQ(script().log, (Lines{"beforeStep", "reader.open 0", "writer.open", "beforeChunk", "beforeRead",
                                   "afterRead null", "afterChunk", "writer.close", "reader.close", "afterStep"}));
}

TEST_F(Chunk, AllFilteredWritesAnEmptyList) {
    script().on_process = [](std::int64_t) { return false; };
    const JobExecution execution = run(job(chunk(R"(item-count="5")", 4)));
    EXPECT_EQ(step(execution.id).metrics, (Metrics{.read = 4, .filtered = 4, .commits = 1}));
    EXPECT_NE(std::find(script().log.begin(), script().log.end(), "write 0"), script().log.end());
}

TEST_F(Chunk, ACustomAlgorithmDecidesAboutCheckpoints) {
    const JobExecution execution =
        run(job(chunk(R"(checkpoint-policy="custom")", 7, R"(<checkpoint-algorithm ref="every"/>)")));
    EXPECT_EQ(step(execution.id).metrics, (Metrics{.read = 7, .written = 7, .commits = 3}));
}

TEST_F(Chunk, ATimeLimitEndsAChunkBeforeItsItemCount) {  // §8.2.1, §11.8
    script().on_read = [](std::int64_t n) {
        if (n != 2) return;
        const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1050);
        while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
    };
    const JobExecution execution = run(job(chunk(R"(item-count="100" time-limit="1")", 4)));
    EXPECT_EQ(step(execution.id).metrics, (Metrics{.read = 4, .written = 4, .commits = 2}));
}

TEST_F(Chunk, AFailureRollsTheChunkBackAndTheRestartGoesOnAtTheCheckpoint) {
    script().on_process = [](std::int64_t n) -> bool {
        if (n == 7 && script().attempts[7]++ == 0) throw Bad("seven");
        return true;
    };
    const JobExecution first = run(job(chunk(R"(item-count="3")", 10, "", "rows", "", recorder)));
    EXPECT_EQ(first.status, BatchStatus::failed);
    ASSERT_TRUE(first.failure);
    EXPECT_EQ(first.failure->error_class, "test.Bad");
    EXPECT_EQ(first.failure->message, "seven");
    EXPECT_EQ(first.failure->step, "s");
    EXPECT_EQ(step(first.id).metrics, (Metrics{.read = 6, .written = 6, .commits = 2, .rollbacks = 1}));
    EXPECT_EQ(written(), numbers(1, 6));
    EXPECT_EQ(Lines(script().log.end() - 5, script().log.end()),
              (Lines{"onProcessError 7 seven", "writer.close", "reader.close", "onError seven", "afterStep"}));

    const JobExecution second = restart(first.id);
    EXPECT_EQ(second.status, BatchStatus::completed);
    EXPECT_EQ(second.instance_id, first.instance_id);
    EXPECT_EQ(step(second.id).metrics, (Metrics{.read = 4, .written = 4, .commits = 2}));
    EXPECT_EQ(written(), numbers(1, 10));
}

TEST_F(Chunk, PersistentUserDataIsSavedWithTheCommitAndSeenByTheRestart) {
    script().on_call["beforeChunk"] = [](StepContext* step, JobContext&) {
        step->persistent_user_data = step->persistent_user_data.value_or("") + "x";
    };
    script().on_process = [](std::int64_t n) -> bool {
        if (n == 5 && script().attempts[5]++ == 0) throw Bad("five");
        return true;
    };
    const JobExecution first = run(job(chunk(R"(item-count="2")", 6, "", "rows", "", recorder)));
    EXPECT_EQ(step(first.id).user_data, "xxx");
    const JobExecution second = restart(first.id);
    EXPECT_EQ(step(second.id).user_data, "xxxxx");
}

TEST_F(Chunk, WhatBeforeStepSetIsKept) {
    script().on_call["beforeStep"] = [](StepContext* step, JobContext&) {
        step->exit_status = "EARLY";
        step->persistent_user_data = "early";
    };
    const JobExecution execution = run(job(chunk("", 3, "", "rows", "", recorder)));
    EXPECT_EQ(step(execution.id).exit_status, "EARLY");
    EXPECT_EQ(step(execution.id).user_data, "early");
}

TEST_F(Chunk, ListenersThatThrowFailTheStep) {  // §8.2.7
    for (const std::string call : {"beforeStep", "beforeChunk", "beforeRead", "afterRead 1", "beforeProcess 1",
                                   "afterProcess 1 1", "beforeWrite 2", "afterWrite 2", "afterChunk", "afterStep"}) {
        script().on_call.clear();
        script().on_call[call] = [](StepContext*, JobContext&) { throw Flaky("listener"); };
        const JobExecution execution =
            run(job(chunk(R"(item-count="2" skip-limit="5" retry-limit="5")", 2,
                          R"(<skippable-exception-classes><include class="test.Flaky"/></skippable-exception-classes>)",
                          "rows", "", recorder)));
        EXPECT_EQ(execution.status, BatchStatus::failed) << call;
        ASSERT_TRUE(execution.failure) << call;
        EXPECT_EQ(execution.failure->message, "listener") << call;
    }
}

TEST_F(Chunk, OpenAndCloseThatThrowFailTheStep) {
    for (const std::string call : {"reader.open 0", "writer.open", "reader.close", "writer.close"}) {
        script().on_call.clear();
        script().on_call[call] = [](StepContext*, JobContext&) { throw Flaky("at border"); };
        script().log.clear();
        const JobExecution execution = run(job(chunk(R"(item-count="2")", 2, "", "rows", "", recorder)));
        EXPECT_EQ(execution.status, BatchStatus::failed) << call;
        EXPECT_EQ(std::ranges::count(script().log, "onError at border"), 0) << call;  // no chunk is rolled back
    }
}

TEST_F(Chunk, AnExceptionThatKnowsNoPlaceIsToldWithTheReaders) {
    const auto position_of = [this] { return run(job(chunk(R"(item-count="5")", 9))).failure->position; };
    script().on_process = [](std::int64_t n) { return n == 7 ? throw Bad("seven") : true; };
    EXPECT_EQ(position_of(), "number 7");
    script().on_process = nullptr;
    script().on_read = [](std::int64_t n) {
        if (n == 8) throw Bad("eight");
    };
    EXPECT_EQ(position_of(), "number 8");
    script().on_read = [](std::int64_t n) {
        if (n == 8) throw ParseError("eight", "line 8");
    };
    EXPECT_EQ(position_of(), "line 8") << "it knows better";
    script().on_read = nullptr;
    script().on_write = [](std::int64_t n) {
        if (n == 8) throw Bad("eight");
    };
    EXPECT_EQ(position_of(), "") << "the reader is behind the whole chunk";
    script().on_write = nullptr;
    script().on_process = [](std::int64_t n) { return n == 7 ? throw Bad("seven") : true; };
    const JobExecution skipped =
        run(job(chunk(R"(item-count="5")", 9,
                      R"(<skippable-exception-classes><include class="test.Bad"/></skippable-exception-classes>)")));
    EXPECT_EQ(skipped.status, BatchStatus::completed);
    const auto events = repository_->events_of(skipped.id, "item.skipped", 10);
    ASSERT_EQ(events.size(), 1U);
    EXPECT_NE(events[0].data.find(R"("number 7")"), std::string::npos) << events[0].data;
}

TEST_F(Chunk, SomethingThatIsNoExceptionFailsTheStepToo) {
    struct Thing {};
    const std::map<std::string, std::function<void()>> throws = {
        {"int 42", [] { throw 42; }},
        {"const char* \"no\"", [] { throw "no"; }},
        {"std::string \"no\"", [] { throw std::string("no"); }},
        {"Thing", [] { throw Thing(); }}};
    for (const auto& [told, act] : throws) {
        script().on_read = [&act](std::int64_t) { act(); };
        const JobExecution execution = run(job(chunk("", 2)));
        ASSERT_TRUE(execution.failure) << told;
        EXPECT_NE(execution.failure->message.find("an exception that is no std::exception was thrown: "),
                  std::string::npos);
        EXPECT_TRUE(execution.failure->message.ends_with(told)) << execution.failure->message;
    }
}

}  // namespace
}  // namespace fermata::test
