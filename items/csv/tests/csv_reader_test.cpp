#include "csv_reader.hpp"

#include <fermata/items/testing/compressed.hpp>
#include <fermata/items/testing/rig.hpp>

#include <sys/resource.h>

using namespace fermata;
using csv::CsvReader;
using csv::ReaderOptions;
using items::message_of;
using items::properties;
using items::TemporaryFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

using Row = std::vector<std::optional<std::string>>;
using Pairs = std::vector<std::pair<std::string, std::string>>;
constexpr std::nullopt_t null = std::nullopt;

class CsvReaderTest : public ::testing::Test {
protected:
    CsvReader& reader(std::string_view content, const Pairs& values = {},
                      std::size_t block = InputFile::default_block) {
        folder_.write("vendors.csv", content);
        reader_ = std::make_unique<CsvReader>(folder_.path() / "vendors.csv",
                                              ReaderOptions::from(properties(values, "reader \"csvReader\"")), block);
        return *reader_;
    }
    CsvReader& opened(std::string_view content, const Pairs& values = {}) {
        reader(content, values).open({});
        return *reader_;
    }
    std::optional<Row> next() {
        buffer_.clear();
        auto& record = *static_cast<Record*>(buffer_.slot());
        if (!reader_->read(record)) return std::nullopt;
        buffer_.keep();
        Row row;
        for (const Value& value : record.values())
            row.push_back(value.is_null() ? Row::value_type() : std::string(value.text()));
        return row;
    }
    Record& last() { return *static_cast<Record*>(buffer_.at(0)); }
    std::vector<Row> rest() {
        std::vector<Row> rows;
        while (auto row = next()) rows.push_back(std::move(*row));
        return rows;
    }
    std::string open_error(ErrorKind kind, std::string_view content, const Pairs& values = {}) {
        reader(content, values);
        return message_of(kind, [&] { reader_->open({}); });
    }

    TemporaryFolder folder_;
    std::unique_ptr<CsvReader> reader_;
    TypedItemBuffer<Record> buffer_;
};

TEST_F(CsvReaderTest, ReadsQuotedFieldsAsRfc4180Says) {
    opened("id,name,note\r\n1,\"Cisco Systems, Inc\",\"said \"\"hi\"\"\"\r\n2,\"two\nlines\",plain\r\n");
    EXPECT_THAT(rest(), ElementsAre(Row{"1", "Cisco Systems, Inc", "said \"hi\""}, Row{"2", "two\nlines", "plain"}));
}

TEST_F(CsvReaderTest, TellsNullFromEmptyText) {
    opened("a,b\n,\"\"\n");
    EXPECT_THAT(rest(), ElementsAre(Row{null, ""}));
    opened("a,b\nNULL,\"NULL\"\n", {{"null", "NULL"}});
    EXPECT_THAT(rest(), ElementsAre(Row{null, "NULL"}));
}

TEST_F(CsvReaderTest, TakesALastLineWithoutLineFeedAByteOrderMarkAndBlankLines) {
    opened("\xef\xbb\xbf\n\nid,name\n\n1,a\n\r\n2,b");
    EXPECT_THAT(rest(), ElementsAre(Row{"1", "a"}, Row{"2", "b"}));
    EXPECT_EQ(reader_->fraction(), 1);
}

TEST_F(CsvReaderTest, ABlankLineIsANullWhereThereIsOneColumn) {
    opened("id\n1\n\n3\n");
    EXPECT_THAT(rest(), ElementsAre(Row{"1"}, Row{null}, Row{"3"}));
}

TEST_F(CsvReaderTest, AQuoteInsideAnUnquotedFieldIsText) {
    opened("size\n5\" pipe\n");
    EXPECT_THAT(rest(), ElementsAre(Row{"5\" pipe"}));
}

TEST_F(CsvReaderTest, RecordsKnowTheirLineAndText) {
    opened("id,name\n1,\"a\nb\"\n2,c\r\n");
    EXPECT_EQ(reader_->position(), "vendors.csv:1");
    next();
    EXPECT_EQ(last().place(), "vendors.csv:2");
    EXPECT_EQ(last().raw(), "1,\"a\nb\"");
    next();
    EXPECT_EQ(last().place(), "vendors.csv:4");
    EXPECT_EQ(last().raw(), "2,c");
    EXPECT_EQ(reader_->position(), "vendors.csv:4");
}

