#pragma once
// Rows of the table walk.
#include "rows.hpp"

#include <fermata/repository/repository.hpp>

namespace fermata {

/// Keeps what the command borrows.
class WalkRow {
public:
    WalkRow(const Claim& claim, const WalkEntry& entry);
    [[nodiscard]] sql::Command insert() const;

private:
    const Claim& claim_;
    const WalkEntry& entry_;
    std::string steps_;
};

}  // namespace fermata
