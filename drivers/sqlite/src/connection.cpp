#include "connection.hpp"

#include "bulk.hpp"
#include "cursor.hpp"
#include "path.hpp"

#include <fermata/base/text.hpp>
#include <fermata/sql/standard_sql.hpp>

#include <fmt/format.h>

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace fermata::sqlite {

using sql::OpenMode;
using sql::SqlError;

namespace {

// Statements are few and written by us; texts made at run time (filters) must not pile up.
constexpr std::size_t statement_limit = 256;

// Longer than a checkpoint takes, shorter than people notice.
constexpr std::chrono::milliseconds closing_bound{200};

bool is_new(const std::filesystem::path& path) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    return error ? !std::filesystem::exists(path, error) : size == 0;
}

/// SQLite says "unable to open database file" whatever the reason.
void refuse_unopenable(const std::string& name, const std::filesystem::path& path, bool create) {
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (std::filesystem::is_directory(status))
        throw SqlError(SqlError::Kind::unreachable, name + ": is a folder, not a database", "name a file in it");
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
        throw SqlError(SqlError::Kind::unreachable, name + ": is a device or a pipe, not a database", "name a file");
    if (status.type() == std::filesystem::file_type::not_found && !create)
        throw SqlError(SqlError::Kind::unreachable, name + ": there is no such database", "check the path");
}

void make_folder(const std::filesystem::path& folder, mode_t mode) {
    std::error_code error;
    if (std::filesystem::exists(folder, error)) return;
    make_folder(folder.parent_path(), mode);
    if (::mkdir(folder.c_str(), mode) != 0 && errno != EEXIST)
        throw_system_error(errno, folder.string() + ": cannot create the folder");
}

}  // namespace

Connection::Connection(std::string name, const std::filesystem::path& path, OpenMode mode, Settings settings)
    : name_(std::move(name)),
      read_only_(mode == OpenMode::read_only),
      settings_(std::move(settings)),
      turnstile_(path, settings_, mode == OpenMode::create_private) {
    const bool may_create = mode == OpenMode::create || mode == OpenMode::create_private;
    refuse_unopenable(name_, path, may_create);
    if (may_create && is_new(path)) {
        create(path, mode == OpenMode::create_private);
    } else {
        // A reader opens for writing too where it may, else SQLite could not tidy up its -wal and -shm at the end.
        open(path, {}, 0);
    }
    configure(mode);
}

