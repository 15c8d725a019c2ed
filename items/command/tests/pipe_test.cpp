// The pipe processor with real children: good ones, and every way to be bad.
#include "fixture.hpp"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <rapidcheck.h>
#include <sys/stat.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <thread>

namespace fermata {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Keeps what became of each item.
class Verdicts final : public AnyVerdicts {
public:
    void* result_slot() override { return results->slot(); }
    void kept() override {
        outcomes.push_back(describe(*static_cast<Record*>(results->at(results->size()))));
        results->keep();
    }
    void filter() override { outcomes.emplace_back("filtered"); }
    void fail(std::exception_ptr error) override {
        try {
            std::rethrow_exception(error);
        } catch (const SkipItem& skip) {
            outcomes.push_back(fmt::format("skip {} at {} of {}", skip.what(), skip.position(), skip.raw()));
        } catch (const ChildError& failure) {
            outcomes.push_back(fmt::format("error {} at {} of {}", failure.what(), failure.position(), failure.raw()));
        } catch (const ConversionError& failure) {
            outcomes.push_back(fmt::format("conversion {} at {}", failure.what(), failure.position()));
        }
    }
    std::unique_ptr<ItemBuffer> results = item_type_of<Record>().make_buffer();
    std::vector<std::string> outcomes;
};

// Answers every line after the hello with what `answer(request)` gives, and keeps the hello.
constexpr const char* frame = R"(
import json, sys, os, time
hello = json.loads(sys.stdin.readline())
{}
for line in sys.stdin:
    request = json.loads(line)
    reply = answer(request)
    sys.stdout.write(reply if isinstance(reply, str) else json.dumps(reply) + "\n")
    sys.stdout.flush()
)";

class PipeProcessing : public StepFixture {
protected:
    PipeProcessing() { columns = std::make_shared<const Columns>(std::vector<std::string>{"id", "name"}); }

    void make(const Properties& given) {
        processor = registry.find(ArtifactKind::processor, "pipe")->make_processor({given, &step, job});
        processor->open();
    }
    /// A Python child whose body defines answer(request).
    void child(const std::string& body, Pairs given = {}) {
        std::ofstream(folder / "child.py") << fmt::format(fmt::runtime(frame), body);
        given.emplace_back("command", "python3 -S child.py");
        make(properties(given, "processor \"pipe\""));
    }
    void shell(const std::string& script, Pairs given = {}) {
        given.emplace_back("command", script);
        given.emplace_back("shell", "true");
        make(properties(given, "processor \"pipe\""));
    }
    void add(std::initializer_list<Value> cells) {
        auto& record = *static_cast<Record*>(items->slot());
        std::ranges::copy(cells, record.reset(columns).begin());
        record.batch().source = "in.csv";
        record.set_origin(static_cast<std::int64_t>(items->size()) + 1, "raw");
        items->keep();
    }
    void add_three() {
        for (const int id : {1, 2, 3}) add({id, "Ann"});
    }
    std::vector<std::string> run() {
        Verdicts verdicts;
        processor->process_chunk(*items, verdicts);
        items->clear();
        return verdicts.outcomes;
    }
    std::string failure() {
        add_three();
        const std::string said = refusal<ChildError>([&] { run(); });
        items->clear();
        return said;
    }
    /// What is said of a child that answers `reply` to three items, without the part that is always there.
    std::string said_of(const std::string& reply) {
        child("def answer(request): return " + reply);
        const std::string said = failure();
        const std::string always = "pipe \"python3\" broke the protocol (docs/pipe-protocol.md): its reply ";
        EXPECT_THAT(said, StartsWith(always));
        return said.substr(std::min(said.size(), always.size()));
    }

    ColumnsPtr columns;
    std::unique_ptr<AnyProcessor> processor;
    std::unique_ptr<ItemBuffer> items = item_type_of<Record>().make_buffer();
};

