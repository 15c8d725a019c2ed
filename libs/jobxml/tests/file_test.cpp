// parse_job_file: every file that cannot be read has its own words and kind.
#include "job_text.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/file.hpp>

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace fermata {
namespace {

namespace fs = std::filesystem;

class JobFile : public testing::Test {
protected:
    JobFile() {
        std::string name = (fs::temp_directory_path() / "fermata-jobxml-XXXXXX").string();
        folder_ = mkdtemp(name.data());
    }
    ~JobFile() override { fs::remove_all(folder_); }

    fs::path write(const std::string& name, const std::string& text) {
        std::ofstream(folder_ / name) << text;
        return folder_ / name;
    }

    std::string failure(const fs::path& path, ErrorKind kind) {
        try {
            static_cast<void>(parse_job_file(path));
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), kind);
            return error.what();
        }
        return "nothing was thrown";
    }

    fs::path folder_;
};

TEST_F(JobFile, IsReadAndNamedInMessages) {
    const auto path = write("good.xml", testing_jobxml::head + testing_jobxml::step + "</job>");
    const auto result = parse_job_file(path);
    ASSERT_TRUE(result.job);
    EXPECT_EQ(result.job->file, path.string());
    const auto bad = parse_job_file(write("bad.xml", "<job"));
    EXPECT_EQ(bad.diagnostics.all().at(0).file, (folder_ / "bad.xml").string());
}

TEST_F(JobFile, ThatDoesNotExistIsNotFound) {
    write("nightly.xml", "");
    EXPECT_EQ(failure(folder_ / "nigthly.xml", ErrorKind::not_found),
              "job file \"" + (folder_ / "nigthly.xml").string() + "\" does not exist; did you mean \"nightly.xml\"?");
    EXPECT_EQ(failure(folder_ / "no" / "such.xml", ErrorKind::not_found),
              "job file \"" + (folder_ / "no" / "such.xml").string() + "\" does not exist");
    EXPECT_EQ(failure("no-such-job-file.xml", ErrorKind::not_found),
              "job file \"no-such-job-file.xml\" does not exist");
}

TEST_F(JobFile, ThatIsAFolderEmptyOrTooLongIsInvalid) {
    EXPECT_EQ(failure(folder_, ErrorKind::invalid),
              "job file \"" + folder_.string() + "\" is a folder; name a file in it");
    EXPECT_EQ(failure(write("empty.xml", ""), ErrorKind::invalid),
              "job file \"" + (folder_ / "empty.xml").string() + "\" is empty");
    EXPECT_THAT(failure(write("long.xml", std::string((8U << 20) + 1, ' ')), ErrorKind::invalid),
                testing::HasSubstr("longer than 8388608 bytes"));
}

/// In a child of an unprivileged user, since root may read everything.
TEST_F(JobFile, ThatMayNotBeReadIsForbidden) {
    const auto path = write("secret.xml", "<job/>");
    fs::permissions(folder_, fs::perms::all);
    fs::permissions(path, fs::perms::none);
    const pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(2);
        const auto said = failure(path, ErrorKind::forbidden);
        const bool clear =
            said.find("secret.xml") != std::string::npos && said.find("ermission denied") != std::string::npos;
        _exit(clear && !HasFailure() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(WEXITSTATUS(status), 0);
    EXPECT_TRUE(WIFEXITED(status));
}

}  // namespace
}  // namespace fermata
