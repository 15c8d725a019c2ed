// Stock mappers: what they divide is divided without gaps and without overlaps.
#include "mappers.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/file.hpp>
#include <fermata/base/id.hpp>
#include <fermata/items/partition.hpp>
#include <fermata/items/testing/compressed.hpp>
#include <fermata/items/testing/rig.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <fstream>

namespace fermata {
namespace {

using ::testing::HasSubstr;

class Mappers : public ::testing::Test {
protected:
    Mappers() : folder_(std::filesystem::temp_directory_path() / ("fermata-partition-" + new_uuid())) {
        std::filesystem::create_directories(folder_);
        job_.working_directory = folder_;
        step_.job = &job_;
        add_partition_artifacts(registry_);
    }
    ~Mappers() override {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    std::filesystem::path write(const std::string& name, const std::string& text) {
        std::ofstream(folder_ / name, std::ios::binary) << text;
        return folder_ / name;
    }
    PartitionPlan map(const std::string& mapper, const std::vector<std::pair<std::string, std::string>>& given) {
        ResolvedProperties values;
        for (const auto& [name, value] : given) values.push_back({name, Text(value), {}});
        const Properties properties("mapper", "job.xml", values);
        const ArtifactEntry* entry = registry_.find(ArtifactKind::mapper, mapper);
        entry->check(properties);
        return entry->make_mapper({properties, &step_, job_})->map_partitions();
    }
    std::string refusal(const std::string& mapper, const std::vector<std::pair<std::string, std::string>>& given) {
        try {
            (void)map(mapper, given);
        } catch (const Error& error) {
            return error.what();
        }
        return "nothing was refused";
    }

    std::filesystem::path folder_;
    JobContext job_;
    StepContext step_;
    Registry registry_;
};

TEST_F(Mappers, AListGivesOnePartitionAValue) {
    const PartitionPlan plan = map("listMapper", {{"values", " eu, us ,,asia"}, {"threads", "2"}});
    EXPECT_EQ(plan.partitions, 3);
    EXPECT_EQ(plan.threads, 2);
    EXPECT_EQ(plan.properties[2].at("value"), "asia");
    EXPECT_TRUE(plan.keep_properties);
    EXPECT_EQ(map("listMapper", {{"values", "a;b"}, {"separator", ";"}}).partitions, 2);
    EXPECT_EQ(map("listMapper", {{"values", ""}}).partitions, 0);
    EXPECT_THAT(refusal("listMapper", {{"values", "a"}, {"separator", "--"}}), HasSubstr("\"--\" is not one byte"));
    EXPECT_THAT(refusal("listMapper", {{"values", "a"}, {"threads", "-1"}}), HasSubstr("-1 is less than 0"));
}

TEST_F(Mappers, FilesAreThoseThatMatchInTheOrderOfTheirNames) {
    write("b.csv", "");
    write("a.csv", "");
    write("c.txt", "");
    std::filesystem::create_directory(folder_ / "d.csv");
    const PartitionPlan plan = map("filesMapper", {{"files", "*.csv"}});
    ASSERT_EQ(plan.partitions, 2);
    EXPECT_EQ(plan.properties[0].at("name"), "a.csv");
    EXPECT_EQ(plan.properties[1].at("file"), (folder_ / "b.csv").string());
    EXPECT_THAT(refusal("filesMapper", {{"files", "*.xml"}}), HasSubstr("no file matches"));
    EXPECT_EQ(map("filesMapper", {{"files", "*.xml"}, {"none", "complete"}}).partitions, 0);
    EXPECT_THAT(refusal("filesMapper", {{"files", "*"}, {"none", "x"}}), HasSubstr("neither fail nor complete"));
}

TEST_F(Mappers, TheFolderAJobWasStartedInIsNoPattern) {
    job_.working_directory = folder_ / R"(a[1]{x,y}*?\)";
    std::filesystem::create_directory(job_.working_directory);
    std::ofstream(job_.working_directory / "1.csv") << "id\n";
    const PartitionPlan plan = map("filesMapper", {{"files", "{1,2}.csv"}});
    ASSERT_EQ(plan.partitions, 1);
    EXPECT_EQ(plan.properties[0].at("file"), (job_.working_directory / "1.csv").string());
    EXPECT_EQ(map("filesMapper", {{"files", "../a*/[1].csv"}}).partitions, 1);
    EXPECT_EQ(map("filesMapper", {{"files", (folder_ / "a*" / "*.csv").string()}}).partitions, 1);
}

TEST_F(Mappers, NoFileIsLeftOutInSilence) {
    std::filesystem::create_symlink("nowhere", folder_ / "lost.csv");
    EXPECT_EQ(map("filesMapper", {{"files", "*.csv"}}).partitions, 1) << "its reader says that it is not there";
    std::filesystem::create_directory_symlink("loop", folder_ / "loop");
    for (const char* none : {"fail", "complete"})
        EXPECT_THAT(refusal("filesMapper", {{"files", "loop/*.csv"}, {"none", none}}),
                    HasSubstr("cannot read the folder \"" + (folder_ / "loop").string() + "\""));
    EXPECT_EQ(map("filesMapper", {{"files", "absent/*.csv"}, {"none", "complete"}}).partitions, 0);
    std::filesystem::create_directory(folder_ / "shut");
    std::filesystem::permissions(folder_ / "shut", std::filesystem::perms::none);
    EXPECT_EQ(items::unprivileged([&] { (void)map("filesMapper", {{"files", "shut/*"}, {"none", "complete"}}); }),
              ErrorKind::forbidden);
}

/// Each range holds the records that begin in it; together they are the file.
void expect_whole(const PartitionPlan& plan, std::int64_t size) {
    std::int64_t at = 0;
    for (const Parameters& range : plan.properties) {
        EXPECT_EQ(std::stoll(range.at("start")), at);
        at = std::stoll(range.at("end"));
        EXPECT_GT(at, std::stoll(range.at("start")));
    }
    EXPECT_GE(at, size);
}

TEST_F(Mappers, ACsvFileIsCutWhereRecordsBeginAlsoWithLineFeedsInValues) {
    std::string text = "id,text\n";
    std::vector<std::int64_t> records{0};
    for (int i = 0; i < 5000; ++i) {
        records.push_back(static_cast<std::int64_t>(text.size()));
        text += fmt::format("{},\"line one\nline \"\"two\"\"\n\"\n", i);
    }
    write("x.csv", text);
    const PartitionPlan plan = map("csvMapper", {{"resource", "x.csv"}, {"partitions", "7"}});
    EXPECT_EQ(plan.partitions, 7);
    expect_whole(plan, static_cast<std::int64_t>(text.size()));
    for (const Parameters& range : plan.properties)
        EXPECT_TRUE(std::ranges::binary_search(records, std::stoll(range.at("start")))) << range.at("start");
}

TEST_F(Mappers, ASmallFileGetsFewerRangesAndAnEmptyOneGetsOne) {
    write("small.csv", "a\n1\n");
    EXPECT_EQ(map("csvMapper", {{"resource", "small.csv"}, {"partitions", "4"}}).partitions, 1);
    write("empty.jsonl", "");
    EXPECT_EQ(map("jsonlMapper", {{"resource", "empty.jsonl"}, {"partitions", "4"}}).partitions, 1);
}

TEST_F(Mappers, WithoutQuotesAFileIsDividedWithoutReadingIt) {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += fmt::format("{{\"n\":{}}}\n", i);
    write("x.jsonl", text);
    const PartitionPlan plan = map("jsonlMapper", {{"resource", "x.jsonl"}, {"partitions", "3"}});
    EXPECT_EQ(plan.partitions, 3);
    expect_whole(plan, static_cast<std::int64_t>(text.size()));
    EXPECT_EQ(map("csvMapper", {{"resource", "x.jsonl"}, {"partitions", "3"}, {"quote", ""}}).properties,
              plan.properties);
}

TEST_F(Mappers, ACompressedFileIsDividedByWhatItContains) {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += fmt::format("{{\"n\":{}}}\n", i);
    write("x.jsonl.gz", items::gzipped(text));
    const PartitionPlan plan = map("jsonlMapper", {{"resource", "x.jsonl.gz"}, {"partitions", "2"}});
    ASSERT_EQ(plan.partitions, 2);
    EXPECT_EQ(plan.properties[1].at("start"),
              fmt::format("{}/{}", text.size() / 2, std::filesystem::file_size(folder_ / "x.jsonl.gz")));
}

TEST_F(Mappers, ADelimiterThatIsNotTheReadersIsNoticed) {
    write("x.csv", "id;name\n1;a\n");
    EXPECT_THAT(refusal("csvMapper", {{"resource", "x.csv"}, {"partitions", "2"}}),
                HasSubstr(R"(x.csv" has no "," but ";")"));
    EXPECT_EQ(map("csvMapper", {{"resource", "x.csv"}, {"partitions", "2"}, {"delimiter", ";"}}).partitions, 1);
    EXPECT_EQ(map("csvMapper", {{"resource", "x.csv"}, {"partitions", "2"}, {"delimiter", ","}}).partitions, 1);
    write("utf16.csv", std::string("\xff\xfe", 2) + "i");
    EXPECT_THAT(refusal("csvMapper", {{"resource", "utf16.csv"}, {"partitions", "2"}}), HasSubstr("UTF-16"));
}

TEST_F(Mappers, WhatCannotBeIsRefused) {
    EXPECT_THAT(refusal("csvMapper", {{"resource", "x"}, {"partitions", "0"}}), HasSubstr("0 is not between 1 and"));
    EXPECT_THAT(refusal("csvMapper", {{"resource", "x"}, {"partitions", "1"}, {"quote", "''"}}),
                HasSubstr("is not one ASCII character"));
    EXPECT_THAT(refusal("csvMapper", {{"resource", "x"}, {"partitions", "1"}, {"delimiter", "ab"}}),
                HasSubstr("is not one ASCII character"));
    EXPECT_THAT(refusal("csvMapper", {{"resource", "x"}, {"partitions", "1"}, {"max-line", "0"}}),
                HasSubstr("0 is not between"));
    EXPECT_THAT(refusal("csvMapper", {{"resource", "none.csv"}, {"partitions", "2"}}), HasSubstr("none.csv"));
}

}  // namespace
}  // namespace fermata