TEST_F(CsvReaderTest, SelectsColumnsByNameAndNamesThoseWithoutHeader) {
    opened("id,name,note\n1,a,x\n", {{"columns", "note, id"}});
    EXPECT_THAT(rest(), ElementsAre(Row{"x", "1"}));
    EXPECT_THAT(last().columns()->names(), ElementsAre("note", "id"));
    opened("1;a\n", {{"header", "false"}, {"delimiter", ";"}});
    EXPECT_THAT(rest(), ElementsAre(Row{"1", "a"}));
    EXPECT_THAT(last().columns()->names(), ElementsAre("c1", "c2"));
    opened("1\ta\n", {{"header", "false"}, {"delimiter", "\\t"}, {"columns", "id,name"}});
    EXPECT_THAT(rest(), ElementsAre(Row{"1", "a"}));
    EXPECT_THAT(last().columns()->names(), ElementsAre("id", "name"));
    opened("", {{"header", "false"}});
    EXPECT_THAT(rest(), ElementsAre());
}

TEST_F(CsvReaderTest, QuotingCanBeOtherOrNone) {
    opened("a,b\n'x,y',\"z\n", {{"quote", "'"}});
    EXPECT_THAT(rest(), ElementsAre(Row{"x,y", "\"z"}));
    opened("a,b\n\"x,y\"\n", {{"quote", ""}});
    EXPECT_THAT(rest(), ElementsAre(Row{"\"x", "y\""}));
}

TEST_F(CsvReaderTest, ConvertsSingleByteEncodings) {
    opened("name,note\nJ\xfcrgen,\x80 5\nx,\n", {{"encoding", "Windows-1252"}});
    EXPECT_THAT(rest(), ElementsAre(Row{"Jürgen", "€ 5"}, Row{"x", null}));
    opened(
        "gr\xf6\xdf"
        "e\n\"\xe9\"\"\"\n",
        {{"encoding", "iso-8859-1"}});
    EXPECT_THAT(rest(), ElementsAre(Row{"é\""}));
    EXPECT_THAT(last().columns()->names(), ElementsAre("größe"));
}

TEST_F(CsvReaderTest, RangesSideBySideHoldEveryRecordOnce) {
    std::string content = "id\n";
    for (int i = 1; i <= 30; ++i) content += std::to_string(i) + "\n";
    for (std::size_t cut = 0; cut <= content.size(); ++cut) {
        opened(content, {{"end", std::to_string(cut)}});
        auto rows = rest();
        EXPECT_TRUE(reader_->fraction() >= 0 && reader_->fraction() <= 1);
        opened(content, {{"start", std::to_string(cut)}});
        for (auto& row : rest()) rows.push_back(row);
        ASSERT_EQ(rows.size(), 30U) << cut;
        for (std::size_t i = 0; i < rows.size(); ++i) ASSERT_EQ(rows[i][0], std::to_string(i + 1)) << cut;
    }
}

TEST_F(CsvReaderTest, AnEmptyFileMayBeRight) {
    opened("", {{"empty", "ok"}});
    EXPECT_THAT(rest(), ElementsAre());
    opened("\n", {{"empty", "ok"}, {"columns", "a,b"}});
    const Checkpoint end = reader_->checkpoint();
    EXPECT_THAT(rest(), ElementsAre());
    opened("a,b\n1,2\n", {{"empty", "ok"}});
    EXPECT_THAT(rest(), ElementsAre(Row{"1", "2"}));
    reader("\n", {{"empty", "ok"}}).open(end);
    EXPECT_THAT(rest(), ElementsAre());
}

// --- files that are wrong ----------------------------------------------------------------------------------------

