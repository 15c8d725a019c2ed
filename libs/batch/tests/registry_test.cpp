#include <fermata/batch/registry.hpp>

#include <gmock/gmock.h>

#include <stdexcept>

namespace fermata {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

// Artifacts with everything optional, and with nothing of it.
struct CountReader {
    using item_type = int;
    explicit CountReader(const ArtifactContext& context) : last(context.properties.get<int>("last", 2)) {}
    void open(const Checkpoint& from) { next = from ? static_cast<int>(from.integer()) : 0; }
    bool read(int& into) {
        if (next >= last) return false;
        into = ++next;
        return true;
    }
    Checkpoint checkpoint() const { return Checkpoint::of(next); }
    std::string position() const { return "number " + std::to_string(next); }
    double fraction() const { return static_cast<double>(next) / last; }
    void close() { next = -1; }
    int next = 0;
    int last;
};
struct OnceReader {
    using item_type = std::string;
    std::optional<std::string> read() {
        return done ? std::nullopt : (done = true, std::optional<std::string>("once"));
    }
    bool done = false;
};
struct HalveEven {
    using input_type = int;
    using output_type = int;
    std::optional<int> process(int& number) { return number % 2 == 0 ? std::optional(number / 2) : std::nullopt; }
};
struct ToText {
    using input_type = int;
    using output_type = std::string;
    void open() { prefix = "n"; }
    void close() { prefix = ""; }
    bool process(int& number, std::string& into) const {
        into = prefix + std::to_string(number);
        return number > 0;
    }
    std::string prefix;
};
struct WholeChunk {
    using input_type = int;
    using output_type = int;
    void process(std::span<int> numbers, ChunkVerdicts<int>& verdicts) {
        for (const int number : numbers) {
            if (number == 0) {
                verdicts.filter();
            } else if (number < 0) {
                verdicts.fail(std::make_exception_ptr(ValidationError("negative")));
            } else {
                verdicts.result() = number * 10;
                verdicts.kept();
            }
        }
    }
};
std::string trace;
struct FullWriter {
    using item_type = int;
    Sink sink() const { return {.sink_class = SinkClass::keyed}; }
    void open(const Checkpoint& from) { trace += from ? "open at " + from.bytes() + ";" : "open;"; }
    void write(std::span<int> items, Transaction&) { trace += "write " + std::to_string(items.size()) + ";"; }
    Checkpoint checkpoint() { return Checkpoint("written"); }
    void close() { trace += "close;"; }
    void publish() { trace += "publish;"; }
};
struct BareWriter {
    using item_type = int;
    void write(std::span<int> items, Transaction&) { trace += "bare " + std::to_string(items.size()) + ";"; }
};
struct FullBatchlet {
    std::string process() { return "DONE"; }
    void stop() { trace += "stop;"; }
};
struct BareBatchlet {
    const char* process() { return "BARE"; }
};
struct FullAlgorithm {
    std::chrono::seconds checkpoint_timeout() { return std::chrono::seconds(5); }
    void begin_checkpoint() { trace += "begin;"; }
    bool is_ready_to_checkpoint() { return true; }
    void end_checkpoint() { trace += "end;"; }
};
struct BareAlgorithm {
    bool is_ready_to_checkpoint() { return false; }
};
struct EveryListener : JobListener,
                       StepListener,
                       ChunkListener,
                       ItemReadListener,
                       ItemProcessListener,
                       ItemWriteListener,
                       SkipListener,
                       RetryListener,
                       SideOutput {
    void before_step() override { trace += "before step;"; }
    void open(const Checkpoint&) override {}
    Checkpoint checkpoint() override { return {}; }
    void publish() override {}
};
struct StepOnly : StepListener {};

struct NoTransaction : Transaction {
    sql::Connection& connection() override { throw Error(ErrorKind::refused, "no connection"); }
};

class RegistryTest : public testing::Test {
protected:
    void SetUp() override { trace.clear(); }
    ArtifactContext context() { return {.properties = properties_, .step = nullptr, .job = job_}; }
    Registry registry_;
    Properties properties_{"reader", "job.xml", {{"last", Text("3"), {1, 1}}}};
    JobContext job_;
};

TEST_F(RegistryTest, AReaderIsMadeFromItsContextAndErased) {
    const auto& entry = registry_.reader<CountReader>("count");
    EXPECT_EQ(entry.output, &item_type_of<int>());
    EXPECT_EQ(entry.input, nullptr);
    const auto reader = entry.make_reader(context());
    int item = 0;
    reader->open(Checkpoint::of(1));
    EXPECT_TRUE(reader->read(&item));
    EXPECT_EQ(item, 2);
    EXPECT_EQ(reader->checkpoint().integer(), 2);
    EXPECT_EQ(reader->position(), "number 2");
    EXPECT_TRUE(reader->read(&item));
    EXPECT_EQ(reader->fraction(), 1.0);
    EXPECT_FALSE(reader->read(&item));
    reader->close();
    EXPECT_EQ(reader->checkpoint().integer(), -1);
}

TEST_F(RegistryTest, AReaderNeedsNothingButRead) {
    const auto reader = registry_.reader<OnceReader>("once").make_reader(context());
    std::string item;
    reader->open({});
    EXPECT_TRUE(reader->read(&item));
    EXPECT_EQ(item, "once");
    EXPECT_FALSE(reader->read(&item));
    EXPECT_FALSE(reader->checkpoint());
    EXPECT_EQ(reader->position(), "");
    EXPECT_EQ(reader->fraction(), -1);
    reader->close();
}

TEST_F(RegistryTest, AProcessorAnswersByValueOrIntoASlot) {
    const auto& entry = registry_.processor<ToText>("text");
    EXPECT_EQ(entry.input, &item_type_of<int>());
    EXPECT_EQ(entry.output, &item_type_of<std::string>());
    const auto text = entry.make_processor(context());
    int in = 4;
    std::string out;
    text->open();
    EXPECT_TRUE(text->process(&in, &out));
    EXPECT_EQ(out, "n4");
    text->close();
    EXPECT_TRUE(text->process(&in, &out));
    EXPECT_EQ(out, "4");

    const auto halve = registry_.processor<HalveEven>("halve").make_processor(context());
    int half = 0;
    halve->open();
    EXPECT_FALSE(halve->per_chunk());
    EXPECT_TRUE(halve->process(&in, &half));
    EXPECT_EQ(half, 2);
    in = 5;
    EXPECT_FALSE(halve->process(&in, &half));
    halve->close();
}

struct Answers : AnyVerdicts {
    void* result_slot() override { return &slot; }
    void kept() override { text += "kept " + std::to_string(slot) + ";"; }
    void filter() override { text += "filtered;"; }
    void fail(std::exception_ptr error) override {
        try {
            std::rethrow_exception(std::move(error));
        } catch (const std::exception& thrown) {
            text += std::string(thrown.what()) + ";";
        }
    }
    int slot = 0;
    std::string text;
};

TEST_F(RegistryTest, AProcessorMayTakeAWholeChunk) {
    const auto processor = registry_.processor<WholeChunk>("chunk").make_processor(context());
    EXPECT_TRUE(processor->per_chunk());
    TypedItemBuffer<int> items;
    for (const int number : {1, 0, -1}) {
        *static_cast<int*>(items.slot()) = number;
        items.keep();
    }
    Answers answers;
    processor->process_chunk(items, answers);
    EXPECT_EQ(answers.text, "kept 10;filtered;negative;");
}

TEST_F(RegistryTest, AWriterIsErasedWithAllItHas) {
    const auto& entry = registry_.writer<FullWriter>("full");
    EXPECT_EQ(entry.input, &item_type_of<int>());
    EXPECT_EQ(entry.output, nullptr);
    const auto writer = entry.make_writer(context());
    TypedItemBuffer<int> items;
    NoTransaction transaction;
    EXPECT_EQ(writer->sink().sink_class, SinkClass::keyed);
    writer->open(Checkpoint("5"));
    writer->write(items, transaction);
    EXPECT_EQ(writer->checkpoint().bytes(), "written");
    EXPECT_TRUE(writer->publishes());
    writer->publish();
    writer->close();
    EXPECT_EQ(trace, "open at 5;write 0;publish;close;");
}

TEST_F(RegistryTest, AWriterNeedsNothingButWrite) {
    const auto writer = registry_.writer<BareWriter>("bare").make_writer(context());
    TypedItemBuffer<int> items;
    *static_cast<int*>(items.slot()) = 1;
    items.keep();
    NoTransaction transaction;
    EXPECT_EQ(writer->sink().sink_class, SinkClass::at_least_once);
    writer->open({});
    writer->write(items, transaction);
    EXPECT_FALSE(writer->checkpoint());
    EXPECT_FALSE(writer->publishes());
    writer->publish();
    writer->close();
    EXPECT_EQ(trace, "bare 1;");
}

TEST_F(RegistryTest, ABatchletMayStop) {
    const auto full = registry_.batchlet<FullBatchlet>("full").make_batchlet(context());
    EXPECT_EQ(full->process(), "DONE");
    full->stop();
    const auto bare = registry_.batchlet<BareBatchlet>("bare").make_batchlet(context());
    EXPECT_EQ(bare->process(), "BARE");
    bare->stop();
    EXPECT_EQ(trace, "stop;");
}

TEST_F(RegistryTest, ACheckpointAlgorithmMayHaveATimeout) {
    const auto full = registry_.checkpoint_algorithm<FullAlgorithm>("full").make_algorithm(context());
    EXPECT_EQ(full->checkpoint_timeout(), std::chrono::seconds(5));
    full->begin_checkpoint();
    EXPECT_TRUE(full->is_ready_to_checkpoint());
    full->end_checkpoint();
    const auto bare = registry_.checkpoint_algorithm<BareAlgorithm>("bare").make_algorithm(context());
    EXPECT_EQ(bare->checkpoint_timeout(), std::chrono::seconds(0));
    bare->begin_checkpoint();
    EXPECT_FALSE(bare->is_ready_to_checkpoint());
    bare->end_checkpoint();
    EXPECT_EQ(trace, "begin;end;");
}

TEST_F(RegistryTest, AListenerShowsTheInterfacesItHas) {
    const auto every = registry_.listener<EveryListener>("every").make_listener(context());
    EXPECT_TRUE(every.object && every.job && every.step && every.chunk && every.read && every.process && every.write &&
                every.skip && every.retry && every.side_output);
    every.step->before_step();
    EXPECT_EQ(trace, "before step;");
    const auto one = registry_.listener<StepOnly>("one").make_listener(context());
    EXPECT_TRUE(one.object && one.step);
    EXPECT_FALSE(one.job || one.chunk || one.read || one.process || one.write || one.skip || one.retry ||
                 one.side_output);
}

TEST_F(RegistryTest, NamesAreFoundByKind) {
    registry_.reader<OnceReader>("b");
    registry_.reader<CountReader>("a", {.about = "counts"});
    registry_.writer<BareWriter>("a");
    EXPECT_EQ(registry_.find(ArtifactKind::reader, "a")->info.about, "counts");
    EXPECT_EQ(registry_.find(ArtifactKind::writer, "a")->kind, ArtifactKind::writer);
    EXPECT_EQ(registry_.find(ArtifactKind::batchlet, "a"), nullptr);
    EXPECT_EQ(registry_.find(ArtifactKind::reader, "c"), nullptr);
    EXPECT_THAT(registry_.names(ArtifactKind::reader), ElementsAre("a", "b"));
    EXPECT_THAT(registry_.all(), SizeIs(3));
    EXPECT_FALSE(registry_.find(ArtifactKind::reader, "b")->info.closed) << "nothing told: any property";
}

template <class Call>
void expect_invalid(Call call, std::string_view message) {
    try {
        call();
        ADD_FAILURE() << "taken, but expected: " << message;
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::invalid);
        EXPECT_EQ(error.what(), message);
        EXPECT_NE(error.remedy(), "");
    }
}

