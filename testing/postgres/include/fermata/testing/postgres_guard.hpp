#pragma once
#include <sys/types.h>

#include <cstdio>
#include <string>
#include <vector>

namespace fermata::testing {

/// `testing/postgres/cluster run` as a child process; its end, or ours, is the cluster's.
class PostgresGuard {
public:
    /// Throws std::runtime_error with the program's own words.
    explicit PostgresGuard(std::vector<std::string> arguments);
    PostgresGuard(const PostgresGuard&) = delete;
    PostgresGuard& operator=(const PostgresGuard&) = delete;
    ~PostgresGuard();

    [[nodiscard]] const std::string& folder() const noexcept { return folder_; }
    /// One line of the program's protocol; returns when it is done, throws std::runtime_error when it failed.
    void obey(const std::string& command);

private:
    [[nodiscard]] std::string answer(const char* good);
    void end() noexcept;

    pid_t pid_ = -1;
    FILE* commands_ = nullptr;
    FILE* answers_ = nullptr;
    std::string folder_;
};

}  // namespace fermata::testing
