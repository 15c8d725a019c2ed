#include "store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace fermata {

using sql::SqlError;

StoreWrite::StoreWrite(Store& store, sql::Connection& connection)
    : transaction_(connection), dialect_(store.database.dialect()), now_(store.clock.now()) {}

std::vector<sql::Result> StoreWrite::commit(std::span<const sql::Command> last) {
    try {
        return transaction_.commit(last);
    } catch (const SqlError& error) {
        if (error.sql_kind() == SqlError::Kind::lost) throw InDoubt(error);
        throw;
    }
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

void Store::transact(const std::function<void(StoreWrite&)>& verb, const std::function<bool(StoreWrite&)>& committed,
                     std::optional<ConnectionPool::Lease> on) {
    Patience patience(database.dialect());
    for (bool in_doubt = false;;) {
        try {
            if (!on) on.emplace(writers.lend());
            if (in_doubt && committed) {
                StoreWrite look(*this, **on);
                if (committed(look)) return;
            }
            in_doubt = false;
            StoreWrite write(*this, **on);
            return verb(write);
        } catch (const InDoubt& lost) {
            in_doubt = true;
            patience.wait_or_rethrow(lost);
        } catch (const SqlError& error) {
            patience.wait_or_rethrow(error);
        }
    }
}

}  // namespace fermata