TEST_F(RegistryTest, ANameIsGivenOnceAKind) {
    registry_.checkpoint_algorithm<BareAlgorithm>("a");
    expect_invalid([&] { registry_.checkpoint_algorithm<FullAlgorithm>("a"); },
                   "checkpoint-algorithm \"a\" is registered already");
    expect_invalid([&] { registry_.checkpoint_algorithm<FullAlgorithm>(""); },
                   "a checkpoint-algorithm is registered without a name");
}

TEST_F(RegistryTest, KindsAreNamedAsInJobXml) {
    EXPECT_EQ(to_string(ArtifactKind::reader), "reader");
    EXPECT_EQ(to_string(ArtifactKind::processor), "processor");
    EXPECT_EQ(to_string(ArtifactKind::writer), "writer");
    EXPECT_EQ(to_string(ArtifactKind::batchlet), "batchlet");
    EXPECT_EQ(to_string(ArtifactKind::listener), "listener");
    EXPECT_EQ(to_string(ArtifactKind::checkpoint_algorithm), "checkpoint-algorithm");
}

struct BadIban : ValidationError {
    using ValidationError::ValidationError;
};
struct VeryBadIban : BadIban {
    using BadIban::BadIban;
};
struct Offline : std::runtime_error {
    using std::runtime_error::runtime_error;
};

