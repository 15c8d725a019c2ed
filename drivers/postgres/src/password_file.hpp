#pragma once
// ~/.pgpass, which libpq does not read if others may.
#include "url.hpp"

#include <string>

namespace fermata::postgres {

/// What libpq is to take for its password file: empty for the one it finds itself. If that one is none for us alone it
/// is said on stderr, once, and one that is not there is named: libpq would warn at each connection anew.
[[nodiscard]] std::string password_file_for(const Url& url);

}  // namespace fermata::postgres
