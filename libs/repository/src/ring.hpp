#pragma once
// What rings every Bell of the repository's database, also of other repositories there.
#include "store.hpp"

#include <fermata/sql/notices.hpp>

namespace fermata {

inline constexpr std::string_view request_channel = "fermata_request";

/// Heard when `write` is committed. Does nothing where nobody can hear.
inline void ring(StoreWrite& write) {
    if (sql::Notices* notices = sql::notices_of(*write)) notices->say(request_channel);
}

}  // namespace fermata
