#include "csv_writer.hpp"
#include "csv_reader.hpp"

#include <fermata/items/csv.hpp>
#include <fermata/items/testing/reader_law.hpp>
#include <fermata/items/testing/rig.hpp>

#include <rapidcheck/gtest.h>

using namespace fermata;
using csv::CsvWriter;
using items::message_of;
using ::testing::HasSubstr;

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// Records made by hand, as a chunk.
class Chunk {
public:
    Chunk& add(const ColumnsPtr& columns, const std::vector<Value>& values) {
        auto& record = *static_cast<Record*>(buffer_.slot());
        const std::span<Value> cells = record.reset(columns);
        std::copy(values.begin(), values.end(), cells.begin());
        record.set_origin(static_cast<std::int64_t>(buffer_.size()) + 1, {});
        buffer_.keep();
        return *this;
    }
    std::span<Record> items() { return buffer_.items<Record>(); }

private:
    TypedItemBuffer<Record> buffer_;
};

ColumnsPtr columns(std::vector<std::string> names) { return std::make_shared<Columns>(std::move(names)); }

class CsvWriterTest : public ::testing::Test {
protected:
    CsvWriter writer(Pairs values = {}) {
        values.emplace_back("resource", "out.csv");
        const Properties given = items::properties(values, "writer \"csvWriter\"");
        return CsvWriter(surroundings_.context(given));
    }
    std::string written(const Pairs& values, Chunk& chunk) {
        CsvWriter out = writer(values);
        out.open({});
        out.write(chunk.items(), none_);
        (void)out.checkpoint();
        out.publish();
        std::string text = folder_.read("out.csv");
        std::filesystem::remove(folder_.path() / "out.csv");
        return text;
    }
    items::TemporaryFolder folder_;
    items::Surroundings surroundings_{folder_.path()};
    items::NoTransaction none_;
};

TEST_F(CsvWriterTest, WritesEveryKindOfValue) {
    const std::vector<std::byte> bytes{std::byte{0xDE}, std::byte{0x0A}};
    Chunk chunk;
    chunk.add(columns({"n", "b", "i", "r", "t", "x"}), {Value(), true, -7, 0.1, "plain", Value(std::span(bytes))});
    EXPECT_EQ(written({}, chunk), "n,b,i,r,t,x\n,true,-7,0.1,plain,de0a\n");
}

TEST_F(CsvWriterTest, QuotesOnlyWhatNeedsIt) {
    Chunk chunk;
    chunk.add(columns({"a,b", "c"}), {"x \"y\"", ""}).add(columns({"a,b", "c"}), {"two\nlines", "ä;"});
    EXPECT_EQ(written({}, chunk), "\"a,b\",c\n\"x \"\"y\"\"\",\"\"\n\"two\nlines\",ä;\n");
    EXPECT_EQ(written({{"delimiter", ";"}, {"header", "false"}, {"null", "NULL"}, {"quote", "'"}}, chunk),
              "x \"y\";\n'two\nlines';'ä;'\n");
    EXPECT_EQ(written({{"quote", ""}, {"columns", "c"}, {"header", "false"}, {"null", "-"}}, chunk), "\nä;\n");
}

TEST_F(CsvWriterTest, ASelectionMayLeaveColumnsOut) {
    Chunk chunk;
    chunk.add(columns({"a", "b", "c"}), {1, 2, 3}).add(columns({"c", "a"}), {30, 10});
    EXPECT_EQ(written({{"columns", "c,a"}}, chunk), "c,a\n3,1\n30,10\n");
}

TEST_F(CsvWriterTest, WithoutRecordsThereIsAHeaderIfItIsKnown) {
    Chunk nothing;
    EXPECT_EQ(written({}, nothing), "");
    EXPECT_EQ(written({{"columns", "a,b"}}, nothing), "a,b\n");
}

TEST_F(CsvWriterTest, GoesOnWithTheColumnsItBeganWith) {
    CsvWriter out = writer();
    out.open({});
    out.write(Chunk().add(columns({"a", "long: name"}), {1, 2}).items(), none_);
    const Checkpoint checkpoint = out.checkpoint();
    out.write(Chunk().add(columns({"a", "long: name"}), {0, 0}).items(), none_);
    out.close();
    CsvWriter again = writer();
    again.open(checkpoint);
    again.write(Chunk().add(columns({"long: name", "a"}), {20, 10}).items(), none_);
    (void)again.checkpoint();
    again.publish();
    EXPECT_EQ(folder_.read("out.csv"), "a,long: name\n1,2\n10,20\n");
}

