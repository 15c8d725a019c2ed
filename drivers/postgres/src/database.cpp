#include "connection.hpp"
#include "dialect.hpp"
#include "integrity.hpp"

#include <fmt/format.h>

#include <atomic>
#include <mutex>

namespace fermata::postgres {

using sql::SqlError;

namespace {

std::string shell_quoted(std::string_view text) {
    std::string word = "'";
    for (const char c : text) word += c == '\'' ? std::string_view(R"('\'')") : std::string_view(&c, 1);
    return word + "'";
}

class Database final : public sql::Database {
public:
    Database(const std::string& url, const Settings& settings)
        : url_(url), settings_(settings), outage_(std::make_shared<Outage>(settings.reconnect_bound)) {}

    std::unique_ptr<sql::Connection> connect(sql::OpenMode mode) override;
    const sql::Dialect& dialect() const noexcept override { return postgres::dialect(); }
    std::string identity() const override;
    std::string display_name() const override { return url_.display_name(); }
    bool exists() const override;
    std::vector<std::string> integrity_check() override;
    void backup_to(const std::string& target) override;

private:
    /// A server that was there once is waited for.
    std::unique_ptr<Connection> open(sql::OpenMode mode) const;
    [[nodiscard]] std::unique_ptr<Connection> take_first() const;

    Url url_;
    Settings settings_;
    std::shared_ptr<Outage> outage_;
    mutable std::atomic<bool> seen_{false};
    mutable std::mutex mutex_;
    mutable std::unique_ptr<Connection> first_;  ///< saw that there is a database; who reads next gets it
};

std::unique_ptr<Connection> Database::take_first() const {
    const std::lock_guard lock(mutex_);
    return std::move(first_);
}

std::unique_ptr<Connection> Database::open(sql::OpenMode mode) const {
    if (mode == sql::OpenMode::read_only) {
        if (auto first = take_first()) return first;
    }
    auto connection = std::make_unique<Connection>(url_, mode, settings_, outage_, seen_);
    seen_ = true;
    return connection;
}

std::unique_ptr<sql::Connection> Database::connect(sql::OpenMode mode) { return open(mode); }

std::string Database::identity() const {
    const sql::Result row =
        open(sql::OpenMode::read_only)
            ->execute(
                "SELECT system_identifier::text || ':' || d.oid::text FROM pg_control_system(), pg_database d "
                "WHERE d.datname = current_database()");
    return std::string(row[0][0].text());
}

/// Asked before each opening; once seen it is not looked for again.
bool Database::exists() const {
    if (seen_) return true;
    try {
        auto first = open(sql::OpenMode::read_only);
        const std::lock_guard lock(mutex_);
        first_ = std::move(first);
    } catch (const SqlError&) {
        if (!lacks_database(url_, settings_)) throw;
    }
    return seen_;
}

std::vector<std::string> Database::integrity_check() { return check_integrity(*open(sql::OpenMode::read_only)); }

void Database::backup_to(const std::string& target) {
    throw Error(
        ErrorKind::refused, fmt::format("{}: PostgreSQL is backed up by its own tools", display_name()),
        fmt::format("pg_dump --format=custom --file={} {}", shell_quoted(target), shell_quoted(display_name())));
}

}  // namespace

std::unique_ptr<sql::Database> open_database(const std::string& url, Settings settings) {
    return std::make_unique<Database>(url, settings);
}

}  // namespace fermata::postgres

void fermata::add_postgres_driver(sql::Drivers& drivers, postgres::Settings settings) {
    for (const char* scheme : {"postgresql", "postgres"})
        drivers.add(scheme, [settings](const std::string& url) { return postgres::open_database(url, settings); });
}
