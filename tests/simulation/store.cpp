#include "store.hpp"

#include "world.hpp"

#include <fermata/drivers/sqlite.hpp>
#include <fermata/testing/forwarding.hpp>

#include <algorithm>
#include <array>

namespace fermata::simulation {
namespace {

using sql::OpenMode;
using sql::SqlError;
using testing::ForwardingConnection;
using testing::ForwardingDatabase;

constexpr std::string_view ours = R"sql(
CREATE TABLE sim_chunk (
    id INTEGER PRIMARY KEY, instance BIGINT NOT NULL, step TEXT NOT NULL, partition BIGINT NOT NULL,
    execution BIGINT NOT NULL, sequence BIGINT NOT NULL, epoch BIGINT NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL);
)sql";

std::unique_ptr<sql::Database> open(const std::filesystem::path& file) {
    sql::Drivers drivers;
    add_sqlite_driver(drivers);
    return drivers.open(file.string());
}

/// In memory where there is room.
std::filesystem::path cheap_folder() {
    const std::filesystem::path memory = "/dev/shm";
    std::error_code error;
    const bool roomy = std::filesystem::space(memory, error).available > (std::uintmax_t{64} << 20U) && !error;
    return roomy ? memory : std::filesystem::temp_directory_path();
}

std::size_t replace(std::string& text, std::string_view from, std::string_view to) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size(), ++count)
        text.replace(at, from.size(), to);
    return count;
}

int parameters_in(std::string_view text) {
    int most = 0;
    for (std::size_t at = 0; (at = text.find('$', at)) != std::string_view::npos; ++at)
        most = std::max(most, std::atoi(text.data() + at + 1));
    return most;
}

// --- what only a server says

constexpr std::string_view server_now = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)";
constexpr std::string_view server_start = "CAST(EXTRACT(EPOCH FROM pg_postmaster_start_time()) * 1000000 AS BIGINT)";
constexpr std::string_view session_name =
    "CASE WHEN current_setting('application_name') LIKE 'fermata ________-____-____-____-____________' THEN "
    "current_setting('application_name') END";
constexpr std::string_view end_sessions = "SELECT pg_terminate_backend(";
constexpr std::string_view waits_for_no_disk = "SET synchronous_commit";

// Answers how many instants are parameters now.
std::size_t put_in_our_words(std::string& text) {
    if (text.starts_with(end_sessions)) text = "SELECT 1 WHERE $1 < 0";
    replace(text, session_name, "'a session'");
    const int given = parameters_in(text);
    const bool asks_for_time = replace(text, server_now, fmt::format("${}", given + 1)) > 0;
    const bool asks_for_start = replace(text, server_start, fmt::format("${}", given + 2)) > 0;
    return asks_for_start ? 2 : asks_for_time ? 1 : 0;
}

// --- connections

class Lent final : public ForwardingConnection {
public:
    Lent(World& world, const Host& host, OpenMode mode)
        : ForwardingConnection(world.store.lend(mode)), world_(world), host_(host), mode_(mode) {}
    ~Lent() override {
        real().rollback();
        world_.store.take_back(give_back(), mode_);
    }
    using sql::Connection::execute;
    sql::Result execute(const sql::Command& command) override {
        if (command.sql.starts_with(waits_for_no_disk)) return {};
        try {
            fail_sometimes();
            return real().execute(as_sent(command));
        } catch (const SqlError&) {
            Texts& texts = world_.store.texts();
            if (!texts.mutant().believes_heartbeats || !command.sql.starts_with("UPDATE worker SET lease")) throw;
            texts.misled();
            sql::Result renewed;
            renewed.changed = 1;
            return renewed;
        }
    }
    std::vector<sql::Result> execute_all(std::span<const sql::Command> commands) override {
        std::vector<sql::Result> results;
        for (const sql::Command& command : commands) results.push_back(execute(command));
        return results;
    }
    std::vector<sql::Result> commit(std::span<const sql::Command> last) override {
        fail_sometimes();
        std::vector<sql::Command> commands;
        for (const sql::Command& command : last) commands.push_back(as_sent(command));
        auto results = real().commit(commands);
        if (!world_.loses_connection()) return results;
        world_.sometimes("the answer to a commit was lost");
        lose();
    }

private:
    sql::Command as_sent(sql::Command command) {
        const Texts::Sent& sent = world_.store.texts().of(command.sql);
        command.sql = sent.text;
        if (sent.instants > 0) command.params.emplace_back(time_of_lease());
        if (sent.instants > 1) command.params.emplace_back(world_.server_started());
        return command;
    }
    Micros time_of_lease() {
        if (!world_.store.texts().mutant().leases_by_own_clock) return world_.database_micros();
        world_.store.texts().misled();
        return to_micros(host_.clock.now());
    }
    void fail_sometimes() {
        if (world_.is_cut_off(host_) || world_.loses_connection()) lose();
        if (!world_.is_busy()) return;
        real().rollback();
        throw SqlError(SqlError::Kind::busy, "somebody else is writing");
    }
    [[noreturn]] void lose() {
        real().rollback();
        throw SqlError(SqlError::Kind::lost, "the connection is gone");
    }
    World& world_;
    const Host& host_;
    OpenMode mode_;
};

