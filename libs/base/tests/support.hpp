#pragma once
// What the tests about files and processes share: a folder that goes away, and work done in a forked child.
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <utility>

namespace fermata {

class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string name = std::filesystem::temp_directory_path() / "fermata-XXXXXX";
        path_ = ::mkdtemp(name.data());
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() { std::filesystem::remove_all(path_); }
    std::filesystem::path operator/(const char* name) const { return path_ / name; }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// A child that runs `body` (which returns its exit code) and nothing after it; 99 if it threw.
template <class Body>
pid_t fork_child(Body body) {
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    try {
        ::_exit(body());
    } catch (const std::exception&) {
        ::_exit(99);
    }
}

inline int wait_status(pid_t pid) {
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    return status;
}

inline int exit_code(pid_t pid) {
    const int status = wait_status(pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class Pipe {
public:
    Pipe() { EXPECT_EQ(::pipe(ends_), 0); }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    ~Pipe() {
        close_reading();
        close_writing();
    }
    void close_reading() { close(ends_[0]); }
    void close_writing() { close(ends_[1]); }
    int reading() const { return ends_[0]; }
    int writing() const { return ends_[1]; }
    void send() const { EXPECT_EQ(::write(ends_[1], "x", 1), 1); }
    /// Waits for one send(), or for the end: false.
    bool receive() const {
        char byte = 0;
        return ::read(ends_[0], &byte, 1) == 1;
    }

private:
    static void close(int& end) {
        if (end >= 0) ::close(std::exchange(end, -1));
    }
    int ends_[2] = {-1, -1};
};

/// The message of what `call` throws as E; empty if it throws nothing.
template <class E, class Call>
std::string message_of(Call call) {
    try {
        call();
    } catch (const E& error) {
        return error.what();
    }
    return {};
}

}  // namespace fermata
