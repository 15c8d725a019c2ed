#include "connection.hpp"

#include "bulk.hpp"
#include "catalog.hpp"
#include "cursor.hpp"
#include "errors.hpp"

#include <fermata/base/idle_work.hpp>
#include <fermata/base/text.hpp>
#include <fermata/sql/standard_sql.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace fermata::postgres {

using sql::OpenMode;
using sql::SqlError;

namespace {

// Texts made at run time (filters) must not pile up.
constexpr std::size_t statement_limit = 256;
// What the protocol can carry.
constexpr std::size_t parameter_limit = 65'535;

std::int64_t changed_rows(const PGresult* result) {
    // "INSERT 0 3", "SELECT 3"
    if (std::string_view(PQcmdStatus(const_cast<PGresult*>(result))).starts_with("SELECT")) return 0;
    return parse_int64(PQcmdTuples(const_cast<PGresult*>(result))).value_or(0);
}

bool is_failure(const PGresult* result) noexcept {
    const ExecStatusType status = PQresultStatus(result);
    return status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY;
}

/// Where in a script the server stumbled: from that place to the end of its line.
std::string_view failing_line(std::string_view script, const PGresult* result) {
    const char* position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    const auto characters = position != nullptr ? parse_int64(position).value_or(1) : 1;
    std::size_t at = 0;
    for (std::int64_t i = 1; i < characters && at < script.size(); ++i) {
        do ++at;
        while (at < script.size() && (static_cast<unsigned char>(script[at]) & 0xc0) == 0x80);
    }
    script.remove_prefix(at);
    return script.substr(0, script.find('\n'));
}

}  // namespace

Connection::Connection(const Url& url, OpenMode mode, const Settings& settings, std::shared_ptr<Outage> outage,
                       bool patient)
    : url_(url), settings_(settings), read_only_(mode == OpenMode::read_only), outage_(std::move(outage)) {
    if (patient)
        wait_for_server();
    else
        link_ = new_session();
    canceller_.aim_at(link_->get());
}

// Closing the session rolls back.
Connection::~Connection() = default;

std::int64_t Connection::round_trip_count() const noexcept {
    return round_trips_before_ + (link_ ? link_->round_trips() : 0);
}

// --- the session ---------------------------------------------------------------------------------------------------

Link& Connection::link() const {
    if (!link_) throw lost(name(), "the session of this transaction is gone");
    return *link_;
}

void Connection::revive() {
    wait_for_disk();
    const bool free = !begun_ && readers_ == 0 && !owes();
    if (free && (!link_ || link_->closed())) reconnect();
}

void Connection::reconnect() {
    lose_session();
    (void)canceller_.take();
    wait_for_server();
    canceller_.aim_at(link_->get());
}

