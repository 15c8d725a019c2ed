#pragma once
// A chunk that writes nothing but its step's progress, on a server.
#include "known_row.hpp"

namespace fermata {

/// A server takes what comes in one round trip for one transaction, and needs no BEGIN, no COMMIT and no check of its
/// own. Borrows its arguments.
class LoneChunk {
public:
    LoneChunk(const StepClaim& claim, const Progress& next, Timestamp now, const sql::Dialect& dialect)
        : claim_(claim), next_(next), now_(now), dialect_(dialect) {}
    /// What is asked of the owner. `row`: what is known of it, or null; knows the chunk after that. `writes`: as
    /// KnownRow::change_to() takes it. Throws RowCountError if the row is another owner's by now.
    [[nodiscard]] Requests save(sql::Connection& connection, KnownRow* row, std::int64_t writes);

private:
    [[nodiscard]] Asked save_all(sql::Connection& connection);

    const StepClaim& claim_;
    const Progress& next_;
    Timestamp now_;
    const sql::Dialect& dialect_;
};

}  // namespace fermata
