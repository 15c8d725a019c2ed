#include "connection.hpp"
#include "dialect.hpp"
#include "path.hpp"

#include <fermata/base/file.hpp>
#include <fermata/drivers/sqlite.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <mutex>
#include <system_error>

namespace fermata::sqlite {

using sql::SqlError;

namespace {

class Database final : public sql::Database {
public:
    Database(std::string path, const Settings& settings)
        : name_(std::move(path)), path_(canonical(name_)), settings_(settings) {}

    std::unique_ptr<sql::Connection> connect(sql::OpenMode mode) override {
        return std::make_unique<Connection>(name_, path_, mode, settings_);
    }
    const sql::Dialect& dialect() const noexcept override { return sqlite::dialect(); }
    std::string identity() const override;
    std::string display_name() const override { return name_; }
    bool exists() const override { return identity_of(path_).has_value(); }
    std::vector<std::string> integrity_check() override;
    void backup_to(const std::string& target) override;

private:
    std::string name_;
    std::filesystem::path path_;
    Settings settings_;
};

std::string Database::identity() const {
    const auto identity = identity_of(path_);
    if (!identity) throw SqlError(SqlError::Kind::unreachable, name_ + ": there is no such database", "check the path");
    return fmt::format("{}:{}", identity->device, identity->inode);
}

std::vector<std::string> Database::integrity_check() {
    std::vector<std::string> wrong;
    try {
        Connection connection(name_, path_, sql::OpenMode::read_only, settings_);
        const sql::Result pages = connection.execute("PRAGMA integrity_check");
        for (std::size_t i = 0; i < pages.size(); ++i) {
            if (pages[i][0].text() != "ok") wrong.emplace_back(pages[i][0].text());
        }
        const sql::Result keys = connection.execute("SELECT \"table\", rowid, parent FROM pragma_foreign_key_check");
        for (std::size_t i = 0; i < keys.size(); ++i) {
            wrong.push_back(fmt::format("row {} of table {} refers to a row of {} that is not there",
                                        keys[i][1].is_null() ? 0 : keys[i][1].integer(), keys[i][0].text(),
                                        keys[i][2].text()));
        }
    } catch (const SqlError& error) {
        if (error.sql_kind() != SqlError::Kind::corrupt) throw;
        wrong.emplace_back(error.what());
    }
    return wrong;
}

void create_target(const std::string& target) {
    const File file(::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file) return;
    if (errno == EEXIST) throw Error(ErrorKind::refused, target + ": exists already", "name a new file for the backup");
    throw_system_error(errno, target + ": cannot create the backup");
}

void copy_database(Connection& source, const std::string& target) {
    sqlite3* opened = nullptr;
    const int opened_code = sqlite3_open_v2(target.c_str(), &opened, SQLITE_OPEN_READWRITE, nullptr);
    const DatabaseHandle destination(opened);
    check(opened_code, {opened, target});
    sqlite3_backup* const backup = sqlite3_backup_init(opened, "main", source.handle(), "main");
    if (backup == nullptr) throw_error(sqlite3_extended_errcode(opened), {opened, target});
    sqlite3_backup_step(backup, -1);
    check(sqlite3_backup_finish(backup), {opened, target});
}

void Database::backup_to(const std::string& target) {
    Connection source(name_, path_, sql::OpenMode::read_only, settings_);
    create_target(target);
    try {
        copy_database(source, target);
        sync_folder(std::filesystem::absolute(target).parent_path());
    } catch (...) {
        ::unlink(target.c_str());
        throw;
    }
}

void print_notice(const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }

void tune_library() {
    // Statistics cost a global mutex at every allocation. And a page cache begins with no pages rather than twenty:
    // each IN (…) and RETURNING has a cache of its own, and these 80 KiB, allocated, touched and given back to the
    // kernel, cost more than most statements. Refused, harmlessly, if the process has used SQLite before.
    static std::once_flag once;
    std::call_once(once, [] {
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
        sqlite3_config(SQLITE_CONFIG_PAGECACHE, nullptr, 0, 0);
    });
}

}  // namespace

}  // namespace fermata::sqlite

void fermata::add_sqlite_driver(sql::Drivers& drivers, sqlite::Settings settings) {
    sqlite::tune_library();
    if (!settings.notice) settings.notice = sqlite::print_notice;
    drivers.add("sqlite", [settings = std::move(settings)](const std::string& url) {
        return std::make_unique<sqlite::Database>(sqlite::path_of_url(url), settings);
    });
}
