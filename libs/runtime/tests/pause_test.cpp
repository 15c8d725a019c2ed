// Pausing: whoever asks, the same execution goes on, and at the end nothing distinguishes it from one that never
// waited.
#include "deadly.hpp"
#include "gate.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <latch>
#include <set>
#include <thread>
#include <utility>

namespace fermata::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Effect = ResumeAnswer::Effect;

class Pausing : public Deadly {
protected:
    ~Pausing() override { EXPECT_THAT(repository_->verify(), IsEmpty()); }

    static JobDefinition job(const std::string& body) {
        const std::string text =
            R"(<job id="j" xmlns="https://jakarta.ee/xml/ns/jakartaee" xmlns:fer="urn:fermata:job:1" version="2.0">)" +
            body + "</job>";
        ParsedJob parsed = parse_job(text, "test.xml");
        for (const Diagnostic& found : parsed.diagnostics.all()) ADD_FAILURE() << to_string(found);
        return parsed.job.value_or(JobDefinition{});
    }
    static std::string scripted(const std::string& id, const std::string& more = "", const std::string& next = "") {
        return fmt::format(R"(<step id="{}"{}><batchlet ref="scripted"/>{}</step>)", id,
                           next.empty() ? "" : fmt::format(R"( next="{}")", next), more);
    }
    JobExecution resume(JobExecutionId id, const ResumeOptions& options = {}) {
        EXPECT_EQ(Effect::owned, operator_->resume(id, options).effect);
        return *operator_->wait(id);
    }
    /// From another process: everything of this one is gone.
    JobExecution resume_elsewhere(JobExecutionId id, const ResumeOptions& options = {}) {
        reopen();
        return resume(id, options);
    }
    /// The record without what may differ: times, epochs, how often it came to rest.
    std::string record(JobExecutionId id) {
        const JobExecution e = operator_->job_execution(id);
        std::string text = fmt::format("{} {}\n", to_string(e.status), e.exit_status.value_or("-"));
        for (const StepExecution& s : repository_->steps_of(id)) {
            text += fmt::format("{} {} {} {} {}/{}/{}\n", s.name, to_string(s.status), s.exit_status.value_or("-"),
                                s.user_data.value_or("-"), s.metrics.read, s.metrics.written, s.metrics.commits);
            for (const PartitionExecution& p : repository_->partitions_of(s.id))
                text +=
                    fmt::format("  {} {} {}/{}\n", p.number, to_string(p.status), p.metrics.read, p.metrics.commits);
        }
        for (const WalkEntry& w : repository_->walk_of(id))
            text += fmt::format("{} {} {} {} {}\n", w.scope, w.number, w.step, w.taken, w.to);
        return text;
    }
    std::vector<std::string> entered() {
        std::vector<std::string> names;
        for (const StepExecution& s : repository_->steps_of(*repository_->latest(std::nullopt)))
            names.push_back(s.name);
        return names;
    }
    static void await(const std::function<bool()>& holds) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (!holds()) {
            ASSERT_LT(std::chrono::steady_clock::now(), until);
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
    }
    int calls(const std::string& line) { return static_cast<int>(std::ranges::count(script().log, line)); }
};

/// What runs notifications, under the name of the stock batchlet.
struct Teller {
    static inline std::function<void()> tell;
    explicit Teller(const ArtifactContext& /*context*/) {}
    std::string process() {  // NOLINT(readability-convert-member-functions-to-static): a batchlet's
        tell();
        return "";
    }
};

TEST_F(Pausing, WhoEndsTheProcessWhileSomebodyIsToldLeavesItPaused) {
    registry_.batchlet<Teller>("command");
    Gate telling;
    Gate told;
    Teller::tell = [&] {
        telling.open();
        EXPECT_TRUE(told.wait());
    };
    const std::string pause = R"(<fer:pause on="*" point="p" notify="mail ann"/>)";
    const JobExecutionId id = operator_->start(job(scripted("a", pause)), {});
    EXPECT_TRUE(telling.wait());
    operator_->interrupt(true);
    told.open();
    operator_.reset();
    EXPECT_EQ(repository_->find_execution(id)->status, BatchStatus::paused);
}

TEST_F(Pausing, WhatWasDoneBeforeItWasEnteredHereIsToldApart) {
    std::atomic<StepContext*> context = nullptr;
    script().on_call["reader.open 0"] = [&](StepContext* step, JobContext&) { context = step; };
    script().on_read = [&](std::int64_t n) {
        if (n == 7) context.load()->pause({.point = "middle"});
    };
    const JobExecution waiting = run(job(chunk(R"(item-count="5")", 24)));
    EXPECT_EQ(operator_->running(waiting.id)->steps.at(0).before.read, 0);
    script().on_read = nullptr;
    resume_elsewhere(waiting.id);
    const RunningStep shown = operator_->running(waiting.id)->steps.at(0);
    EXPECT_EQ(shown.metrics.read, 24);
    EXPECT_EQ(shown.before.read, 10);
}

TEST_F(Pausing, AnElementWaitsBehindAStepAndGoesOnWhereItSays) {
    script().on_batchlet = [](StepContext& step) { return step.step_name == "check" ? "VERIFY" : ""; };
    const std::string pause = R"(<fer:pause on="VERIFY" point="approve" to="load" message="is it right?"/>)";
    const std::string rest = scripted("other") + scripted("load");
    const JobExecution waiting = run(job(scripted("check", pause, "other") + rest));
    EXPECT_EQ(waiting.status, BatchStatus::paused);
    ASSERT_EQ(waiting.waits.size(), 1U);
    EXPECT_EQ(waiting.waits[0].what.point, "approve");
    EXPECT_EQ(waiting.waits[0].what.message, "is it right?");
    EXPECT_EQ(waiting.waits[0].element, "check");
    const JobExecution ended = resume_elsewhere(waiting.id);
    EXPECT_EQ(ended.status, BatchStatus::completed);
    EXPECT_THAT(entered(), ElementsAre("check", "load"));
    const JobExecution plain = run(job(scripted("check", R"(<next on="VERIFY" to="load"/>)", "other") + rest));
    EXPECT_EQ(record(plain.id), record(ended.id));
}

