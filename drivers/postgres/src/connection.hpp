#pragma once
// One PostgreSQL session behind the port; after the session was lost, the next one.
#include "link.hpp"
#include "outage.hpp"
#include "statements.hpp"

#include <fermata/sql/early_commit.hpp>
#include <fermata/sql/notices.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fermata::postgres {

class ArrayInsert;

/// READ COMMITTED, as each session sets its default: said here, it would be a setting that is set, and looked for among
/// all others at the end, by every transaction.
inline constexpr const char* begin_sql = "BEGIN";
inline constexpr const char* commit_sql = "COMMIT";
/// Writes to the log, and so commits on disk together with all before.
inline constexpr const char* flush_sql = "SELECT pg_logical_emit_message(true, 'fermata', '')";

class Connection final : public sql::Connection, public sql::Notices, public sql::EarlyCommit {
public:
    /// `patient`: a server that cannot be reached is waited for, now as later.
    Connection(const Url& url, sql::OpenMode mode, const Settings& settings, std::shared_ptr<Outage> outage,
               bool patient = false);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() override;

    using sql::Connection::execute;
    sql::Result execute(const sql::Command& command) override;
    std::vector<sql::Result> execute_all(std::span<const sql::Command> commands) override;
    void execute_script(std::string_view script) override;
    void begin() override;
    std::vector<sql::Result> commit(std::span<const sql::Command> last) override;
    void rollback() noexcept override;
    [[nodiscard]] bool in_transaction() const noexcept override { return in_transaction_; }
    [[nodiscard]] std::unique_ptr<sql::Cursor> query(std::string sql, sql::Params params) override;
    [[nodiscard]] std::unique_ptr<sql::BulkWriter> bulk(const sql::BulkTarget& target) override;
    [[nodiscard]] std::vector<sql::Column> columns_of(std::string_view table) override;
    [[nodiscard]] std::vector<std::string> tables() override;
    [[nodiscard]] std::string quote(std::string_view identifier) const override;
    void interrupt() noexcept override { canceller_.cancel(); }
    [[nodiscard]] std::int64_t statement_count() const noexcept override { return statement_count_; }
    [[nodiscard]] std::int64_t round_trip_count() const noexcept override;

    void say(std::string_view channel) override;
    void listen(std::string_view channel) override;
    [[nodiscard]] bool wait(std::chrono::milliseconds bound, int wake) override;
    [[nodiscard]] const std::vector<std::string>& words() const noexcept override { return words_; }
    [[nodiscard]] std::string_view early() const noexcept override {
        return "set_config('synchronous_commit', 'off', true)";
    }
    std::vector<sql::Result> commit_early(std::span<const sql::Command> last) override;
    void send_to_disk() override;
    void wait_for_disk() override;

