#include "comparison.hpp"
#include "expression_decider.hpp"
#include "filter_processor.hpp"
#include "map_processor.hpp"
#include "range_reader.hpp"

#include <fermata/items/record.hpp>
#include <fermata/items/testing/reader_law.hpp>
#include <fermata/items/testing/rig.hpp>

#include <rapidcheck/gtest.h>

#include <limits>

using namespace fermata;
using items::message_of;
using ::testing::HasSubstr;

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;
using Cells = std::vector<std::pair<std::string, Value>>;

class RecordTest : public ::testing::Test {
protected:
    Record& record(const Cells& cells) {
        in_.clear();
        auto& made = *static_cast<Record*>(in_.slot());
        std::vector<std::string> names;
        for (const auto& [name, value] : cells) names.push_back(name);
        if (!columns_ || columns_->names() != names) columns_ = std::make_shared<Columns>(names);
        const std::span<Value> values = made.reset(columns_);
        for (std::size_t i = 0; i < cells.size(); ++i) values[i] = cells[i].second;
        made.set_origin(7, "raw");
        made.batch().source = "in.csv";
        return made;
    }
    record::MapProcessor map(const Pairs& values) {
        const Properties given = items::properties(values, "processor \"map\"");
        return record::MapProcessor(surroundings_.context(given));
    }
    /// Columns and values that come out.
    std::string mapped(const Pairs& values, const Cells& cells) {
        record::MapProcessor processor = map(values);
        out_.clear();
        auto& into = *static_cast<Record*>(out_.slot());
        EXPECT_TRUE(processor.process(record(cells), into));
        EXPECT_EQ(into.place(), "in.csv:7");
        EXPECT_EQ(into.raw(), "raw");
        return items::cells(into).substr(1);
    }
    bool passes(const std::string& where, const Cells& cells) {
        const Properties given = items::properties({{"where", where}}, "processor \"filter\"");
        record::FilterProcessor processor(surroundings_.context(given));
        out_.clear();
        auto& into = *static_cast<Record*>(out_.slot());
        const bool passed = processor.process(record(cells), into);
        if (passed) {
            EXPECT_EQ(into.raw(), "raw");
        }
        return passed;
    }
    std::string wrong_where(const std::string& where) {
        return message_of(ErrorKind::invalid, [&] { (void)record::where_of(items::properties({{"where", where}})); });
    }
    items::TemporaryFolder folder_;
    items::Surroundings surroundings_{folder_.path()};
    TypedItemBuffer<Record> in_;
    TypedItemBuffer<Record> out_;
    ColumnsPtr columns_;
};

// --- map -------------------------------------------------------------------------------------------------------------

TEST_F(RecordTest, MapRenamesSelectsAndFills) {
    const Cells cells{{"a", 1}, {"b c", "x"}, {"d", Value()}};
    EXPECT_EQ(mapped({}, cells), "a=i1|b c=tx|d=null");
    EXPECT_EQ(mapped({{"rename", "b c = name, a=d2"}}, cells), "d2=i1|name=tx|d=null");
    EXPECT_EQ(mapped({{"keep", "d, a"}}, cells), "d=null|a=i1");
    EXPECT_EQ(mapped({{"drop", "b c"}}, cells), "a=i1|d=null");
    EXPECT_EQ(mapped({{"default", "d=none, e=2"}, {"cast", "e=integer"}}, cells), "a=i1|b c=tx|d=tnone|e=i2");
    EXPECT_EQ(mapped({{"rename", "a=b,b c=a"}, {"keep", "a"}}, cells), "a=tx");
    EXPECT_EQ(mapped({{"keep", ""}}, cells), "a=i1|b c=tx|d=null");
}

