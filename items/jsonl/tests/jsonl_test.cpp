#include "jsonl_reader.hpp"
#include "jsonl_writer.hpp"

#include <fermata/items/jsonl.hpp>
#include <fermata/items/testing/compressed.hpp>
#include <fermata/items/testing/reader_law.hpp>
#include <fermata/items/testing/rig.hpp>

#include <rapidcheck/gtest.h>

#include <limits>

using namespace fermata;
using items::message_of;
using jsonl::JsonlReader;
using jsonl::JsonlWriter;
using jsonl::ReaderOptions;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

class JsonlTest : public ::testing::Test {
protected:
    std::unique_ptr<JsonlReader> reader(std::string_view content, const Pairs& values = {}) {
        auto made = std::make_unique<JsonlReader>(folder_.write("in.jsonl", content),
                                                  ReaderOptions::from(items::properties(values)), 16);
        made->open({});
        return made;
    }
    static std::vector<std::string> values(JsonlReader& reader) {
        std::vector<std::string> found;
        TypedItemBuffer<Record> buffer;
        for (;;) {
            buffer.clear();
            auto& record = *static_cast<Record*>(buffer.slot());
            if (!reader.read(record)) return found;
            found.push_back(items::cells(record));
        }
    }
    JsonlWriter writer(Pairs values = {}) {
        values.emplace_back("resource", "out.jsonl");
        const Properties given = items::properties(values);
        return JsonlWriter(surroundings_.context(given));
    }
    items::TemporaryFolder folder_;
    items::Surroundings surroundings_{folder_.path()};
    items::NoTransaction none_;
};

TEST_F(JsonlTest, ReadsEveryKindOfValue) {
    const auto input =
        reader(R"({"n":null,"b":true,"i":-9223372036854775808,"u":18446744073709551615,"r":1.5,"t":"a\n\u00e4"}
{"list":[1, {"a": "b"}],"object":{}})");
    EXPECT_THAT(values(*input),
                ElementsAre("|n=null|b=btrue|i=i-9223372036854775808|u=r1.8446744073709552e+19|r=r1.5|t=ta\nä",
                            "|list=t[1,{\"a\":\"b\"}]|object=t{}"));
    EXPECT_EQ(input->fraction(), 1);
}

TEST_F(JsonlTest, TakesBlankLinesCarriageReturnsAByteOrderMarkAndEmptyObjects) {
    const auto input = reader("\xef\xbb\xbf\n{\"a\":1}\r\n\r\n{}\n  \n{\"a\":2}");
    EXPECT_EQ(input->position(), "in.jsonl");
    EXPECT_THAT(values(*input), ElementsAre("|a=i1", "", "|a=i2"));
    EXPECT_EQ(input->position(), "in.jsonl:6");
}

TEST_F(JsonlTest, RangesSideBySideHoldEveryLineOnce) {
    const std::string content = "{\"a\":1}\n\n{\"a\":22}\r\n{\"a\":3}\n{\"a\":4}";
    const auto whole = values(*reader(content));
    ASSERT_EQ(whole.size(), 4U);
    for (std::size_t cut = 0; cut <= content.size(); ++cut) {
        auto found = values(*reader(content, {{"end", std::to_string(cut)}}));
        const auto second = reader(content, {{"start", std::to_string(cut)}, {"end", "1000"}});
        for (const std::string& value : values(*second)) found.push_back(value);
        EXPECT_EQ(found, whole) << "cut at " << cut;
        EXPECT_LE(second->fraction(), 1);
    }
    EXPECT_THAT(message_of(ErrorKind::invalid, [&] { (void)reader(content, {{"start", "-1"}}); }),
                HasSubstr("\"-1\" is neither a byte offset nor OFFSET/SIZE"));
    EXPECT_THAT(message_of(ErrorKind::invalid, [&] { (void)reader(content, {{"start", "5"}, {"end", "4"}}); }),
                HasSubstr("4 is less than start, 5"));
}

