#include "step_store.hpp"

#include <fermata/base/point.hpp>
#include <fermata/batch/properties.hpp>
#include <fermata/repository/sink_table.hpp>

#include <chrono>
#include <optional>
#include <vector>

namespace fermata {
namespace {

/// Truth in step_progress, in the repository's database. Serves T1 writers into that database and all other classes.
class InRepository final : public StepStore, private Transaction {
public:
    InRepository(const StepScope& scope, bool joins)
        : repository_(scope.job.repository),
          entry_(scope.entry),
          joins_(joins),
          outbox_(scope.outbox),
          lane_(repository_.lane()) {}

    Progress open() override { return entry_.state.progress; }
    Transaction& transaction() override { return *this; }
    sql::Connection& connection() override {
        if (!joins_)
            throw Error(ErrorKind::refused,
                        "the writer asked for a database transaction, but its sink is not transactional",
                        "let sink() answer SinkClass::transactional");
        if (!unit_) unit_.emplace(repository_.unit(lane_));
        return unit_->connection();
    }
    Requests commit(const Progress& next, std::span<const Event> journal) override {
        if (!unit_) unit_.emplace(repository_.unit(lane_));
        // Whatever happens, the write connection is given back: others of this process wait for it.
        std::optional<Repository::Unit> unit = std::move(unit_);
        unit_.reset();
        if (!journal.empty()) repository_.append(*unit, entry_.claim.execution, journal);
        if (outbox_ != nullptr && outbox_->pending())
            repository_.store_collected(*unit, entry_.claim, next.sequence, *outbox_->pending());
        return unit->commit(entry_.claim, next);
    }
    [[nodiscard]] bool may_wait_for_end() const noexcept override { return !unit_; }
    void rollback() noexcept override { unit_.reset(); }
    void reconnect(const Progress&) override {}
    void flush(const Progress&) override {}

private:
    Repository& repository_;
    StepEntry entry_;
    bool joins_;
    const Outbox* outbox_;
    Repository::Lane lane_;
    std::optional<Repository::Unit> unit_;
};

/// Truth in fermata_sink, in the sink's own database. The repository's copy follows at most once a second: one fsync a
/// chunk, not two.
class InSink final : public StepStore, private Transaction {
public:
    InSink(const StepScope& scope, std::unique_ptr<sql::Database> database, const Sink& sink)
        : repository_(scope.job.repository),
          database_(std::move(database)),
          connection_(database_->connect(sql::OpenMode::create)),
          row_(*connection_, database_->dialect(), sink.sink_table, key_of(scope.entry.claim)),
          entry_(scope.entry),
          address_{sink.recorded_url.empty() ? without_passwords(sink.url) : sink.recorded_url, sink.sink_table},
          accept_(scope.job.accept_sink),
          outbox_(scope.outbox) {}

    Progress open() override {
        repository_.record_sink(entry_.claim.execution, address_);
        Progress committed = row_.open(entry_.claim.epoch, entry_.claim.id, entry_.state.progress, accept_);
        // The owner before us may have died before the repository knew of its last chunks.
        if (const auto& former = row_.former(); former && former->step_execution != entry_.claim.id)
            repository_.settle_counts(former->step_execution, former->partition, former->progress);
        return committed;
    }
    Transaction& transaction() override { return *this; }
    sql::Connection& connection() override {
        if (!connection_->in_transaction()) connection_->begin();
        return *connection_;
    }
    Requests commit(const Progress& next, std::span<const Event> journal) override {
        // Before the sink: what is stored for a chunk that was not committed is not handed over by an adopter.
        if (outbox_ != nullptr && outbox_->pending())
            repository_.store_collected(entry_.claim, next.sequence, *outbox_->pending());
        if (!connection_->in_transaction()) connection_->begin();
        const sql::Command save = row_.save(entry_.claim.epoch, next);
        FERMATA_POINT("sink.before-commit");
        try {
            connection_->commit({&save, 1});
        } catch (const sql::SqlError& error) {
            // Lost with the answer, which may have been yes.
            if (error.sql_kind() != sql::SqlError::Kind::lost || !row_.holds(entry_.claim.epoch, next)) throw;
        }
        FERMATA_POINT("sink.after-commit");
        journal_.insert(journal_.end(), journal.begin(), journal.end());
        const auto now = std::chrono::steady_clock::now();
        if (now - copied_ < std::chrono::seconds(1)) return last_;
        copied_ = now;
        return copy_if_reachable(next);
    }
    void reconnect(const Progress& committed) override { (void)row_.holds(entry_.claim.epoch, committed); }
    /// The sink's row would stay behind the repository's.
    [[nodiscard]] bool may_wait_for_end() const noexcept override { return false; }
    void rollback() noexcept override {
        if (connection_->in_transaction()) connection_->rollback();
    }
    void flush(const Progress& committed) override { copy(committed); }

private:
    static SinkKey key_of(const StepClaim& claim) {
        return {claim.execution.instance_uuid, claim.step, claim.partition};
    }
    /// The chunk is committed; its copy can wait until the repository is back.
    Requests copy_if_reachable(const Progress& progress) {
        try {
            return copy(progress);
        } catch (const sql::SqlError& error) {
            if (!error.is_transient()) throw;
            return last_;
        }
    }
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
    SinkAddress address_;
    bool accept_;
    const Outbox* outbox_;
    std::vector<Event> journal_;
    Requests last_;
    std::chrono::steady_clock::time_point copied_ = std::chrono::steady_clock::now();
};

/// Transactional into another database, without our row there (sink-table="none"): rows commit first, then the
/// progress, so a death between the two writes that chunk again.
class Beside final : public StepStore, private Transaction {
public:
    Beside(const StepScope& scope, std::unique_ptr<sql::Database> database)
        : progress_(scope, false),
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
    void reconnect(const Progress&) override {}
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

std::unique_ptr<StepStore> store_for(const StepScope& scope, const Sink& sink) {
    if (sink.sink_class != SinkClass::transactional) return std::make_unique<InRepository>(scope, false);
    if (sink.url.empty()) return std::make_unique<InRepository>(scope, true);
    auto database = scope.job.drivers.open(sink.url);
    if (same_database(*database, scope.job.repository.database())) return std::make_unique<InRepository>(scope, true);
    if (sink.sink_table == "none") return std::make_unique<Beside>(scope, std::move(database));
    return std::make_unique<InSink>(scope, std::move(database), sink);
}

/// Hands over what a collector gave, once it is durable.
class Delivering final : public StepStore {
public:
    Delivering(std::unique_ptr<StepStore> store, Outbox& outbox) : store_(std::move(store)), outbox_(outbox) {}

    Progress open() override { return store_->open(); }
    Transaction& transaction() override { return store_->transaction(); }
    Requests commit(const Progress& next, std::span<const Event> journal) override {
        const Requests requests = store_->commit(next, journal);
        outbox_.deliver();
        return requests;
    }
    [[nodiscard]] bool may_wait_for_end() const noexcept override {
        return !outbox_.pending() && store_->may_wait_for_end();
    }
    void rollback() noexcept override { store_->rollback(); }
    void reconnect(const Progress& committed) override { store_->reconnect(committed); }
    void flush(const Progress& committed) override { store_->flush(committed); }

private:
    std::unique_ptr<StepStore> store_;
    Outbox& outbox_;
};

}  // namespace

std::unique_ptr<StepStore> make_step_store(const StepScope& scope, const Sink& sink) {
    auto store = store_for(scope, sink);
    if (scope.outbox == nullptr) return store;
    return std::make_unique<Delivering>(std::move(store), *scope.outbox);
}

}  // namespace fermata