TEST_F(Pausing, WithoutATargetItGoesOnAsIfItWereNotThere) {
    const std::string pause = R"(<fer:pause on="*" point="p"/><next on="A" to="b"/><end on="*"/>)";
    script().on_batchlet = [](StepContext& step) { return step.step_name == "a" ? "A" : ""; };
    const JobExecution waiting = run(job(scripted("a", pause) + scripted("b")));
    EXPECT_EQ(waiting.status, BatchStatus::paused);
    EXPECT_EQ(resume(waiting.id).status, BatchStatus::completed);
    EXPECT_THAT(entered(), ElementsAre("a", "b"));
}

TEST_F(Pausing, AJobMayWaitBehindItsLastStep) {
    const JobExecution waiting = run(job(scripted("a", R"(<fer:pause on="*" point="p"/>)")));
    EXPECT_EQ(waiting.status, BatchStatus::paused);
    EXPECT_EQ(resume(waiting.id).status, BatchStatus::completed);
}

TEST_F(Pausing, ListenersOfTheJobAreCalledOnce) {
    const std::string listeners = R"(<listeners><listener ref="recorder"/></listeners>)";
    const JobExecution waiting = run(job(listeners + scripted("a", R"(<fer:pause on="*" point="p"/>)")));
    EXPECT_EQ(calls("beforeJob"), 1);
    EXPECT_EQ(calls("afterJob"), 0);
    resume_elsewhere(waiting.id);
    EXPECT_EQ(calls("beforeJob"), 1);
    EXPECT_EQ(calls("afterJob"), 1);
}

TEST_F(Pausing, ABatchletIsEnteredAgain) {
    int entries = 0;
    script().on_batchlet = [&](StepContext& step) -> std::string {
        step.persistent_user_data = step.persistent_user_data.value_or("") + "x";
        if (++entries < 3) {
            step.pause({.message = "not yet"});
            return "ignored";
        }
        return "DONE";
    };
    const std::string listeners = R"(<listeners><listener ref="recorder"/></listeners>)";
    const JobDefinition definition = job(R"(<step id="s">)" + listeners + R"(<batchlet ref="scripted"/></step>)");
    const JobExecution first = run(definition);
    EXPECT_EQ(first.status, BatchStatus::paused);
    EXPECT_EQ(first.waits.at(0).what.point, "s");
    EXPECT_EQ(step(first.id).status, BatchStatus::paused);
    EXPECT_EQ(resume(first.id).status, BatchStatus::paused);
    const JobExecution ended = resume_elsewhere(first.id);
    EXPECT_EQ(ended.status, BatchStatus::completed);
    EXPECT_EQ(step(first.id).exit_status, "DONE");
    EXPECT_EQ(step(first.id).user_data, "xxx");
    EXPECT_EQ(repository_->steps_of(first.id).size(), 1U);
    EXPECT_EQ(calls("beforeStep"), 1);
    EXPECT_EQ(calls("afterStep"), 1);
}

TEST_F(Pausing, WhatWasSentReachesTheStepEnteredNextAtEveryEntry) {
    std::vector<std::string> got;
    int entries = 0;
    script().on_batchlet = [&](StepContext& step) -> std::string {
        for (const Signal& signal : step.signals()) got.push_back(step.step_name + signal.payload.value_or("-"));
        EXPECT_EQ(step.signal_count(), static_cast<std::int64_t>(step.signals().size()));
        if (step.step_name == "b" && ++entries == 1) step.pause({.point = "again"});
        return "";
    };
    const JobDefinition definition = job(scripted("a", R"(<fer:pause on="*" point="p" signals="2"/>)", "b") +
                                         scripted("b", "", "c") + scripted("c"));
    const JobExecution waiting = run(definition);
    EXPECT_EQ(operator_->signal(waiting.id, {.point = "p", .key = "k", .payload = "1"}).disposition,
              SignalAnswer::Disposition::counted);
    resume(waiting.id, {.payload = "2"});
    EXPECT_THAT(got, ElementsAre("b1", "b2"));
    got.clear();
    resume(waiting.id, {.payload = "3"});
    EXPECT_THAT(got, ElementsAre("b3"));
}

TEST_F(Pausing, WhatWasSentToTheEndOfAFlowReachesTheStepBehindIt) {
    std::vector<std::string> got;
    script().on_batchlet = [&](StepContext& step) -> std::string {
        for (const Signal& signal : step.signals()) got.push_back(step.step_name + signal.payload.value_or("-"));
        return "";
    };
    const auto flow = [](const std::string& id, const std::string& step, const std::string& next) {
        return fmt::format(R"(<flow id="{}"{}>{}</flow>)", id, next.empty() ? "" : fmt::format(R"( next="{}")", next),
                           scripted(step, fmt::format(R"(<fer:pause on="*" point="{}"/>)", step)));
    };
    const std::string more = scripted("b", "", "c") + scripted("c");
    JobExecution waiting = run(job(flow("f", "a", "b") + more));
    EXPECT_EQ(waiting.status, BatchStatus::paused);
    EXPECT_EQ(resume_elsewhere(waiting.id, {.payload = "1"}).status, BatchStatus::completed);
    EXPECT_THAT(got, ElementsAre("b1"));

    got.clear();
    std::latch both(2);  // a flow that begins when the other already waits would rest before its step
    script().on_batchlet = [&, said = script().on_batchlet](StepContext& step) -> std::string {
        if (step.step_name != "b" && step.step_name != "c") both.arrive_and_wait();
        return said(step);
    };
    const std::string two = flow("f", "a", "") + flow("g", "x", "");
    waiting = run(job(R"(<split id="both" next="b">)" + two + "</split>" + more));
    ASSERT_EQ(waiting.waits.size(), 2U);
    const std::string last = waiting.waits[1].what.point;
    operator_->signal(waiting.id, {.point = waiting.waits[0].what.point, .payload = "1"});
    EXPECT_EQ(resume_elsewhere(waiting.id, {.point = last, .payload = "2"}).status, BatchStatus::completed);
    EXPECT_THAT(got, ElementsAre("b2")) << "of several, the pause entered last";
}

