#pragma once
#include <fermata/drivers/sqlite.hpp>
#include <fermata/testing/temp_folder.hpp>
#include <fermata/testing/thrown_by.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fermata::sqlite {

using sql::OpenMode;
using sql::SqlError;
using testing::thrown_by;

inline std::unique_ptr<sql::Database> open_database(const std::string& url, Settings settings = {}) {
    sql::Drivers drivers;
    add_sqlite_driver(drivers, std::move(settings));
    return drivers.open(url);
}

class SqliteTest : public ::testing::Test {
protected:
    [[nodiscard]] std::string path(const std::string& name = "test.db") const { return folder_ / name; }
    std::unique_ptr<sql::Connection> connect(OpenMode mode = OpenMode::create, Settings settings = {}) {
        return open_database(path(), std::move(settings))->connect(mode);
    }
    /// number(n), one row: 0
    void create_number() {
        connect()->execute_script("CREATE TABLE number (n INTEGER); INSERT INTO number VALUES (0);");
    }
    static std::int64_t number(sql::Connection& connection) {
        return connection.execute("SELECT n FROM number")[0][0].integer();
    }
    [[nodiscard]] std::vector<std::string> files() const {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
            names.push_back(entry.path().filename());
        return names;
    }

    testing::TempFolder folder_;
};

/// A program without Fermata, by SQLite's own API.
class ForeignProgram {
public:
    explicit ForeignProgram(const std::string& path) { sqlite3_open(path.c_str(), &db_); }
    ForeignProgram(const ForeignProgram&) = delete;
    ForeignProgram& operator=(const ForeignProgram&) = delete;
    ~ForeignProgram() { sqlite3_close(db_); }
    void run(const char* sql) {
        if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) throw std::logic_error(sqlite3_errmsg(db_));
    }

private:
    sqlite3* db_ = nullptr;
};

/// A child process that runs `work` and then exits, without exit handlers; 0, or 1 if it threw. Killed when it goes out
/// of scope.
class Child {
public:
    explicit Child(const std::function<void()>& work) : pid_(::fork()) {
        if (pid_ != 0) return;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // not to outlive a killed test
        try {
            work();
            ::_exit(0);
        } catch (...) {
            ::_exit(1);
        }
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() { kill(); }
    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    void kill() {
        if (pid_ > 0) ::kill(pid_, SIGKILL), wait();
    }
    int wait() {
        int status = 0;
        ::waitpid(std::exchange(pid_, -1), &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

private:
    pid_t pid_;
};

/// One event from one process to another.
class Signal {
public:
    Signal() {
        if (::pipe(ends_) != 0) throw std::logic_error("pipe");
    }
    Signal(const Signal&) = delete;
    Signal& operator=(const Signal&) = delete;
    ~Signal() { ::close(ends_[0]), ::close(ends_[1]); }
    void give() const {
        if (::write(ends_[1], "!", 1) != 1) throw std::logic_error("write");
    }
    void await() const {
        char byte = 0;
        if (::read(ends_[0], &byte, 1) != 1) throw std::logic_error("read");
    }

private:
    int ends_[2] = {-1, -1};
};

/// Answers what `work` throws (or "" if nothing) when it runs in a process without root's rights.
inline std::string message_as_nobody(const std::function<void()>& work) {
    constexpr uid_t nobody = 65534;
    int ends[2];
    if (::pipe(ends) != 0) throw std::logic_error("pipe");
    Child child([&] {
        if (::getuid() == 0 && (::setgroups(0, nullptr) != 0 || ::setgid(nobody) != 0 || ::setuid(nobody) != 0))
            throw std::logic_error("setuid");
        std::string message;
        try {
            work();
        } catch (const SqlError& error) {
            message = std::to_string(static_cast<int>(error.sql_kind())) + " " + error.what();
        } catch (const Error& error) {
            message = std::string(error.kind() == ErrorKind::forbidden ? "forbidden " : "? ") + error.what();
        }
        if (::write(ends[1], message.data(), message.size()) < 0) throw std::logic_error("write");
    });
    ::close(ends[1]);
    std::string message;
    char buffer[1024];
    for (ssize_t n = 0; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;)
        message.append(buffer, static_cast<std::size_t>(n));
    ::close(ends[0]);
    if (child.wait() != 0) throw std::logic_error("the child failed");
    return message;
}

}  // namespace fermata::sqlite