TEST_F(RecordTest, MapTrimsOnRequest) {
    EXPECT_EQ(mapped({{"trim", "true"}}, {{"a", " x\t"}, {"b", "  "}, {"c", 1}}), "a=tx|b=null|c=i1");
    EXPECT_EQ(mapped({}, {{"a", " x "}, {"b", "  "}}), "a=t x |b=t  ");
    EXPECT_EQ(mapped({{"trim", "true"}, {"default", "a=none"}}, {{"a", " "}}), "a=tnone");
}

TEST_F(RecordTest, MapCasts) {
    const auto cast = [&](const std::string& type, Value value) {
        return mapped({{"cast", "a=" + type}}, {{"a", value}});
    };
    EXPECT_EQ(cast("integer", " -42 "), "a=i-42");
    EXPECT_EQ(cast("integer", 3.0), "a=i3");
    EXPECT_EQ(cast("integer", true), "a=i1");
    EXPECT_EQ(cast("integer", 5), "a=i5");
    EXPECT_EQ(cast("integer", Value()), "a=null");
    EXPECT_EQ(cast("real", "1e3"), "a=r1000");
    EXPECT_EQ(cast("real", 2), "a=r2");
    EXPECT_EQ(cast("real", 2.5), "a=r2.5");
    EXPECT_EQ(cast("boolean", "TRUE"), "a=btrue");
    EXPECT_EQ(cast("boolean", 0), "a=bfalse");
    EXPECT_EQ(cast("boolean", false), "a=bfalse");
    EXPECT_EQ(cast("text", 12), "a=t12");
    EXPECT_EQ(cast("text", 0.5), "a=t0.5");
    EXPECT_EQ(cast("text", true), "a=ttrue");
    EXPECT_EQ(cast("text", "x"), "a=tx");
}

TEST_F(RecordTest, MapNamesAValueThatCannotBeCast) {
    const std::vector<std::byte> bytes(3);
    const auto refusal = [&](const std::string& type, Value value) {
        return message_of<ConversionError>([&] { mapped({{"cast", "a=" + type}}, {{"a", value}}); });
    };
    EXPECT_EQ(refusal("integer", "12x"), "in.csv:7: column \"a\": \"12x\" is not of type integer");
    EXPECT_THAT(refusal("integer", ""), HasSubstr("\"\" is not of type integer"));
    EXPECT_THAT(refusal("integer", 0.5), HasSubstr("\"0.5\" is not of type integer"));
    EXPECT_THAT(refusal("integer", 1e300), HasSubstr("is not of type integer"));
    EXPECT_THAT(refusal("integer", Value(std::span(bytes))), HasSubstr("\"(3 bytes)\" is not of type integer"));
    EXPECT_THAT(refusal("real", true), HasSubstr("\"true\" is not of type real"));
    EXPECT_THAT(refusal("boolean", "maybe"), HasSubstr("\"maybe\" is not of type boolean"));
    EXPECT_THAT(refusal("text", Value(std::span(bytes))), HasSubstr("is not of type text"));
    try {
        mapped({{"cast", "a=real"}}, {{"a", "x"}});
    } catch (const ConversionError& error) {
        EXPECT_EQ(error.position(), "in.csv:7");
        EXPECT_EQ(error.raw(), "raw");
    }
}

TEST_F(RecordTest, MapRefusesARequiredValueThatIsMissing) {
    const auto refusal = [&](const Cells& cells) {
        return message_of<ValidationError>([&] { mapped({{"required", "a"}, {"trim", "true"}}, cells); });
    };
    EXPECT_EQ(refusal({{"a", Value()}}), "in.csv:7: column \"a\" has no value, but is required");
    EXPECT_THAT(refusal({{"a", " "}}), HasSubstr("is required"));
    EXPECT_THAT(refusal({{"b", 1}}), HasSubstr("\"a\" has no value, but is required"));
    EXPECT_EQ(mapped({{"required", "a"}, {"default", "a=0"}}, {{"a", Value()}}), "a=t0");
}