TEST_F(Pausing, ARestartWaitsAgainWhereNobodyAnswered) {
    const JobDefinition definition = job(scripted("a", R"(<fer:pause on="*" point="p"/>)", "b") + scripted("b"));
    const JobExecution unanswered = run(definition);
    EXPECT_EQ(unanswered.status, BatchStatus::paused);
    operator_->stop(unanswered.id);
    const JobExecution again = restart(unanswered.id);
    EXPECT_EQ(again.status, BatchStatus::paused);
    ASSERT_EQ(again.waits.size(), 1U);
    EXPECT_EQ(again.waits[0].what.point, "p");
    EXPECT_THAT(entered(), IsEmpty()) << "a is complete, b is behind the gate";

    bool fails = true;
    script().on_batchlet = [&](StepContext& step) -> std::string {
        if (step.step_name == "b" && fails) throw Bad("for now");
        return "";
    };
    EXPECT_EQ(resume(again.id).status, BatchStatus::failed);
    fails = false;
    EXPECT_EQ(restart(again.id).status, BatchStatus::completed) << "an answered pause is passed";
}

TEST_F(Pausing, ARestartWaitsAgainForWhatAStepAskedForBehindItself) {
    script().on_batchlet = [](StepContext& step) -> std::string {
        if (step.step_name == "a") step.pause_after({.point = "look", .message = "well?"});
        return "";
    };
    const JobExecution unanswered = run(job(scripted("a", "", "b") + scripted("b")));
    EXPECT_EQ(unanswered.status, BatchStatus::paused);
    operator_->stop(unanswered.id);
    const JobExecution again = restart(unanswered.id);
    EXPECT_EQ(again.status, BatchStatus::paused);
    ASSERT_EQ(again.waits.size(), 1U);
    EXPECT_EQ(again.waits[0].what.message, "well?");
    EXPECT_EQ(resume(again.id).status, BatchStatus::completed);
}

TEST_F(Pausing, WhatWasSentFromOutsideIsForOneStepAlsoIfItsOwnerDiesBehindIt) {
    script().on_batchlet = [this](StepContext& step) -> std::string {
        if (step.step_name == "a") operator_->pause(step.job->execution_id);
        for (const Signal& signal : step.signals()) step.persistent_user_data = signal.payload;
        return "";
    };
    script().on_decide = [](std::span<const StepExecution>, JobContext&) { return std::string("GO"); };
    const JobExecution waiting =
        run(job(scripted("a", "", "b") + scripted("b", "", "d") +
                R"(<decision id="d" ref="decider"><next on="GO" to="c"/></decision>)" + scripted("c")));
    ASSERT_EQ(waiting.status, BatchStatus::paused);
    ASSERT_TRUE(died(in_child([&] {
        script().on_decide = [](std::span<const StepExecution>, JobContext&) -> std::string { die(); };
        resume(waiting.id, {.payload = "1"});
        return 0;
    })));
    operator_->recover(waiting.id);
    EXPECT_EQ(operator_->wait(waiting.id)->status, BatchStatus::completed);
    EXPECT_EQ(step(waiting.id, "b").user_data, "1");
    EXPECT_FALSE(step(waiting.id, "c").user_data);
}

TEST_F(Pausing, WhatWasSentBeforeMeansNoWaiting) {
    int entries = 0;
    std::vector<std::string> got;
    script().on_batchlet = [&](StepContext& step) -> std::string {
        for (const Signal& signal : step.signals()) got.push_back(signal.key);
        if (step.step_name == "a" && ++entries == 1) {
            operator_->signal(step.job->execution_id, {.point = "p", .key = "early"});
            operator_->signal(step.job->execution_id, {.point = "q", .key = "too"});
            step.pause({.point = "p"});
        }
        return "";
    };
    const JobExecution ended = run(job(scripted("a", R"(<fer:pause on="*" point="q"/>)", "b") + scripted("b")));
    EXPECT_EQ(ended.status, BatchStatus::completed);
    EXPECT_EQ(entries, 2);
    EXPECT_THAT(got, ElementsAre("early", "too"));
}

TEST_F(Pausing, AChunkStepRestsAtItsNaturalEndWhoeverAsks) {
    for (const int asks_at : {1, 7, 10, 23, 24, 25}) {
        for (const bool own : {true, false}) {
            SCOPED_TRACE(fmt::format("at {}, {}", asks_at, own ? "itself" : "from outside"));
            reopen();
            const JobDefinition definition = job(chunk(R"(item-count="5")", 24));
            const JobExecution plain = run(definition);
            std::atomic<StepContext*> context = nullptr;
            bool asked = false;
            script().on_call["reader.open 0"] = [&](StepContext* step, JobContext&) { context = step; };
            script().on_read = [&](std::int64_t n) {
                if (n != asks_at || asked) return;
                asked = true;
                if (own)
                    context.load()->pause({.point = "middle"});
                else
                    operator_->pause(context.load()->job->execution_id);
            };
            JobExecution now = run(definition);
            const bool rests = asks_at <= 20;
            EXPECT_EQ(now.status, asks_at > 24   ? BatchStatus::completed
                                  : rests || own ? BatchStatus::paused
                                                 : BatchStatus::completed);
            if (rests) {
                EXPECT_EQ(step(now.id).status, BatchStatus::paused);
                EXPECT_EQ(step(now.id).metrics.read % 5, 0);
                EXPECT_GE(step(now.id).metrics.read, asks_at);
            }
            if (now.status == BatchStatus::paused) now = resume_elsewhere(now.id);
            EXPECT_EQ(now.status, BatchStatus::completed);
            EXPECT_EQ(record(plain.id), record(now.id));
            script().on_read = nullptr;
            script().on_call.clear();
        }
    }
    std::vector<std::int64_t> twice;
    for (int i = 0; i < 24; ++i) twice.push_back(i + 1);
    const auto all = written();
    for (std::size_t i = 0; i + 24 <= all.size(); i += 24)
        EXPECT_EQ(twice, std::vector<std::int64_t>(all.begin() + static_cast<std::ptrdiff_t>(i),
                                                   all.begin() + static_cast<std::ptrdiff_t>(i) + 24));
}

