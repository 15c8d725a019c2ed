#pragma once
// A small port to relational databases: what the store, the SQL artifacts and the sink need, no more. Drivers implement
// it (drivers/sqlite, later drivers/postgres) and run testing/sql_suite on it.
//
// Threads: a Connection and everything made from it belong to one thread at a time; a Database is shared.
// Errors: every call throws SqlError by kind, ConstraintError (base) when a constraint or trigger refused the row;
// nothing is retried inside except waiting for locks within the driver's bound.
// Text: statements use $1…$n, each bound by its number; the same text serves every engine that agrees on it.
// Times are int64 microseconds UTC; booleans are 0/1 integers.
#include <fermata/base/error.hpp>
#include <fermata/base/value.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fermata::sql {

class SqlError : public Error {
public:
    enum class Kind : std::uint8_t {
        busy,         ///< somebody else held a lock longer than the driver waits; transient
        lost,         ///< the connection is gone; if it was during commit, the verdict is unknown; transient
        full,         ///< disk full or quota
        read_only,    ///< database or file system cannot be written
        corrupt,      ///< not a database, or malformed
        unreachable,  ///< cannot be opened: missing folder, permission, no server
        syntax,       ///< SQL or schema error: unknown table, column, function
        other,
    };
    SqlError(Kind kind, const std::string& message, std::string remedy = {});
    [[nodiscard]] Kind sql_kind() const noexcept { return sql_kind_; }
    [[nodiscard]] bool is_transient() const noexcept override {
        return sql_kind_ == Kind::busy || sql_kind_ == Kind::lost;
    }

private:
    Kind sql_kind_;
};

using Params = std::vector<Value>;  ///< borrowed text: must live until the call returns

/// One statement with its parameters. `rows` is what must happen: any other number of rows fails the transaction with
/// RowCountError and rolls it back. The expectation is part of the command so that an engine can check it on its side
/// and keep command and commit in one round trip.
struct Command {
    std::string_view sql;  ///< REQUIRES: static storage or alive until executed; also the statement cache's key
    Params params;
    std::optional<std::int64_t> rows = std::nullopt;
};
/// A Command changed another number of rows than it must: a fence. Nothing of its transaction is kept.
class RowCountError : public Error {
public:
    explicit RowCountError(const std::string& message) : Error(ErrorKind::stale, message) {}
};

/// The rows a statement returned, all of them, owned. Small results only; large reads use Cursor.
class Result {
public:
    /// Copies `row` (text and bytes into an arena of the result).
    void add(std::span<const Value> row);
    [[nodiscard]] std::size_t size() const noexcept { return width_ == 0 ? 0 : cells_.size() / width_; }
    [[nodiscard]] bool empty() const noexcept { return cells_.empty(); }
    [[nodiscard]] std::span<const Value> operator[](std::size_t row) const {
        return {cells_.data() + row * width_, width_};
    }
    std::int64_t changed = 0;  ///< rows inserted, updated or deleted (RETURNING included)
    std::vector<std::string> columns;

private:
    std::size_t width_ = 0;
    std::vector<Value> cells_;
    std::vector<std::unique_ptr<char[]>> texts_;
};

/// Rows one by one, for large reads. Text of a row is valid until next().
class Cursor {
public:
    virtual ~Cursor() = default;
    virtual bool next() = 0;
    [[nodiscard]] virtual std::span<const Value> row() const = 0;
    [[nodiscard]] virtual const std::vector<std::string>& columns() const = 0;
};