TEST_F(PipeProcessing, GivesEveryItemItsVerdictInOrder) {
    child(R"(
def answer(request):
    def verdict(item):
        if item["id"] == 1: return {"item": {"id": item["id"], "upper": item["name"].upper()}}
        if item["id"] == 2: return {"filter": True}
        if item["id"] == 3: return {"skip": True, "reason": "not wanted"}
        return {"error": "cannot"}
    return {"seq": request["seq"], "results": [verdict(item) for item in request["items"]]}
)");
    for (const int id : {4, 3, 2, 1}) add({id, "Ann"});
    EXPECT_THAT(
        run(), ElementsAre("error cannot at in.csv:1 of raw", "skip not wanted at in.csv:2 of raw", "filtered", "raw"));
    add_three();
    EXPECT_THAT(run(), ElementsAre("raw", "filtered", "skip not wanted at in.csv:3 of raw"));
    processor->close();
}

TEST_F(PipeProcessing, ResultsKeepTypesOriginAndColumnOrder) {
    child(R"(
def answer(request):
    results = [{"item": {"z": "ü\"\n", "a": -7, "m": 0.5, "t": True, "n": None}}]
    return {"seq": request["seq"], "results": results}
)");
    add({1, "Ann"});
    Verdicts verdicts;
    processor->process_chunk(*items, verdicts);
    const Record result = verdicts.results->items<Record>()[0];
    EXPECT_THAT(result.columns()->names(), ElementsAre("z", "a", "m", "t", "n"));
    EXPECT_EQ(result[0].text(), "ü\"\n");
    EXPECT_EQ(result[1].integer(), -7);
    EXPECT_EQ(result[2].real(), 0.5);
    EXPECT_TRUE(result[3].boolean());
    EXPECT_TRUE(result[4].is_null());
    EXPECT_EQ(result.position(), 1);
    EXPECT_EQ(result.place(), "in.csv:1");
    EXPECT_EQ(result.raw(), "raw");
}

constexpr const char* echo = R"(
def answer(request):
    return {"seq": request["seq"], "results": [{"item": item} for item in request["items"]]}
)";

TEST_F(PipeProcessing, EveryKindOfCellComesBackAsItWent) {
    child(echo);
    const auto shape =
        std::make_shared<const Columns>(std::vector<std::string>{"text \"x\"", "int", "real", "whole", "bool", "null"});
    columns = shape;
    add({"a\tb\\\"\x01 €", std::numeric_limits<std::int64_t>::min(), 0.1, 3.0, false, nullptr});
    Verdicts verdicts;
    processor->process_chunk(*items, verdicts);
    const Record result = verdicts.results->items<Record>()[0];
    EXPECT_EQ(result.columns()->names(), shape->names());
    EXPECT_EQ(result[0].text(), "a\tb\\\"\x01 €");
    EXPECT_EQ(result[1].integer(), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(result[2].real(), 0.1);
    ASSERT_EQ(result[3].kind(), Value::Kind::real);
    EXPECT_EQ(result[3].real(), 3.0);
    EXPECT_FALSE(result[4].boolean());
    EXPECT_TRUE(result[5].is_null());
}

TEST_F(PipeProcessing, WhatJsonCannotCarryIsAConversionErrorOfThatItemOnly) {
    child(echo);
    add({1, "Ann"});
    add({2, "\xff"});
    add({std::nan(""), "Cid"});
    add({Value(std::span<const std::byte>(std::as_bytes(std::span("x")))), "Dan"});
    add({5, "Eve"});
    const auto outcomes = run();
    ASSERT_EQ(outcomes.size(), 5U);
    EXPECT_EQ(outcomes[0], "raw");
    EXPECT_THAT(outcomes[1], StartsWith("conversion column \"name\" holds text that is not UTF-8"));
    EXPECT_THAT(outcomes[1], HasSubstr("at in.csv:2"));
    EXPECT_THAT(outcomes[2], StartsWith("conversion column \"id\" holds a number that is not finite"));
    EXPECT_THAT(outcomes[3], StartsWith("conversion column \"id\" holds bytes"));
    EXPECT_EQ(outcomes[4], "raw");
}

TEST_F(PipeProcessing, ChunkOfNothingButUnsendableItemsStartsNoChild) {
    shell("exit 1");
    add({1, "\xff"});
    EXPECT_THAT(run(), ElementsAre(StartsWith("conversion")));
    columns = std::make_shared<const Columns>(std::vector<std::string>{"id", "\xfe"});
    add({1, "x"});
    EXPECT_THAT(run(), ElementsAre(HasSubstr("a name that is not UTF-8")));
    EXPECT_THAT(run(), ElementsAre());
}

TEST_F(PipeProcessing, HelloTellsVersionPropertiesAndSignals) {
    child(R"(
def answer(request):
    return {"seq": request["seq"], "results": [{"item": {"hello": json.dumps(hello)}}]}
)",
          {{"country", "D\"E"}, {"timeout", "1h"}, {"env.X", "y"}, {"max-line", "100000"}, {"grace", "1s"}});
    add({1, "Ann"});
    Verdicts verdicts;
    processor->process_chunk(*items, verdicts);
    EXPECT_EQ(verdicts.results->items<Record>()[0][0].text(),
              R"({"version": 1, "properties": {"country": "D\"E"}, "signals": []})");
}