TEST_F(CsvReaderTest, RefusesFilesThatAreNoCsv) {
    EXPECT_THAT(open_error(ErrorKind::invalid, ""), HasSubstr("vendors.csv\" is empty: a header line was expected"));
    EXPECT_THAT(open_error(ErrorKind::invalid, "\n\r\n"), HasSubstr("is empty"));
    EXPECT_THAT(message_of(ErrorKind::invalid, [&] { reader("", {{"empty", "maybe"}}); }),
                HasSubstr("\"maybe\" is neither fail nor ok"));
    EXPECT_THAT(open_error(ErrorKind::invalid, "id,v\r1,a\r2,b\r"), HasSubstr("lines end with carriage returns only"));
    EXPECT_THAT(open_error(ErrorKind::invalid, std::string_view("\x7f"
                                                                "ELF\0\1",
                                                                6)),
                HasSubstr("it is binary, with a NUL byte at offset 4"));
    EXPECT_THAT(open_error(ErrorKind::invalid, std::string_view("\xff\xfei\0d\0", 6)), HasSubstr("UTF-16"));
    EXPECT_THAT(open_error(ErrorKind::invalid, "id,n\xe9\n"),
                HasSubstr("vendors.csv:1: byte 0xE9 at offset 4 is not UTF-8; set the property encoding"));
    EXPECT_THAT(open_error(ErrorKind::invalid, "\"id\n1\n"),
                HasSubstr("the quote that opens on line 1 is never closed"));
    EXPECT_THAT(open_error(ErrorKind::invalid, "id,name,id\n"),
                HasSubstr("vendors.csv:1: the header names \"id\" twice, as columns 1 and 3"));
}