/// A server that starts again is waited for.
void Connection::wait_for_server() {
    std::chrono::milliseconds pause(20);
    while (!link_) {
        try {
            link_ = new_session();
        } catch (const SqlError& error) {
            // Who was here before may be becoming the primary; a newcomer has the wrong address.
            if (error.sql_kind() == SqlError::Kind::read_only && former_.empty()) throw;
            if (!outage_->goes_on() || canceller_.take()) throw out_of_reach(error, outage_->bound());
        }
        if (!link_) std::this_thread::sleep_for(pause);
        pause = std::min(pause * 2, std::chrono::milliseconds(1'000));
    }
    outage_->ended();
}

/// What the session before had sent may still be on its way, and what it had locked is locked: it ends first. From then
/// on the server knows what became of its commit.
std::unique_ptr<Link> Connection::new_session() const {
    const std::optional<History> before = outage_->known();
    auto link = std::make_unique<Link>(url_, settings_, read_only_);
    if (link->history()) outage_->require_same(*link->history(), before, name());
    if (!former_.empty()) link->end_session(former_);
    return link;
}

void Connection::lose_session() noexcept {
    if (link_) {
        round_trips_before_ += link_->round_trips();
        former_ = link_->session();
    }
    link_.reset();
    statements_.clear();
    questions_.clear();
    readers_ = 0;
    ++era_;
    doomed_ = in_transaction_ && (begun_ || held_ != nullptr);
    held_.reset();
}

void Connection::refuse_write_if_read_only() const {
    if (read_only_)
        throw SqlError(SqlError::Kind::read_only, name() + ": was opened for reading only", "open it for writing");
}

void Connection::refuse_while_reading() const {
    if (readers_ > 0)
        throw SqlError(SqlError::Kind::other, name() + ": a query is still being read on this connection",
                       "read it to its end, or write on another connection");
}

// --- statements ----------------------------------------------------------------------------------------------------

Connection::Planned Connection::plan(const sql::Command& command) const {
    if (command.rows) {
        if (const Prepared* fenced = statements_.find({command.sql, true})) return {&command, Way::fenced, fenced};
    }
    const Prepared* known = statements_.find({command.sql, false});
    const SqlText::Verb verb = known != nullptr ? known->verb : SqlText(command.sql).verb;
    if (verb == SqlText::Verb::other) return {&command, Way::direct, nullptr};
    if (!command.rows) return {&command, Way::prepared, known};
    if (verb == SqlText::Verb::with) return {&command, Way::counted, known};
    return {&command, Way::fenced, nullptr};
}

/// As many of `commands` as can go out together, taken from its beginning.
std::vector<Connection::Planned> Connection::next_round(std::span<const sql::Command>& commands) const {
    std::vector<Planned> round;
    round.reserve(commands.size());
    while (!commands.empty() && (round.empty() || !round.back().ends_round())) {
        round.push_back(plan(commands.front()));
        commands = commands.subspan(1);
    }
    return round;
}

void Connection::prepare(std::span<Planned> round) {
    const auto is_ready = [](const Planned& p) { return p.way == Way::direct || p.prepared != nullptr; };
    if (std::ranges::all_of(round, is_ready)) return;
    std::vector<Statements::Wanted> wanted;
    for (const Planned& p : round) {
        if (p.way != Way::direct) wanted.push_back({p.command->sql, p.way == Way::fenced});
    }
    prepare(wanted);
    // Making room may have forgotten what was known before.
    for (Planned& p : round) {
        if (p.way != Way::direct) p.prepared = statements_.find({p.command->sql, p.way == Way::fenced});
    }
}

void Connection::prepare(std::span<const Statements::Wanted> wanted) {
    const auto is_new = [&](const auto& w) { return statements_.find(w) == nullptr; };
    if (std::ranges::none_of(wanted, is_new)) return;
    settle();
    Link& session = link();
    make_room(wanted.size() + 3);
    std::vector<Prepared*> added;
    const auto add = [&](const Statements::Wanted& w) {
        if (is_new(w)) added.push_back(&statements_.add(w, session));
    };
    // These come with the first others.
    add({begin_sql});
    add({commit_sql});
    if (!read_only_) add({flush_sql});
    std::ranges::for_each(wanted, add);
    session.sync();
    Handle<PGresult> failure;
    std::string failed;
    for (Prepared* prepared : added) {
        for (int answers = 0; answers < 2; ++answers) {
            Handle<PGresult> answer = session.answer();
            if (!is_failure(answer.get())) {
                read_description(*prepared, answer.get());
                continue;
            }
            if (!failure) failure = std::move(answer), failed = prepared->key;
        }
    }
    session.finish();
    if (!failure) return;
    for (Prepared* prepared : added) statements_.remove(*prepared);
    throw_error(failure.get(), {name(), failed});
}

void Connection::make_room(std::size_t statements) {
    if (statements_.size() + statements <= statement_limit) return;
    link_->run("DEALLOCATE ALL");
    link_->sync();
    (void)link_->answer();
    link_->finish();
    statements_.clear();
}

void Connection::prepare(const std::string& sql, const std::vector<Oid>& types) {
    revive();
    if (statements_.find({sql}) != nullptr) return;
    settle();
    Link& session = link();
    make_room(1);
    const Prepared& added = statements_.add(sql, types, session);
    session.sync();
    const Handle<PGresult> answer = session.answer();
    session.finish();
    if (!is_failure(answer.get())) return;
    statements_.remove(added);
    throw_error(answer.get(), {name(), sql});
}

/// Before anything is queued, that nothing stays queued.
void Connection::check_parameters(const Planned& planned) const {
    const sql::Command& command = *planned.command;
    const std::size_t wanted = planned.way == Way::direct
                                   ? SqlText(command.sql).parameters
                                   : planned.prepared->types.size() - (planned.way == Way::fenced ? 1 : 0);
    if (command.params.size() != wanted || wanted >= parameter_limit)
        throw SqlError(SqlError::Kind::syntax, fmt::format("{}: {} parameters for ${} in: {}", name(),
                                                           command.params.size(), wanted, printable(command.sql)));
}

void Connection::send_plain(const char* sql) {
    if (const Prepared* known = statements_.find({sql}))
        link().execute(known->name.c_str(), Parameters({}, {}), true);
    else
        link().run(sql);
}

void Connection::queue_plain(const char* sql) {
    send_plain(sql);
    questions_.push_back({.kind = Question::Kind::silent, .sql = sql});
}

bool Connection::begin_by_caller() noexcept {
    if (!in_transaction_ || begun_) return false;
    begun_ = true;
    ++statement_count_;
    return true;
}

void Connection::queue_begin() {
    if (begin_by_caller()) queue_plain(begin_sql);
    queue_held();
}

void Connection::queue_held() {
    if (!held_) return;
    held_->queue_first(*this);
    owe(std::exchange(held_, nullptr));
}

// One at a time: savepoints of the same name would pile up.
void Connection::queue_savepoint() {
    if (marked_) queue_plain("RELEASE SAVEPOINT fermata_bulk");
    marked_ = true;
    queue_plain("SAVEPOINT fermata_bulk");
}

void Connection::queue_commit() {
    queue_plain(commit_sql);
    questions_.back().kind = Question::Kind::commit;
    ++statement_count_;
}

void Connection::queue(const Planned& planned) {
    const sql::Command& command = *planned.command;
    const bool is_fenced = planned.way == Way::fenced;
    Question question{
        .kind = is_fenced ? Question::Kind::fenced : Question::Kind::command, .sql = command.sql, .rows = command.rows};
    if (planned.way == Way::direct) {
        const std::vector<Oid> unknown(command.params.size(), 0);
        link().run(std::string(command.sql).c_str(), Parameters(command.params, unknown));
    } else {
        question.prepared = planned.prepared;
        const std::vector<Oid>& types = question.prepared->types;
        std::optional<sql::Params> with_rows;
        if (is_fenced) with_rows.emplace(command.params).emplace_back(*command.rows);
        link().execute(question.prepared->name.c_str(), Parameters(with_rows ? *with_rows : command.params, types),
                       question.prepared->binary);
    }
    ++statement_count_;
    questions_.push_back(question);
}

/// Nothing went before, and nothing needs a look at an answer: what goes out until one sync is a transaction by itself.
bool Connection::is_whole_transaction(std::span<const Planned> round) const {
    const auto ends_round = [](const Planned& p) { return p.ends_round(); };
    return in_transaction_ && !begun_ && std::ranges::none_of(round, ends_round);
}

/// One round trip for what needs no look at an answer between.
std::vector<sql::Result> Connection::run(std::span<const sql::Command> commands, bool then_commit) {
    refuse_if_doomed();
    revive();
    std::vector<sql::Result> results;
    results.reserve(commands.size());
    bool committing = false;
    while (!commands.empty() || (then_commit && !committing)) {
        std::vector<Planned> round = next_round(commands);
        const bool counted = !round.empty() && round.back().is_counted();
        prepare(round);
        for (const Planned& planned : round) check_parameters(planned);
        committing = then_commit && commands.empty() && !counted;
        const bool whole = committing && is_whole_transaction(round);
        whole ? queue_held() : queue_begin();
        for (const Planned& planned : round) queue(planned);
        if (committing && !whole) queue_commit();
        collect(results);
        committing = committing && (!whole || !begun_);  // held rows may have been written anew, in a transaction
        if (counted) check_count(*round.back().command, results.back());
    }
    return results;
}

/// Sends what is queued and reads every answer. The server passes over all that stands behind the first failure.
void Connection::collect(std::vector<sql::Result>& results) {
    std::vector<Question> questions = std::exchange(questions_, {});
    const Question* failed = nullptr;
    Handle<PGresult> failure;
    Handle<PGresult> at_end;
    bool committed = true;
    try {
        link_->sync();
        IdleWork::run();
        for (const Question& question : questions) {
            Handle<PGresult> answer = link_->answer();
            if (is_copy(answer.get())) refuse_copy(question.sql);
            if (failure) continue;
            if (is_failure(answer.get()))
                failed = &question, failure = std::move(answer);
            else if (question.kind == Question::Kind::command || question.kind == Question::Kind::fenced)
                results.push_back(read(question, answer.get()));
            else if (question.kind == Question::Kind::commit)
                committed = std::string_view(PQcmdStatus(answer.get())) == "COMMIT";
        }
        at_end = link_->finish();
    } catch (...) {
        lose_session();  // an answer left unread would be taken for another one's
        throw;
    }
    if (failure) {
        // Rows that were only in each other's way are written by now; what stood behind them is not.
        const bool last = failed == &questions.back();
        if (failed->insert && failed->insert->redo(*this, failure.get()) && last) return;
        fail(*failed, failure.get());
    }
    // COMMIT of a transaction that has failed before answers ROLLBACK, and no error.
    if (!committed)
        throw SqlError(SqlError::Kind::other,
                       name() + ": nothing was committed: a statement of the transaction had failed before");
    if (at_end) throw_error(at_end.get(), {name(), commit_sql});
    questions.clear();
    questions_ = std::move(questions);  // for its memory
}

sql::Result Connection::read(const Question& question, const PGresult* answer) {
    sql::Result result;
    const bool is_fenced = question.kind == Question::Kind::fenced;
    const SqlText::Verb verb = question.prepared != nullptr ? question.prepared->verb : SqlText::Verb::other;
    const bool changes = verb == SqlText::Verb::change;
    if (is_fenced && changes) result.changed = *question.rows;
    if (!is_fenced) result.changed = changed_rows(answer);
    // A fence without rows of its own answers their number; one that expects none answers a row of nulls.
    if (is_fenced && (*question.rows == 0 || (changes && !question.prepared->returning))) return result;
    Rows rows(answer);
    result.columns = rows.columns();
    for (int i = 0; i < rows.size(); ++i) result.add(rows[i]);
    return result;
}

void Connection::refuse_copy(std::string_view sql) {
    const std::string text = printable(sql);
    lose_session();
    throw SqlError(SqlError::Kind::syntax,
                   fmt::format("{}: COPY to or from the client cannot be run: {}", name(), text),
                   "write with a bulk writer, or COPY on the server");
}

void Connection::fail(const Question& question, const PGresult* answer) {
    if (question.insert) doom();
    if (question.kind == Question::Kind::fenced) {
        if (const auto rows = count_in_refusal(message(answer))) throw_row_count(*rows, *question.rows, question.sql);
    } else if (const auto rows = count_in_refusal(message(answer))) {
        throw_row_count(*rows, 1, question.sql);
    }
    // "cached plan must not change result type": the table was altered.
    if (question.prepared != nullptr && sqlstate(answer) == "0A000") statements_.remove(*question.prepared);
    throw_error(answer, {name(), question.sql});
}

void Connection::check_count(const sql::Command& command, const sql::Result& result) {
    const bool reads = result.changed == 0 && !result.columns.empty();
    const auto rows = reads ? static_cast<std::int64_t>(result.size()) : result.changed;
    if (rows != *command.rows) throw_row_count(rows, *command.rows, command.sql);
}

void Connection::throw_row_count(std::int64_t rows, std::int64_t wanted, std::string_view sql) {
    const std::string text = printable(sql);  // the statement may be gone with the session
    rollback();
    throw sql::RowCountError(fmt::format("{}: {} rows instead of {}: {}", name(), rows, wanted, text));
}

sql::Result Connection::execute(const sql::Command& command) {
    const bool counted = command.rows && !in_transaction_ && !read_only_ && plan(command).is_counted();
    if (counted) {
        begin();
        return std::move(commit(std::span(&command, 1)).front());
    }
    return std::move(execute_all(std::span(&command, 1)).front());
}

std::vector<sql::Result> Connection::execute_all(std::span<const sql::Command> commands) {
    return with_session([&] { return run(commands, false); });
}

void Connection::execute_script(std::string_view script) {
    with_session([&] {
        refuse_if_doomed();
        revive();
        queue_begin();
        settle();
        const std::string text(script);
        const Handle<PGresult> result = link().script(text.c_str());
        statement_count_ += 1;
        if (is_copy(result.get())) refuse_copy(script);
        if (is_failure(result.get())) fail({.sql = failing_line(text, result.get())}, result.get());
    });
}

// --- transactions --------------------------------------------------------------------------------------------------

void Connection::begin() {
    refuse_write_if_read_only();
    refuse_while_reading();
    if (in_transaction_)
        throw SqlError(SqlError::Kind::other, name() + ": a transaction is open on this connection already");
    in_transaction_ = true;
}

std::vector<sql::Result> Connection::commit(std::span<const sql::Command> last) {
    if (!in_transaction_) throw SqlError(SqlError::Kind::other, name() + ": no transaction is open on this connection");
    try {
        auto results = with_session([&] { return run(last, begun_ || held_ || !last.empty()); });
        end_transaction();
        return results;
    } catch (...) {
        rollback();
        throw;
    }
}

// What early() says is all there is to it.
std::vector<sql::Result> Connection::commit_early(std::span<const sql::Command> last) { return commit(last); }

/// Whatever transaction is behind it and writes something waits for the disk: for all that was written before as well.
/// Not together with what is committed: the server's process would go on to the disk, where those may have to run who
/// were rung for.
void Connection::send_to_disk() {
    with_session([&] {
        send_plain(flush_sql);
        link().sync();
    });
    ++statement_count_;
    flushes_ = true;
}

void Connection::wait_for_disk() {
    if (!std::exchange(flushes_, false)) return;
    with_session([&] {
        const Handle<PGresult> answer = link().answer();
        link().finish();
        if (is_failure(answer.get())) throw_error(answer.get(), {name(), flush_sql});
    });
}

void Connection::check_transaction() const {
    if (!in_transaction_) throw SqlError(SqlError::Kind::other, name() + ": no transaction is open on this connection");
    refuse_if_doomed();
}

void Connection::refuse_if_doomed() const {
    if (!in_transaction_ || !doomed_) return;
    if (!link_) throw lost(name(), "the session of this transaction is gone");
    throw SqlError(SqlError::Kind::other, name() + ": the transaction has failed", "roll it back");
}

void Connection::rollback() noexcept {
    if (!in_transaction_) return;
    try {
        if (begun_ && link_) send_rollback();
    } catch (const std::exception&) {
        lose_session();  // and the server rolls back
    }
    end_transaction();
}

/// What is queued may fail, and everything behind it up to the next sync is passed over: so there are two.
void Connection::send_rollback() {
    std::size_t answers = questions_.size();
    if (answers > 0) link_->sync();
    link_->run("ROLLBACK");
    link_->sync();
    ++statement_count_;
    if (answers > 0) {
        for (; answers > 0; --answers) (void)link_->answer();
        link_->finish();
    }
    (void)link_->answer();
    link_->finish();
}

void Connection::end_transaction() noexcept {
    in_transaction_ = begun_ = doomed_ = marked_ = false;
    ++era_;
    questions_.clear();
    held_.reset();
}

void Connection::owe(std::shared_ptr<ArrayInsert> insert) {
    questions_.push_back({.kind = Question::Kind::bulk, .insert = std::move(insert)});
}

void Connection::settle() {
    if (held_) queue_begin();
    if (questions_.empty()) return;
    std::vector<sql::Result> none;
    collect(none);
}

// --- what others say -------------------------------------------------------------------------------------------------

void Connection::say(std::string_view channel) { execute("SELECT pg_notify($1, '')", {channel}); }

void Connection::listen(std::string_view channel) {
    const std::string sql = "LISTEN " + quote(channel);
    execute(sql);
}

bool Connection::wait(std::chrono::milliseconds bound, int wake) {
    words_.clear();
    return with_session([&] { return link().wait_for_notice(bound, wake, words_); });
}

// --- what is made from a connection ----------------------------------------------------------------------------------

std::unique_ptr<sql::Cursor> Connection::query(std::string sql, sql::Params params) {
    return with_session([&] { return std::make_unique<Cursor>(*this, std::move(sql), params); });
}

std::unique_ptr<sql::BulkWriter> Connection::bulk(const sql::BulkTarget& target) {
    return std::make_unique<BulkWriter>(*this, target);
}

std::vector<sql::Column> Connection::columns_of(std::string_view table) { return postgres::columns_of(*this, table); }

std::vector<std::string> Connection::tables() {
    postgres::refuse_closed_schema(*this, name());
    return postgres::tables_of(*this);
}

std::string Connection::quote(std::string_view identifier) const { return sql::quote_identifier(identifier); }

}  // namespace fermata::postgres
