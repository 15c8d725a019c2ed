#pragma once
// A PostgreSQL of the tests' own: a cluster in a temporary folder, on a unix socket, run as an unprivileged user.
//
// The program testing/postgres/cluster stands between a test and PostgreSQL: it stops PostgreSQL and removes the folder
// when the test process ends, however it ends. Under ctest one cluster serves the whole run (fixture `postgres` of
// fermata_test), so that hundreds of processes do not each make their own.
#include <fermata/testing/server_guard.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fermata::testing {

struct PostgresSettings {
    std::vector<std::string> others;  ///< as in postgresql.conf, "name=value"
    bool fsync = true;
};

class PostgresCluster {
public:
    enum class Stop { fast, immediate };  ///< rolls back and closes; or as after a power cut

    /// A new cluster, about a second. Throws std::runtime_error saying why, also when PostgreSQL is not installed.
    explicit PostgresCluster(const PostgresSettings& settings);
    PostgresCluster(const PostgresCluster&) = delete;
    PostgresCluster& operator=(const PostgresCluster&) = delete;
    ~PostgresCluster();

    /// The cluster of this ctest run, or else of this process; without fsync, which only a power cut would notice.
    /// Not for stop() and kill_backends(): others work there.
    static PostgresCluster& shared();
    /// Why there can be no cluster here, for GTEST_SKIP.
    [[nodiscard]] static std::optional<std::string> missing();

    [[nodiscard]] std::string url(std::string_view database = "postgres") const;
    [[nodiscard]] std::filesystem::path socket() const { return folder_ / ".s.PGSQL.5432"; }
    /// The new database's name; a copy of `original`, which nobody may be connected to.
    std::string create_database(std::string_view original = "template0");
    void drop_database(std::string_view name);  ///< also from under those connected to it

    void stop(Stop how);
    void start();  ///< returns when connections are accepted
    void restart(Stop how) { stop(how), start(); }
    /// kill -9 of everybody's server process. PostgreSQL then recovers as after a crash.
    void kill_backends();

private:
    struct Existing {
        std::filesystem::path folder;
    };
    explicit PostgresCluster(Existing existing) : folder_(std::move(existing.folder)) {}

    std::unique_ptr<ServerGuard> guard_;  ///< none: somebody else's cluster
    std::filesystem::path folder_;
};

/// A database of one test's own in the shared cluster.
class PostgresDatabase {
public:
    PostgresDatabase() : name_(PostgresCluster::shared().create_database()) {}
    PostgresDatabase(const PostgresDatabase&) = delete;
    PostgresDatabase& operator=(const PostgresDatabase&) = delete;
    ~PostgresDatabase() { PostgresCluster::shared().drop_database(name_); }
    [[nodiscard]] std::string url() const { return PostgresCluster::shared().url(name_); }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

private:
    std::string name_;
};

}  // namespace fermata::testing