TEST_F(RecordTest, MapTellsColumnsTheRecordsDoNotHave) {
    for (const char* property : {"rename", "cast", "keep", "drop"}) {
        const std::string suffix = std::string(property) == "rename" ? "=x"
                                   : std::string(property) == "cast" ? "=real"
                                                                     : "";
        EXPECT_THAT(message_of(ErrorKind::invalid, [&] { mapped({{property, "nmae" + suffix}}, {{"name", 1}}); }),
                    HasSubstr(fmt::format(
                        "property \"{}\": the records have no column \"nmae\"; did you mean \"name\"?", property)));
        EXPECT_NO_THROW(mapped({{property, "nmae" + suffix}, {"default", "nmae=1"}}, {{"name", 1}}));
    }
}

TEST_F(RecordTest, MapTakesRecordsOfManyShapes) {
    record::MapProcessor processor = map({{"default", "last=1"}});
    for (int i = 0; i < 600; ++i) {
        out_.clear();
        auto& into = *static_cast<Record*>(out_.slot());
        ASSERT_TRUE(processor.process(record({{fmt::format("k{}", i % 300), i}}), into));
        ASSERT_EQ(into[fmt::format("k{}", i % 300)].integer(), i);
    }
}

TEST_F(RecordTest, MapRefusesWrongProperties) {
    const auto error = [&](const Pairs& values) {
        return message_of(ErrorKind::invalid, [&] { (void)record::MapOptions::from(items::properties(values)); });
    };
    EXPECT_THAT(error({{"rename", "a"}}), HasSubstr("\"a\" has not the form old=new"));
    EXPECT_THAT(error({{"rename", "=a"}}), HasSubstr("has not the form old=new"));
    EXPECT_THAT(error({{"rename", "a=b,a=c"}}), HasSubstr("\"a\" stands there twice"));
    EXPECT_THAT(error({{"keep", "a,,b"}}), HasSubstr("a column has no name"));
    EXPECT_THAT(error({{"keep", "a,a"}}), HasSubstr("\"a\" stands there twice"));
    EXPECT_THAT(error({{"cast", "a=reel"}}),
                HasSubstr("\"reel\" is not text, integer, real or boolean; did you mean \"real\"?"));
    EXPECT_THAT(error({{"keep", "a"}, {"drop", "b"}}), HasSubstr("keep is given, too"));
    EXPECT_THAT(error({{"keep", "a"}, {"required", "b"}}), HasSubstr("\"b\" is not kept"));
    EXPECT_THAT(error({{"drop", "b"}, {"required", "b"}}), HasSubstr("\"b\" is not kept"));
    EXPECT_THAT(error({{"cast", "a=integer"}, {"default", "a=x"}}),
                HasSubstr("\"x\" of column \"a\" is not of type integer"));
    EXPECT_THAT(error({{"trim", "1"}}), HasSubstr("\"1\" is not true or false"));
    EXPECT_THAT(message_of(ErrorKind::invalid, [&] { mapped({{"rename", "a=b"}}, {{"a", 1}, {"b", 2}}); }),
                HasSubstr("two columns would be called \"b\""));
}

// --- filter ----------------------------------------------------------------------------------------------------------