class Shared final : public ForwardingDatabase {
public:
    Shared(std::unique_ptr<sql::Database> real, World& world, const Host& host)
        : ForwardingDatabase(std::move(real), {}), world_(world), host_(host) {
        if (world.weather.is_server) pretend_to_be_a_server();
    }
    std::unique_ptr<sql::Connection> connect(OpenMode mode) override {
        return std::make_unique<Lent>(world_, host_, mode);
    }
    /// SQLite's own is not what is tested here; it costs more than all else.
    std::vector<std::string> integrity_check() override { return {}; }

private:
    World& world_;
    const Host& host_;
};

}  // namespace

const Texts::Sent& Texts::of(std::string_view written) {
    const auto found = sent_.find(written);
    if (found != sent_.end()) return found->second;
    return sent_.emplace(written, rewritten(std::string(written))).first->second;
}

Texts::Sent Texts::rewritten(std::string text) {
    for (std::size_t i = 0; i < mutant_.edits.size(); ++i)
        hits_[i] += static_cast<std::int64_t>(replace(text, mutant_.edits[i].from, mutant_.edits[i].to));
    const std::size_t instants = put_in_our_words(text);
    return {std::move(text), instants};
}

std::vector<std::string> Texts::unused() const {
    std::vector<std::string> unused;
    for (std::size_t i = 0; i < hits_.size(); ++i)
        if (hits_[i] == 0) unused.push_back(mutant_.edits[i].from);
    if ((mutant_.believes_heartbeats || mutant_.leases_by_own_clock) && misled_ == 0) unused.emplace_back("a lease");
    return unused;
}

Store::Store(Mutant mutant) : folder_(cheap_folder()), texts_(std::move(mutant)), real_(open(folder_ / "fermata.db")) {
    const Repository made(open(folder_ / "fermata.db"), data_folder(), true);
    watcher_ = lend(OpenMode::read_write);
    watcher_->execute_script(ours);
    watcher_->execute_script(texts_.mutant().script);
}

Store::~Store() = default;

void Store::empty() {
    std::string script = "BEGIN; PRAGMA defer_foreign_keys = ON; INSERT INTO purge_in_progress VALUES (0);";
    for (const std::string& table : watcher_->tables())
        if (table != "schema_version" && table != "repository" && table != "purge_in_progress")
            script += fmt::format("DELETE FROM {};", table);
    watcher_->execute_script(script + "DELETE FROM sqlite_sequence; DELETE FROM purge_in_progress; COMMIT;");
    std::filesystem::remove_all(data_folder());
    std::filesystem::create_directory(data_folder());
}

std::unique_ptr<sql::Database> Store::database(World& world, const Host& host) {
    return std::make_unique<Shared>(open(folder_ / "fermata.db"), world, host);
}

std::unique_ptr<sql::Connection> Store::lend(OpenMode mode) {
    auto& idle = idle_[mode];
    if (idle.empty()) {
        auto opened = real_->connect(mode);
        // Whether a disk keeps its word is asked elsewhere.
        if (mode != OpenMode::read_only) opened->execute_script("PRAGMA synchronous = OFF");
        opened->close_lightly();
        return opened;
    }
    auto lent = std::move(idle.back());
    idle.pop_back();
    return lent;
}

void Store::take_back(std::unique_ptr<sql::Connection> connection, OpenMode mode) {
    idle_[mode].push_back(std::move(connection));
}

}  // namespace fermata::simulation
