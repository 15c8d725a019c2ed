#include "store.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>
#include <fermata/repository/sink_table.hpp>
#include <fermata/sql/standard_sql.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

namespace fermata {

namespace {

constexpr std::array column_names{"instance_uuid", "step",           "partition", "generation", "sequence",
                                  "epoch",         "step_execution", "session",   "progress"};

void check_columns(const std::vector<sql::Column>& columns, const std::string& table) {
    for (const char* name : column_names) {
        if (std::ranges::find(columns, name, &sql::Column::name) == columns.end())
            throw Error(ErrorKind::refused,
                        fmt::format("table \"{}\" of the sink has no column \"{}\": it is not Fermata's", table, name),
                        "give the writer another sink-table");
    }
}

void create(sql::Connection& connection, const sql::Dialect& dialect, const std::string& table) {
    const std::string sql = SinkTable::create_sql(dialect, table);
    try {
        sql::Transaction transaction(connection);
        transaction->execute(sql);
        transaction.commit();
    } catch (const Error& error) {
        if (error.is_transient()) throw;
        if (!connection.columns_of(table).empty()) return;  // another partition has just made it: IF NOT EXISTS races
        throw Error(ErrorKind::refused, fmt::format("cannot create table \"{}\" in the sink: {}", table, error.what()),
                    "have it created: " + sql);
    }
}

std::string shown(const Progress& progress) {
    return fmt::format("chunk {} of generation {}", progress.sequence, progress.generation);
}

auto place(const Progress& progress) { return std::tie(progress.generation, progress.sequence); }

bool is_behind(const std::optional<Progress>& committed, const Progress& copy) {
    return copy.sequence != 0 && (!committed || place(*committed) < place(copy));
}

/// What the sink holds of this generation; what no chunk saved stands in the copy only.
Progress held(const std::optional<Progress>& committed, const Progress& copy) {
    if (committed && committed->generation >= copy.generation) return *committed;
    if (copy.sequence == 0) return copy;
    return {};
}

/// Accepted although it is behind. Its place becomes a new one, beyond the copy's: places never go back, and whoever
/// compares sink and copy after this finds the sink ahead. The generation stays, partitions are told by it.
Progress accepted(Progress progress, const Progress& copy) {
    progress.generation = copy.generation;
    progress.sequence = copy.sequence + 1;
    return progress;
}

}  // namespace

SinkTable::SinkTable(sql::Connection& connection, const sql::Dialect& dialect, std::string table, SinkKey key)
    : connection_(connection), dialect_(dialect), table_(std::move(table)), key_(std::move(key)) {
    const auto columns = connection_.columns_of(table_);
    if (columns.empty()) {
        create(connection_, dialect, table_);
    } else {
        check_columns(columns, table_);
    }
    save_sql_ = fmt::format(
        "UPDATE {} SET sequence = $5, progress = $6 WHERE instance_uuid = $1 AND step = $2 AND partition = $3 "
        "AND epoch = $4 AND generation = $7 AND sequence + 1 = $5",
        sql::quote_table(table_));
}

std::string SinkTable::create_sql(const sql::Dialect&, const std::string& table) {
    return fmt::format(
        "CREATE TABLE IF NOT EXISTS {} (instance_uuid TEXT NOT NULL, step TEXT NOT NULL, partition BIGINT NOT NULL, "
        "generation BIGINT NOT NULL, sequence BIGINT NOT NULL, epoch BIGINT NOT NULL, step_execution BIGINT NOT NULL, "
        "session TEXT NOT NULL, progress TEXT NOT NULL, PRIMARY KEY (instance_uuid, step, partition))",
        sql::quote_table(table));
}

Progress SinkTable::open(std::int64_t epoch, StepExecutionId step_execution, const Progress& copy, bool accept) {
    for (Patience patience(dialect_);;) {
        try {
            return try_open(epoch, step_execution, copy, accept);
        } catch (const sql::SqlError& error) {
            patience.wait_or_rethrow(error);
        }
    }
}

/// Harmless when done again: what it wrote is what it would find.
Progress SinkTable::try_open(std::int64_t epoch, StepExecutionId step_execution, const Progress& copy, bool accept) {
    sql::Transaction transaction(connection_);
    const std::optional<Progress> committed = claim(epoch, step_execution, copy);
    const bool behind = is_behind(committed, copy);
    if (behind && !accept) refuse_behind(committed, copy);
    const Progress progress = behind ? accepted(held(committed, copy), copy) : held(committed, copy);
    const std::string sql = committed ? restore_sql() : insert_sql();
    encoded_ = encode(progress);
    const sql::Command last{
        sql,
        {std::string_view(key_.instance_uuid), std::string_view(key_.step), key_.partition, epoch, progress.generation,
         progress.sequence, step_execution.value(), std::string_view(encoded_)},
        1};
    transaction.commit({&last, 1});
    return progress;
}

/// Raises the row's epoch, which locks it, and answers what it holds; nothing if there is no row.
std::optional<Progress> SinkTable::claim(std::int64_t epoch, StepExecutionId step_execution, const Progress& copy) {
    const std::string where = " WHERE instance_uuid = $1 AND step = $2 AND partition = $3";
    const sql::Params key{std::string_view(key_.instance_uuid), std::string_view(key_.step), key_.partition};
    sql::Params claimed = key;
    claimed.emplace_back(epoch);
    const auto rows =
        connection_.execute(fmt::format("UPDATE {} SET epoch = $4{} AND epoch <= $4 RETURNING step_execution, progress",
                                        sql::quote_table(table_), where),
                            claimed);
    if (rows.empty()) {
        const auto others =
            connection_.execute(fmt::format("SELECT epoch FROM {}{}", sql::quote_table(table_), where), key);
        if (others.empty()) return std::nullopt;
        throw Error(ErrorKind::stale, fmt::format("{}: another owner (epoch {}) writes it now, ours was {}", describe(),
                                                  others[0][0].integer(), epoch));
    }
    Progress progress = decode_progress(rows[0][1].text());
    if (!former_) former_ = SinkRow{StepExecutionId(rows[0][0].integer()), key_.partition, progress};
    // These belong to one StepExecution; a new one brings its own.
    if (rows[0][0].integer() != step_execution.value()) {
        progress.metrics = copy.metrics;
        progress.exit_status = copy.exit_status;
    }
    // The end of a step saves user data where no chunk follows.
    if (place(progress) == place(copy)) progress.user_data = copy.user_data;
    return progress;
}

void SinkTable::refuse_behind(const std::optional<Progress>& committed, const Progress& copy) const {
    const std::string found = committed ? "the sink holds " + shown(*committed) : "the sink has no row";
    throw Error(ErrorKind::refused,
                fmt::format("{}: {} was committed, but {}: was the sink restored from a backup?", describe(),
                            shown(copy), found),
                "restart with --accept-sink to go on from what the sink holds");
}

std::string SinkTable::describe() const { return fmt::format("step \"{}\" in {} of the sink", key_.step, table_); }

std::string SinkTable::insert_sql() const {
    return fmt::format(
        "INSERT INTO {} (instance_uuid, step, partition, epoch, generation, sequence, step_execution, progress, "
        "session) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, {})",
        sql::quote_table(table_), dialect_.session);
}

std::string SinkTable::restore_sql() const {
    return fmt::format(
        "UPDATE {} SET generation = $5, sequence = $6, step_execution = $7, progress = $8, session = {} "
        "WHERE instance_uuid = $1 AND step = $2 AND partition = $3 AND epoch = $4",
        sql::quote_table(table_), dialect_.session);
}

sql::Command SinkTable::save(std::int64_t epoch, const Progress& next) {
    encoded_ = encode(next);
    return {save_sql_,
            {std::string_view(key_.instance_uuid), std::string_view(key_.step), key_.partition, epoch, next.sequence,
             std::string_view(encoded_), next.generation},
            1};
}

bool SinkTable::holds(std::int64_t epoch, const Progress& progress) {
    const std::string sql = fmt::format(
        "UPDATE {} SET session = {} WHERE instance_uuid = $1 AND step = $2 AND partition = $3 AND epoch = $4 "
        "RETURNING generation, sequence",
        sql::quote_table(table_), dialect_.session);
    for (Patience patience(dialect_);;) {
        try {
            const sql::Command look{
                sql, {std::string_view(key_.instance_uuid), std::string_view(key_.step), key_.partition, epoch}, 1};
            const sql::Result row = connection_.execute(look);
            return row[0][0].integer() == progress.generation && row[0][1].integer() == progress.sequence;
        } catch (const sql::SqlError& error) {
            patience.wait_or_rethrow(error);
        }
    }
}

std::vector<SinkRow> SinkTable::rows_of(sql::Connection& connection, const std::string& table,
                                        const std::string& instance_uuid) {
    if (connection.columns_of(table).empty()) return {};
    const sql::Result found =
        connection.execute(fmt::format("SELECT step_execution, partition, progress FROM {} WHERE instance_uuid = $1",
                                       sql::quote_table(table)),
                           {std::string_view(instance_uuid)});
    std::vector<SinkRow> rows;
    for (std::size_t i = 0; i < found.size(); ++i)
        rows.push_back(
            {StepExecutionId(found[i][0].integer()), found[i][1].integer(), decode_progress(found[i][2].text())});
    return rows;
}

std::int64_t SinkTable::remove(sql::Connection& connection, const std::string& table,
                               std::span<const std::string> instance_uuids) {
    if (connection.columns_of(table).empty()) return 0;
    const std::string sql = fmt::format("DELETE FROM {} WHERE instance_uuid = $1", sql::quote_table(table));
    sql::Transaction transaction(connection);
    std::int64_t removed = 0;
    for (const std::string& uuid : instance_uuids)
        removed += transaction->execute(sql, {std::string_view(uuid)}).changed;
    transaction.commit();
    return removed;
}

}  // namespace fermata
