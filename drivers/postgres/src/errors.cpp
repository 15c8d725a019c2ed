#include "errors.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace fermata::postgres {

using sql::SqlError;

namespace {

/// https://www.postgresql.org/docs/15/errcodes-appendix.html. The first prefix that fits decides.
struct Meaning {
    std::string_view prefix;
    SqlError::Kind kind;
    std::string_view remedy;
};
constexpr std::string_view again = "it can be repeated";
constexpr std::string_view insufficient_privilege = "42501";
constexpr std::array meanings{
    Meaning{"40003", SqlError::Kind::lost, {}},  // a commit whose verdict the server does not know
    Meaning{"40", SqlError::Kind::busy, again},
    Meaning{"55P03", SqlError::Kind::busy, "somebody holds the lock; let it finish, or end its session"},
    Meaning{"55006", SqlError::Kind::busy, again},
    Meaning{"53100", SqlError::Kind::full, "free space on the server's disk"},
    Meaning{"25006", SqlError::Kind::read_only, "connect to the primary, as a user that may write"},
    Meaning{insufficient_privilege, SqlError::Kind::unreachable,
            "have the right granted to this role; docs/repository.md has the commands"},
    Meaning{"XX001", SqlError::Kind::corrupt, "restore a backup"},
    Meaning{"XX002", SqlError::Kind::corrupt, "REINDEX, or restore a backup"},
    Meaning{"58P01", SqlError::Kind::corrupt, "restore a backup"},
    Meaning{"3F000", SqlError::Kind::unreachable, "have the schema made, and the right to use it granted to this role"},
    Meaning{"26000", SqlError::Kind::other, "a pooler that changes sessions between statements cannot be used"},
    Meaning{"42", SqlError::Kind::syntax, {}},
};

const Meaning& meaning_of(std::string_view state) noexcept {
    static constexpr Meaning unknown{"", SqlError::Kind::other, {}};
    const auto* found = std::ranges::find_if(meanings, [&](const Meaning& m) { return state.starts_with(m.prefix); });
    return found == meanings.end() ? unknown : *found;
}

std::string_view field(const PGresult* result, int code) noexcept {
    const char* text = PQresultErrorField(result, code);
    return text != nullptr ? text : std::string_view();
}

std::string remedy_of(const PGresult* result, const Meaning& meaning) {
    if (!meaning.remedy.empty()) return std::string(meaning.remedy);
    std::string hint = printable(field(result, PG_DIAG_MESSAGE_HINT));
    return hint.substr(0, hint.find_last_not_of('.') + 1);
}

}  // namespace

std::string_view sqlstate(const PGresult* result) noexcept { return field(result, PG_DIAG_SQLSTATE); }

std::string_view message(const PGresult* result) noexcept {
    const std::string_view primary = field(result, PG_DIAG_MESSAGE_PRIMARY);
    return primary.empty() ? std::string_view(PQresultErrorMessage(result)) : primary;
}

// Our triggers raise 23514; P0001 is what a trigger raises that says no code.
bool refuses_row(std::string_view state) noexcept { return state.starts_with("23") || state == "P0001"; }

bool refuses_value(std::string_view state) noexcept { return state.starts_with("22"); }

bool ends_session(std::string_view state) noexcept {
    return state.starts_with("08") || state.starts_with("57P0") || state == "25P03";
}

void throw_error(const PGresult* result, const Site& site) {
    const std::string_view state = sqlstate(result);
    std::string words = fmt::format("{}: {}", site.database, printable(trim(message(result)), 400));
    // "Key (id)=(1) already exists."
    std::string_view detail = field(result, PG_DIAG_MESSAGE_DETAIL);
    if ((state == "23505" || state == "23503" || state == "23P01") && !detail.empty())
        words += fmt::format(" ({})", printable(detail.substr(0, detail.find_last_not_of('.') + 1)));
    if (refuses_row(state)) throw ConstraintError(words, std::string(site.row));
    if (refuses_value(state) && !site.row.empty()) throw ConversionError(words, std::string(site.row));
    const Meaning& meaning = meaning_of(state);
    if (state == insufficient_privilege) throw Error(ErrorKind::forbidden, words, remedy_of(result, meaning));
    if (meaning.kind == SqlError::Kind::syntax && !site.sql.empty())
        words += fmt::format(" in: {}", printable(trim(site.sql)));
    throw SqlError(meaning.kind, words, remedy_of(result, meaning));
}