/// Many rows of one table by the engine's fastest way, inside the connection's present transaction.
struct BulkTarget {
    std::string table;                 ///< may be schema-qualified; quoted by the driver
    std::vector<std::string> columns;  ///< in the order of the cells
    bool upsert = false;
    std::vector<std::string> keys;  ///< upsert only: a unique key of the table
    /// position() and raw() of the error about a row of the last write.
    struct Place {
        std::string position;
        std::string raw;
    };
    /// If set, the engine may send the rows together with what comes next on the connection, in one round trip, and
    /// tell of a refused row there: at commit() at the latest, which then has rolled back. It asks this for the place
    /// of that row, before it throws.
    std::function<Place(std::size_t row)> place_of = nullptr;
};
class BulkWriter {
public:
    virtual ~BulkWriter() = default;
    /// Writes `rows` rows; `cells` is row-major, rows × columns. Throws ConstraintError whose position() is the number
    /// (from 0) of the first refused row where the engine can tell, else empty; the transaction must then roll back.
    virtual void write(std::size_t rows, std::span<const Value> cells) = 0;
};

enum class ColumnType : std::uint8_t { text, integer, real, boolean, bytes, any };
struct Column {
    std::string name;
    ColumnType type = ColumnType::any;
    std::string declared;  ///< as the database says it
    bool not_null = false;
    bool has_default = false;
    bool generated = false;  ///< GENERATED ALWAYS: nothing can be written to it
    int key = 0;             ///< place in the primary key from 1; 0 = not in it
};

class Connection {
public:
    virtual ~Connection() = default;

    /// One statement, outside or inside a transaction. SELECT and RETURNING rows come back whole.
    virtual Result execute(const Command& command) = 0;
    Result execute(std::string_view sql, Params params = {}) { return execute(Command{sql, std::move(params)}); }
    /// Several statements, one round trip where the engine can; results in order. Stops at the first error.
    virtual std::vector<Result> execute_all(std::span<const Command> commands) = 0;
    /// Text with many statements and no parameters (schema).
    virtual void execute_script(std::string_view script) = 0;

    /// Begins a write transaction (SQLite: takes the file's turnstile, BEGIN IMMEDIATE). Use Transaction.
    virtual void begin() = 0;
    /// Runs `last`, checks their row counts, commits; one round trip where the engine can. On return it is durable. On
    /// RowCountError, ConstraintError, full, busy: rolled back. On `lost`: unknown; ask with a locking read.
    virtual std::vector<Result> commit(std::span<const Command> last = {}) = 0;
    virtual void rollback() noexcept = 0;
    [[nodiscard]] virtual bool in_transaction() const noexcept = 0;

    /// Reads outside of the write transaction of this connection are not promised; open a second connection for that.
    [[nodiscard]] virtual std::unique_ptr<Cursor> query(std::string sql, Params params = {}) = 0;
    [[nodiscard]] virtual std::unique_ptr<BulkWriter> bulk(const BulkTarget& target) = 0;
    /// Columns of a table in order; empty if there is no such table.
    [[nodiscard]] virtual std::vector<Column> columns_of(std::string_view table) = 0;
    [[nodiscard]] virtual std::vector<std::string> tables() = 0;
    [[nodiscard]] virtual std::string quote(std::string_view identifier) const = 0;
    /// May be called from another thread: makes the running statement fail soon.
    virtual void interrupt() noexcept = 0;
    /// For a database that short programs open again and again: closing leaves to a later commit what costs syncs and
    /// nobody needs now (SQLite: copying the write-ahead log into the file). What is committed is durable either way.
    virtual void close_lightly() noexcept {}
    /// For tests and benchmarks: statements executed on this connection since it was opened.
    [[nodiscard]] virtual std::int64_t statement_count() const noexcept = 0;
    /// How often this connection has waited for its server since it was opened; 0 for an engine without one.
    [[nodiscard]] virtual std::int64_t round_trip_count() const noexcept { return 0; }
};

/// Rolls back unless committed.
class Transaction {
public:
    explicit Transaction(Connection& connection) : connection_(&connection) { connection.begin(); }
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction() {
        if (connection_ != nullptr && connection_->in_transaction()) connection_->rollback();
    }
    std::vector<Result> commit(std::span<const Command> last = {}) { return connection_->commit(last); }
    Connection* operator->() const noexcept { return connection_; }
    Connection& operator*() const noexcept { return *connection_; }

private:
    Connection* connection_;
};

