#pragma once
// Many rows of one table: one INSERT of binary arrays, or one binary COPY above a number of rows.
#include "codec.hpp"
#include "statements.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fermata::postgres {

class Connection;
class Link;

/// Rows as one array a column, and the INSERT that takes them. Lives until its answer is read.
class ArrayInsert {
public:
    ArrayInsert(std::string sql, std::vector<Codec> codecs, bool upsert,
                std::function<sql::BulkTarget::Place(std::size_t)> place_of);

    /// Replaces the rows. Throws ConversionError for the first cell that cannot be one of its column.
    void encode(std::size_t rows, std::span<const Value> cells);
    /// Prepares the INSERT if this session has not.
    void prepare(Connection& connection) const;
    /// Queues the INSERT in the connection's transaction, so that redo() finds a place to go back to.
    void queue(Connection& connection);
    /// The same in a transaction of its own, at whose beginning it stands.
    void queue_first(Connection& connection);
    /// The same for a COPY of the rows that are or will be encoded: answers what has to stand before it.
    [[nodiscard]] std::string place_of_copy(Connection& connection);
    /// After `failure` of all rows together, goes back and writes them part by part. That finds the row refused and
    /// throws it with its place, or, if rows only stood in each other's way (two upserts of one key), writes all.
    /// Answers false if the failure is not about rows.
    bool redo(Connection& connection, const PGresult* failure);

private:
    void begin_arrays();
    void queue_place(Connection& connection);
    struct Refusal {
        std::size_t row;
        Handle<PGresult> answer;
    };
    [[nodiscard]] bool is_about_rows(const PGresult* failure) const;
    void go_back(Connection& connection) const;
    std::optional<Refusal> write(Connection& connection, std::size_t from, std::size_t to);
    Handle<PGresult> try_write(Connection& connection, std::size_t from, std::size_t to);
    void execute(Connection& connection, const std::vector<std::string>& arrays) const;
    [[nodiscard]] std::vector<std::string> slice(std::size_t from, std::size_t to) const;
    [[noreturn]] void refuse(Connection& connection, const Refusal& refusal) const;
    template <class E>
    [[noreturn]] void throw_placed(const E& error, std::size_t row) const;

    std::string sql_;
    std::vector<Codec> codecs_;
    std::vector<Oid> types_;
    bool upsert_;
    std::function<sql::BulkTarget::Place(std::size_t)> place_of_;
    std::size_t rows_ = 0;
    std::vector<std::string> arrays_;
    bool at_savepoint_ = false;
};

class BulkWriter final : public sql::BulkWriter {
public:
    /// Throws Error(refused) if the table, a column or a key is not there.
    BulkWriter(Connection& connection, const sql::BulkTarget& target);
    void write(std::size_t rows, std::span<const Value> cells) override;

private:
    [[nodiscard]] static Target find_columns(Connection& connection, const sql::BulkTarget& target);
    void insert(std::size_t rows, std::span<const Value> cells);
    void copy(std::size_t rows, std::span<const Value> cells);
    Handle<PGresult> put_rows(Link& session, std::size_t rows, std::span<const Value> cells);
    void send_rows(Link& session, std::size_t rows, std::span<const Value> cells) const;

    Connection& connection_;
    std::vector<Codec> codecs_;
    std::string copy_sql_;  ///< empty: never
    bool deferred_;
    std::shared_ptr<ArrayInsert> insert_;
};

}  // namespace fermata::postgres