TEST_F(Pausing, APauseAskedForInAChunkThatIsRolledBackIsForgotten) {
    StepContext* context = nullptr;
    bool was_here = false;
    script().on_call["reader.open 0"] = [&](StepContext* step, JobContext&) { context = step; };
    script().on_read = [&](std::int64_t n) {
        if (n == 3 && !was_here) context->pause({.point = "p"});
        if (n == 4 && !std::exchange(was_here, true)) throw Flaky("after it");
    };
    const std::string retry =
        R"(<retryable-exception-classes><include class="test.Flaky"/></retryable-exception-classes>)";
    const JobExecution done = run(job(chunk(R"(item-count="5")", 10, retry)));
    EXPECT_TRUE(was_here);
    EXPECT_EQ(done.status, BatchStatus::completed);
    EXPECT_EQ(written(), numbers(1, 10));
}

TEST_F(Pausing, AfterTheStepMeansAfterTheStep) {
    StepContext* context = nullptr;
    script().on_call["reader.open 0"] = [&](StepContext* step, JobContext&) { context = step; };
    script().on_read = [&](std::int64_t n) {
        if (n == 3) context->pause_after({.point = "then"});
    };
    const JobExecution waiting = run(job(chunk(R"(item-count="5")", 10, "", "rows", R"(next="b")") + scripted("b")));
    EXPECT_EQ(waiting.status, BatchStatus::paused);
    EXPECT_EQ(step(waiting.id).status, BatchStatus::completed);
    EXPECT_EQ(resume(waiting.id).status, BatchStatus::completed);
    EXPECT_EQ(written(), numbers(1, 10));
}

TEST_F(Pausing, ASinkElsewhereKeepsItsPlace) {
    const JobDefinition definition = job(fmt::format(
        R"(<step id="s"><chunk item-count="5"><reader ref="numbers"><properties><property name="count" value="12"/></properties></reader><writer ref="rows"><properties><property name="url" value="{}"/></properties></writer></chunk></step>)",
        path("sink.db")));
    StepContext* context = nullptr;
    script().on_call["reader.open 0"] = [&](StepContext* step, JobContext&) { context = step; };
    script().on_read = [&](std::int64_t n) {
        if (n == 2) context->pause({.point = "p"});
    };
    const JobExecution waiting = run(definition);
    EXPECT_EQ(waiting.status, BatchStatus::paused);
    EXPECT_EQ(step(waiting.id).metrics.read, 5);
    EXPECT_EQ(resume_elsewhere(waiting.id).status, BatchStatus::completed);
    EXPECT_EQ(step(waiting.id).metrics, (Metrics{.read = 12, .written = 12, .commits = 3}));
    EXPECT_EQ(written("sink.db"), numbers(1, 12));
}

TEST_F(Pausing, FlowsOfASplitRestTogetherAndGoOnTogether) {
    std::atomic<int> a = 0;
    std::atomic<int> b = 0;
    script().on_batchlet = [&](StepContext& step) -> std::string {
        if (step.step_name == "a" && ++a == 1) step.pause({});
        if (step.step_name == "b" && ++b == 1) step.pause({});
        return step.step_name == "a" ? "A" : "";
    };
    const JobDefinition definition =
        job(R"(<split id="x" next="end"><flow id="f">)" + scripted("a", "", "a2") + scripted("a2") +
            R"(</flow><flow id="g">)" + scripted("b") + R"(</flow><flow id="h">)" + scripted("c") + "</flow></split>" +
            scripted("end"));
    JobExecution now = run(definition);
    EXPECT_EQ(now.status, BatchStatus::paused);
    for (int left = 3; now.status == BatchStatus::paused && left > 0; --left) now = resume_elsewhere(now.id);
    EXPECT_EQ(now.status, BatchStatus::completed);
    EXPECT_EQ(entered().size(), 5U);
    a = b = 7;
    const JobExecution plain = run(definition);
    const auto sorted = [](std::string text) {
        std::ranges::sort(text);
        return text;
    };
    EXPECT_EQ(sorted(record(plain.id)), sorted(record(now.id)));
}

TEST_F(Pausing, PartitionsRestAndGoOnEachAtItsPlace) {
    std::atomic<int> asked = 0;
    script().on_collect = [&](StepContext& step) -> std::optional<std::string> {
        if (step.metrics.commits == 0 && asked++ < 2) step.pause({.point = "p"});
        return fmt::format("{}", *step.partition);
    };
    const auto definition = [](const std::string& threads) {
        return job(
            R"(<step id="s"><chunk item-count="5"><reader ref="numbers"><properties><property name="count" value="12"/></properties></reader><writer ref="rows"/></chunk><partition><plan partitions="4" threads=")" +
            threads +
            R"("/><collector ref="collector"/><analyzer ref="analyzer"/><reducer ref="reducer"/></partition></step>)");
    };
    for (const char* threads : {"1", "4"}) {
        asked = 0;
        script().log.clear();
        JobExecution now = run(definition(threads));
        EXPECT_EQ(now.status, BatchStatus::paused);
        EXPECT_EQ(step(now.id).status, BatchStatus::paused);
        for (int left = 4; now.status == BatchStatus::paused && left > 0; --left) now = resume_elsewhere(now.id);
        EXPECT_EQ(now.status, BatchStatus::completed);
        EXPECT_EQ(step(now.id).metrics, (Metrics{.read = 48, .written = 48, .commits = 12}));
        EXPECT_EQ(calls("begin"), 1);
        EXPECT_EQ(calls("after COMMIT"), 1);
        EXPECT_EQ(calls("rollback"), 0);
        asked = 7;
        EXPECT_EQ(record(run(definition(threads)).id), record(now.id));
    }
}

