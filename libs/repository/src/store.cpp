#include "store.hpp"

#include <fermata/sql/early_commit.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace fermata {

using sql::SqlError;

StoreWrite::StoreWrite(Store& store, sql::Connection& connection)
    : transaction_(connection), dialect_(store.database.dialect()), now_(store.clock.now()) {}

namespace {

template <class Commit>
auto in_doubt_if_lost(Commit&& commit) {
    try {
        return commit();
    } catch (const SqlError& error) {
        if (error.sql_kind() == SqlError::Kind::lost) throw InDoubt(error);
        throw;
    }
}

}  // namespace

std::vector<sql::Result> StoreWrite::commit(std::span<const sql::Command> last) {
    return in_doubt_if_lost([&] { return transaction_.commit(last); });
}

std::string StoreWrite::early_column() const {
    const sql::EarlyCommit* const early = sql::early_commit_of(*transaction_);
    return early != nullptr ? fmt::format(", {}", early->early()) : std::string();
}

std::vector<sql::Result> StoreWrite::commit_early(std::span<const sql::Command> last) {
    sql::EarlyCommit* const early = sql::early_commit_of(*transaction_);
    if (early == nullptr) return commit(last);
    return in_doubt_if_lost([&] { return early->commit_early(last); });
}

void StoreWrite::send_to_disk() {
    sql::EarlyCommit* const early = sql::early_commit_of(*transaction_);
    if (early != nullptr) in_doubt_if_lost([&] { early->send_to_disk(); });
}

void StoreWrite::wait_for_disk() {
    sql::EarlyCommit* const early = sql::early_commit_of(*transaction_);
    if (early != nullptr) in_doubt_if_lost([&] { early->wait_for_disk(); });
}

void StoreWrite::lock(std::string_view table, std::int64_t id) {
    if (dialect_.for_update.empty()) return;
    transaction_->execute(fmt::format("SELECT id FROM {} WHERE id = $1{}", table, dialect_.for_update), {Value(id)});
}

void Patience::wait_or_rethrow(const SqlError& error) {
    constexpr std::chrono::seconds bound(30);
    constexpr std::chrono::milliseconds longest_pause(1'000);
    // A file that is gone, or locked for as long as the driver waits, stays so.
    if (!server_ || !error.is_transient()) throw;
    const auto now = std::chrono::steady_clock::now();
    if (!since_) since_ = now;
    if (now - *since_ >= bound)
        throw SqlError(error.sql_kind(), fmt::format("{} (tried for {} s)", error.what(), bound.count()),
                       "nothing is lost: when the database can be reached, fermata list shows how things stand");
    std::this_thread::sleep_for(pause_);
    pause_ = std::min(pause_ * 2, longest_pause);
}

ConnectionPool::Lease Store::transact(const std::function<void(StoreWrite&)>& verb,
                                      const std::function<bool(StoreWrite&)>& committed,
                                      std::optional<ConnectionPool::Lease> on) {
    Patience patience(database.dialect());
    for (bool in_doubt = false;;) {
        try {
            if (!on) on.emplace(writers.lend());
            const bool is_done = in_doubt && committed && run(committed, **on);
            in_doubt = false;
            if (!is_done) run(verb, **on);
            return *std::move(on);
        } catch (const InDoubt& lost) {
            in_doubt = true;
            patience.wait_or_rethrow(lost);
        } catch (const SqlError& error) {
            patience.wait_or_rethrow(error);
        }
    }
}

}  // namespace fermata