TEST_F(RegistryTest, ClassesOfAnErrorBeginWithTheMostDerived) {
    EXPECT_THAT(registry_.classes_of(ParseError("x")),
                ElementsAre("fermata.ParseError", "fermata.ItemError", "fermata.Error", "std.exception",
                            "java.lang.Exception", "java.lang.Throwable"));
    EXPECT_THAT(registry_.classes_of(Error(ErrorKind::failed, "x")),
                ElementsAre("fermata.Error", "std.exception", "java.lang.Exception", "java.lang.Throwable"));
    EXPECT_THAT(registry_.classes_of(std::runtime_error("x")),
                ElementsAre("std.exception", "java.lang.Exception", "java.lang.Throwable"));
}

TEST_F(RegistryTest, EveryKindOfItemErrorHasItsName) {
    const auto first = [&](const std::exception& error) { return registry_.classes_of(error).front(); };
    EXPECT_EQ(first(ReadError("")), "fermata.ReadError");
    EXPECT_EQ(first(ConversionError("")), "fermata.ConversionError");
    EXPECT_EQ(first(ValidationError("")), "fermata.ValidationError");
    EXPECT_EQ(first(ConstraintError("")), "fermata.ConstraintError");
    EXPECT_EQ(first(IoError("")), "fermata.IoError");
    EXPECT_EQ(first(ChildError("")), "fermata.ChildError");
    EXPECT_EQ(first(SkipItem("")), "fermata.SkipItem");
}