TEST_F(JsonlTest, RecordsOfOneShapeShareTheirColumns) {
    const auto input = reader("{\"a\":1,\"b\":2}\n{\"b\":1,\"a\":2}\n{\"a\":3,\"b\":4}\n");
    TypedItemBuffer<Record> buffer;
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(input->read(*static_cast<Record*>(buffer.slot())));
        buffer.keep();
    }
    const auto records = buffer.items<Record>();
    EXPECT_EQ(records[0].columns(), records[2].columns());
    EXPECT_NE(records[0].columns(), records[1].columns());
    EXPECT_EQ(records[1].place(), "in.jsonl:2");
    EXPECT_EQ(records[1].raw(), "{\"b\":1,\"a\":2}");
}

TEST_F(JsonlTest, ManyShapesAreForgottenAgain) {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += fmt::format("{{\"k{}\":{}}}\n", i, i);
    EXPECT_EQ(values(*reader(text)).size(), 1000U);
}

TEST_F(JsonlTest, GoesOnBehindALineThatIsWrong) {
    const auto input = reader("{\"a\":1\n[1]\n{\"a\":1,\"a\":2}\n{\"a\":\"\xe9\"}\n{\"a\":123456789}\n{\"a\":5}\n",
                              {{"max-line", "14"}});
    TypedItemBuffer<Record> buffer;
    const auto next = [&] { return *items::next_of(*input, buffer); };
    EXPECT_THAT(next(), HasSubstr("in.jsonl:1: not valid JSON ("));
    EXPECT_EQ(next(), "in.jsonl:2: not a JSON object: \"[1]\"");
    EXPECT_THAT(next(), HasSubstr("in.jsonl:3: the key \"a\" twice"));
    EXPECT_THAT(next(), HasSubstr("in.jsonl:4: not valid JSON ("));
    EXPECT_EQ(next(),
              "in.jsonl:5: the line is longer than 14 bytes: \"{\"a\":123456789\"; raise the property max-line if it "
              "is right");
    EXPECT_THAT(next(), HasSubstr("a=i5"));
}

TEST_F(JsonlTest, RefusesBinaryFilesAndWrongProperties) {
    EXPECT_THAT(message_of(ErrorKind::invalid,
                           [&] {
                               (void)reader(
                                   std::string_view("\x7f"
                                                    "ELF\0",
                                                    5));
                           }),
                HasSubstr("is not JSON lines: it is binary"));
    EXPECT_THAT(
        message_of(ErrorKind::invalid, [&] { (void)ReaderOptions::from(items::properties({{"max-line", "0"}})); }),
        HasSubstr("0 is not between 1 and 1073741824"));
}

RC_GTEST_FIXTURE_PROP(JsonlTest, ReadingOnAtACheckpointIsReadingOn, ()) {
    const auto line = rc::gen::element<std::string>("{\"a\":1}\n", "{\"b\":\"ü\\n\"}\r\n", "\n", "{\"a\":}\n", "[]\n",
                                                    "{\"a\":\"0123456789012345678901234567890123456789\"}\n");
    std::string text;
    for (const std::string& each : *rc::gen::container<std::vector<std::string>>(line)) text += each;
    text += *rc::gen::element<std::string>("", "{\"last\":true}");
    const auto path =
        folder_.write("law.jsonl", *rc::gen::element(text, items::gzipped_in_two(text), items::zstandard(text)));
    const auto block = *rc::gen::element<std::size_t>(1, 5, 1 << 16);
    items::expect_reader_law([&] {
        return std::make_unique<JsonlReader>(path, ReaderOptions::from(items::properties({{"max-line", "40"}})), block);
    });
    RC_ASSERT(!::testing::Test::HasFailure());
}

// --- writing -------------------------------------------------------------------------------------------------------

