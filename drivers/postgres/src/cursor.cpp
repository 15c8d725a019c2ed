#include "cursor.hpp"

#include "connection.hpp"
#include "errors.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace fermata::postgres {

namespace {

constexpr std::int64_t first_portion = 100;
constexpr std::int64_t portion_limit = 10'000;
constexpr std::size_t portion_bytes = 1 << 20;

}  // namespace

Cursor::Cursor(Connection& connection, const std::string& sql, const sql::Params& params)
    : connection_(connection), sql_(SqlText(sql).body), name_(connection.next_name()), portion_(first_portion) {
    try {
        open();
        declare(params);
    } catch (...) {
        close();
        throw;
    }
    connection_.count_statement();
}

Cursor::~Cursor() { close(); }

/// Whoever reads may take his time between two portions, and wants the whole result.
void Cursor::open() {
    connection_.revive();
    connection_.queue_begin();
    connection_.settle();
    era_ = connection_.era();
    open_ = true;
    own_transaction_ = !connection_.in_transaction();
    if (own_transaction_ && connection_.begin_reading()) {
        queue("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
        queue("SET LOCAL idle_in_transaction_session_timeout = 0");
    }
    queue("SET LOCAL cursor_tuple_fraction = 1");
}

void Cursor::declare(const sql::Params& params) {
    Link& session = connection_.link();
    session.prepare("", fmt::format("DECLARE {} NO SCROLL CURSOR FOR {}", name_, sql_).c_str());
    session.describe("");
    queued_ += 2;
    Prepared declaration;
    read_description(declaration, ask().get());
    if (declaration.types.size() != params.size())
        throw sql::SqlError(sql::SqlError::Kind::syntax,
                            fmt::format("{}: {} parameters for ${} in: {}", connection_.name(), params.size(),
                                        declaration.types.size(), printable(sql_)));
    session.execute("", Parameters(params, declaration.types), false);
    session.describe_portal(name_.c_str());
    queued_ += 2;
    const Handle<PGresult> description = ask();
    binary_ = all_native(description.get());
    columns_ = Rows(description.get()).columns();
}

bool Cursor::next() {
    if (open_ && (!rows_ || place_ == rows_->size())) refill();
    if (!rows_ || place_ == rows_->size()) {
        row_ = {};
        return false;
    }
    row_ = (*rows_)[place_++];
    return true;
}

/// After a failure there is nothing more to read, and its transaction must not stand in the way of what comes next.
void Cursor::refill() {
    try {
        connection_.with_session([&] { fetch(); });
    } catch (...) {
        close();
        throw;
    }
}

void Cursor::fetch() {
    if (era_ != connection_.era())
        throw sql::SqlError(sql::SqlError::Kind::other, fmt::format("{}: the transaction of this query is over: {}",
                                                                    connection_.name(), printable(sql_)));
    rows_.reset();
    connection_.settle();
    connection_.link().run(fmt::format("FETCH FORWARD {} FROM {}", portion_, name_).c_str(), Parameters({}, {}),
                           binary_);
    ++queued_;
    result_ = ask();
    rows_.emplace(result_.get());
    place_ = 0;
    const auto count = static_cast<std::int64_t>(rows_->size());
    if (count < portion_) close();
    if (count == 0) return;
    const auto fitting =
        static_cast<std::int64_t>(portion_bytes) * count / static_cast<std::int64_t>(PQresultMemorySize(result_.get()));
    portion_ = std::clamp<std::int64_t>(fitting, 1, portion_limit);
}

/// Without it the server would keep the snapshot, and vacuum would wait.
void Cursor::close() noexcept {
    // With answers outstanding it is left to the transaction's end.
    if (!std::exchange(open_, false) || era_ != connection_.era() || connection_.owes()) return;
    try {
        connection_.with_session([&] {
            const bool last = own_transaction_ && connection_.end_reading();
            queue(last ? "COMMIT" : fmt::format("CLOSE {}", name_).c_str());
            (void)ask();
        });
    } catch (const std::exception&) {
        // A transaction that has failed knows no cursor any more.
        queued_ = 0;
    }
}

void Cursor::queue(const char* sql) {
    connection_.link().run(sql);
    ++queued_;
}

Handle<PGresult> Cursor::ask() {
    Link& session = connection_.link();
    session.sync();
    Handle<PGresult> last;
    for (; queued_ > 0; --queued_) {
        Handle<PGresult> answer = session.answer();
        const bool failed = last && PQresultStatus(last.get()) == PGRES_FATAL_ERROR;
        if (!failed) last = std::move(answer);
    }
    session.finish();
    if (PQresultStatus(last.get()) == PGRES_FATAL_ERROR) throw_error(last.get(), {connection_.name(), sql_});
    return last;
}

}  // namespace fermata::postgres