TEST_F(PipeProcessing, SequenceCountsFromOneForEachChild) {
    child(R"(
def answer(request):
    return {"seq": request["seq"], "results": [{"error": "%d of %d" % (request["seq"], os.getpid())}]}
)");
    const auto next = [&] {
        add({1, "Ann"});
        return run()[0];
    };
    const std::string first = next();
    EXPECT_THAT(first, StartsWith("error 1 of "));
    EXPECT_THAT(next(), StartsWith("error 2 of "));
    processor->open();  // as after a rollback
    const std::string again = next();
    EXPECT_THAT(again, StartsWith("error 1 of "));
    EXPECT_NE(first, again) << "the same child";
}

TEST_F(PipeProcessing, ChunksLargerThanAnyPipeGoThrough) {
    child(echo);
    const std::string large(1 << 20, 'x');
    for (int i = 0; i < 8; ++i) add({i, std::string_view(large)});
    EXPECT_EQ(run().size(), 8U);
}

TEST_F(PipeProcessing, ChildThatFloodsStderrIsNotHeldUp) {
    child(R"(
def answer(request):
    sys.stderr.write("e" * 1000000 + "\n"); sys.stderr.flush()
    return {"seq": request["seq"], "results": [{"filter": True}]}
)");
    add({1, "Ann"});
    EXPECT_THAT(run(), ElementsAre("filtered"));
    processor->close();
    EXPECT_EQ(log.text().size(), 1'000'001U);
}

TEST_F(PipeProcessing, WrongSequenceIsRefused) {
    EXPECT_THAT(said_of(R"({"seq": 2, "results": []})"), StartsWith("does not have the \"seq\" 1 of the request"));
    EXPECT_THAT(said_of(R"({"results": []})"), StartsWith("does not have the \"seq\" 1"));
    EXPECT_THAT(said_of(R"({"seq": "1", "results": []})"), StartsWith("does not have the \"seq\" 1"));
}

TEST_F(PipeProcessing, WrongNumberOfResultsIsRefused) {
    EXPECT_EQ(said_of(R"({"seq": 1, "results": [{"filter": True}]})"), "has 1 results for 3 items");
    EXPECT_EQ(said_of(R"({"seq": 1, "results": [{"filter": True}] * 4})"), "has 4 results for 3 items");
    EXPECT_EQ(said_of(R"({"seq": 1})"), "has no array \"results\"");
    EXPECT_EQ(said_of(R"({"seq": 1, "results": {}})"), "has no array \"results\"");
}