    // For what is made from this connection.
    [[nodiscard]] const std::string& name() const noexcept { return url_.display_name(); }
    [[nodiscard]] const Settings& settings() const noexcept { return settings_; }
    [[nodiscard]] Statements& statements() noexcept { return statements_; }
    void count_statement() noexcept { ++statement_count_; }
    /// Throws SqlError(other) outside of a transaction and in one that has failed.
    void check_transaction() const;
    /// The session. Throws SqlError(lost) if there is none any more.
    [[nodiscard]] Link& link() const;
    /// At the beginning of a call: makes the session anew if it was lost and nothing depends on it. Then nothing is
    /// prepared.
    void revive();
    /// Runs `work`; if that loses the session, what belonged to it is forgotten.
    template <class Work>
    auto with_session(Work&& work);
    /// Anything was sent in this transaction.
    [[nodiscard]] bool has_begun() const noexcept { return begun_; }
    /// Queues BEGIN if it is due.
    void queue_begin();
    /// If it is due, the caller sends it with what he has.
    [[nodiscard]] bool begin_by_caller() noexcept;
    /// Queues a mark to which a bulk write that failed can go back.
    void queue_savepoint();
    /// What was queued last is `insert`; who gets its answer will let it explain a failure.
    void owe(std::shared_ptr<ArrayInsert> insert);
    /// `insert` is the first of this transaction, and goes out with what comes next: with the commit alone it needs
    /// neither BEGIN nor COMMIT.
    void hold(std::shared_ptr<ArrayInsert> insert) noexcept { held_ = std::move(insert); }
    [[nodiscard]] bool owes() const noexcept { return held_ != nullptr || !questions_.empty(); }
    /// Gets the answers to all that is owed.
    void settle();
    /// Nothing can follow but rollback.
    void doom() noexcept { doomed_ = true; }
    /// Cursors outside of a transaction read in one of their own, which the first begins and the last ends.
    [[nodiscard]] bool begin_reading() noexcept { return readers_++ == 0; }
    [[nodiscard]] bool end_reading() noexcept { return --readers_ == 0; }
    [[nodiscard]] std::string next_name() { return "fermata_cursor_" + std::to_string(++cursor_number_); }
    /// Another one after each transaction and each session.
    [[nodiscard]] std::int64_t era() const noexcept { return era_; }
    /// Prepares a statement whose types are known, if it is not; in a round trip of its own.
    void prepare(const std::string& sql, const std::vector<Oid>& types);

private:
    /// Something queued, to be answered.
    struct Question {
        enum class Kind : std::uint8_t { silent, bulk, command, fenced, commit };
        Kind kind = Kind::silent;
        std::string_view sql;
        std::optional<std::int64_t> rows;
        const Prepared* prepared = nullptr;
        std::shared_ptr<ArrayInsert> insert{};
    };
    /// How a command is sent.
    enum class Way : std::uint8_t {
        prepared,  ///< and its rows are nobody's concern
        fenced,    ///< prepared, and the server checks its rows
        counted,   ///< prepared, and we check its rows before anything follows
        direct,    ///< not prepared, and nothing behind it is prepared before it has run
    };
    struct Planned {
        const sql::Command* command;
        Way way;
        const Prepared* prepared;  ///< nothing: not yet
        [[nodiscard]] bool ends_round() const noexcept { return way == Way::counted || way == Way::direct; }
        [[nodiscard]] bool is_counted() const noexcept { return ends_round() && command->rows; }
    };
    [[nodiscard]] Planned plan(const sql::Command& command) const;
    std::vector<sql::Result> run(std::span<const sql::Command> commands, bool then_commit);
    [[nodiscard]] bool is_whole_transaction(std::span<const Planned> round) const;
    [[nodiscard]] std::vector<Planned> next_round(std::span<const sql::Command>& commands) const;
    void prepare(std::span<Planned> round);
    void prepare(std::span<const Statements::Wanted> wanted);
    void make_room(std::size_t statements);
    void queue(const Planned& planned);
    void queue_commit();
    void send_plain(const char* sql);
    void queue_plain(const char* sql);
    void queue_held();
    void collect(std::vector<sql::Result>& results);
    [[nodiscard]] static sql::Result read(const Question& question, const PGresult* answer);
    [[noreturn]] void refuse_copy(std::string_view sql);
    [[noreturn]] void fail(const Question& question, const PGresult* answer);
    void check_count(const sql::Command& command, const sql::Result& result);
    [[noreturn]] void throw_row_count(std::int64_t rows, std::int64_t wanted, std::string_view sql);
    void check_parameters(const Planned& planned) const;
    void refuse_if_doomed() const;
    void refuse_write_if_read_only() const;
    void refuse_while_reading() const;
    void reconnect();
    void wait_for_server();
    [[nodiscard]] std::unique_ptr<Link> new_session() const;
    void lose_session() noexcept;
    void send_rollback();
    void end_transaction() noexcept;

    const Url url_;
    const Settings settings_;
    bool read_only_;
    const std::shared_ptr<Outage> outage_;
    Canceller canceller_;
    std::unique_ptr<Link> link_;
    std::string former_;  ///< the session that was lost, as the server knows it
    Statements statements_;
    std::vector<Question> questions_;
    std::vector<std::string> words_;
    std::shared_ptr<ArrayInsert> held_;  ///< not queued yet
    bool in_transaction_ = false;
    bool begun_ = false;    ///< the server knows of the transaction
    bool doomed_ = false;   ///< and cannot commit it
    bool marked_ = false;   ///< it has a savepoint of ours
    bool flushes_ = false;  ///< wait_for_disk() has an answer to get
    int readers_ = 0;
    std::int64_t era_ = 0;
    std::int64_t cursor_number_ = 0;
    std::int64_t statement_count_ = 0;
    std::int64_t round_trips_before_ = 0;  ///< of sessions that were lost
};

template <class Work>
auto Connection::with_session(Work&& work) {
    try {
        return work();
    } catch (const sql::SqlError& error) {
        if (error.sql_kind() == sql::SqlError::Kind::lost) lose_session();
        throw;
    }
}

}  // namespace fermata::postgres