TEST_F(RecordTest, FilterComparesByNumberOrByText) {
    const Cells cells{{"price", "9"}, {"i", 5}, {"r", 2.5}, {"b", true}, {"t", "DE"}, {"none", Value()}};
    for (const char* where : {"price < 10",    "price = 9.0",
                              "price != 10",   "price <> 10",
                              "price <= 9",    "price >= 9",
                              "price > -1e3",  "i = 5",
                              "i > 4.5",       "r = 2.5",
                              "r < 3",         "b = true",
                              "b != FALSE",    "t = 'DE'",
                              "t < 'DEU'",     "i = '5'",
                              "price > '10'",  "none is null",
                              "t is not null", "t like 'D%'",
                              "t LIKE '_E'",   "t not like 'd%'",
                              "i like '5'",    "\"t\" = 'DE' and (i = 1 or r < 3)",
                              "not i = 1",     "NOT (i = 1 AND t = 'DE')",
                              "not not i = 5"})
        EXPECT_TRUE(passes(where, cells)) << where;
    for (const char* where : {"price > 10", "t = 'de'", "none = 1", "not none = 1", "none != 1", "none like '%'",
                              "none = 1 or i = 1", "none = 1 and i = 5", "i = 5 and i = 6", "t is null", "b = false"})
        EXPECT_FALSE(passes(where, cells)) << where;
    EXPECT_TRUE(passes("none = 1 or i = 5", cells));
    EXPECT_TRUE(passes("not (none = 1 and i = 6)", cells));
    EXPECT_TRUE(passes("big = 9007199254740993", {{"big", "9007199254740993"}}));
    EXPECT_FALSE(passes("big = 9007199254740993", {{"big", "9007199254740992"}}));
    EXPECT_TRUE(passes("\"a \"\"b\"\"\" = 'it''s'", {{"a \"b\"", "it's"}}));
}

TEST_F(RecordTest, FilterNamesValuesAndColumnsThatDoNotFit) {
    EXPECT_EQ(message_of<ConversionError>([&] { passes("price > 1", {{"price", "abc"}}); }),
              "in.csv:7: column \"price\": \"abc\" is not a number, but is compared with one");
    EXPECT_THAT(message_of<ConversionError>([&] { passes("b = 1.5", {{"b", true}}); }), HasSubstr("is not a number"));
    EXPECT_THAT(message_of<ConversionError>([&] { passes("b = true", {{"b", "yes"}}); }),
                HasSubstr("is not true or false"));
    EXPECT_EQ(message_of<ValidationError>([&] { passes("pirce > 1", {{"price", 1}}); }),
              "in.csv:7: the record has no column \"pirce\"; did you mean \"price\"?");
}