TEST_F(PipeProcessing, GarbageIsRefused) {
    EXPECT_THAT(said_of(R"("hello\n")"), HasSubstr("is not a JSON object"));
    EXPECT_THAT(said_of(R"("\n")"), HasSubstr("is not a JSON object"));
    EXPECT_THAT(said_of(R"("[1]\n")"), HasSubstr("is not a JSON object"));
    EXPECT_THAT(said_of("\"[\" * 5000 + '\\n'"), HasSubstr("is not a JSON object"));
}

TEST_F(PipeProcessing, WrongResultsAreRefused) {
    const auto result = [&](const std::string& one) { return said_of(R"({"seq": 1, "results": [)" + one + "] * 3}"); };
    EXPECT_EQ(result("7"), "has a result that is not an object");
    EXPECT_EQ(result("{}"), "has a result without \"item\", \"filter\":true, \"skip\":true or \"error\"");
    EXPECT_EQ(result(R"({"filter": False})"),
              "has a result without \"item\", \"filter\":true, \"skip\":true or \"error\"");
    EXPECT_EQ(result(R"({"skip": True})"), "has no text \"reason\"");
    EXPECT_EQ(result(R"({"error": 5})"), "has no text \"error\"");
    EXPECT_EQ(result(R"({"item": [1]})"), "has an \"item\" that is not an object");
    EXPECT_THAT(result(R"({"item": {"a": [1, 2]}})"), StartsWith("has [1,2] in \"a\" of an item; a cell is text"));
    EXPECT_THAT(result(R"({"item": {"a": 2**63}})"), StartsWith("has 9223372036854775808 in \"a\" of an item"));
    EXPECT_EQ(said_of(R"('{"seq":1,"results":[{"item":{"a":1,"a":2}},{"filter":true},{"filter":true}]}\n')"),
              "has \"a\" twice in one item");
}

TEST_F(PipeProcessing, TooMuchIsRefusedWithTheNextChunk) {
    child(R"(
def answer(request):
    return ('{"seq":%d,"results":[{"filter":true}]}\n' % request["seq"]) * 2
)");
    add({1, "Ann"});
    run();
    add({2, "Bea"});
    EXPECT_THAT(refusal<ChildError>([&] { run(); }), HasSubstr("does not have the \"seq\" 2"));
}

TEST_F(PipeProcessing, LineLongerThanTheLimitIsRefused) {
    child("def answer(request): return 'x' * 100000", {{"max-line", "50000"}});
    EXPECT_EQ(failure(), "pipe \"python3\" answered a line longer than max-line (50000 bytes)");
    child("def answer(request): return 'x' * 50001 + '\\n'", {{"max-line", "50000"}});
    EXPECT_EQ(failure(), "pipe \"python3\" answered a line longer than max-line (50000 bytes)");
}

TEST_F(PipeProcessing, DyingChildIsNamedWithItsExitCodeAndLastWords) {
    child(R"(
def answer(request):
    sys.stderr.write("first\nno model\n"); sys.exit(3)
)");
    EXPECT_EQ(failure(), "pipe \"python3\" ended before it had answered: exit code 3; last on stderr: no model");
    child("def answer(request): os.kill(os.getpid(), 9)");
    EXPECT_EQ(failure(), "pipe \"python3\" ended before it had answered: killed by signal 9 (Killed)");
}

TEST_F(PipeProcessing, ChildThatReadsNothingAndDiesIsNamed) {
    shell("exit 7");
    const std::string large(1 << 20, 'x');
    add({1, std::string_view(large)});
    EXPECT_THAT(refusal<ChildError>([&] { run(); }), HasSubstr("ended before it had answered: exit code 7"));
}

TEST_F(PipeProcessing, ExitCodeZeroBeforeTheAnswerIsAFailureToo) {
    shell("read hello");
    EXPECT_THAT(failure(), HasSubstr("ended before it had answered: exit code 0"));
}