TEST_F(CsvWriterTest, RefusesRecordsOfOtherColumns) {
    CsvWriter out = writer();
    out.open({});
    const auto write = [&](const ColumnsPtr& shape) {
        return message_of<ValidationError>(
            [&] { out.write(Chunk().add(shape, std::vector<Value>(shape->size())).items(), none_); });
    };
    out.write(Chunk().add(columns({"id", "name"}), {1, "a"}).items(), none_);
    EXPECT_EQ(write(columns({"id", "nmae"})), "record 1: the record has no column \"name\"; did you mean \"nmae\"?");
    EXPECT_THAT(write(columns({"id", "name", "more"})),
                HasSubstr("the first record had no column \"more\"; list all in the property columns"));
}

TEST_F(CsvWriterTest, RefusesWhatWouldReadOtherwiseWithoutQuotes) {
    CsvWriter out = writer({{"quote", ""}});
    out.open({});
    EXPECT_THAT(message_of<ConversionError>([&] { out.write(Chunk().add(columns({"a"}), {"x,y"}).items(), none_); }),
                HasSubstr("\"x,y\" cannot be written without quotes"));
}

TEST_F(CsvWriterTest, AppendsBelowTheSameHeaderOnly) {
    folder_.write("out.csv", "id,name\r\n1,a\r\n");
    Chunk chunk;
    chunk.add(columns({"id", "name"}), {2, "b"});
    EXPECT_EQ(written({{"exists", "append"}}, chunk), "id,name\r\n1,a\r\n2,b\n");
    folder_.write("out.csv", "id,title\n1,a\n");
    CsvWriter out = writer({{"exists", "append"}});
    out.open({});
    EXPECT_THAT(message_of(ErrorKind::conflict, [&] { out.write(chunk.items(), none_); }),
                HasSubstr("its header is \"id,title\", the records have \"id,name\""));
}

TEST_F(CsvWriterTest, RefusesWhatIsNoCheckpointOfIts) {
    CsvWriter out = writer();
    out.open({});
    const std::string bytes = out.checkpoint().bytes();
    for (const std::string& wrong : {bytes + "a", bytes + "3:ab", bytes + "-1:"})
        EXPECT_THAT(message_of(ErrorKind::refused, [&] { out.open(Checkpoint(wrong)); }),
                    HasSubstr("checkpoint unreadable"));
}

TEST_F(CsvWriterTest, IsRegisteredAsAFileSink) {
    Registry registry;
    add_csv_artifacts(registry);
    const ArtifactEntry* entry = registry.find(ArtifactKind::writer, "csvWriter");
    ASSERT_NE(entry, nullptr);
    const Properties given = items::properties({{"resource", "out.csv"}});
    EXPECT_EQ(entry->make_writer(surroundings_.context(given))->sink().sink_class, SinkClass::file);
    entry->check(given);
    EXPECT_THAT(message_of(ErrorKind::invalid, [&] { entry->check(items::properties({{"exists", "x"}})); }),
                HasSubstr("\"x\" is not fail, overwrite or append"));
    const ArtifactEntry* reader = registry.find(ArtifactKind::reader, "csvReader");
    reader->check(given);
    const auto made = reader->make_reader(surroundings_.context(given));
    EXPECT_THAT(message_of(ErrorKind::not_found, [&] { made->open({}); }), HasSubstr("out.csv"));
}

RC_GTEST_FIXTURE_PROP(CsvWriterTest, WhatIsWrittenReadsTheSame, (const std::vector<std::vector<std::string>>& table)) {
    const ColumnsPtr shape = columns({"a", "b", "c"});
    Chunk chunk;
    std::vector<std::string> expected;
    std::vector<std::vector<std::string>> rows = table;
    for (auto& row : rows) {
        row.resize(3);
        for (std::string& cell : row) std::erase_if(cell, [](char c) { return c == '\0' || (c & 0x80) != 0; });
        chunk.add(shape, {std::string_view(row[0]), row[1].empty() ? Value() : Value(std::string_view(row[1])),
                          std::string_view(row[2])});
        expected.push_back(items::cells(chunk.items().back()));
    }
    const auto header = *rc::gen::element<std::string>("true", "false");
    const std::string text = written({{"header", header}, {"columns", "a,b,c"}}, chunk);
    const auto path = folder_.write("in.csv", text);
    csv::CsvReader back(path, csv::ReaderOptions::from(items::properties({{"header", header}, {"columns", "a,b,c"}})),
                        16);
    back.open({});
    std::vector<std::string> read;
    TypedItemBuffer<Record> buffer;
    for (auto& record = *static_cast<Record*>(buffer.slot()); back.read(record);) read.push_back(items::cells(record));
    RC_ASSERT(read == expected);
}

}  // namespace
