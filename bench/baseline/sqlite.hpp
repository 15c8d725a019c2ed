#pragma once
// The few lines of SQLite every baseline needs; errors end the program.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <sqlite3.h>

namespace baseline {

class Database {
public:
    explicit Database(const char* path) {
        check(sqlite3_open_v2(path, &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr));
        run("PRAGMA journal_mode=WAL");
        run("PRAGMA synchronous=FULL");
    }
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    ~Database() { sqlite3_close(db_); }

    void run(const char* sql) { check(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr)); }
    sqlite3_stmt* prepare(std::string_view sql) {
        sqlite3_stmt* statement = nullptr;
        check(sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement,
                                 nullptr));
        return statement;
    }
    void step(sqlite3_stmt* statement) {
        if (sqlite3_step(statement) != SQLITE_DONE) check(sqlite3_errcode(db_));
        sqlite3_reset(statement);
    }
    void check(int code) {
        if (code == SQLITE_OK) return;
        std::fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(db_));
        std::exit(1);
    }

private:
    sqlite3* db_ = nullptr;
};

/// What every benchmark program prints: how many, and in how many seconds.
inline void report(long long count, std::chrono::steady_clock::time_point begin) {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    std::printf("%lld %.6f\n", count, seconds.count());
}

}  // namespace baseline
