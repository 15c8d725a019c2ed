#pragma once
// logs/<execution>/<step>.log beside the repository; made when first written to. A log that cannot be written never
// fails a job.
#include <fermata/base/file.hpp>
#include <fermata/base/sync.hpp>
#include <fermata/batch/context.hpp>

#include <filesystem>

namespace fermata {

class FileStepLog final : public StepLog {
public:
    explicit FileStepLog(std::filesystem::path path) : path_(std::move(path)) {}
    void line(std::string_view text) override;
    [[nodiscard]] int fd() const noexcept override;

private:
    int opened() const;
    std::filesystem::path path_;
    mutable Sync<File> file_;
};

}  // namespace fermata
