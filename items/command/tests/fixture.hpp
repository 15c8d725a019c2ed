#pragma once
// A step around a stock artifact: contexts, a log in a file, properties written as in job XML.
#include <fermata/base/error.hpp>
#include <fermata/base/file.hpp>
#include <fermata/batch/registry.hpp>
#include <fermata/items/command.hpp>
#include <fermata/items/testing/rig.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace fermata {

using items::properties;

class FileLog final : public StepLog {
public:
    explicit FileLog(const std::filesystem::path& path)
        : path_(path), file_(File::open(path, O_WRONLY | O_CREAT | O_APPEND)) {}
    void line(std::string_view text) override { write_all(fd(), std::string(text) + "\n", path_); }
    [[nodiscard]] int fd() const noexcept override { return file_.fd(); }
    [[nodiscard]] std::string text() const { return read_file(path_); }

private:
    std::filesystem::path path_;
    File file_;
};

class StepFixture : public ::testing::Test {
protected:
    using Pairs = std::vector<std::pair<std::string, std::string>>;

    StepFixture() {
        add_command_artifacts(registry);
        job.job_name = "imports";
        job.instance_id = JobInstanceId(7);
        job.execution_id = JobExecutionId(8);
        job.repository_url = "sqlite:/var/fermata.db";
        job.working_directory = folder;
        step.step_name = "load";
        step.step_execution_id = StepExecutionId(9);
        step.job = &job;
        step.log = &log;
        step.stop = &stop;
    }
    /// What `action` throws, as "message" or "message; remedy".
    template <class E = Error, class Action>
    static std::string refusal(Action action) {
        try {
            action();
        } catch (const E& error) {
            return error.remedy().empty() ? error.what() : std::string(error.what()) + "; " + error.remedy();
        }
        return "accepted";
    }

    items::TemporaryFolder home;
    std::filesystem::path folder = home.path();
    Registry registry;
    FileLog log{folder / "step.log"};
    StopSignal stop;
    JobContext job;
    StepContext step;
};

}  // namespace fermata
