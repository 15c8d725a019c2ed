#pragma once
// The few lines of libpq every PostgreSQL baseline needs; errors end the program.
#include <bit>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <poll.h>

namespace baseline {

constexpr int int8_oid = 20;
constexpr int text_oid = 25;
constexpr int float8_oid = 701;

inline void append_number(std::string& to, std::uint32_t number) {
    number = htonl(number);
    to.append(reinterpret_cast<const char*>(&number), sizeof number);
}
inline void append_number(std::string& to, std::uint64_t number) {
    append_number(to, static_cast<std::uint32_t>(number >> 32U));
    append_number(to, static_cast<std::uint32_t>(number));
}

/// A value as PostgreSQL's binary formats have it: its length, itself. The same in an array and in COPY.
inline void append_int8(std::string& to, std::int64_t value) {
    append_number(to, std::uint32_t{8});
    append_number(to, static_cast<std::uint64_t>(value));
}
inline void append_float8(std::string& to, double value) {
    append_number(to, std::uint32_t{8});
    append_number(to, std::bit_cast<std::uint64_t>(value));
}
inline void append_text(std::string& to, std::string_view value) {
    append_number(to, static_cast<std::uint32_t>(value.size()));
    to += value;
}

/// A parameter in binary format.
struct Parameter {
    std::string_view bytes;
};

class Server {
public:
    explicit Server(const char* url) : connection_(PQconnectdb(url)) {
        if (PQstatus(connection_) != CONNECTION_OK) fail();
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server() { PQfinish(connection_); }

    void run(const char* sql) {
        PGresult* result = PQexec(connection_, sql);
        check(result);
    }
    void prepare(const char* name, const char* sql) {
        PGresult* result = PQprepare(connection_, name, sql, 0, nullptr);
        check(result);
    }
    /// The first column of what a prepared statement answers, in a transaction of its own.
    std::vector<std::string> ask(const char* name, std::initializer_list<const char*> parameters = {}) {
        const std::vector<const char*> values(parameters);
        PGresult* result =
            PQexecPrepared(connection_, name, static_cast<int>(values.size()), values.data(), nullptr, nullptr, 0);
        std::vector<std::string> answers;
        for (int row = 0; row < PQntuples(result); ++row) answers.emplace_back(PQgetvalue(result, row, 0));
        check(result);
        return answers;
    }
    /// Returns when somebody notified a channel this one listens on.
    void await_notice() {
        for (;;) {
            if (PGnotify* notice = PQnotifies(connection_)) return PQfreemem(notice);
            pollfd readable{PQsocket(connection_), POLLIN, 0};
            if (poll(&readable, 1, -1) < 0 || PQconsumeInput(connection_) != 1) fail();
        }
    }
    void enter_pipeline() {
        if (PQenterPipelineMode(connection_) != 1) fail();
    }
    void send(const char* name, std::initializer_list<Parameter> parameters) {
        const char* values[16] = {};
        int lengths[16] = {};
        int formats[16] = {};
        int count = 0;
        for (const Parameter& parameter : parameters) {
            values[count] = parameter.bytes.data();
            lengths[count] = static_cast<int>(parameter.bytes.size());
            formats[count++] = 1;
        }
        if (PQsendQueryPrepared(connection_, name, count, values, lengths, formats, 1) != 1) fail();
    }
    /// The end of one implicit transaction: durable when it returns. `sent` statements precede it.
    void commit_pipeline(int sent) {
        if (PQpipelineSync(connection_) != 1) fail();
        for (int i = 0; i < sent; ++i) {
            check(PQgetResult(connection_));
            if (PQgetResult(connection_) != nullptr) fail();
        }
        check(PQgetResult(connection_));
    }
    /// `sql` holds one COPY … FROM STDIN, which gets `data`, and whatever stands around it, in one transaction.
    void copy(const std::string& sql, std::string_view data) {
        if (PQsendQuery(connection_, sql.c_str()) != 1) fail();
        for (PGresult* result = nullptr; (result = PQgetResult(connection_)) != nullptr;) {
            if (PQresultStatus(result) == PGRES_COPY_IN) {
                if (PQputCopyData(connection_, data.data(), static_cast<int>(data.size())) != 1) fail();
                if (PQputCopyEnd(connection_, nullptr) != 1) fail();
            }
            check(result);
        }
    }

private:
    void check(PGresult* result) {
        const ExecStatusType status = PQresultStatus(result);
        const bool good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN ||
                          status == PGRES_PIPELINE_SYNC;
        PQclear(result);
        if (!good) fail();
    }
    [[noreturn]] void fail() {
        std::fprintf(stderr, "postgres: %s\n", PQerrorMessage(connection_));
        std::exit(1);
    }

    PGconn* connection_;
};

/// What every benchmark program prints: how many, and in how many seconds.
inline void report(long long count, std::chrono::steady_clock::time_point begin) {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    std::printf("%lld %.6f\n", count, seconds.count());
}

}  // namespace baseline
