// csvReader on random input: the reader law in every form of file, and libcsv as the oracle.
#include "csv_reader.hpp"

#include <fermata/items/testing/compressed.hpp>
#include <fermata/items/testing/reader_law.hpp>
#include <fermata/items/testing/rig.hpp>

#include <csv.h>
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <set>

using namespace fermata;
using csv::CsvReader;
using csv::ReaderOptions;

namespace {

using Rows = std::vector<std::vector<std::string>>;

/// Text that looks like CSV: pieces that matter, in any order.
rc::Gen<std::string> csv_like() {
    const auto piece = rc::gen::element<std::string>("a", "bc", "0123456789abcdef", ",", ",", "\"", "\"\"", "\n", "\n",
                                                     "\r\n", " ", "ü", "\"x,y\"", "\"a\nb\"", ",\"q\"\"r\",");
    return rc::gen::map(rc::gen::container<std::vector<std::string>>(piece),
                        [](const std::vector<std::string>& pieces) {
                            std::string text;
                            for (const std::string& each : pieces) text += each;
                            return text;
                        });
}

std::unique_ptr<CsvReader> reader(const std::filesystem::path& path, std::size_t block,
                                  const std::vector<std::pair<std::string, std::string>>& values) {
    return std::make_unique<CsvReader>(path, ReaderOptions::from(items::properties(values)), block);
}

RC_GTEST_PROP(CsvLaw, ReadingOnAtACheckpointIsReadingOn, ()) {
    const items::TemporaryFolder folder;
    const std::string text = "id,name\n1,a\n" + *csv_like();
    const auto content =
        *rc::gen::element(text, items::gzipped(text), items::gzipped_in_two(text), items::zstandard(text));
    const auto path = folder.write("in.csv", content);
    const auto block = *rc::gen::element<std::size_t>(1, 5, 64, 1 << 16);
    // A short max-line, so that records too long are among those that are skipped.
    items::expect_reader_law([&] { return reader(path, block, {{"max-line", "40"}}); });
    RC_ASSERT(!::testing::Test::HasFailure());
}

TEST(CsvLaw, HoldsForRealRecords) {
    items::TemporaryFolder folder;
    std::string text;
    for (int i = 0; i < 40; ++i)
        text += "MA-L," + std::to_string(i) + ",\"Cisco \"\"Systems\"\", Inc\",\"street\nMünchen\"\r\n";
    for (const std::string& content : {text, items::gzipped(text), items::zstandard(text)}) {
        const auto path = folder.write("in.csv", content);
        items::expect_reader_law([&] { return reader(path, 100, {{"header", "false"}}); });
        items::expect_reader_law(
            [&] { return reader(path, 100, {{"header", "false"}, {"start", "100"}, {"end", "900"}}); });
    }
    // Bytes of another encoding have another length in UTF-8; offsets are those of the file.
    const auto path = folder.write("in.csv", "id,name\n1,M\xfcnchen\n2,\"\xe9\"\"\"\n3,x\n");
    items::expect_reader_law([&] { return reader(path, 7, {{"encoding", "windows-1252"}}); });
}

// Of a last record that is longer than what is looked at by nothing, or a little, it may be known that it is the last.
TEST(CsvLaw, WhatIsSaidOfARecordDoesNotDependOnHowMuchHasBeenRead) {
    const items::TemporaryFolder folder;
    const std::string longest = R"(0123456789,"x,y"01234567890123456789012345)";  // and its line end, if it had one
    for (const std::string& last : {longest.substr(1), longest, longest + "6"}) {
        const auto path = folder.write("in.csv", items::gzipped("id,name\n1,a\n" + last));
        std::set<std::string> said;
        for (const std::size_t block : {1, 5, 64, 1 << 16}) {
            const auto input = reader(path, block, {{"max-line", "40"}});
            TypedItemBuffer<Record> buffer;
            const auto read = [&] { return input->read(*static_cast<Record*>(buffer.slot())); };
            input->open({});
            EXPECT_TRUE(read());
            const Checkpoint before = input->checkpoint();
            for (int i = 0; i < 2; ++i) {
                try {
                    ADD_FAILURE() << "it was read: " << read();
                } catch (const ItemError& error) {
                    said.insert(error.what());
                }
                input->open(before);
            }
        }
        EXPECT_THAT(said, ::testing::SizeIs(1)) << last;
    }
}

// --- looking ahead ---------------------------------------------------------------------------------------------------

/// All that the reader tells, chunk by chunk, each with its checkpoint and, if it `waits`, the wait for its commit.
/// Each third is rolled back once.
std::vector<std::string> told_in_chunks(CsvReader& reader, const std::vector<std::size_t>& sizes, bool waits) {
    std::vector<std::string> told;
    TypedItemBuffer<Record> chunk;
    Checkpoint committed;
    reader.open(committed);
    bool ended = false;
    for (std::size_t i = 0; !ended; ++i) {
        chunk.clear();
        for (std::size_t n = 0; n < sizes[i / 2 % sizes.size()] && !ended; ++n) {
            try {
                ended = !reader.read(*static_cast<Record*>(chunk.slot()));
                if (!ended) chunk.keep();
            } catch (const ItemError& error) {
                told.emplace_back(error.what());
            }
            told.push_back(reader.position());
        }
        const Checkpoint reached = reader.checkpoint();
        if (waits) IdleWork::run();
        // Until it is committed, all of it is there.
        for (std::size_t n = 0; n < chunk.size(); ++n)
            told.push_back(items::whole(*static_cast<const Record*>(chunk.at(n))));
        told.push_back(reached.bytes());
        if (i % 3 == 2 && committed) {
            reader.open(committed);
            ended = false;
        } else {
            committed = reached;
        }
    }
    return told;
}

RC_GTEST_PROP(CsvAhead, NobodySeesThatTheReaderLookedAhead, ()) {
    const items::TemporaryFolder folder;
    const std::string text = "id,name\n1,a\n" + *csv_like() + *rc::gen::element<std::string>("", "\n\n2,b\n3,\n4,c");
    const std::string content = *rc::gen::element(text, items::gzipped(text), items::zstandard(text));
    const auto path = folder.write("in.csv", content);
    const auto block = *rc::gen::element<std::size_t>(1, 5, 64, 1 << 16);
    const auto sizes = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange(1, 5)));
    const auto told = [&](bool waits) {
        const auto input = reader(path, block, {{"max-line", "40"}});
        try {
            return told_in_chunks(*input, sizes, waits);
        } catch (const Error& error) {
            return std::vector<std::string>{error.what()};
        }
    };
    RC_ASSERT(told(true) == told(false));
}