TEST_F(CsvReaderTest, RefusesHeadersOfAMillionColumns) {
    EXPECT_THAT(
        open_error(ErrorKind::invalid, std::string(999'999, ',') + "\n"),
        HasSubstr("vendors.csv:1: the header has 1,000,000 columns, at most 65,535 are possible; is \",\" the"));
}

TEST_F(CsvReaderTest, NamesUnknownColumnsAndWhatIsNear) {
    EXPECT_THAT(
        open_error(ErrorKind::invalid, "id,name\n", {{"columns", "id,nmae"}}),
        AllOf(HasSubstr("property \"columns\": "), HasSubstr("has no column \"nmae\"; did you mean \"name\"?")));
}

TEST_F(CsvReaderTest, RefusesWrongProperties) {
    const auto error = [](const Pairs& values) {
        return message_of(ErrorKind::invalid, [&] { (void)ReaderOptions::from(properties(values)); });
    };
    EXPECT_THAT(error({{"header", "yes"}}), HasSubstr("\"yes\" is not true or false"));
    EXPECT_THAT(error({{"delimiter", ";;"}}), HasSubstr("\";;\" is not one ASCII character"));
    EXPECT_THAT(error({{"delimiter", "§"}}), HasSubstr("is not one ASCII character"));
    EXPECT_THAT(error({{"delimiter", "\""}}), HasSubstr("the same character"));
    EXPECT_THAT(error({{"encoding", "utf-16"}}),
                HasSubstr("\"utf-16\" is not supported; utf-8, iso-8859-1 and windows-1252 are"));
    EXPECT_THAT(error({{"columns", "a,,b"}}), HasSubstr("a column has no name"));
    EXPECT_THAT(error({{"columns", "a,b,a"}}), HasSubstr("\"a\" stands there twice"));
    EXPECT_THAT(error({{"max-line", "0"}}), HasSubstr("0 is not between 1 and 1073741824"));
    EXPECT_THAT(error({{"start", "5"}, {"end", "4"}}), HasSubstr("4 is less than start, 5"));
}

// --- records that are wrong: told once, then reading goes on -----------------------------------------------------

TEST_F(CsvReaderTest, GoesOnBehindARecordOfOtherWidth) {
    opened("id,name\n1,a\n2\n3,c,d\n4,e\n");
    EXPECT_EQ(next(), (Row{"1", "a"}));
    EXPECT_EQ(message_of<ParseError>([&] { next(); }),
              "vendors.csv:3: 1 columns instead of 2: \"2\"; quote values that contain \",\"");
    try {
        next();
        FAIL();
    } catch (const ParseError& error) {
        EXPECT_EQ(error.raw(), "3,c,d");
        EXPECT_EQ(error.position(), "vendors.csv:4");
    }
    EXPECT_THAT(rest(), ElementsAre(Row{"4", "e"}));
}

TEST_F(CsvReaderTest, GoesOnBehindARecordOfAMillionColumns) {
    opened("id,name\n" + std::string(999'999, ',') + "\n1,a\n");
    EXPECT_THAT(message_of<ParseError>([&] { next(); }), HasSubstr("vendors.csv:2: 1,000,000 columns instead of 2"));
    EXPECT_THAT(rest(), ElementsAre(Row{"1", "a"}));
}

TEST_F(CsvReaderTest, NamesTheLineOfAQuoteThatIsNeverClosedAndGoesOnBehindIt) {
    opened("id,name\n1,\"a\nb\"\n\"x\ny\",\"never\n4,d\n");
    next();
    EXPECT_THAT(message_of<ParseError>([&] { next(); }),
                HasSubstr("vendors.csv:4: the quote that opens on line 5 is never closed: \"\"x\""));
}

TEST_F(CsvReaderTest, RefusesTextBehindAClosingQuote) {
    opened("id,name\n1,\"a\" b\n2,\"c\"d\n3,e\n");
    EXPECT_THAT(message_of<ParseError>([&] { next(); }),
                HasSubstr("vendors.csv:2: text behind the closing quote of column 2: \"1,\"a\" b\""));
    EXPECT_THAT(message_of<ParseError>([&] { next(); }), HasSubstr("vendors.csv:3: text behind"));
    EXPECT_THAT(rest(), ElementsAre(Row{"3", "e"}));
}

TEST_F(CsvReaderTest, SaysWhereAQuoteThatWasNotClosedSeemsToClose) {
    opened("id,name\n1,\"a\n2,\"c\"\n3,e\n");
    EXPECT_THAT(message_of<ParseError>([&] { next(); }),
                HasSubstr("vendors.csv:2: the quote that opens on line 2 is closed on line 3, with text behind that: "
                          "\"1,\"a\"; is the first one's own closing quote missing?"));
    EXPECT_THAT(rest(), ElementsAre(Row{"2", "c"}, Row{"3", "e"}));
}

TEST_F(CsvReaderTest, GoesOnBehindForeignBytesAndNul) {
    opened("id\nn\xe9\n" + std::string(2000, 'x') + "\nb" + '\0' + "c\nd\n");
    EXPECT_THAT(message_of<ReadError>([&] { next(); }), HasSubstr("vendors.csv:2: byte 0xE9 at offset 4 is not UTF-8"));
    next();
    EXPECT_THAT(message_of<ReadError>([&] { next(); }), HasSubstr("vendors.csv:4: a NUL byte at offset 2008"));
    EXPECT_THAT(rest(), ElementsAre(Row{"d"}));
}

TEST_F(CsvReaderTest, GoesOnBehindALineThatIsTooLong) {
    const std::string longer(1000, 'x');
    opened("id\n" + longer + "\n2\n\"" + longer + "\n3\n", {{"max-line", "100"}});
    EXPECT_EQ(message_of<ReadError>([&] { next(); }), "vendors.csv:2: the record is longer than 100 bytes: \"" +
                                                          std::string(40, 'x') +
                                                          "…\"; raise the property max-line if it is right");
    EXPECT_EQ(next(), Row{"2"});
    EXPECT_THAT(message_of<ReadError>([&] { next(); }), HasSubstr("is the quote that opens on line 4 closed?"));
    EXPECT_THAT(rest(), ElementsAre(Row{"3"}));
}

TEST_F(CsvReaderTest, AnEndlessLineNeedsNoMemory) {
    constexpr long most_kib = 16 << 10;
    const std::string frame = items::zstandard(std::string(std::size_t{8} << 20, 'x'));
    std::string content = items::zstandard("id\n");
    for (int i = 0; i < 32; ++i) content += frame;  // 256 MiB
    opened(content + items::zstandard("\n2\n"));
    const auto resident_kib = [] {
        rusage usage{};
        ::getrusage(RUSAGE_SELF, &usage);
        return usage.ru_maxrss;
    };
    const long before = resident_kib();
    EXPECT_THAT(message_of<ReadError>([&] { next(); }),
                HasSubstr("vendors.csv:2: the record is longer than 1,048,576 bytes"));
    EXPECT_THAT(rest(), ElementsAre(Row{"2"}));
    EXPECT_LT(resident_kib() - before, most_kib);
}

}  // namespace
