#include "impl.hpp"
#include "schema.hpp"

#include <fermata/base/id.hpp>
#include <fermata/base/text.hpp>

#include <algorithm>

namespace fermata {
namespace {

using sql::SqlError;

// Nothing if the database has no such table. One statement: opening must cost next to nothing.
std::optional<std::int64_t> version_in(sql::Connection& connection) {
    try {
        const sql::Result found = connection.execute("SELECT version FROM schema_version");
        if (!found.empty()) return found[0][0].integer();
        return std::nullopt;
    } catch (const SqlError& error) {
        if (error.sql_kind() == SqlError::Kind::syntax) return std::nullopt;
        throw;
    }
}

Error foreign(const sql::Database& database, const std::vector<std::string>& tables) {
    std::string names;
    for (std::size_t i = 0; i < std::min<std::size_t>(tables.size(), 3); ++i)
        names += fmt::format("{}{}", i == 0 ? "" : ", ", printable(tables[i]));
    return Error(ErrorKind::refused,
                 fmt::format("{} is no Fermata repository: it has the tables {}{}", database.display_name(), names,
                             tables.size() > 3 ? ", …" : ""),
                 "name another file or database with --repository");
}

Error missing(const sql::Database& database) {
    return Error(ErrorKind::unreachable, fmt::format("there is no repository at {}", database.display_name()),
                 "fermata db init creates one");
}

void check(std::int64_t version, const sql::Database& database) {
    if (version == schema_version) return;
    const bool newer = version > schema_version;
    throw Error(ErrorKind::refused,
                fmt::format("{} has schema version {}, this program knows version {}", database.display_name(), version,
                            schema_version),
                newer ? "use a newer fermata" : "fermata db migrate brings it up to date");
}

// Another process may have created the schema between our look and our lock.
void create_schema(sql::Connection& connection, const sql::Database& database, Timestamp now) {
    sql::Transaction transaction(connection);
    if (const auto version = version_in(connection)) return check(*version, database);
    connection.execute_script(schema_sql(database.dialect()));
    const std::string uuid = new_uuid();
    const sql::Command rows[] = {
        {"INSERT INTO schema_version (version) VALUES ($1)", {Value(schema_version)}, 1},
        {"INSERT INTO repository (uuid, created) VALUES ($1, $2)", {Value(uuid), Value(to_micros(now))}, 1}};
    transaction.commit(rows);
}

void open(sql::Connection& connection, const sql::Database& database, bool create, Timestamp now) {
    if (const auto version = version_in(connection)) return check(*version, database);
    if (const auto tables = connection.tables(); !tables.empty()) throw foreign(database, tables);
    if (!create) throw missing(database);
    create_schema(connection, database, now);
}

}  // namespace

Repository::Repository(std::unique_ptr<sql::Database> database, std::filesystem::path data_folder, bool create,
                       const Clock& clock)
    : database_(std::move(database)),
      data_folder_(std::move(data_folder)),
      impl_(std::make_unique<Impl>(*database_, clock)) {
    const bool exists = database_->exists();
    if (!exists && !create) throw missing(*database_);
    try {
        impl_->writer = database_->connect(exists ? sql::OpenMode::read_write : sql::OpenMode::create);
        impl_->writer->close_lightly();
        open(*impl_->writer, *database_, create, clock.now());
    } catch (const SqlError& error) {
        if (error.sql_kind() != SqlError::Kind::corrupt) throw;
        throw Error(ErrorKind::refused,
                    fmt::format("{} is damaged or no database: {}", database_->display_name(), error.what()),
                    "restore a backup, or name another file with --repository");
    }
}

Repository::~Repository() = default;

std::string Repository::uuid() {
    const sql::Result found = impl_->select("SELECT uuid FROM repository");
    if (found.size() == 1) return std::string(found[0][0].text());
    throw Error(ErrorKind::refused, fmt::format("{} has lost its identity", database_->display_name()),
                "restore a backup; fermata db verify tells what else is wrong");
}

std::int64_t Repository::statement_count() {
    const std::scoped_lock lock(impl_->write_mutex, impl_->read_mutex);
    return impl_->writer->statement_count() + (impl_->reader ? impl_->reader->statement_count() : 0);
}

}  // namespace fermata
