// The Apache-2.0 job XML files of the batch TCK, if they are there (FERMATA_TCK_DIR).
#include "job_text.hpp"

#include <fermata/base/file.hpp>
#include <fermata/model/resolved_job.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace fermata {
namespace {

namespace fs = std::filesystem;

fs::path tck_folder() {
    const char* given = std::getenv("FERMATA_TCK_DIR");
    return given ? fs::path(given) : fs::path(FERMATA_SOURCE_DIR) / "../shared/tck";
}

std::vector<fs::path> job_files() {
    std::vector<fs::path> files;
    std::error_code absent;
    for (const auto& entry : fs::recursive_directory_iterator(tck_folder(), absent)) {
        if (entry.path().extension() == ".xml") files.push_back(entry.path());
    }
    std::ranges::sort(files);
    return files;
}

TEST(Tck, JobsParseWithoutErrors) {
    const auto files = job_files();
    if (files.empty()) GTEST_SKIP() << "no TCK job XML in " << tck_folder() << " (set FERMATA_TCK_DIR)";
    for (const auto& file : files) {
        SCOPED_TRACE(file.filename());
        const auto result = parse_job_file(file);
        if (read_file(file).find("<job ") == std::string::npos) {
            EXPECT_FALSE(result.job);
        } else {
            EXPECT_TRUE(result.job) << testing::PrintToString(testing_jobxml::texts_of(result.diagnostics));
        }
    }
}

/// Wrong on purpose: a decision that comes first, a target outside of the flow.
bool is_wrong_on_purpose(const fs::path& file) {
    const auto name = file.stem().string();
    return name == "decider_as_first_job_element_fails" || name == "split_transition_to_step_out_of_scope" ||
           name == "split_level_flow_tries_its_own_transition";
}

TEST(Tck, JobsPassTheChecksAndSurviveTheirStoredForm) {
    for (const auto& file : job_files()) {
        SCOPED_TRACE(file.filename());
        const auto result = parse_job_file(file);
        if (!result.job) continue;
        const auto checked = check(*result.job);
        EXPECT_EQ(checked.has_errors(), is_wrong_on_purpose(file))
            << testing::PrintToString(testing_jobxml::texts_of(checked));
        EXPECT_EQ(to_json(job_definition_from_json(to_json(*result.job))), to_json(*result.job));
    }
}

}  // namespace
}  // namespace fermata
