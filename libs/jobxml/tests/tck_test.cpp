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

bool uses_what_is_not_supported(const std::string& text) {
    for (const auto* element : {"<split", "<flow", "<decision", "<partition>"}) {
        if (text.find(element) != std::string::npos) return true;
    }
    return false;
}

TEST(Tck, JobsOfStepsParseWithoutErrorsAndTheOthersSayWhatIsMissing) {
    const auto files = job_files();
    if (files.empty()) GTEST_SKIP() << "no TCK job XML in " << tck_folder() << " (set FERMATA_TCK_DIR)";
    for (const auto& file : files) {
        SCOPED_TRACE(file.filename());
        const auto result = parse_job_file(file);
        const auto text = read_file(file);
        if (text.find("<job ") == std::string::npos) {
            EXPECT_FALSE(result.job);
        } else if (uses_what_is_not_supported(text)) {
            EXPECT_THAT(testing_jobxml::texts_of(result.diagnostics),
                        testing::Contains(testing::HasSubstr("not supported yet: <")));
        } else {
            EXPECT_TRUE(result.job) << testing::PrintToString(testing_jobxml::texts_of(result.diagnostics));
        }
    }
}

TEST(Tck, JobsOfStepsPassTheChecksAndSurviveTheirStoredForm) {
    for (const auto& file : job_files()) {
        SCOPED_TRACE(file.filename());
        const auto result = parse_job_file(file);
        if (!result.job) continue;
        const auto checked = check(*result.job);
        EXPECT_FALSE(checked.has_errors()) << testing::PrintToString(testing_jobxml::texts_of(checked));
        EXPECT_EQ(to_json(job_definition_from_json(to_json(*result.job))), to_json(*result.job));
    }
}

}  // namespace
}  // namespace fermata
