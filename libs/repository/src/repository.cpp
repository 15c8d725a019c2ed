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
                newer ? "use a newer fermata"
                      : "it was made before any release: let that program finish its jobs, then name a new repository");
}

// Another process may have created the schema between our look and our lock.
void create_schema(sql::Connection& connection, const sql::Database& database, Timestamp now) {
    sql::Transaction transaction(connection);
    if (!connection.columns_of("schema_version").empty()) return check(version_in(connection).value(), database);
    connection.execute_script(schema_sql(database.dialect()));
    const std::string uuid = new_uuid();
    const sql::Command rows[] = {
        {"INSERT INTO schema_version (version) VALUES ($1)", {Value(schema_version)}, 1},
        {"INSERT INTO repository (uuid, created) VALUES ($1, $2)", {Value(uuid), Value(to_micros(now))}, 1}};
    transaction.commit(rows);
}

void open_schema(sql::Connection& connection, const sql::Database& database, bool create, Timestamp now) {
    if (const auto version = version_in(connection)) return check(*version, database);
    if (const auto tables = connection.tables(); !tables.empty()) {
        // Another process may have made it between the two looks.
        if (const auto version = version_in(connection)) return check(*version, database);
        throw foreign(database, tables);
    }
    if (!create) throw missing(database);
    try {
        create_schema(connection, database, now);
    } catch (const Error&) {
        // Where no lock excludes another creator, the database's own catalogue does: one of us is refused.
        const auto version = version_in(connection);
        if (!version) throw;
        check(*version, database);
    }
}

}  // namespace

Repository::Repository(std::unique_ptr<sql::Database> database, std::filesystem::path data_folder, bool create,
                       const Clock& clock)
    : database_(std::move(database)),
      data_folder_(std::move(data_folder)),
      impl_(std::make_unique<Impl>(*database_, clock)) {
    open(create);
}

Repository::Repository(std::unique_ptr<sql::Database> database, const FolderOf& data_folder, bool create,
                       const Clock& clock)
    : database_(std::move(database)), impl_(std::make_unique<Impl>(*database_, clock)) {
    open(create);
    data_folder_ = data_folder(uuid());
}

void Repository::open(bool create) {
    const bool exists = database_->exists();
    if (!exists && !create) throw missing(*database_);
    try {
        auto writer = database_->connect(exists ? sql::OpenMode::read_write : sql::OpenMode::create_private);
        open_schema(*writer, *database_, create, impl_->clock.now());
        impl_->writers.add(std::move(writer));
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
    return impl_->writers.statement_count() + impl_->readers.statement_count();
}

}  // namespace fermata
