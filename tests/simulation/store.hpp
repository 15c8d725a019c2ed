#pragma once
// The database of all seeds, emptied before each: a SQLite file as the driver opens it, made to look like a server
// where the weather says so. What only a server knows (its clock, its sessions) is put into its words; connections are
// lost as the world says; a test of the tests changes statements on their way.
#include <fermata/repository/repository.hpp>
#include <fermata/sql/sql.hpp>
#include <fermata/testing/temp_folder.hpp>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace fermata::simulation {

class World;
struct Host;

struct Edit {
    std::string from;
    std::string to;
};
/// A protocol that is broken from outside.
struct Mutant {
    std::string name;
    std::vector<Edit> edits;           ///< of statements; each must match
    std::string script;                ///< for the guards in the database that would hide it
    bool believes_heartbeats = false;  ///< an error while renewing counts as a success
    bool leases_by_own_clock = false;  ///< of the worker's host, not the database's
};

/// The text each statement is sent as.
class Texts {
public:
    explicit Texts(Mutant mutant = {}) : mutant_(std::move(mutant)), hits_(mutant_.edits.size()) {}
    struct Sent {
        std::string text;
        std::size_t instants = 0;  ///< parameters more: the server's clock, and when it was started
    };
    [[nodiscard]] const Sent& of(std::string_view written);
    [[nodiscard]] const Mutant& mutant() const { return mutant_; }
    /// Something beside the texts was broken.
    void misled() { ++misled_; }
    /// Edits that have never matched.
    [[nodiscard]] std::vector<std::string> unused() const;

private:
    [[nodiscard]] Sent rewritten(std::string text);
    Mutant mutant_;
    std::vector<std::int64_t> hits_;
    std::int64_t misled_ = 0;
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };
    std::unordered_map<std::string, Sent, Hash, std::equal_to<>> sent_;
};

class Store {
public:
    /// In a folder of its own.
    explicit Store(Mutant mutant = {});
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    /// As it was made. Opening it anew would take longer than most seeds.
    void empty();
    /// For a repository.
    [[nodiscard]] std::unique_ptr<sql::Database> database(World& world, const Host& host);
    [[nodiscard]] std::filesystem::path data_folder() const { return folder_.path() / "data"; }
    /// To look, and to do what no verb does: as it is, with no loss and no change.
    [[nodiscard]] sql::Connection& watcher() { return *watcher_; }

    // --- for its connections
    [[nodiscard]] Texts& texts() { return texts_; }
    [[nodiscard]] std::unique_ptr<sql::Connection> lend(sql::OpenMode mode);
    void take_back(std::unique_ptr<sql::Connection> connection, sql::OpenMode mode);

private:
    testing::TempFolder folder_;
    Texts texts_;
    std::unique_ptr<sql::Database> real_;
    std::map<sql::OpenMode, std::vector<std::unique_ptr<sql::Connection>>> idle_;
    std::unique_ptr<sql::Connection> watcher_;
};

}  // namespace fermata::simulation