class Chunk {
public:
    explicit Chunk(const ColumnsPtr& columns, const std::vector<Value>& values) {
        auto& record = *static_cast<Record*>(buffer_.slot());
        const std::span<Value> cells = record.reset(columns);
        std::copy(values.begin(), values.end(), cells.begin());
        buffer_.keep();
    }
    std::span<Record> items() { return buffer_.items<Record>(); }

private:
    TypedItemBuffer<Record> buffer_;
};
ColumnsPtr columns(std::vector<std::string> names) { return std::make_shared<Columns>(std::move(names)); }

TEST_F(JsonlTest, WritesEveryKindOfValueOnce) {
    JsonlWriter out = writer();
    out.open({});
    const std::vector<std::byte> bytes{std::byte{0x01}, std::byte{0xFF}};
    out.write(Chunk(columns({"n", "b", "i", "r", "t", "x\"y"}),
                    {Value(), false, 7, 0.1, "\"\\\n\r\t\x01ü", Value(std::span(bytes))})
                  .items(),
              none_);
    out.write(Chunk(columns({}), {}).items(), none_);
    const Checkpoint checkpoint = out.checkpoint();
    out.write(Chunk(columns({"lost"}), {true}).items(), none_);
    out.close();
    out.open(checkpoint);
    out.write(Chunk(columns({"b"}), {true}).items(), none_);
    out.publish();
    EXPECT_EQ(folder_.read("out.jsonl"),
              "{\"n\":null,\"b\":false,\"i\":7,\"r\":0.1,\"t\":\"\\\"\\\\\\n\\r\\t\\u0001ü\",\"x\\\"y\":\"01ff\"}\n{}"
              "\n{\"b\":true}\n");
}

TEST_F(JsonlTest, RefusesWhatJsonHasNoFormFor) {
    JsonlWriter out = writer();
    out.open({});
    const auto refusal = [&](Value value) {
        return message_of<ConversionError>([&] { out.write(Chunk(columns({"a"}), {value}).items(), none_); });
    };
    EXPECT_THAT(refusal(std::numeric_limits<double>::quiet_NaN()), HasSubstr("column \"a\": nan has no form in JSON"));
    EXPECT_THAT(refusal("\xe9"), HasSubstr("is not UTF-8"));
}

RC_GTEST_FIXTURE_PROP(JsonlTest, WhatIsWrittenReadsTheSame,
                      (const std::string& any, std::int64_t number, double real)) {
    std::string text = any;
    std::erase_if(text, [](char c) { return (c & 0x80) != 0; });
    JsonlWriter out = writer({{"exists", "overwrite"}});
    out.open({});
    Chunk chunk(columns({"t", "i", "r"}), {std::string_view(text), number, real});
    out.write(chunk.items(), none_);
    out.publish();
    TypedItemBuffer<Record> buffer;
    auto& record = *static_cast<Record*>(buffer.slot());
    JsonlReader back(folder_.path() / "out.jsonl", ReaderOptions{});
    back.open({});
    RC_ASSERT(back.read(record));
    RC_ASSERT(record["t"].text() == text);
    RC_ASSERT(record["i"].integer() == number);
    const Value read = record["r"];
    RC_ASSERT((read.kind() == Value::Kind::integer ? static_cast<double>(read.integer()) : read.real()) == real);
}

TEST_F(JsonlTest, BothAreRegistered) {
    Registry registry;
    add_jsonl_artifacts(registry);
    const Properties given = items::properties({{"resource", "none.jsonl"}});
    const ArtifactEntry* input = registry.find(ArtifactKind::reader, "jsonlReader");
    input->check(given);
    const auto made = input->make_reader(surroundings_.context(given));
    EXPECT_THAT(message_of(ErrorKind::not_found, [&] { made->open({}); }), HasSubstr("none.jsonl"));
    const ArtifactEntry* output = registry.find(ArtifactKind::writer, "jsonlWriter");
    output->check(given);
    EXPECT_EQ(output->make_writer(surroundings_.context(given))->sink().sink_class, SinkClass::file);
}

}  // namespace