TEST_F(RegistryTest, OnesOwnExceptionsComeBeforeOurs) {
    registry_.exception<BadIban>("bank.BadIban", "fermata.ValidationError");
    registry_.exception<Offline>("bank.Offline");
    EXPECT_EQ(registry_.classes_of(VeryBadIban("x")).front(), "bank.BadIban");
    EXPECT_THAT(registry_.classes_of(Offline("x")),
                ElementsAre("bank.Offline", "std.exception", "java.lang.Exception", "java.lang.Throwable"));
}

TEST_F(RegistryTest, TheErrorsOwnClassIsFirstEvenIfNoBaseWasTold) {
    registry_.exception<BadIban>("bank.BadIban");
    EXPECT_EQ(registry_.classes_of(BadIban("x")).front(), "bank.BadIban");
}

TEST_F(RegistryTest, AnExceptionsNameIsNewAndItsBaseKnown) {
    expect_invalid([&] { registry_.exception<Offline>("fermata.IoError"); },
                   "exception \"fermata.IoError\" is registered already");
    expect_invalid([&] { registry_.exception<Offline>("bank.Offline", "fermata.Eror"); },
                   "exception \"bank.Offline\": base \"fermata.Eror\" is not registered; did you mean "
                   "\"fermata.Error\"?");
    EXPECT_EQ(registry_.find_exception("bank.Offline"), nullptr);
    EXPECT_EQ(registry_.find_exception("fermata.IoError")->base, "fermata.ItemError");
    EXPECT_THAT(registry_.exception_names(), testing::Contains("java.lang.Throwable"));
}

}  // namespace
}  // namespace fermata
