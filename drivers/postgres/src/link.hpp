#pragma once
// One session of the server. Statements are queued in libpq's pipeline mode; sync() sends what is queued, and the
// answers come in the order of the questions: one round trip however many they are.
#include "outage.hpp"
#include "types.hpp"
#include "url.hpp"

#include <fermata/drivers/postgres.hpp>

#include <atomic>
#include <mutex>
#include <optional>
#include <span>
#include <string>

namespace fermata::postgres {

/// Whom interrupt() has to reach: the present session, from any thread.
class Canceller {
public:
    void aim_at(PGconn* connection);
    void cancel() noexcept;
    /// Whether cancel() was called since the last look.
    [[nodiscard]] bool take() noexcept { return cancelled_.exchange(false); }

private:
    std::mutex mutex_;
    Handle<PGcancel> target_;
    std::atomic<bool> cancelled_{false};
};

class Link {
public:
    /// Connects, sets the session up. Throws SqlError: unreachable; read_only, if it is to write and the server is a
    /// standby.
    Link(const Url& url, const Settings& settings, bool read_only);
    /// The same with another database of the server than the URL says.
    Link(const Url& url, const Settings& settings, const char* database);

    // Queued. All throw SqlError(lost) when the session is gone.
    void prepare(const char* name, const char* sql, std::span<const Oid> types = {});
    void describe(const char* name);
    void describe_portal(const char* name);
    void execute(const char* name, const Parameters& parameters, bool binary);
    /// Not prepared; parameters as text.
    void run(const char* sql, const Parameters& parameters, bool binary = false);
    void run(const char* sql) { run(sql, no_parameters()); }

    void sync();
    /// The answer to the next thing queued: also a failure of the statement, and PGRES_PIPELINE_ABORTED for what stood
    /// behind it. After one that is_copy() the session is of no more use.
    [[nodiscard]] Handle<PGresult> answer();
    /// After the last answer. Answers a failure of the commit of what was not in a transaction of its own.
    Handle<PGresult> finish();

    /// Many statements by the simple protocol, outside of any queue; the last one's result. is_copy() as with answer().
    [[nodiscard]] Handle<PGresult> script(const char* sql);
    // COPY … FROM STDIN by the simple protocol. What was queued must be finished. On failure the result says so.
    [[nodiscard]] Handle<PGresult> begin_copy(const char* sql);
    void put_copy(std::string_view data);
    /// With `failure` the server refuses what was put.
    [[nodiscard]] Handle<PGresult> end_copy(const char* failure = nullptr);

    /// The server's name of this session; empty if it only reads.
    [[nodiscard]] const std::string& session() const noexcept { return session_; }
    /// Of a standby nothing.
    [[nodiscard]] const std::optional<History>& history() const noexcept { return history_; }
    /// Ends another session of the same role, if it is still there. Throws SqlError(unreachable) while it does not end.
    void end_session(std::string_view session);

    /// Something was said on a channel this session listens on: true, and `words` has what; `wake` can be read, or
    /// `bound` has passed: false.
    [[nodiscard]] bool wait_for_notice(std::chrono::milliseconds bound, int wake, std::vector<std::string>& words);

    /// Without a round trip: whether the server has closed the session. Not asked right after an answer.
    [[nodiscard]] bool closed() noexcept;
    [[nodiscard]] PGconn* get() const noexcept { return connection_.get(); }
    [[nodiscard]] std::int64_t round_trips() const noexcept { return round_trips_; }
    /// Throws SqlError(lost) in libpq's words, or the server's in `result`.
    [[noreturn]] void throw_lost(const PGresult* result = nullptr) const;

private:
    static const Parameters& no_parameters();
    void open(const char* database);
    void set_up(bool read_only);
    [[nodiscard]] std::string session_settings(bool read_only) const;
    void queued(int sent) const;
    void check_alive(const PGresult* result) const;
    [[nodiscard]] Handle<PGresult> simple_result();
    void leave_pipeline();
    void enter_pipeline();

    const Url& url_;
    const Settings& settings_;
    Handle<PGconn> connection_;
    std::string session_;
    std::optional<History> history_;
    std::int64_t round_trips_ = 0;
    std::chrono::steady_clock::time_point answered_;  ///< the last round trip
};

/// The server wants rows or sends them, outside of the protocol of statements.
[[nodiscard]] bool is_copy(const PGresult* result) noexcept;
/// The server can be asked, and says that it has no database of that name.
[[nodiscard]] bool lacks_database(const Url& url, const Settings& settings);

}  // namespace fermata::postgres
