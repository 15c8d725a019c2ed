#include <fermata/base/error.hpp>
#include <fermata/base/file.hpp>
#include <fermata/batch/properties.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace fermata {
namespace {

constexpr std::string_view env_prefix = "@env:";
constexpr std::string_view file_prefix = "@file:";
constexpr std::string_view file_scheme = "sqlite:";
constexpr std::uint64_t longest_secret = 1U << 16;

std::string from_environment(const std::string& reference) {
    const std::string name = reference.substr(env_prefix.size());
    if (const char* value = std::getenv(name.c_str())) return value;
    throw Error(ErrorKind::refused, fmt::format("\"{}\": there is no such environment variable", printable(reference)),
                fmt::format("set {} where the job runs", printable(name)));
}

/// As libpq takes the file of a key: one's own for oneself alone, or root's, which a group may read (what a service
/// manager or an orchestrator hands out).
void refuse_unless_private_file(const std::string& reference, const std::string& path, int fd) {
    struct stat facts{};
    // Of the open file, so that it cannot be another one by the time it is read. fstat of an open descriptor does not
    // fail; if it did, the mode would stay 0.
    ::fstat(fd, &facts);
    if (!S_ISREG(facts.st_mode))
        throw Error(ErrorKind::refused, fmt::format("\"{}\": is no regular file", printable(reference)),
                    "a pipe or device may never end, and is not the same when the job is restarted");
    const uid_t self = ::geteuid();
    if (facts.st_uid != self && facts.st_uid != 0)
        throw Error(ErrorKind::refused,
                    fmt::format("\"{}\": the file belongs to another user (uid {}), who may change it",
                                printable(reference), facts.st_uid),
                    fmt::format("chown {} \"{}\"", self, printable(path)));
    const bool handed_out = facts.st_uid == 0 && self != 0;
    const mode_t open_to_others = (handed_out ? S_IWGRP : S_IRWXG) | S_IRWXO;
    if ((facts.st_mode & open_to_others) == 0) return;
    throw Error(ErrorKind::refused,
                fmt::format("\"{}\": others may read or write the file (mode {:04o})", printable(reference),
                            facts.st_mode & 07777U),
                fmt::format("chmod {} \"{}\"", handed_out ? 640 : 600, printable(path)));
}

std::string from_file(const std::string& reference) try {
    const std::string path = reference.substr(file_prefix.size());
    const File file = File::open(path, O_RDONLY | O_NONBLOCK);  // a pipe without a writer is not waited for
    refuse_unless_private_file(reference, path, file.fd());
    std::string content = read_all(file.fd(), path, longest_secret);
    content.resize(std::min(content.find_first_of("\r\n"), content.size()));
    return content;
} catch (const IoError& error) {
    throw Error(ErrorKind::refused, fmt::format("\"{}\": {}", printable(reference), error.what()));
}

std::string percent_encoded(std::string_view text) {
    constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    std::string result;
    for (const char c : text)
        result += plain.find(c) != std::string_view::npos ? std::string(1, c)
                                                          : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    return result;
}

std::string revealed_part(std::string_view part) {
    return is_secret_reference(part) ? percent_encoded(reveal_secret(std::string(part))) : std::string(part);
}

/// libpq ends user and password at "@" or "/", so that "?" and "#" may stand in them.
bool ends_late(std::string_view scheme) { return scheme == "postgresql://" || scheme == "postgres://"; }

/// In "host?password=@env:NAME" the '@' ends no user.
bool is_value(std::string_view rest, std::size_t at) {
    return at > 0 && rest[at - 1] == '=' && is_secret_reference(rest.substr(at));
}

/// Length of "user", "user:password" or nothing at the front of what follows "://", where an '@' ends it. A reference
/// has '@', ':' and '/' in it, so the usual "up to the last @ of the authority" does not find the end.
struct UserInfo {
    std::string_view user;
    std::optional<std::string_view> password;
    [[nodiscard]] std::size_t size() const { return user.size() + (password ? 1 + password->size() : 0); }
};
std::optional<UserInfo> split_user_info(std::string_view scheme, std::string_view rest) {
    const std::string ends = ends_late(scheme) ? "@/" : "@/?#";
    const std::size_t colon_of_reference = rest.starts_with(file_prefix) ? file_prefix.size() : env_prefix.size();
    const std::size_t end =
        is_secret_reference(rest) ? rest.find_first_of(":@", colon_of_reference) : rest.find_first_of(":" + ends);
    if (end == std::string_view::npos || is_value(rest, end)) return std::nullopt;
    const std::string_view user = rest.substr(0, end);
    if (rest[end] == '@') return UserInfo{user, std::nullopt};
    const std::string_view password = rest.substr(end + 1);
    if (rest[end] != ':') return std::nullopt;
    const std::size_t stop = is_secret_reference(password) ? password.find('@', 1) : password.find_first_of(ends);
    if (stop == std::string_view::npos || password[stop] != '@' || is_value(password, stop)) return std::nullopt;
    return UserInfo{user, password.substr(0, stop)};
}

/// "k=v&k=v" with each value revealed.
std::string revealed_query(std::string_view query) {
    std::string result;
    for (const std::string& part : split(query, '&')) {
        if (!result.empty()) result += '&';
        const std::size_t value = part.find('=') + 1;
        result += value == 0 ? part : part.substr(0, value) + revealed_part(std::string_view(part).substr(value));
    }
    return result;
}

std::string percent_decoded(std::string_view text) {
    const auto digit = [&](std::size_t at) {
        const std::size_t value = std::string_view("0123456789abcdef").find(static_cast<char>(std::tolower(text[at])));
        return value == std::string_view::npos ? -1 : static_cast<int>(value);
    };
    std::string result;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const bool encoded = text[at] == '%' && at + 2 < text.size() && digit(at + 1) >= 0 && digit(at + 2) >= 0;
        result += encoded ? static_cast<char>(digit(at + 1) * 16 + digit(at + 2)) : text[at];
        if (encoded) at += 2;
    }
    return result;
}