TEST_F(RecordTest, FilterTellsWhereAnExpressionIsWrong) {
    EXPECT_THAT(wrong_where(""), HasSubstr("at character 1: expected a column, found the end"));
    EXPECT_THAT(wrong_where("a = "),
                HasSubstr("at character 5: expected a number or a text in single quotes, found the end"));
    EXPECT_THAT(wrong_where("a = b"),
                HasSubstr("at character 5: expected a number or a text in single quotes, found \"b\""));
    EXPECT_THAT(wrong_where("a < true"), HasSubstr("at character 5: expected a number"));
    EXPECT_THAT(wrong_where("a == 1"),
                HasSubstr("at character 3: expected =, !=, <, <=, >, >=, like or is, found \"==\""));
    EXPECT_THAT(wrong_where("a = 1 b = 2"),
                HasSubstr("at character 7: expected \"and\", \"or\" or the end, found \"b\""));
    EXPECT_THAT(wrong_where("(a = 1"), HasSubstr("at character 7: expected \")\""));
    EXPECT_THAT(wrong_where("a is 1"), HasSubstr("at character 6: expected \"null\""));
    EXPECT_THAT(wrong_where("a not 1"), HasSubstr("at character 7: expected \"like\""));
    EXPECT_THAT(wrong_where("a like 1"), HasSubstr("at character 8: expected a pattern in single quotes"));
    EXPECT_THAT(wrong_where("a = 'x"), HasSubstr("at character 5: the quote ' is never closed"));
    EXPECT_THAT(wrong_where("a = 1x"), HasSubstr("at character 5: \"1x\" is not a number"));
    EXPECT_THAT(wrong_where("a = ?"), HasSubstr("at character 5: unexpected \"?\""));
    EXPECT_THAT(wrong_where(std::string(100'000, '(')), HasSubstr("nested deeper than 200"));
    EXPECT_THAT(message_of(ErrorKind::invalid, [] { (void)record::where_of(items::properties({})); }),
                HasSubstr("property \"where\": required, but not given"));
}

RC_GTEST_PROP(Like, AgreesWithTheObviousDefinition, ()) {
    const auto text = *rc::gen::container<std::string>(rc::gen::element('a', 'b'));
    const auto pattern = *rc::gen::container<std::string>(rc::gen::element('a', 'b', '%', '_'));
    std::function<bool(std::string_view, std::string_view)> obvious = [&](std::string_view p, std::string_view t) {
        if (p.empty()) return t.empty();
        if (p[0] == '%') return obvious(p.substr(1), t) || (!t.empty() && obvious(p, t.substr(1)));
        return !t.empty() && (p[0] == '_' || p[0] == t[0]) && obvious(p.substr(1), t.substr(1));
    };
    RC_PRE(std::count(pattern.begin(), pattern.end(), '%') < 8);
    RC_ASSERT(record::matches_like(pattern, text) == obvious(pattern, text));
}

TEST(Like, AnUnderscoreIsOneCharacter) {
    EXPECT_TRUE(record::matches_like("_x", "äx"));
    EXPECT_FALSE(record::matches_like("__x", "äx"));
}

// --- rangeReader, discardWriter --------------------------------------------------------------------------------------

TEST_F(RecordTest, RangeReaderObeysTheReaderLaw) {
    const auto range = [&](const std::string& from, const std::string& to) {
        return std::make_unique<record::RangeReader>(items::properties({{"from", from}, {"to", to}}));
    };
    items::expect_reader_law([&] { return range("-3", "4"); });
    items::expect_reader_law([&] { return range("1", "0"); });
    items::expect_reader_law([&] { return range("9223372036854775806", "9223372036854775807"); });
    const auto reader = range("5", "6");
    reader->open({});
    EXPECT_EQ(reader->fraction(), 0);
    EXPECT_EQ(items::rest_of(*reader).back(), "record 2||value=i6");
    EXPECT_EQ(reader->position(), "value 6");
    EXPECT_EQ(reader->fraction(), 1);
    EXPECT_EQ(range("1", "0")->fraction(), 1);
    EXPECT_THAT(message_of(ErrorKind::invalid, [&] { range("-9223372036854775808", "9223372036854775807"); }),
                HasSubstr("are more numbers than can be counted"));
}

TEST_F(RecordTest, AllAreRegistered) {
    Registry registry;
    add_record_artifacts(registry);
    const Properties range = items::properties({{"to", "3"}});
    registry.find(ArtifactKind::reader, "rangeReader")->check(range);
    EXPECT_TRUE(registry.find(ArtifactKind::reader, "rangeReader")->make_reader(surroundings_.context(range)));
    const Properties none = items::properties({});
    const auto writer = registry.find(ArtifactKind::writer, "discardWriter")->make_writer(surroundings_.context(none));
    EXPECT_EQ(writer->sink().sink_class, SinkClass::transactional);
    items::NoTransaction transaction;
    writer->write(in_, transaction);
    registry.find(ArtifactKind::processor, "map")->check(none);
    const ArtifactEntry* filter = registry.find(ArtifactKind::processor, "filter");
    EXPECT_THROW(filter->check(none), Error);
    filter->check(items::properties({{"where", "a = 1"}}));
}

// --- rejectFile ------------------------------------------------------------------------------------------------------

TEST_F(RecordTest, RejectFileTellsPositionReasonAndText) {
    Registry registry;
    add_record_artifacts(registry);
    const Properties given = items::properties({{"file", "rejects.csv"}});
    const ArtifactEntry* entry = registry.find(ArtifactKind::listener, "rejectFile");
    const ListenerInstance listener = entry->make_listener(surroundings_.context(given));
    folder_.write("rejects.csv", "of an earlier run");
    listener.side_output->open({});
    listener.skip->on_skip_read(ParseError("in.csv:2: 1 columns instead of 2", "in.csv:2", "a \"b\"\nc"));
    const Checkpoint checkpoint = listener.side_output->checkpoint();
    listener.skip->on_skip_read(ParseError("rolled back"));
    listener.side_output->close();
    listener.side_output->open(checkpoint);
    (void)record({{"a", 1}});
    const ItemType& type = item_type_of<Record>();
    listener.skip->on_skip_process(ItemRef(type, in_.at(0)), std::runtime_error("in.csv:7: no good"));
    in_.keep();
    listener.skip->on_skip_write(ItemsRef(type, in_), ConstraintError("in.csv:7: unique", "elsewhere"));
    listener.skip->on_skip_read(std::runtime_error("of a reader that says no more"));
    TypedItemBuffer<std::int64_t> numbers;
    *static_cast<std::int64_t*>(numbers.slot()) = 42;
    listener.skip->on_skip_process(ItemRef(item_type_of<std::int64_t>(), numbers.at(0)), SkipItem("odd"));
    (void)listener.side_output->checkpoint();
    listener.side_output->publish();
    EXPECT_EQ(folder_.read("rejects.csv"),
              "position,reason,raw\n"
              "\"in.csv:2\",\"1 columns instead of 2\",\"a \"\"b\"\"\nc\"\n"
              "\"in.csv:7\",\"no good\",\"raw\"\n"
              "\"in.csv:7\",\"unique\",\"raw\"\n"
              "\"\",\"of a reader that says no more\",\"\"\n"
              "\"\",\"odd\",\"42\"\n");
    EXPECT_THAT(message_of(ErrorKind::invalid, [&] { entry->make_listener(surroundings_.job_context(given)); }),
                HasSubstr("rejectFile is a listener of steps"));
}

// --- expression ------------------------------------------------------------------------------------------------------

class ExpressionTest : public RecordTest {
protected:
    std::string answer(const Pairs& values, const std::vector<StepExecution>& steps) {
        const Properties given = items::properties(values, "decider \"expression\"");
        record::ExpressionDecider::check(given);
        return record::ExpressionDecider(surroundings_.context(given)).decide(steps);
    }
    static StepExecution step(BatchStatus status, std::string exit_status, Metrics metrics = {}) {
        return {.name = "load", .status = status, .exit_status = std::move(exit_status), .metrics = metrics};
    }
};

TEST_F(ExpressionTest, TheFirstConditionThatIsTrueAnswers) {
    const Pairs rules{{"when.FAIL", "status = 'FAILED'"},
                      {"when.DIRTY", "skips > 2 or exit_status like 'W%'"},
                      {"when.EMPTY", "written = 0"}};
    EXPECT_EQ(answer(rules, {step(BatchStatus::failed, "FAILED")}), "FAIL");
    EXPECT_EQ(answer(rules, {step(BatchStatus::completed, "X", {.written = 1, .read_skips = 2, .write_skips = 1})}),
              "DIRTY");
    EXPECT_EQ(answer(rules, {step(BatchStatus::completed, "WARN", {.written = 1})}), "DIRTY");
    EXPECT_EQ(answer(rules, {step(BatchStatus::completed, "X")}), "EMPTY");
    EXPECT_EQ(answer(rules, {step(BatchStatus::completed, "X", {.written = 1})}), "X");
}

TEST_F(ExpressionTest, SeveralStepsCountTogetherAndOtherwiseStandsIn) {
    const Pairs rules{{"when.MANY", "read >= 10 and status = 'STOPPED' and step = 'load,load'"}, {"otherwise", "FEW"}};
    EXPECT_EQ(
        answer(rules, {step(BatchStatus::stopped, "A", {.read = 4}), step(BatchStatus::completed, "B", {.read = 6})}),
        "MANY");
    EXPECT_EQ(answer(rules, {step(BatchStatus::completed, "B")}), "FEW");
    EXPECT_EQ(answer(rules, {}), "FEW");
}

TEST_F(ExpressionTest, AConditionThatIsNoneIsRefused) {
    EXPECT_THAT(message_of(ErrorKind::invalid, [&] { (void)answer({{"when.X", "read >"}}, {}); }),
                HasSubstr("property \"when.X\""));
}

}  // namespace
