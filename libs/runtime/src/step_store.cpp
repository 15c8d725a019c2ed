#include "step_store.hpp"

#include <fermata/base/point.hpp>
#include <fermata/repository/sink_table.hpp>

#include <chrono>
#include <optional>
#include <vector>

namespace fermata {
namespace {

/// Truth in step_progress, in the repository's database. Serves T1 writers into that database and all other classes.
class InRepository final : public StepStore, private Transaction {
public:
    InRepository(Repository& repository, const StepEntry& entry, bool joins)
        : repository_(repository), entry_(entry), joins_(joins) {}

    Progress open() override { return entry_.state.progress; }
    Transaction& transaction() override { return *this; }
    sql::Connection& connection() override {
        if (!joins_)
            throw Error(ErrorKind::refused,
                        "the writer asked for a database transaction, but its sink is not transactional",
                        "let sink() answer SinkClass::transactional");
        if (!unit_) unit_.emplace(repository_.unit());
        return unit_->connection();
    }
    Requests commit(const Progress& next, std::span<const Event> journal) override {
        if (!unit_) unit_.emplace(repository_.unit());
        // Whatever happens, the write connection is given back: others of this process wait for it.
        std::optional<Repository::Unit> unit = std::move(unit_);
        unit_.reset();
        if (!journal.empty()) repository_.append(*unit, entry_.claim.execution, journal);
        return unit->commit(entry_.claim, next);
    }
    [[nodiscard]] bool may_wait_for_end() const noexcept override { return !unit_; }
    void rollback() noexcept override { unit_.reset(); }
    void flush(const Progress&) override {}

private:
    Repository& repository_;
    StepEntry entry_;
    bool joins_;
    std::optional<Repository::Unit> unit_;
};

/// Truth in fermata_sink, in the sink's own database. The repository's copy follows at most once a second: one fsync a
/// chunk, not two.
class InSink final : public StepStore, private Transaction {
public:
    InSink(Repository& repository, std::unique_ptr<sql::Database> database, const StepEntry& entry,
           const std::string& table, bool accept)
        : repository_(repository),
          database_(std::move(database)),
          connection_(database_->connect(sql::OpenMode::create)),
          row_(*connection_, database_->dialect(), table, {entry.claim.execution.instance_uuid, entry.claim.step, 0}),
          entry_(entry),
          accept_(accept) {}

    Progress open() override { return row_.open(entry_.claim.epoch, entry_.claim.id, entry_.state.progress, accept_); }
    Transaction& transaction() override { return *this; }
    sql::Connection& connection() override {
        if (!connection_->in_transaction()) connection_->begin();
        return *connection_;
    }
    Requests commit(const Progress& next, std::span<const Event> journal) override {
        if (!connection_->in_transaction()) connection_->begin();
        const sql::Command save = row_.save(entry_.claim.epoch, next);
        FERMATA_POINT("sink.before-commit");
        connection_->commit({&save, 1});
        FERMATA_POINT("sink.after-commit");
        journal_.insert(journal_.end(), journal.begin(), journal.end());
        const auto now = std::chrono::steady_clock::now();
        if (now - copied_ < std::chrono::seconds(1)) return last_;
        copied_ = now;
        return copy(next);
    }
    /// The sink's row would stay behind the repository's.
    [[nodiscard]] bool may_wait_for_end() const noexcept override { return false; }
    void rollback() noexcept override {
        if (connection_->in_transaction()) connection_->rollback();
    }
    void flush(const Progress& committed) override { copy(committed); }

private:
    Requests copy(const Progress& progress) {
        last_ = repository_.save_progress(entry_.claim, progress, journal_);
        journal_.clear();
        return last_;
    }

    Repository& repository_;
    std::unique_ptr<sql::Database> database_;
    std::unique_ptr<sql::Connection> connection_;
    SinkTable row_;
    StepEntry entry_;
    bool accept_;
    std::vector<Event> journal_;
    Requests last_;
    std::chrono::steady_clock::time_point copied_ = std::chrono::steady_clock::now();
};

/// Transactional into another database, without our row there (sink-table="none"): rows commit first, then the
/// progress, so a death between the two writes that chunk again.
class Beside final : public StepStore, private Transaction {
public:
    Beside(Repository& repository, std::unique_ptr<sql::Database> database, const StepEntry& entry)
        : progress_(repository, entry, false),
          database_(std::move(database)),
          connection_(database_->connect(sql::OpenMode::create)) {}

    Progress open() override { return progress_.open(); }
    Transaction& transaction() override { return *this; }
    sql::Connection& connection() override {
        if (!connection_->in_transaction()) connection_->begin();
        return *connection_;
    }
    Requests commit(const Progress& next, std::span<const Event> journal) override {
        if (connection_->in_transaction()) connection_->commit();
        return progress_.commit(next, journal);
    }
    [[nodiscard]] bool may_wait_for_end() const noexcept override { return !connection_->in_transaction(); }
    void rollback() noexcept override {
        if (connection_->in_transaction()) connection_->rollback();
        progress_.rollback();
    }
    void flush(const Progress&) override {}

private:
    InRepository progress_;
    std::unique_ptr<sql::Database> database_;
    std::unique_ptr<sql::Connection> connection_;
};

bool same_database(sql::Database& one, sql::Database& other) {
    return one.exists() && other.exists() && one.dialect().engine == other.dialect().engine &&
           one.identity() == other.identity();
}

}  // namespace

std::unique_ptr<StepStore> make_step_store(Repository& repository, const sql::Drivers& drivers, const StepEntry& entry,
                                           const Sink& sink, bool accept_sink) {
    if (sink.sink_class != SinkClass::transactional) return std::make_unique<InRepository>(repository, entry, false);
    if (sink.url.empty()) return std::make_unique<InRepository>(repository, entry, true);
    auto database = drivers.open(sink.url);
    if (same_database(*database, repository.database())) return std::make_unique<InRepository>(repository, entry, true);
    if (sink.sink_table == "none") return std::make_unique<Beside>(repository, std::move(database), entry);
    return std::make_unique<InSink>(repository, std::move(database), entry, sink.sink_table, accept_sink);
}

}  // namespace fermata