/// Two processes may create at once; the second then finds the database made.
void Connection::create(const std::filesystem::path& path, bool is_private) {
    make_folder(path.parent_path(), is_private ? 0700 : 0777);
    const Turn turn(turnstile_, settings_.turn_bound);
    // The lock file has the mode wanted. Letting SQLite copy that mode spares us to open the database ourselves, which
    // could drop this process's POSIX locks on it.
    open(path, turnstile_.path(), SQLITE_OPEN_CREATE);
    if (is_new(path))
        check(sqlite3_exec(db_.get(), "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr), {db_.get(), name_});
}

void Connection::open(const std::filesystem::path& path, const std::filesystem::path& mode_of, int more_flags) {
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE;
    sqlite3* db = nullptr;
    const int code = sqlite3_open_v2(uri_of(path, mode_of).c_str(), &db, flags | more_flags, nullptr);
    db_.reset(db);
    check(code, {db_.get(), name_});
    sqlite3_busy_timeout(db_.get(), static_cast<int>(settings_.busy_timeout.count()));
}

void Connection::configure(OpenMode mode) {
    std::string settings =
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; "
        "PRAGMA trusted_schema = OFF;";
    if (mode == OpenMode::read_only) settings += "PRAGMA query_only = ON;";
    // Opening reads nothing; what is not a database is to be refused here.
    settings += "SELECT count(*) FROM sqlite_schema";
    check(sqlite3_exec(db_.get(), settings.c_str(), nullptr, nullptr, nullptr), {db_.get(), name_});
}

Connection::~Connection() {
    rollback();
    statements_.clear();
    if ((closes_lightly_ && !has_long_log()) || !take_turn_to_close())
        sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    db_.reset();
    if (turnstile_.held()) turnstile_.release();
}

/// Whoever opens the database next reads the whole log first, which soon costs more than copying it now.
bool Connection::has_long_log() const noexcept {
    constexpr std::uintmax_t long_log = std::uintmax_t{1} << 20U;
    std::error_code error;
    const auto size = std::filesystem::file_size(sqlite3_filename_wal(sqlite3_db_filename(db_.get(), "main")), error);
    return !error && size > long_log;
}

/// The last connection checkpoints when it closes, so it needs the turn. Who holds the turn now has the database open
/// and will do it instead. Without a lock file nobody of ours has written, and reading must not create one.
bool Connection::take_turn_to_close() noexcept {
    std::error_code error;
    if (!std::filesystem::exists(turnstile_.path(), error)) return true;
    try {
        turnstile_.acquire(closing_bound);
        return true;
    } catch (const std::exception&) {
        return false;
    }
}

void Connection::refuse_write_if_read_only() const {
    if (read_only_)
        throw SqlError(SqlError::Kind::read_only, name_ + ": was opened for reading only", "open it for writing");
    if (sqlite3_db_readonly(db_.get(), "main") == 1)
        throw_forbidden(name_ + ": cannot be written", "make the file writable for you");
}

Statement& Connection::cached(std::string_view sql) {
    const auto found = statements_.find(sql);
    if (found != statements_.end()) return *found->second;
    if (statements_.size() >= statement_limit) statements_.clear();
    auto statement = std::make_unique<Statement>(db_.get(), name_, sql, true);
    const std::string_view key = statement->sql();
    return *statements_.emplace(key, std::move(statement)).first->second;
}

/// BEGIN IMMEDIATE and COMMIT.
void Connection::run_plain(std::string_view sql) {
    Statement& statement = cached(sql);
    ++statement_count_;
    statement.step();
    statement.reset();
}

sql::Result Connection::run(Statement& statement, const sql::Command& command) {
    ++statement_count_;
    statement.bind(command.params);
    sql::Result result;
    const std::int64_t changes_before = sqlite3_total_changes64(db_.get());
    while (statement.step()) {
        if (result.empty()) result.columns = statement.columns();
        statement.read_row(row_);
        result.add(row_);
    }
    statement.reset();
    // sqlite3_changes64 keeps the count of an earlier statement when this one changed nothing.
    if (sqlite3_total_changes64(db_.get()) != changes_before) result.changed = sqlite3_changes64(db_.get());
    const auto rows = statement.reads_only() ? static_cast<std::int64_t>(result.size()) : result.changed;
    if (command.rows && rows != *command.rows)
        throw sql::RowCountError(
            fmt::format("{}: {} rows instead of {}: {}", name_, rows, *command.rows, printable(command.sql)));
    return result;
}

sql::Result Connection::execute(const sql::Command& command) {
    Statement& statement = cached(command.sql);
    if (!in_transaction_ && !statement.reads_only()) {
        refuse_write_if_read_only();
        if (command.rows) {
            begin();
            return std::move(commit(std::span(&command, 1)).front());
        }
        const Turn turn(turnstile_, settings_.turn_bound);
        return run(statement, command);
    }
    try {
        return run(statement, command);
    } catch (const sql::RowCountError&) {
        rollback();
        throw;
    } catch (...) {
        follow_rollback();
        throw;
    }
}

std::vector<sql::Result> Connection::execute_all(std::span<const sql::Command> commands) {
    std::vector<sql::Result> results;
    results.reserve(commands.size());
    for (const sql::Command& command : commands) results.push_back(execute(command));
    return results;
}

void Connection::execute_script(std::string_view script) {
    refuse_write_if_read_only();
    const Turn turn(turnstile_, settings_.turn_bound);
    const std::string text(script);
    const char* rest = text.c_str();
    while (*rest != '\0') {
        sqlite3_stmt* prepared = nullptr;
        const char* const start = rest;
        const int code = sqlite3_prepare_v2(db_.get(), rest, -1, &prepared, &rest);
        const StatementHandle statement(prepared);
        const Site site{db_.get(), name_, std::string_view(start, static_cast<std::size_t>(rest - start))};
        check(code, site);
        if (prepared == nullptr) continue;  // a comment, or white space
        ++statement_count_;
        int step = SQLITE_ROW;
        while (step == SQLITE_ROW) step = sqlite3_step(prepared);
        if (step != SQLITE_DONE) follow_rollback();
        check(step, site);
    }
}

void Connection::begin() {
    refuse_write_if_read_only();
    if (in_transaction_)
        throw SqlError(SqlError::Kind::other, name_ + ": a transaction is open on this connection already");
    turnstile_.acquire(settings_.turn_bound);
    try {
        run_plain("BEGIN IMMEDIATE");
    } catch (...) {
        turnstile_.release();
        throw;
    }
    in_transaction_ = true;
}

std::vector<sql::Result> Connection::commit(std::span<const sql::Command> last) {
    check_transaction();
    try {
        auto results = execute_all(last);
        run_plain("COMMIT");
        end_transaction();
        return results;
    } catch (...) {
        rollback();
        throw;
    }
}

void Connection::check_transaction() const {
    if (!in_transaction_) throw SqlError(SqlError::Kind::other, name_ + ": no transaction is open on this connection");
}

void Connection::rollback() noexcept {
    if (!in_transaction_) return;
    // Fails only if SQLite has rolled back by itself.
    if (sqlite3_get_autocommit(db_.get()) == 0) {
        ++statement_count_;
        sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
    end_transaction();
}

void Connection::end_transaction() noexcept {
    in_transaction_ = false;
    turnstile_.release();
}

void Connection::follow_rollback() noexcept {
    if (in_transaction_ && sqlite3_get_autocommit(db_.get()) != 0) end_transaction();
}

std::unique_ptr<sql::Cursor> Connection::query(std::string sql, sql::Params params) {
    return std::make_unique<Cursor>(*this, sql, params);
}

std::unique_ptr<sql::BulkWriter> Connection::bulk(const sql::BulkTarget& target) {
    return std::make_unique<BulkWriter>(*this, target);
}

std::vector<std::string> Connection::tables() {
    std::vector<std::string> names;
    const sql::Result rows = execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name");
    for (std::size_t i = 0; i < rows.size(); ++i) names.emplace_back(rows[i][0].text());
    return names;
}

namespace {

/// https://sqlite.org/datatype3.html §3.1; what has numeric affinity only (DECIMAL, DATE) SQLite converts as it likes.
sql::ColumnType type_of(std::string declared) {
    std::ranges::transform(declared, declared.begin(), [](unsigned char c) { return std::toupper(c); });
    const auto has = [&](std::string_view part) { return declared.find(part) != std::string::npos; };
    if (has("INT")) return sql::ColumnType::integer;
    if (has("CHAR") || has("CLOB") || has("TEXT")) return sql::ColumnType::text;
    if (has("BLOB")) return sql::ColumnType::bytes;
    if (has("REAL") || has("FLOA") || has("DOUB")) return sql::ColumnType::real;
    if (has("BOOL")) return sql::ColumnType::boolean;
    return sql::ColumnType::any;
}

}  // namespace

std::vector<sql::Column> Connection::columns_of(std::string_view table) {
    const std::size_t dot = table.find('.');
    const bool qualified = dot != std::string_view::npos;
    const std::string_view name = qualified ? table.substr(dot + 1) : table;
    const Value schema = qualified ? Value(table.substr(0, dot)) : Value();
    const sql::Result rows = execute(
        // INTEGER PRIMARY KEY is the row id, which SQLite gives by itself.
        "SELECT name, type, \"notnull\", dflt_value IS NOT NULL OR (pk = 1 AND upper(type) = 'INTEGER' AND "
        "sum(pk > 0) OVER () = 1), hidden > 1, pk FROM pragma_table_xinfo($1, $2) WHERE hidden <> 1",
        {name, schema});
    std::vector<sql::Column> columns;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto row = rows[i];
        columns.push_back({.name = std::string(row[0].text()),
                           .type = type_of(std::string(row[1].text())),
                           .declared = std::string(row[1].text()),
                           .not_null = row[2].integer() != 0,
                           .has_default = row[3].integer() != 0,
                           .generated = row[4].integer() != 0,
                           .key = static_cast<int>(row[5].integer())});
    }
    return columns;
}

std::string Connection::quote(std::string_view identifier) const { return sql::quote_identifier(identifier); }

void Connection::interrupt() noexcept {
    turnstile_.interrupt();
    sqlite3_interrupt(db_.get());
}

}  // namespace fermata::sqlite