TEST_F(Pausing, APartitionThatWantsToPauseAfterTheStepDoes) {
    script().on_batchlet = [](StepContext& step) -> std::string {
        if (step.partition == 1) step.pause_after({.point = "then"});
        return "";
    };
    const JobDefinition definition =
        job(R"(<step id="s"><batchlet ref="scripted"/><partition><plan partitions="3"/></partition></step>)");
    const JobExecution waiting = run(definition);
    EXPECT_EQ(waiting.status, BatchStatus::paused);
    EXPECT_EQ(waiting.waits.at(0).what.point, "then");
    EXPECT_EQ(step(waiting.id).status, BatchStatus::completed);
    EXPECT_EQ(resume(waiting.id).status, BatchStatus::completed);
}

TEST_F(Pausing, ARequestFromOutsideIsWithdrawnBeforeItTookEffect) {
    script().on_batchlet = [&](StepContext& step) -> std::string {
        operator_->pause(step.job->execution_id);
        EXPECT_EQ(operator_->job_execution(step.job->execution_id).status, BatchStatus::pausing);
        EXPECT_EQ(operator_->resume(step.job->execution_id).effect, Effect::withdrawn);
        return "";
    };
    EXPECT_EQ(run(job(scripted("a", "", "b") + scripted("b"))).status, BatchStatus::completed);
}

TEST_F(Pausing, AStopComesBeforeAPause) {
    script().on_batchlet = [&](StepContext& step) -> std::string {
        operator_->stop(step.job->execution_id);
        step.pause({.point = "p"});
        return "";
    };
    const JobExecution stopped = run(job(scripted("a", "", "b") + scripted("b")));
    EXPECT_EQ(stopped.status, BatchStatus::stopped);
    EXPECT_EQ(step(stopped.id, "a").status, BatchStatus::stopped);
}

TEST_F(Pausing, WhatIsPausedCanBeStoppedAndRestarted) {
    bool asked = false;
    script().on_batchlet = [&](StepContext& step) -> std::string {
        if (!std::exchange(asked, true)) step.pause({.point = "p"});
        return "";
    };
    const JobExecution waiting = run(job(scripted("a")));
    EXPECT_THROW(operator_->restart(waiting.id, {}), JobRestartException);
    EXPECT_EQ(operator_->stop(waiting.id).status, BatchStatus::stopped);
    EXPECT_THROW(operator_->resume(waiting.id), ConcurrentResume);
    EXPECT_EQ(restart(waiting.id).status, BatchStatus::completed);
}

TEST_F(Pausing, ADecisionMayWaitToo) {
    script().on_decide = [](std::span<const StepExecution>, JobContext&) { return std::string("ASK"); };
    const JobDefinition definition =
        job(scripted("a", "", "d") +
            R"(<decision id="d" ref="decider"><fer:pause on="ASK" point="p" to="b"/></decision>)" + scripted("b"));
    const JobExecution waiting = run(definition);
    EXPECT_EQ(waiting.status, BatchStatus::paused);
    EXPECT_EQ(resume_elsewhere(waiting.id).status, BatchStatus::completed);
    EXPECT_EQ(calls("decide a"), 1);
}

TEST_F(Pausing, WrongUseIsTold) {
    const JobExecution done = run(job(scripted("a")));
    EXPECT_THROW(operator_->pause(done.id), JobExecutionNotRunningException);
    EXPECT_THROW(operator_->resume(done.id), ConcurrentResume);
    EXPECT_THROW(operator_->signal(done.id, {.point = "p", .payload = "{"}), Error);
    EXPECT_THROW(operator_->signal(done.id, {.point = "p", .payload = std::string(largest_payload + 3, ' ')}), Error);
    EXPECT_EQ(operator_->signal(done.id, {.point = "p"}).disposition, SignalAnswer::Disposition::finished);
    EXPECT_THROW(operator_->pause(done.id, {.point = ""}), Error);
    EXPECT_THROW(operator_->signal(done.id, {.point = ""}), Error);
    EXPECT_THROW(operator_->signal(done.id, {.point = "p", .key = "\xff"}), Error);
    script().on_batchlet = [](StepContext& step) -> std::string {
        step.pause({.signals = 0});
        return "";
    };
    EXPECT_EQ(run(job(scripted("a"))).status, BatchStatus::failed);
    script().on_batchlet = [](StepContext& step) -> std::string {
        step.pause_after({.point = "p"});
        return "";
    };
    const JobExecution waiting = run(job(scripted("a")));
    EXPECT_THROW(operator_->resume(waiting.id, {.point = "elsewhere"}), Error);
    EXPECT_THROW(operator_->recover(waiting.id), JobExecutionNotRunningException);
    EXPECT_EQ(operator_->signal(waiting.id, {.point = "p"}).status, BatchStatus::starting);
    EXPECT_THROW(operator_->recover(waiting.id), Error);
    EXPECT_THROW(operator_->restart(waiting.id, {}), JobRestartException);
    EXPECT_EQ(resume(waiting.id).status, BatchStatus::completed);
}

TEST_F(Pausing, ChunksOfAReplayAreNoPlacesToRest) {
    script().on_process = [this](std::int64_t n) {
        const int attempt = ++script().attempts[n];
        if (n == 5 && attempt == 1) throw Flaky("once");
        if (n == 4 && attempt == 2) operator_->pause(latest());  // the first chunk of the replay
        return true;
    };
    const std::string retry =
        R"(<retryable-exception-classes><include class="test.Flaky"/></retryable-exception-classes>)";
    const JobExecution waiting = run(job(chunk(R"(item-count="3")", 9, retry)));
    EXPECT_EQ(waiting.status, BatchStatus::paused);
    EXPECT_EQ(step(waiting.id).metrics.read, 5);  // all that is done again
    EXPECT_EQ(resume(waiting.id).status, BatchStatus::completed);
    EXPECT_EQ(written(), numbers(1, 9));
}

/// Knows how often it was called.
class Forgetful {
public:
    explicit Forgetful(const ArtifactContext& context) : step_(*context.step) {}
    std::string process() {
        step_.persistent_user_data = step_.persistent_user_data.value_or("") + std::to_string(++calls_);
        if (step_.persistent_user_data->size() < 3) step_.pause({.point = "p"});
        return "";
    }

private:
    StepContext& step_;
    int calls_ = 0;
};

