// Owner files: how they are made, and what they prove.
#include <fermata/base/error.hpp>
#include <fermata/base/id.hpp>
#include <fermata/repository/worker.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fstream>

namespace fermata {
namespace {

using ::testing::HasSubstr;

class WorkerTest : public ::testing::Test {
protected:
    WorkerTest() : folder_(std::filesystem::temp_directory_path() / ("fermata-" + new_uuid())) {
        std::filesystem::create_directory(folder_);
    }
    ~WorkerTest() override { std::filesystem::remove_all(folder_); }
    [[nodiscard]] std::filesystem::path data() const { return folder_ / "data"; }
    [[nodiscard]] std::filesystem::path file_of(const WorkerRecord& worker) const {
        return data() / "owners" / worker.incarnation;
    }
    void expect(Liveness liveness, const std::string& evidence, const WorkerRecord& worker) const {
        const LivenessEvidence found = liveness_of(worker, data());
        EXPECT_EQ(liveness, found.liveness);
        EXPECT_THAT(found.evidence, HasSubstr(evidence));
    }
    // A process that has ended.
    static ProcessIdentity gone() {
        const pid_t child = ::fork();
        if (child == 0) ::_exit(0);
        ::waitpid(child, nullptr, 0);
        return {child, 1};
    }
    std::filesystem::path folder_;
};

unsigned mode_of(const std::filesystem::path& path) {
    struct stat status{};
    EXPECT_EQ(0, ::stat(path.c_str(), &status)) << path;
    return status.st_mode & 0777U;
}

TEST_F(WorkerTest, ItsFilesAreItsOwnersOnly) {
    const Worker worker(data());
    EXPECT_EQ(0700U, mode_of(data()));
    EXPECT_EQ(0700U, mode_of(data() / "owners"));
    EXPECT_EQ(0600U, mode_of(file_of(worker.record())));
    EXPECT_GE(worker.owner_fd(), 0);
    const Worker second(data());
    EXPECT_NE(worker.record().incarnation, second.record().incarnation);
}

TEST_F(WorkerTest, LivesAsLongAsItHoldsItsFile) {
    WorkerRecord record;
    {
        const Worker worker(data());
        record = worker.record();
        expect(Liveness::alive, "holds its owner file", record);
    }
    EXPECT_FALSE(std::filesystem::exists(file_of(record)));
    expect(Liveness::unknown, "its owner file is gone but pid", record);
    record.process = gone();
    expect(Liveness::dead, "its owner file is gone and so is pid", record);
}

TEST_F(WorkerTest, AFileNobodyHoldsIsTheProofOfDeath) {
    WorkerRecord record;
    {
        const Worker worker(data());
        record = worker.record();
    }
    std::ofstream(file_of(record)).put('x');
    record.owner_file = identity_of(file_of(record)).value();
    expect(Liveness::dead, "has let go", record);
    record.process = gone();
    expect(Liveness::dead, "is gone", record);
}

TEST_F(WorkerTest, AnotherFileOfTheSameNameProvesNothing) {
    const Worker worker(data());
    WorkerRecord record = worker.record();
    ++record.owner_file.inode;
    expect(Liveness::unknown, "its owner file is gone but", record);
}

TEST_F(WorkerTest, ItsHostAndItsBootCount) {
    const Worker worker(data());
    WorkerRecord record = worker.record();
    const std::string machine = record.boot_id.substr(0, record.boot_id.find('/'));
    record.boot_id = machine + "/another boot";
    expect(Liveness::dead, "was booted since", record);
    record.boot_id = "another machine/another boot";
    expect(Liveness::unknown, "it runs on another host, " + record.host, record);
    record = worker.record();
    record.host = "elsewhere";
    expect(Liveness::unknown, "it runs on another host, elsewhere", record);
}

TEST_F(WorkerTest, AFileThatCannotBeOpenedProvesNothing) {
    const Worker worker(data());
    WorkerRecord record = worker.record();
    // A name that leads through a file: the same for root, whom permissions do not stop.
    record.incarnation += "/x";
    expect(Liveness::unknown, "cannot open its owner file", record);
}

TEST_F(WorkerTest, WithoutAFolderThereIsNoWorker) {
    try {
        const Worker worker(folder_ / "missing" / "data");
        FAIL() << "a worker without a folder";
    } catch (const IoError& error) {
        EXPECT_THAT(error.what(), HasSubstr("cannot create the folder"));
        EXPECT_THAT(error.what(), HasSubstr("No such file or directory"));
    }
}

}  // namespace
}  // namespace fermata