/// Keywords may be encoded, too.
bool names_a_secret(std::string_view encoded) {
    const std::string key = percent_decoded(encoded);
    return key == "key" || key.find("password") != std::string::npos || key.find("secret") != std::string::npos ||
           key.find("token") != std::string::npos;
}

bool is_plain_secret(const std::string& pair) {
    const std::size_t equals = pair.find('=');
    return equals != std::string::npos && names_a_secret(std::string_view(pair).substr(0, equals)) &&
           !is_secret_reference(std::string_view(pair).substr(equals + 1));
}

/// What stands in the place of a password; with nothing, its keyword or colon goes, too.
using InItsPlace = std::optional<std::string_view>;

std::string shown_query(std::string_view query, InItsPlace in_its_place) {
    std::string result;
    for (const std::string& part : split(query, '&')) {
        const bool hidden = is_plain_secret(part);
        if (hidden && !in_its_place) continue;
        result += result.empty() ? "?" : "&";
        result += hidden ? part.substr(0, part.find('=') + 1).append(*in_its_place) : part;
    }
    return result;
}

/// A password with an unescaped "/" is none to the engine and stands in the place, to be refused later.
std::string shown_place(std::string_view scheme, std::string_view place, InItsPlace in_its_place) {
    std::size_t at = place.rfind('@');
    while (at != std::string_view::npos && is_secret_reference(place.substr(at)))
        at = at == 0 ? std::string_view::npos : place.rfind('@', at - 1);
    const std::size_t colon = place.find(':');
    const bool is_ours = ends_late(scheme) || scheme == "kafka://";
    if (!is_ours || at == std::string_view::npos || colon >= at) return std::string(place);
    std::string result(place.substr(0, colon));
    if (in_its_place) result += ":" + std::string(*in_its_place);
    return result.append(place.substr(at));
}

/// A file or host of that name would be made or asked for.
void refuse_reference_in(std::string_view place, const std::string& url) {
    for (const std::string_view prefix : {env_prefix, file_prefix})
        if (place.find(prefix) != std::string_view::npos)
            throw Error(
                ErrorKind::invalid,
                fmt::format("\"{}\": {} stands where it is not replaced", printable(without_passwords(url)), prefix),
                "a reference is the whole url, what follows sqlite:, the user, the password or a query value");
}