TEST_F(PipeProcessing, MissingProgramIsNamed) {
    make(properties({{"command", "no-such-program"}}));
    EXPECT_THAT(failure(), HasSubstr("cannot run \"no-such-program\": No such file or directory"));
}

TEST_F(PipeProcessing, ChildThatClosesItsOutputAndLingersIsKilled) {
    shell("exec 1>&-; exec sleep 1000", {{"grace", "20ms"}});
    EXPECT_THAT(failure(), HasSubstr("closed its output before it had answered"));
}

TEST_F(PipeProcessing, SlowChildMeetsItsTimeout) {
    shell("exec sleep 1000", {{"timeout", "20ms"}});
    EXPECT_THAT(failure(), HasSubstr("did not answer within its timeout of "));
}

TEST_F(PipeProcessing, FailedChunkLeavesNoChildBehind) {
    child(R"(
def answer(request):
    if os.path.exists("second"): return {"seq": request["seq"], "results": [{"filter": True}] * 3}
    open("second", "w"); return "garbage\n"
)");
    EXPECT_THAT(failure(), HasSubstr("garbage"));
    add_three();
    EXPECT_THAT(run(), ElementsAre("filtered", "filtered", "filtered")) << "a new child";
}

TEST_F(PipeProcessing, StopNowEndsAnExchange) {
    ASSERT_EQ(::mkfifo((folder / "ready").c_str(), 0600), 0);
    shell(": > ready; exec sleep 1000");
    std::string said;
    std::thread thread([&] { said = failure(); });
    (void)File::open(folder / "ready", O_RDONLY);
    stop.request_now(StopReason::operator_asked);
    thread.join();
    EXPECT_THAT(said, HasSubstr("was ended because the step stops now"));
}

TEST_F(PipeProcessing, CloseLetsTheChildEndByItself) {
    child(echo + std::string("\nimport atexit\natexit.register(lambda: open('ended', 'w'))"));
    add_three();
    run();
    processor->close();
    EXPECT_TRUE(std::filesystem::exists(folder / "ended"));
    processor->close();
}

TEST_F(PipeProcessing, BadExitAtTheEndIsAFailure) {
    child(echo + std::string("\nimport atexit\natexit.register(lambda: os._exit(5))"));
    add_three();
    run();
    EXPECT_EQ(refusal<ChildError>([&] { processor->close(); }), "pipe \"python3\" ended badly: exit code 5");
}

TEST_F(PipeProcessing, ChildThatTalksOnAfterItsInputEndedIsHeardOut) {
    child(
        echo +
        std::string("\nimport atexit\natexit.register(lambda: (sys.stdout.write('x' * 1000000), sys.stdout.flush()))"));
    add_three();
    run();
    processor->close();
}

TEST_F(PipeProcessing, ChildThatDoesNotEndIsKilledAfterTheGrace) {
    child(echo + std::string("\nimport atexit\natexit.register(lambda: (os.close(1), time.sleep(1000)))"),
          {{"grace", "20ms"}});
    add_three();
    run();
    processor->close();
    EXPECT_THAT(log.text(), HasSubstr("pipe \"python3\" did not end within "));
}

TEST_F(PipeProcessing, BadPropertiesAreToldByCheck) {
    const auto told = [&](const Pairs& pairs) {
        return refusal([&] { registry.find(ArtifactKind::processor, "pipe")->check(properties(pairs)); });
    };
    EXPECT_EQ(told({{"command", "x"}, {"mine", "y"}}), "accepted");
    EXPECT_THAT(told({{"command", "x 'y"}}), HasSubstr("is not closed"));
    EXPECT_THAT(told({{"command", "x"}, {"max-line", "0"}}), HasSubstr("0 is not a number of bytes"));
    EXPECT_THAT(told({{"command", "x"}, {"mine", "\xff"}}), HasSubstr("is not UTF-8"));
    EXPECT_FALSE(registry.find(ArtifactKind::processor, "pipe")->info.closed);
}

}  // namespace
}  // namespace fermata