TEST_F(Pausing, ArtifactsAreNewInstancesAfterAResume) {
    registry_.batchlet<Forgetful>("forgetful");
    JobExecution now = run(job(R"(<step id="s"><batchlet ref="forgetful"/></step>)"));
    while (now.status == BatchStatus::paused) now = resume(now.id);
    EXPECT_EQ(step(now.id).user_data, "111");
}

TEST_F(Pausing, ARestartStartsWithoutWhatWasSent) {
    std::vector<std::size_t> got;
    script().on_batchlet = [&](StepContext& step) -> std::string {
        if (step.step_name == "a") return "";
        got.push_back(step.signals().size());
        if (got.size() == 1) throw Bad("once");
        return "";
    };
    const JobExecution waiting = run(job(scripted("a", R"(<fer:pause on="*" point="p"/>)", "b") + scripted("b")));
    EXPECT_EQ(resume(waiting.id, {.payload = "1"}).status, BatchStatus::failed);
    EXPECT_EQ(restart(waiting.id).status, BatchStatus::completed);
    EXPECT_THAT(got, ElementsAre(1U, 0U));
}

TEST_F(Pausing, ARunningBatchletMayAskWhetherToRest) {
    std::vector<bool> said;
    std::vector<BatchStatus> shown;
    const auto look = [&](const StepContext& step) {
        said.push_back(step.pause_requested());
        shown.push_back(operator_->running(step.job->execution_id)->status);
    };
    script().on_batchlet = [&](StepContext& step) -> std::string {
        look(step);
        operator_->pause(step.job->execution_id);
        await([&] { return step.pause_requested(); });
        look(step);
        operator_->resume(step.job->execution_id);
        await([&] { return !step.pause_requested(); });
        look(step);
        return "";
    };
    EXPECT_EQ(run(job(scripted("a"))).status, BatchStatus::completed);
    EXPECT_THAT(said, ElementsAre(false, true, false));
    EXPECT_THAT(shown, ElementsAre(BatchStatus::started, BatchStatus::pausing, BatchStatus::started));
}

