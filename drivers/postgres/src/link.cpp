#include "link.hpp"

#include "dialect.hpp"
#include "errors.hpp"
#include "password_file.hpp"

#include <fermata/base/id.hpp>
#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <poll.h>

#include <array>
#include <thread>
#include <vector>

namespace fermata::postgres {

using sql::SqlError;

void Canceller::aim_at(PGconn* connection) {
    Handle<PGcancel> target(PQgetCancel(connection));
    const std::lock_guard lock(mutex_);
    target_ = std::move(target);
}

void Canceller::cancel() noexcept {
    cancelled_ = true;
    const std::lock_guard lock(mutex_);
    std::array<char, 256> words{};
    // Best effort: a server that cannot be reached runs nothing of ours either.
    if (target_) PQcancel(target_.get(), words.data(), static_cast<int>(words.size()));
}

namespace {

/// What the URL and the environment leave open.
class Keywords {
public:
    explicit Keywords(const Url& url) : url_(url) { add("dbname", url.text()); }
    void add(const char* keyword, std::string value) {
        names_.push_back(keyword);
        values_.push_back(std::move(value));
    }
    void add_default(const char* keyword, std::string value) {
        if (!url_.says(keyword)) add(keyword, std::move(value));
    }
    [[nodiscard]] Handle<PGconn> connect() const {
        std::vector<const char*> names(names_);
        std::vector<const char*> values;
        for (const std::string& value : values_) values.push_back(value.c_str());
        names.push_back(nullptr);
        values.push_back(nullptr);
        return Handle<PGconn>(PQconnectdbParams(names.data(), values.data(), 1));
    }

private:
    const Url& url_;
    std::vector<const char*> names_;
    std::vector<std::string> values_;
};

/// Of all sessions of this process: whoever has proof of its death can end them together.
const std::string& process_name() {
    static const std::string name = "fermata " + new_uuid();
    return name;
}

void ignore_notice(void* /*nothing*/, const PGresult* /*notice*/) {}

}  // namespace

bool is_copy(const PGresult* result) noexcept {
    const ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

Link::Link(const Url& url, const Settings& settings, bool read_only) : url_(url), settings_(settings) {
    open(nullptr);
    set_up(read_only);
    enter_pipeline();
}

Link::Link(const Url& url, const Settings& settings, const char* database) : url_(url), settings_(settings) {
    open(database);
    enter_pipeline();
}

void Link::open(const char* database) {
    Keywords keywords(url_);
    if (database != nullptr) keywords.add("dbname", database);
    keywords.add("fallback_application_name", process_name());
    keywords.add("client_encoding", "UTF8");
    keywords.add_default("connect_timeout", std::to_string(settings_.connect_timeout.count()));
    keywords.add_default("tcp_user_timeout", std::to_string(settings_.unacknowledged.count()));
    keywords.add_default("keepalives_idle", "10");
    keywords.add_default("keepalives_interval", "5");
    keywords.add_default("keepalives_count", "3");
    if (const std::string file = password_file_for(url_); !file.empty()) keywords.add("passfile", file);
    connection_ = keywords.connect();
    if (PQstatus(connection_.get()) != CONNECTION_OK) {
        const std::string words = url_.safe(PQerrorMessage(connection_.get()));
        throw SqlError(SqlError::Kind::unreachable, fmt::format("{}: {}", url_.display_name(), words),
                       std::string(remedy_of_connecting(words)));
    }
    PQsetNoticeReceiver(connection_.get(), ignore_notice, nullptr);
    if (PQserverVersion(connection_.get()) < settings_.oldest_version)
        throw SqlError(SqlError::Kind::unreachable,
                       fmt::format("{}: PostgreSQL {} is too old", url_.display_name(),
                                   PQparameterStatus(connection_.get(), "server_version")),
                       fmt::format("use version {} or newer", settings_.oldest_version / 10'000));
}

/// Written so that the last statement answers. remote_apply is more than on, all others are less.
std::string Link::session_settings(bool read_only) const {
    std::string sql = "SET datestyle = ISO; SET default_transaction_isolation = 'read committed';";
    const std::string options = url_.options();
    const auto set = [&](const char* name, std::chrono::milliseconds value) {
        if (options.find(name) == std::string::npos) sql += fmt::format("SET {} = {};", name, value.count());
    };
    set("lock_timeout", settings_.lock_timeout);
    set("idle_in_transaction_session_timeout", settings_.idle_in_transaction);
    set("statement_timeout", settings_.statement_timeout);
    if (PQserverVersion(connection_.get()) >= 140'000)
        set("client_connection_check_interval", settings_.connection_check);
    if (read_only) sql += "SET default_transaction_read_only = on;";
    return sql +
           "SELECT set_config('synchronous_commit', 'on', false) "
           "WHERE current_setting('synchronous_commit') <> 'remote_apply';"
           "SELECT pg_is_in_recovery(), CASE WHEN NOT pg_is_in_recovery() THEN "
           "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END, CASE WHEN NOT pg_is_in_recovery() THEN "
           "pg_current_wal_flush_lsn() - '0/0'::pg_lsn END, " +
           std::string(read_only ? "''" : dialect().session);
}

void Link::set_up(bool read_only) {
    const Handle<PGresult> result(PQexec(connection_.get(), session_settings(read_only).c_str()));
    ++round_trips_;
    check_alive(result.get());
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) throw_error(result.get(), {url_.display_name()});
    if (!read_only && PQgetvalue(result.get(), 0, 0)[0] == 't')
        throw SqlError(SqlError::Kind::read_only, url_.display_name() + ": the server is a standby: it only reads",
                       "connect to the primary, for instance by target_session_attrs=read-write in the URL");
    if (PQgetisnull(result.get(), 0, 1) == 0)
        history_ = {.timeline = PQgetvalue(result.get(), 0, 1),
                    .flushed = parse_int64(PQgetvalue(result.get(), 0, 2)).value_or(0)};
    session_ = PQgetvalue(result.get(), 0, 3);
}

const Parameters& Link::no_parameters() {
    static const Parameters none({}, {});
    return none;
}

void Link::throw_lost(const PGresult* result) const {
    const std::string_view words =
        result != nullptr ? message(result) : std::string_view(PQerrorMessage(connection_.get()));
    throw lost(url_.display_name(), url_.safe(words));
}

void Link::check_alive(const PGresult* result) const {
    if (result == nullptr) throw_lost();
    if (PQstatus(connection_.get()) == CONNECTION_BAD || ends_session(sqlstate(result))) throw_lost(result);
}

void Link::queued(int sent) const {
    if (sent != 1) throw_lost();
}

void Link::prepare(const char* name, const char* sql, std::span<const Oid> types) {
    queued(PQsendPrepare(connection_.get(), name, sql, static_cast<int>(types.size()), types.data()));
}

void Link::describe(const char* name) { queued(PQsendDescribePrepared(connection_.get(), name)); }

void Link::describe_portal(const char* name) { queued(PQsendDescribePortal(connection_.get(), name)); }

void Link::execute(const char* name, const Parameters& parameters, bool binary) {
    queued(PQsendQueryPrepared(connection_.get(), name, parameters.count(), parameters.values(), parameters.lengths(),
                               parameters.formats(), binary ? 1 : 0));
}

void Link::run(const char* sql, const Parameters& parameters, bool binary) {
    queued(PQsendQueryParams(connection_.get(), sql, parameters.count(), nullptr, parameters.values(),
                             parameters.lengths(), parameters.formats(), binary ? 1 : 0));
}

void Link::sync() {
    queued(PQpipelineSync(connection_.get()));
    ++round_trips_;
}

Handle<PGresult> Link::answer() {
    Handle<PGresult> result(PQgetResult(connection_.get()));
    check_alive(result.get());
    if (is_copy(result.get())) return result;
    // Each answer ends with a null.
    while (const Handle<PGresult> more{PQgetResult(connection_.get())}) check_alive(more.get());
    return result;
}

Handle<PGresult> Link::finish() {
    Handle<PGresult> failure;
    Handle<PGresult> result(PQgetResult(connection_.get()));
    check_alive(result.get());
    if (PQresultStatus(result.get()) != PGRES_PIPELINE_SYNC) {
        failure = std::move(result);
        do result.reset(PQgetResult(connection_.get()));
        while (!result && PQstatus(connection_.get()) == CONNECTION_OK);
        check_alive(result.get());
    }
    answered_ = std::chrono::steady_clock::now();
    return failure;
}

void Link::end_session(std::string_view session) {
    // The beginning of a session tells it from a later one with the same pid.
    static const std::string sql = fmt::format(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = session_user AND "
        "pid <> pg_backend_pid() AND {} = $1",
        session_name);
    constexpr int tries = 200;
    const Value parameter = session;
    const Oid text = type::text;
    for (int i = 0; i < tries; ++i) {
        run(sql.c_str(), Parameters({&parameter, 1}, {&text, 1}));
        sync();
        const Handle<PGresult> found = answer();
        finish();
        if (PQresultStatus(found.get()) != PGRES_TUPLES_OK) throw_error(found.get(), {url_.display_name()});
        if (PQntuples(found.get()) == 0) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));  // it may be writing its last commit
    }
    throw SqlError(SqlError::Kind::unreachable,
                   fmt::format("{}: the session that was lost ({}) does not end", url_.display_name(), session),
                   "have an administrator look what its server process waits for");
}

void Link::leave_pipeline() {
    if (PQexitPipelineMode(connection_.get()) != 1) throw_lost();
}

void Link::enter_pipeline() {
    if (PQenterPipelineMode(connection_.get()) != 1) throw_lost();
}

Handle<PGresult> Link::script(const char* sql) {
    leave_pipeline();
    ++round_trips_;
    Handle<PGresult> result(PQexec(connection_.get(), sql));
    check_alive(result.get());
    if (!is_copy(result.get())) enter_pipeline();
    return result;
}

/// The last result of what the simple protocol has sent, or the first failure.
Handle<PGresult> Link::simple_result() {
    ++round_trips_;
    Handle<PGresult> last;
    while (Handle<PGresult> result{PQgetResult(connection_.get())}) {
        check_alive(result.get());
        const bool failed = last && PQresultStatus(last.get()) == PGRES_FATAL_ERROR;
        if (!failed) last = std::move(result);
        if (PQresultStatus(last.get()) == PGRES_COPY_IN) return last;
    }
    check_alive(last.get());
    return last;
}

Handle<PGresult> Link::begin_copy(const char* sql) {
    leave_pipeline();
    queued(PQsendQuery(connection_.get(), sql));
    Handle<PGresult> result = simple_result();
    if (PQresultStatus(result.get()) != PGRES_COPY_IN) enter_pipeline();
    return result;
}

void Link::put_copy(std::string_view data) {
    queued(PQputCopyData(connection_.get(), data.data(), static_cast<int>(data.size())));
}

Handle<PGresult> Link::end_copy(const char* failure) {
    queued(PQputCopyEnd(connection_.get(), failure));
    Handle<PGresult> result = simple_result();
    enter_pipeline();
    return result;
}

bool Link::wait_for_notice(std::chrono::milliseconds bound, int wake, std::vector<std::string>& words) {
    const auto end = std::chrono::steady_clock::now() + bound;
    for (;;) {
        while (const Handle<PGnotify> notice{PQnotifies(connection_.get())}) words.emplace_back(notice->extra);
        if (!words.empty()) return true;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        std::array<pollfd, 2> waiting{{{PQsocket(connection_.get()), POLLIN, 0}, {wake, POLLIN, 0}}};
        if (left.count() <= 0 || ::poll(waiting.data(), waiting.size(), static_cast<int>(left.count())) <= 0)
            return false;
        if (waiting[0].revents != 0 && PQconsumeInput(connection_.get()) != 1) throw_lost();
        if (waiting[0].revents == 0) return false;
    }
}

bool lacks_database(const Url& url, const Settings& settings) {
    try {
        Link link(url, settings, "postgres");
        const std::string name = url.database();
        const Value parameter = std::string_view(name);
        const Oid text = type::text;
        link.run("SELECT 1 FROM pg_database WHERE datname = $1", Parameters({&parameter, 1}, {&text, 1}));
        link.sync();
        const Handle<PGresult> found = link.answer();
        return PQresultStatus(found.get()) == PGRES_TUPLES_OK && PQntuples(found.get()) == 0;
    } catch (const SqlError&) {
        return false;
    }
}

bool Link::closed() noexcept {
    constexpr std::chrono::milliseconds just_now(1);  // then what is sent next will tell
    if (std::chrono::steady_clock::now() - answered_ < just_now) return false;
    pollfd waiting{PQsocket(connection_.get()), POLLIN | POLLRDHUP, 0};
    if (PQstatus(connection_.get()) == CONNECTION_BAD) return true;
    if (::poll(&waiting, 1, 0) <= 0) return false;
    // The server's last words, or a notice.
    return PQconsumeInput(connection_.get()) != 1 || PQstatus(connection_.get()) == CONNECTION_BAD ||
           (waiting.revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0;
}

}  // namespace fermata::postgres