TEST(CsvAhead, AsManyRecordsAsBeforeTheCheckpointAreReady) {
    const items::TemporaryFolder folder;
    const auto path = folder.write("in.csv", "id\n1\n2\n3\n4\n5\n6\n7\n8\n");
    const auto input = reader(path, 4, {});
    input->open({});
    TypedItemBuffer<Record> buffer;
    const auto next = [&] { return items::next_of(*input, buffer); };
    for (int i = 1; i <= 3; ++i)
        EXPECT_THAT(next(), ::testing::Optional(::testing::HasSubstr("id=t" + std::to_string(i))));
    (void)input->checkpoint();
    IdleWork::run();
    std::filesystem::resize_file(path, 0);
    for (int i = 4; i <= 6; ++i)
        EXPECT_THAT(next(), ::testing::Optional(::testing::HasSubstr("id=t" + std::to_string(i))));
}

TEST(CsvAhead, WhatCannotBeReadIsToldOnceItIsReached) {
    const items::TemporaryFolder folder;
    std::string text = "id\n";
    for (int i = 0; i < 2000; ++i) text += std::to_string(i * 7919 % 1'000'003) + "\n";
    const std::string whole = items::gzipped(text);
    const auto path = folder.write("in.csv.gz", std::string_view(whole).substr(0, whole.size() - 500));
    const auto input = reader(path, 64, {});
    TypedItemBuffer<Record> buffer;
    for (int again = 0; again < 2; ++again) {
        input->open({});
        std::vector<std::string> told;
        while (const auto item = items::next_of(*input, buffer)) {
            told.push_back(*item);
            (void)input->checkpoint();
            IdleWork::run();
        }
        const auto is_failure = [](const std::string& item) { return item.find("ends too early") != item.npos; };
        const auto failed = std::ranges::find_if(told, is_failure);
        ASSERT_NE(failed, told.end());
        EXPECT_EQ(std::ranges::count_if(told, is_failure), 1);
        for (auto row = told.begin(); row != failed; ++row)
            EXPECT_THAT(*row, ::testing::StartsWith(fmt::format("in.csv.gz:{}|", row - told.begin() + 2)));
    }
}

