#pragma once
// What a step and its commands wrote, read while it is written.
#include <fermata/base/file.hpp>

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "session.hpp"

namespace fermata::cli {

/// One file, read on from where it was left. It need not exist yet.
class LogFile {
public:
    using Take = std::function<void(std::string_view line)>;
    explicit LogFile(std::filesystem::path path) : path_(std::move(path)) {}

    /// Whole lines.
    void take_new(const Take& take);
    /// What is left behind the last line feed.
    void take_rest(const Take& take);
    /// Moves to the last `lines` lines.
    void skip_to_tail(std::int64_t lines);

private:
    std::filesystem::path path_;
    File file_;
    std::string pending_;
};

}  // namespace fermata::cli
