// Ranges side by side hold what their reader reads of the whole file: each record once, in order, and each error once.
// That is what makes an import in partitions the same import, whatever stands in the file.
#include <fermata/items/csv.hpp>
#include <fermata/items/jsonl.hpp>
#include <fermata/items/partition.hpp>
#include <fermata/items/testing/compressed.hpp>
#include <fermata/items/testing/reader_law.hpp>
#include <fermata/items/testing/rig.hpp>

#include <random>

namespace fermata::items {
namespace {

using Values = std::vector<std::pair<std::string, std::string>>;

/// Pieces that matter, in any order. Quotes inside of values, behind them and without an end are among them.
std::string random_text(std::mt19937& engine, const std::vector<std::string>& pieces, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += pieces[engine() % pieces.size()];
    return text;
}

class RangeLaw : public ::testing::Test {
protected:
    RangeLaw() {
        add_csv_artifacts(registry_);
        add_jsonl_artifacts(registry_);
        add_partition_artifacts(registry_);
    }
    PartitionPlan plan(const std::string& mapper, Values values, int partitions) {
        values.emplace_back("partitions", std::to_string(partitions));
        const Properties given = properties(values);
        return registry_.find(ArtifactKind::mapper, mapper)->make_mapper(around_.context(given))->map_partitions();
    }
    /// All it reads, and the messages of what it cannot.
    std::vector<std::string> read(const std::string& name, const Values& values) {
        const Properties given = properties(values);
        const auto reader = registry_.find(ArtifactKind::reader, name)->make_reader(around_.context(given));
        reader->open({});
        std::vector<std::string> found;
        TypedItemBuffer<Record> buffer;
        for (;;) {
            buffer.clear();
            void* slot = buffer.slot();
            try {
                if (!reader->read(slot)) return found;
                found.push_back(whole(*static_cast<Record*>(slot)));
            } catch (const ItemError& error) {
                found.emplace_back(error.what());
            }
        }
    }
    void expect_whole(const std::string& format, const std::string& content, Values values) {
        folder_.write("in", content);
        values.emplace_back("resource", "in");
        const std::vector<std::string> all = read(format + "Reader", values);
        for (const int partitions : {2, 3, 7, 40}) {
            std::vector<std::string> together;
            for (const Parameters& range : plan(format + "Mapper", values, partitions).properties) {
                Values with = values;
                for (const auto& [name, value] : range) with.emplace_back(name, value);
                for (std::string& each : read(format + "Reader", with)) together.push_back(std::move(each));
            }
            ASSERT_EQ(together, all) << partitions;
        }
    }
    TemporaryFolder folder_;
    Surroundings around_{folder_.path()};
    Registry registry_;
};

TEST_F(RangeLaw, OfCsv) {
    const std::vector<std::string> pieces{"a",  "bc",     "0123456789",  ",", ",",           ",",           "\n",
                                          "\n", "\n",     "\r\n",        " ", "\"x,\ny\"\n", "\"q\"\"\n\"", "5\" pipe",
                                          "ü",  "\"x\"y", "a,\"b\nc\"\n"};
    std::vector<std::string> worse = pieces;
    worse.insert(worse.end(), {"\"", "\"\""});
    for (unsigned seed = 1; seed <= 12; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 engine(seed);
        const std::string text = "a,b\n" + random_text(engine, seed % 2 == 0 ? worse : pieces, 20'000);
        const std::string content = seed % 3 == 0 ? gzipped(text) : seed % 5 == 0 ? zstandard(text) : text;
        expect_whole("csv", content, {{"max-line", "200"}});
    }
}

TEST_F(RangeLaw, OfCsvInItsOtherForms) {
    std::string text = "\xef\xbb\xbfid;'name'\n";
    for (int i = 0; i < 4'000; ++i) text += fmt::format("{};'it''s\n{}'\n", i, i % 5 == 0 ? "don't" : "a \"quote");
    expect_whole("csv", text, {{"delimiter", ";"}, {"quote", "'"}});
    expect_whole("csv", text, {{"delimiter", ";"}, {"quote", ""}});
    expect_whole("csv", "n\n" + std::string(20'000, '\n'), {});
    std::string foreign = "id,name\n";
    for (int i = 0; i < 4'000; ++i) foreign += fmt::format("{},\"M\xfcnchen\n\"\n", i);
    expect_whole("csv", foreign, {{"encoding", "windows-1252"}});
}

TEST_F(RangeLaw, OfLinesOfJson) {
    for (unsigned seed = 1; seed <= 6; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 engine(seed);
        const std::string text = random_text(
            engine, {"{\"n\":1}\n", "{\"n\":\"a\\nb\"}\n", "\n", "{\"n\":\n", "nonsense\n", "{\"n\":2}\r\n"}, 8'000);
        expect_whole("jsonl", seed % 3 == 0 ? gzipped(text) : text, {});
    }
}

}  // namespace
}  // namespace fermata::items