/// What differs between engines in our schema; used by the repository and the sink table, nowhere else.
struct Dialect {
    std::string_view engine;   ///< "sqlite", "postgresql"
    std::string_view auto_id;  ///< column type of a generated 64-bit primary key that is never given twice
    std::string_view next_id;  ///< the same, cheaper: above all that are there, so given again once the newest are gone
    std::string_view key;      ///< column type of a 64-bit primary key that is given
    std::string_view bytes;    ///< type of opaque bytes
    /// A row trigger refusing `event` ("UPDATE OF status", "DELETE") on `table` when `condition` (over OLD and NEW)
    /// holds, with `message`. One of DELETE refuses whatever else empties the table, always.
    std::string (*guard)(std::string_view name, std::string_view event, std::string_view table,
                         std::string_view condition, std::string_view message) = nullptr;
    /// Expression: int64 microseconds -> the engine's timestamp, for the BATCH_* views.
    std::string (*as_timestamp)(std::string_view expression) = nullptr;
    /// Ends a SELECT that locks the rows it finds until the transaction ends; "" where a transaction excludes writers.
    std::string_view for_update;
    /// Other write transactions run beside ours and commit between our statements (READ COMMITTED).
    bool concurrent_writers = false;
    /// Expression: opaque bytes -> text, for the BATCH_* views. Fails for no bytes; ASCII is itself.
    std::string (*bytes_as_text)(std::string_view expression) = nullptr;
    /// Expression: text that names the connection's session on the server; empty where there are no sessions.
    std::string_view session = "''";
    /// Two columns that together tell a version of a row from all others, of any row, and by which it is found at once;
    /// empty where there are none. As text they are what a parameter beside them takes.
    std::array<std::string_view, 2> row_version;
    /// A condition, equal to `condition`, that fails its statement with RowCountError for the first row that it does
    /// not hold for; `column` is one of that row, never null. Cheaper than Command::rows, which also fails where there
    /// is no row at all. Null where there is no such thing.
    std::string (*required)(std::string_view condition, std::string_view column) = nullptr;
    /// SELECT that answers, in one column, what there is in the database: "table x", "index x", "view x", "trigger x";
    /// more may be among them.
    std::string_view objects;
};

enum class OpenMode : std::uint8_t {
    read_write,
    create,          ///< if it is missing; a file's mode is as the umask says
    create_private,  ///< the same, a file that only its owner may read
    read_only
};

/// One database: a file, a server's database. Connections are opened from it.
class Database {
public:
    virtual ~Database() = default;
    [[nodiscard]] virtual std::unique_ptr<Connection> connect(OpenMode mode) = 0;
    [[nodiscard]] virtual const Dialect& dialect() const noexcept = 0;
    /// Equal for two URLs of one database (SQLite: device and inode), so that a sink in the repository's own database
    /// is recognised. Stable only while the database exists.
    [[nodiscard]] virtual std::string identity() const = 0;
    /// For messages: the URL without secrets.
    [[nodiscard]] virtual std::string display_name() const = 0;
    [[nodiscard]] virtual bool exists() const = 0;
    /// Full check of the database file by the engine's own means; empty = ok, else what is wrong, one line each.
    [[nodiscard]] virtual std::vector<std::string> integrity_check() = 0;
    /// A consistent copy while others work. Refuses an existing target.
    virtual void backup_to(const std::string& target) = 0;
};

/// Opens databases by URL scheme. Filled once at start (fermata's drivers.cpp), read by anybody afterwards.
class Drivers {
public:
    using Factory = std::function<std::unique_ptr<Database>(const std::string& url)>;
    void add(std::string scheme, Factory factory);
    /// "sqlite:PATH" or a bare path -> sqlite; "scheme://…" -> that driver. Does not connect. Throws Error(usage)
    /// naming the schemes there are.
    [[nodiscard]] std::unique_ptr<Database> open(const std::string& url) const;
    [[nodiscard]] std::vector<std::string> schemes() const;

private:
    std::vector<std::pair<std::string, Factory>> factories_;
};

}  // namespace fermata::sql