TEST_F(Pausing, AChunkStepRestsForWhatAnotherFlowAsksFor) {
    Gate began;
    std::atomic<bool> asked = false;
    script().on_batchlet = [&](StepContext& step) -> std::string {
        EXPECT_TRUE(began.wait());
        if (!asked.exchange(true)) step.pause({.point = "p"});
        return "";
    };
    script().on_read = [&](std::int64_t n) {
        if (n != 3) return;
        began.open();
        await([&] { return operator_->job_execution(latest()).status == BatchStatus::pausing; });
    };
    const JobDefinition definition = job(R"(<split id="x"><flow id="f">)" + scripted("a") + R"(</flow><flow id="g">)" +
                                         chunk(R"(item-count="5")", 1'000) + "</flow></split>");
    const JobExecution waiting = run(definition);
    EXPECT_EQ(waiting.status, BatchStatus::paused);
    EXPECT_EQ(step(waiting.id).status, BatchStatus::paused);
    EXPECT_EQ(step(waiting.id).metrics.read % 5, 0);
    EXPECT_EQ(resume(waiting.id).status, BatchStatus::completed);
    EXPECT_EQ(written(), numbers(1, 1'000));
}

TEST_F(Pausing, NoFurtherPartitionBeginsOnceOneAsks) {
    script().on_batchlet = [&](StepContext& step) -> std::string {
        step.pause({.point = "p"});
        return "";
    };
    for (const bool chunks : {false, true}) {
        SCOPED_TRACE(chunks);
        script().on_collect = [&](StepContext& step) -> std::optional<std::string> {
            if (chunks && step.metrics.commits == 0) step.pause({.point = "p"});
            return std::nullopt;
        };
        const JobDefinition definition =
            chunks
                ? job(R"(<step id="s"><chunk item-count="5"><reader ref="numbers"><properties><property name="count" )"
                      R"(value="12"/></properties></reader><writer ref="rows"/></chunk><partition><plan )"
                      R"(partitions="3" threads="1"/><collector ref="collector"/></partition></step>)")
                : job(R"(<step id="s"><batchlet ref="scripted"/><partition><plan partitions="3" threads="1"/>)"
                      R"(</partition></step>)");
        const JobExecution waiting = run(definition);
        EXPECT_EQ(waiting.status, BatchStatus::paused);
        std::vector<BatchStatus> now;
        for (const PartitionExecution& each : repository_->partitions_of(step(waiting.id).id))
            now.push_back(each.status);
        EXPECT_THAT(now, ElementsAre(BatchStatus::paused, BatchStatus::starting, BatchStatus::starting));
        operator_->stop(waiting.id);
    }
}

TEST_F(Pausing, WhatAStepSaidOfItsExitStatusIsKept) {
    StepContext* context = nullptr;
    script().on_call["reader.open 0"] = [&](StepContext* step, JobContext& job) {
        context = step;
        step->exit_status = "EARLY";
        job.exit_status = "WELL";
    };
    script().on_read = [&](std::int64_t n) {
        if (n == 3) context->pause({.point = "p"});
    };
    for (const bool elsewhere : {false, true}) {
        SCOPED_TRACE(elsewhere);
        const JobExecution waiting = run(job(chunk(R"(item-count="5")", 10)));
        ASSERT_EQ(waiting.status, BatchStatus::paused);
        EXPECT_EQ(waiting.exit_status, "WELL");
        const JobExecution ended = elsewhere ? resume_elsewhere(waiting.id) : resume(waiting.id);
        EXPECT_EQ(step(ended.id).exit_status, "EARLY");
        EXPECT_EQ(ended.exit_status, "WELL");
    }
}

TEST_F(Pausing, WhatWasSaidOfTheJobsExitStatusIsKept) {
    int entries = 0;
    script().on_batchlet = [&](StepContext& step) -> std::string {
        step.job->exit_status = step.job->exit_status.value_or("") + step.step_name;
        if (step.step_name == "b" && ++entries == 1) step.pause({.point = "p"});
        return "";
    };
    const JobDefinition definition = job(scripted("a", "", "b") + scripted("b"));
    for (const bool elsewhere : {false, true}) {
        SCOPED_TRACE(elsewhere);
        entries = 0;
        const JobExecution waiting = run(definition);
        EXPECT_EQ(waiting.exit_status, "ab");
        EXPECT_EQ((elsewhere ? resume_elsewhere(waiting.id) : resume(waiting.id)).exit_status, "abb");
    }
}

TEST_F(Pausing, WhatAListenerSaidOfTheExitStatusIsKept) {
    std::atomic<int> entries = 0;
    script().on_call["beforeStep"] = [](StepContext* step, JobContext&) { step->exit_status = "SAID"; };
    script().on_batchlet = [&](StepContext& step) -> std::string {
        if (++entries == 1) step.pause({.point = "p"});
        return "";
    };
    const std::string listeners = R"(<listeners><listener ref="recorder"/></listeners>)";
    for (const char* partition : {"", R"(<partition><plan partitions="2"/></partition>)"}) {
        SCOPED_TRACE(partition);
        entries = 0;
        const JobExecution waiting =
            run(job(R"(<step id="s">)" + listeners + R"(<batchlet ref="scripted"/>)" + partition + "</step>"));
        ASSERT_EQ(waiting.status, BatchStatus::paused);
        EXPECT_EQ(resume_elsewhere(waiting.id).status, BatchStatus::completed);
        EXPECT_EQ(step(waiting.id).exit_status, "SAID");
    }
    EXPECT_EQ(calls("beforeStep"), 2);
}

TEST_F(Pausing, APartitionKeepsWhatItSaidAndTheMapperIsAskedOnce) {
    int asked = 0;
    std::atomic<int> paused = 0;
    script().on_map = [&] {
        ++asked;
        return PartitionPlan{.partitions = 2};
    };
    script().on_collect = [&](StepContext& step) -> std::optional<std::string> {
        if (step.metrics.commits == 0) {
            step.exit_status = "EARLY";
            step.persistent_user_data = "mine";
            if (*step.partition == 1 && paused++ == 0) step.pause({.point = "p"});
        }
        return fmt::format("{}:{}", *step.partition, step.persistent_user_data.value_or("-"));
    };
    JobExecution now = run(job(
        R"(<step id="s"><chunk item-count="5"><reader ref="numbers"><properties><property name="count" value="12"/>)"
        R"(</properties></reader><writer ref="rows"/></chunk><partition><mapper ref="mapper"/>)"
        R"(<collector ref="collector"/><analyzer ref="analyzer"/></partition></step>)"));
    ASSERT_EQ(now.status, BatchStatus::paused);
    script().log.clear();
    now = resume_elsewhere(now.id);
    EXPECT_EQ(now.status, BatchStatus::completed);
    EXPECT_EQ(asked, 1);
    for (const PartitionExecution& each : repository_->partitions_of(step(now.id).id))
        EXPECT_EQ(each.exit_status, "EARLY") << each.number;
    EXPECT_EQ(calls("data 0:mine"), 3) << "a new analyzer is told of what was before";
    EXPECT_EQ(calls("data 1:mine"), 3);
}

TEST_F(Pausing, ABatchletInAPartitionFindsWhatItSaid) {
    std::vector<std::string> found;
    script().on_batchlet = [&](StepContext& step) -> std::string {
        found.push_back(step.persistent_user_data.value_or("-") + step.exit_status.value_or("-"));
        if (found.size() > 1) return "";
        step.persistent_user_data = "mine";
        step.exit_status = "EARLY";
        step.pause({.point = "p"});
        return "";
    };
    const JobExecution waiting =
        run(job(R"(<step id="s"><batchlet ref="scripted"/><partition><plan partitions="1"/></partition></step>)"));
    EXPECT_EQ(resume_elsewhere(waiting.id).status, BatchStatus::completed);
    EXPECT_THAT(found, ElementsAre("--", "mineEARLY"));
}

TEST_F(Pausing, WhatWasSentIsSeenAlsoByWhoTakesOver) {
    script().on_batchlet = [](StepContext& step) -> std::string {
        if (step.step_name == "b") die();
        return "";
    };
    const JobExecution waiting = run(job(scripted("a", R"(<fer:pause on="*" point="p"/>)", "b") + scripted("b")));
    ASSERT_TRUE(died(in_child([&] {
        resume(waiting.id, {.payload = "1"});
        return 0;
    })));
    script().on_batchlet = [this](StepContext& step) -> std::string {
        for (const Signal& signal : step.signals())
            step.persistent_user_data = step.persistent_user_data.value_or("") + signal.payload.value_or("-");
        if (step.persistent_user_data == "1") operator_->pause(step.job->execution_id);
        return "";
    };
    operator_->recover(waiting.id);
    EXPECT_EQ(operator_->wait(waiting.id)->status, BatchStatus::completed);
    EXPECT_EQ(step(waiting.id, "b").user_data, "1");
}

TEST_F(Pausing, WhatWasSentIsSeenAgainAfterAPauseFromOutside) {
    std::vector<std::string> got;
    StepContext* context = nullptr;
    script().on_call["reader.open 0"] = script().on_call["reader.open 5"] = [&](StepContext* step, JobContext&) {
        context = step;
        got.emplace_back();
        for (const Signal& signal : step->signals()) got.back() += signal.payload.value_or("-");
    };
    script().on_read = [&](std::int64_t n) {
        if (n == 3 && got.size() == 1) operator_->pause(latest());
    };
    const JobExecution waiting =
        run(job(scripted("a", R"(<fer:pause on="*" point="p"/>)", "s") + chunk(R"(item-count="5")", 10)));
    const JobExecution again = resume(waiting.id, {.payload = "1"});
    ASSERT_EQ(again.status, BatchStatus::paused);
    EXPECT_EQ(resume_elsewhere(again.id, {.payload = "2"}).status, BatchStatus::completed);
    EXPECT_THAT(got, ElementsAre("1", "12"));
}

TEST_F(Pausing, WhatWasSentPassesADecision) {
    script().on_decide = [](std::span<const StepExecution>, JobContext&) { return std::string("GO"); };
    std::vector<std::string> got;
    script().on_batchlet = [&](StepContext& step) -> std::string {
        for (const Signal& signal : step.signals()) got.push_back(step.step_name + signal.payload.value_or("-"));
        return "";
    };
    const JobExecution waiting = run(job(scripted("a", R"(<fer:pause on="*" point="p"/>)", "d") +
                                         R"(<decision id="d" ref="decider"><next on="GO" to="c"/></decision>)" +
                                         scripted("c", "", "e") + scripted("e")));
    EXPECT_EQ(resume_elsewhere(waiting.id, {.payload = "1"}).status, BatchStatus::completed);
    EXPECT_THAT(got, ElementsAre("c1"));
}

TEST_F(Pausing, WhatAnotherProcessDidMeanwhileIsRead) {
    int entries = 0;
    script().on_batchlet = [&](StepContext& step) -> std::string {
        step.job->exit_status = step.job->exit_status.value_or("") + step.step_name;
        if (++entries == 1 || entries == 3) step.pause({.point = step.step_name});
        return "";
    };
    const JobExecution first = run(job(scripted("a", "", "b") + scripted("b", "", "c") + scripted("c")));
    ASSERT_EQ(first.waits.at(0).what.point, "a");
    {
        JobOperator other(*repository_, registry_, drivers_, {.actor = "other"});
        EXPECT_EQ(other.resume(first.id).effect, Effect::owned);
        EXPECT_EQ(other.wait(first.id)->waits.at(0).what.point, "b");
    }
    EXPECT_EQ(resume(first.id).status, BatchStatus::completed);
    EXPECT_EQ(operator_->job_execution(first.id).exit_status, "aabbc");
    EXPECT_EQ(entered().size(), 3U);
    EXPECT_EQ(entries, 5);
}

TEST_F(Pausing, WhatCannotBeAssembledHereStaysPaused) {
    const JobExecution waiting = run(job(scripted("a", R"(<fer:pause on="*" point="p"/>)", "b") + scripted("b")));
    reopen();
    const Registry nothing;
    JobOperator poor(*repository_, nothing, drivers_, {.actor = "poor"});
    EXPECT_THROW(poor.resume(waiting.id), JobRestartException);
    EXPECT_THROW(poor.submit_resume(waiting.id), JobRestartException);
    EXPECT_EQ(operator_->job_execution(waiting.id).status, BatchStatus::paused);
    EXPECT_EQ(resume(waiting.id).status, BatchStatus::completed);
}

TEST_F(Pausing, APayloadThatIsNoJsonResumesNothing) {
    script().on_batchlet = [](StepContext& step) -> std::string {
        step.pause({.point = "p"});
        return "";
    };
    const JobExecution waiting = run(job(scripted("a")));
    for (const std::string& wrong : {std::string("{"), std::string(largest_payload + 3, ' ')}) {
        EXPECT_THROW(operator_->resume(waiting.id, {.payload = wrong}), Error) << "by who let it rest";
        EXPECT_THROW(operator_->submit_resume(waiting.id, {.payload = wrong}), Error) << "by somebody else";
    }
    EXPECT_EQ(operator_->job_execution(waiting.id).status, BatchStatus::paused);
    EXPECT_EQ(repository_->pauses_of(waiting.id, 2).size(), 1U);
}

TEST_F(Pausing, TheTenThousandthResumeIsAsTheFirst) {
    constexpr int resumes = 10'000;
    int left = resumes + 1;
    script().on_batchlet = [&](StepContext& step) -> std::string {
        if (--left > 0) step.pause({.point = "p"});
        return "";
    };
    JobExecution now = run(job(scripted("a")));
    const auto cost_of_looking = [&] {
        const std::int64_t before = repository_->statement_count();
        EXPECT_EQ(repository_->find_execution(now.id)->waits.size(), 1U);
        EXPECT_EQ(repository_->find_executions({}).size(), 1U);
        EXPECT_EQ(repository_->steps_of(now.id).size(), 1U);
        return repository_->statement_count() - before;
    };
    const std::int64_t looking = cost_of_looking();
    std::int64_t statements = 0;
    while (now.status == BatchStatus::paused) {
        const std::int64_t before = repository_->statement_count();
        now = resume(now.id);
        const std::int64_t cost = repository_->statement_count() - before;
        if (statements == 0) statements = cost;
        // A poll of the watcher may come between.
        if (now.status != BatchStatus::paused) break;
        ASSERT_LE(cost, statements + 3);
        if (left == 1) {
            EXPECT_EQ(cost_of_looking(), looking);
        }
    }
    EXPECT_EQ(now.status, BatchStatus::completed);
    EXPECT_EQ(repository_->steps_of(now.id).size(), 1U);
    EXPECT_EQ(repository_->pause_summary(now.id).at(0).pauses, resumes);
}

TEST_F(Pausing, AHundredThousandSignalsToOnePauseAreKept) {
    constexpr std::int64_t signals = 100'000;
    std::int64_t delivered = 0;
    script().on_batchlet = [&](StepContext& step) -> std::string {
        if (step.step_name == "a") step.pause_after({.point = "p", .signals = signals});
        if (step.step_name == "b") delivered = step.signal_count();
        return "";
    };
    const JobExecution waiting = run(job(scripted("a", "", "b") + scripted("b")));
    std::set<std::int64_t> costs;
    for (std::int64_t i = 1; i <= signals; ++i) {
        const std::int64_t before = repository_->statement_count();
        const SignalAnswer answer = operator_->signal(waiting.id, {.point = "p", .key = std::to_string(i)});
        ASSERT_EQ(answer.counted, i);
        if (i < signals) costs.insert(repository_->statement_count() - before);
    }
    EXPECT_EQ(costs.size(), 1U) << "each costs the same";
    EXPECT_EQ(operator_->signal(waiting.id, {.point = "p", .key = "77"}).disposition,
              SignalAnswer::Disposition::duplicate);
    EXPECT_EQ(operator_->job_execution(waiting.id).status, BatchStatus::starting);
    EXPECT_EQ(repository_->pauses_of(waiting.id, 10).size(), 1U);
    EXPECT_EQ(resume(waiting.id).status, BatchStatus::completed);
    EXPECT_EQ(delivered, signals);
}

}  // namespace
}  // namespace fermata::test