namespace {

/// By words that stand in the message, in English as libpq has them and as servers mostly have. The first that fits
/// decides.
struct Remedy {
    std::string_view words;
    std::string_view and_words;
    std::string_view remedy;
};
constexpr std::array remedies{
    Remedy{"sslmode", "", "sslmode is disable, allow, prefer, require, verify-ca or verify-full"},
    Remedy{"port number", "", "a port is a number from 1 to 65535"},
    Remedy{"connection option \"port\"", "", "a port is a number from 1 to 65535"},
    Remedy{"definition of service", "", "name a service of ~/.pg_service.conf or PGSERVICEFILE, or unset PGSERVICE"},
    Remedy{"service file", "", "name a service of ~/.pg_service.conf or PGSERVICEFILE, or unset PGSERVICE"},
    Remedy{"translate host name", "", "see that the host's name is right, and that this machine can resolve it"},
    Remedy{"does not support SSL", "", "have TLS set up on the server, or ask for less by sslmode"},
    Remedy{"certificate", "", "see sslrootcert, sslcert and sslmode in the URL, and the server's certificate"},
    Remedy{"database \"", "does not exist", "have it made by createdb, or name another database"},
    Remedy{"role \"", "does not exist", "have it made by createuser, or name another user in the URL"},
    Remedy{"password supplied", "",
           "give a password: in ~/.pgpass (mode 0600), or as @file:PATH or @env:NAME in the URL"},
    Remedy{"password authentication failed", "",
           "see that user and password are right: in the URL, ~/.pgpass or PGPASSWORD"},
    Remedy{"pg_hba.conf", "", "have this user let in from here by the server's pg_hba.conf"},
    Remedy{"authentication failed", "", "connect as the user whom the server's pg_hba.conf lets in"},
    Remedy{"not permitted to log in", "", "have it permitted: ALTER ROLE … LOGIN"},
    Remedy{"permission denied for database", "", "have it granted: GRANT CONNECT ON DATABASE … TO …"},
    Remedy{"too many", "", "let others end, or raise the server's max_connections"},
    Remedy{"connection slots", "", "let others end, or raise the server's max_connections"},
    Remedy{"starting up", "", "wait until the server is up"},
    Remedy{"shutting down", "", "wait until the server is up again"},
    Remedy{"Connection refused", "", "see that the server runs, and listens at this host and port"},
    Remedy{"on socket", "No such file",
           "see that the server runs on this machine and has its socket in this folder, or name a host in the URL"},
    Remedy{"timeout expired", "", "see that the host is right and up, and that no firewall stands between"},
    Remedy{"timed out", "", "see that the host is right and up, and that no firewall stands between"},
    Remedy{"unreachable", "", "see that the host is right, and that there is a way to it"},
    Remedy{"No route to host", "", "see that the host is right, and that there is a way to it"},
};

}  // namespace

std::string_view remedy_of_connecting(std::string_view words) noexcept {
    const auto fits = [&](const Remedy& remedy) {
        return words.find(remedy.words) != std::string_view::npos &&
               words.find(remedy.and_words) != std::string_view::npos;
    };
    const auto* found = std::ranges::find_if(remedies, fits);
    return found != remedies.end() ? found->remedy
                                   : "see that the server runs, the database exists, and user and password are right";
}

SqlError out_of_reach(const SqlError& error, std::chrono::milliseconds bound) {
    return {SqlError::Kind::unreachable,
            fmt::format("{} (waited for {} s)", error.what(), std::chrono::duration<double>(bound).count()),
            "see that the server runs and can be reached; what was committed is kept, the rest can be repeated"};
}

SqlError lost(std::string_view database, const std::string& words) {
    return {SqlError::Kind::lost, fmt::format("{}: the connection was lost: {}", database, words),
            "see that the server runs and can be reached; what was not committed can be repeated"};
}

}  // namespace fermata::postgres
