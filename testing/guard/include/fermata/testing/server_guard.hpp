#pragma once
#include <sys/types.h>

#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fermata::testing {

/// A program that guards a server of the tests' own (testing/guard/guarded.py) as a child process; its end, or ours, is
/// the server's.
class ServerGuard {
public:
    /// Runs `program run arguments…`. Throws std::runtime_error with the program's own words, "missing …" where there
    /// is no such server on this machine.
    ServerGuard(std::string program, std::vector<std::string> arguments);
    ServerGuard(const ServerGuard&) = delete;
    ServerGuard& operator=(const ServerGuard&) = delete;
    ~ServerGuard();

    [[nodiscard]] const std::string& address() const noexcept { return address_; }
    /// One line of the program's protocol; returns when it is done, throws std::runtime_error when it failed.
    void obey(const std::string& command);

private:
    [[nodiscard]] std::string answer(std::string_view good);
    void end() noexcept;

    pid_t pid_ = -1;
    FILE* commands_ = nullptr;
    FILE* answers_ = nullptr;
    std::string program_;
    std::string address_;
};

/// The address that `PROGRAM start` left in a folder named by `variable` for the tests of our ctest run, our parent;
/// nothing without one. Throws as ServerGuard where it found no server.
[[nodiscard]] std::optional<std::string> address_of_ctest(const char* variable);

/// Why `use` found no server on this machine; nothing if it found one. What else goes wrong is thrown.
[[nodiscard]] std::optional<std::string> missing_server(const std::function<void()>& use);

}  // namespace fermata::testing