// --- the oracle ----------------------------------------------------------------------------------------------------

struct Oracle {
    Rows rows;
    std::vector<std::string> row;
};

/// What libcsv reads, strictly; nothing if it calls the text wrong.
std::optional<Rows> by_libcsv(const std::string& text) {
    Oracle oracle;
    csv_parser parser;
    csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI);
    csv_set_space_func(&parser, [](unsigned char) { return 0; });
    const auto on_field = [](void* field, std::size_t size, void* to) {
        static_cast<Oracle*>(to)->row.emplace_back(static_cast<const char*>(field), size);
    };
    const auto on_row = [](int, void* to) {
        auto& found = *static_cast<Oracle*>(to);
        found.rows.push_back(std::exchange(found.row, {}));
    };
    const bool right = csv_parse(&parser, text.data(), text.size(), on_field, on_row, &oracle) == text.size() &&
                       csv_fini(&parser, on_field, on_row, &oracle) == 0;
    csv_free(&parser);
    return right ? std::optional(std::move(oracle.rows)) : std::nullopt;
}

Rows by_fermata(const std::filesystem::path& path, std::size_t block) {
    const auto input = reader(path, block, {{"header", "false"}});
    input->open({});
    Rows rows;
    TypedItemBuffer<Record> buffer;
    for (;;) {
        buffer.clear();
        auto& record = *static_cast<Record*>(buffer.slot());
        if (!input->read(record)) return rows;
        auto& row = rows.emplace_back();
        for (const Value& value : record.values())
            row.emplace_back(value.is_null() ? std::string_view() : value.text());
    }
}

/// A table of that many columns, written with as many quotes as RFC 4180 allows.
rc::Gen<std::string> table() {
    return rc::gen::exec([] {
        const int columns = *rc::gen::inRange(2, 6);
        std::string text;
        const int rows = *rc::gen::inRange(1, 20);
        for (int i = 0; i < rows * columns; ++i) {
            const bool last = (i + 1) % columns == 0;
            const auto plain = rc::gen::container<std::string>(rc::gen::element('a', 'b', ' ', '0', '\'', '\t'));
            const auto quoted = rc::gen::map(rc::gen::container<std::vector<std::string>>(
                                                 rc::gen::element<std::string>("a", "\"\"", ",", "\n", "\r\n", "é")),
                                             [](const std::vector<std::string>& parts) {
                                                 std::string field = "\"";
                                                 for (const std::string& part : parts) field += part;
                                                 return field + "\"";
                                             });
            text += *rc::gen::oneOf(plain, quoted);
            text += last ? *rc::gen::element<std::string>("\n", "\r\n") : ",";
        }
        if (*rc::gen::arbitrary<bool>()) text.erase(text.find_last_not_of("\r\n") + 1);
        return text;
    });
}

RC_GTEST_PROP(CsvOracle, ReadsTablesAsLibcsvDoes, ()) {
    const items::TemporaryFolder folder;
    const std::string text = *table();
    const auto expected = by_libcsv(text);
    RC_ASSERT(expected.has_value());
    const auto block = *rc::gen::element<std::size_t>(1, 7, 1 << 16);
    RC_ASSERT(by_fermata(folder.write("in.csv", text), block) == *expected);
}

TEST(CsvOracle, ReadsTheRealRegistryAsLibcsvDoes) {
    const std::filesystem::path registry = "/usr/share/ieee-data/oui.csv";
    if (!std::filesystem::exists(registry)) GTEST_SKIP() << "needs the package ieee-data";
    std::ifstream file(registry, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto expected = by_libcsv(text);
    ASSERT_TRUE(expected.has_value());
    EXPECT_EQ(by_fermata(registry, InputFile::default_block), *expected);
}

}  // namespace