/// The parts of a URL that may hold secrets, and what stands between them.
struct UrlParts {
    std::string_view scheme;  ///< with "://"; empty for a path
    std::optional<UserInfo> user;
    std::string_view place;
    std::optional<std::string_view> query;
};
UrlParts split_url(std::string_view url) {
    UrlParts parts;
    if (const auto authority = url.find("://"); authority != std::string_view::npos)
        parts.scheme = url.substr(0, authority + 3);
    std::string_view rest = url.substr(parts.scheme.size());
    if (!parts.scheme.empty()) parts.user = split_user_info(parts.scheme, rest);
    if (parts.user) rest.remove_prefix(parts.user->size());
    const std::size_t query = std::min(rest.find('?'), rest.size());
    parts.place = rest.substr(0, query);
    if (query < rest.size()) parts.query = rest.substr(query + 1);
    return parts;
}

std::string shown_url(std::string_view url, InItsPlace in_its_place) {
    const UrlParts parts = split_url(url);
    std::string result(parts.scheme);
    if (parts.user) {
        result += parts.user->user;
        const auto& password = parts.user->password;
        if (password && is_secret_reference(*password))
            result += ":" + std::string(*password);
        else if (password && in_its_place && !password->empty())
            result += ":" + std::string(*in_its_place);
    }
    result += shown_place(parts.scheme, parts.place, in_its_place);
    if (parts.query) result += shown_query(*parts.query, in_its_place);
    return result;
}

bool is_of_scheme(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '.' ||
           c == '-';
}

}  // namespace

std::string reveal_secret(const std::string& reference) {
    if (reference.starts_with(env_prefix)) return from_environment(reference);
    if (reference.starts_with(file_prefix)) return from_file(reference);
    return reference;
}

bool is_secret_reference(std::string_view text) {
    return text.starts_with(env_prefix) || text.starts_with(file_prefix);
}

void refuse_server_without_slashes(const std::string& url) {
    for (const std::string_view scheme : {"postgresql:", "postgres:"}) {
        const std::string_view rest = url.starts_with(scheme) ? std::string_view(url).substr(scheme.size()) : "//";
        if (rest.starts_with("//")) continue;
        const std::string place(rest.substr(std::min(rest.find_first_not_of('/'), rest.size())));
        const std::string shown = printable(with_hidden_passwords(fmt::format("{}//{}", scheme, place)));
        throw Error(ErrorKind::invalid,
                    fmt::format("\"{}\" without \"//\" would be a file; did you mean \"{}\"?", scheme, shown),
                    "a database of a server is named postgresql://USER@HOST/DATABASE, a file sqlite:PATH");
    }
}

std::string reveal_url(const std::string& url) {
    refuse_server_without_slashes(url);
    if (is_secret_reference(url)) return reveal_secret(url);
    if (url.starts_with(file_scheme) && is_secret_reference(std::string_view(url).substr(file_scheme.size())))
        return std::string(file_scheme) + reveal_secret(url.substr(file_scheme.size()));
    const UrlParts parts = split_url(url);
    refuse_reference_in(parts.place, url);
    std::string result(parts.scheme);
    if (parts.user) result += revealed_part(parts.user->user);
    if (parts.user && parts.user->password) result += ":" + revealed_part(*parts.user->password);
    result += parts.place;
    if (parts.query) result += "?" + revealed_query(*parts.query);
    return result;
}

std::string without_passwords(const std::string& url) { return shown_url(url, std::nullopt); }

std::string with_hidden_passwords(std::string_view text) {
    constexpr std::string_view behind_a_url = " \t\r\n\"'`<>";
    std::string result;
    std::size_t from = 0;
    for (std::size_t at = text.find("://"); at != std::string_view::npos; at = text.find("://", from)) {
        std::size_t begin = at;
        while (begin > from && is_of_scheme(text[begin - 1])) --begin;
        // A text that is a URL as a whole may have anything in its password.
        const std::size_t end = begin == 0 ? text.size() : std::min(text.find_first_of(behind_a_url, at), text.size());
        result.append(text.substr(from, begin - from)).append(shown_url(text.substr(begin, end - begin), "***"));
        from = end;
    }
    return result.append(text.substr(from));
}

}  // namespace fermata
