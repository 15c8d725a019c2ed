#include "bulk.hpp"

#include "connection.hpp"
#include "errors.hpp"
#include "wire.hpp"

#include <fermata/base/text.hpp>
#include <fermata/sql/standard_sql.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace fermata::postgres {

namespace {

std::vector<std::string> names_of(std::span<const TargetColumn> columns) {
    std::vector<std::string> names;
    for (const auto& column : columns) names.push_back(column.name);
    return names;
}

std::string insert_sql(const sql::BulkTarget& target, std::span<const Codec> codecs) {
    std::vector<std::string> values;
    std::vector<std::string> names;
    std::vector<std::string> arrays;
    for (std::size_t i = 1; i <= codecs.size(); ++i) {
        names.push_back(fmt::format("c{}", i));
        arrays.push_back(fmt::format("${}", i));
        values.push_back(codecs[i - 1].converted("u." + names.back()));
    }
    return fmt::format("INSERT INTO {} ({}) SELECT {} FROM unnest({}) AS u ({}){}", sql::quote_table(target.table),
                       sql::quoted_list(target.columns), fmt::join(values, ", "), fmt::join(arrays, ", "),
                       fmt::join(names, ", "), sql::conflict_clause(target));
}

}  // namespace

/// The columns of the target in its order; throws for what is not there.
Target BulkWriter::find_columns(Connection& connection, const sql::BulkTarget& target) {
    sql::check_keys(connection.name(), target);
    const Target present = target_of(connection, target.table);
    const auto places = sql::places_of(connection, connection.name(), target, names_of(present.columns));
    // PostgreSQL itself would say so at the first row only.
    if (target.upsert && !is_unique_key(connection, target.table, target.keys))
        sql::refuse_target(connection.name(), target,
                           fmt::format("({}) is no unique key", fmt::join(target.keys, ", ")));
    Target wanted{.columns = {}, .copyable = present.copyable && !target.upsert};
    for (const std::size_t place : places) {
        const TargetColumn& column = present.columns[place];
        wanted.copyable = wanted.copyable && !column.generated;
        wanted.columns.push_back(column);
    }
    return wanted;
}

BulkWriter::BulkWriter(Connection& connection, const sql::BulkTarget& target)
    : connection_(connection), deferred_(target.place_of && !target.upsert) {
    Target found = find_columns(connection, target);
    for (TargetColumn& column : found.columns) codecs_.emplace_back(target.table, std::move(column));
    if (found.copyable && std::ranges::all_of(codecs_, &Codec::is_exact))
        copy_sql_ = fmt::format("COPY {} ({}) FROM STDIN (FORMAT binary)", sql::quote_table(target.table),
                                sql::quoted_list(target.columns));
    insert_ = std::make_shared<ArrayInsert>(insert_sql(target, codecs_), codecs_, target.upsert, target.place_of);
    connection_.with_session([&] { insert_->prepare(connection_); });
}

void BulkWriter::write(std::size_t rows, std::span<const Value> cells) {
    connection_.check_transaction();
    if (rows == 0) return;
    connection_.count_statement();
    connection_.with_session([&] {
        connection_.revive();
        const bool copies = !copy_sql_.empty() && rows >= connection_.settings().copy_from_rows;
        copies ? copy(rows, cells) : insert(rows, cells);
    });
}

void BulkWriter::insert(std::size_t rows, std::span<const Value> cells) {
    connection_.settle();  // rows sent earlier may still be needed to explain a refusal
    insert_->encode(rows, cells);
    insert_->prepare(connection_);
    if (deferred_ && !connection_.has_begun()) return connection_.hold(insert_);
    insert_->queue(connection_);
    connection_.owe(insert_);
    if (!deferred_) connection_.settle();
}

void BulkWriter::copy(std::size_t rows, std::span<const Value> cells) {
    connection_.settle();
    const std::string begin = insert_->place_of_copy(connection_);
    connection_.settle();
    Link& session = connection_.link();
    Handle<PGresult> answer = session.begin_copy((begin + copy_sql_).c_str());
    if (PQresultStatus(answer.get()) == PGRES_COPY_IN) answer = put_rows(session, rows, cells);
    if (PQresultStatus(answer.get()) == PGRES_COMMAND_OK) return;
    // COPY stops at a row, but not at the first: it checks some rules earlier than others.
    insert_->encode(rows, cells);
    if (insert_->redo(connection_, answer.get())) return;
    connection_.doom();
    throw_error(answer.get(), {connection_.name(), copy_sql_});
}

Handle<PGresult> BulkWriter::put_rows(Link& session, std::size_t rows, std::span<const Value> cells) {
    try {
        send_rows(session, rows, cells);
    } catch (const ConversionError&) {
        connection_.doom();
        (void)session.end_copy("a value cannot be sent");
        throw;
    }
    return session.end_copy();
}

/// https://www.postgresql.org/docs/15/sql-copy.html, "Binary Format".
void BulkWriter::send_rows(Link& session, std::size_t rows, std::span<const Value> cells) const {
    constexpr std::size_t portion = 1 << 14;  // the server has something to do soon
    std::string out("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", 19);
    for (std::size_t row = 0, cell = 0; row < rows; ++row) {
        append_int2(out, static_cast<std::int16_t>(codecs_.size()));
        for (const Codec& codec : codecs_) codec.append(out, cells[cell++], row);
        if (out.size() < portion) continue;
        session.put_copy(out);
        out.clear();
    }
    append_int2(out, -1);
    session.put_copy(out);
}

}  // namespace fermata::postgres
