#include <fermata/base/error.hpp>
#include <fermata/base/file.hpp>
#include <fermata/batch/properties.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <algorithm>
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

void refuse_unless_private_file(const std::string& reference, const std::string& path, int fd) {
    struct stat facts{};
    // Of the open file, so that it cannot be another one by the time it is read. fstat of an open descriptor does not
    // fail; if it did, the mode would stay 0.
    ::fstat(fd, &facts);
    if (!S_ISREG(facts.st_mode))
        throw Error(ErrorKind::refused, fmt::format("\"{}\": is no regular file", printable(reference)),
                    "a pipe or device may never end, and is not the same when the job is restarted");
    if ((facts.st_mode & (S_IROTH | S_IWOTH)) == 0) return;
    throw Error(ErrorKind::refused, fmt::format("\"{}\": others may read or write the file", printable(reference)),
                fmt::format("chmod 600 \"{}\"", printable(path)));
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

/// Length of "user", "user:password" or nothing at the front of what follows "://", where an '@' ends it. A reference
/// has '@', ':' and '/' in it, so the usual "up to the last @ of the authority" does not find the end.
struct UserInfo {
    std::string_view user;
    std::optional<std::string_view> password;
    [[nodiscard]] std::size_t size() const { return user.size() + (password ? 1 + password->size() : 0); }
};
std::optional<UserInfo> split_user_info(std::string_view rest) {
    const std::size_t colon_of_reference = rest.starts_with(file_prefix) ? file_prefix.size() : env_prefix.size();
    const std::size_t end =
        is_secret_reference(rest) ? rest.find_first_of(":@", colon_of_reference) : rest.find_first_of(":@/?#");
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view user = rest.substr(0, end);
    if (rest[end] == '@') return UserInfo{user, std::nullopt};
    const std::string_view password = rest.substr(end + 1);
    if (rest[end] != ':') return std::nullopt;
    const std::size_t stop = is_secret_reference(password) ? password.find('@', 1) : password.find_first_of("@/?#");
    if (stop == std::string_view::npos || password[stop] != '@') return std::nullopt;
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

bool names_a_secret(std::string_view key) {
    return key == "key" || key.find("password") != std::string_view::npos ||
           key.find("secret") != std::string_view::npos || key.find("token") != std::string_view::npos;
}

bool is_plain_secret(const std::string& pair) {
    const std::size_t equals = pair.find('=');
    return equals != std::string::npos && names_a_secret(std::string_view(pair).substr(0, equals)) &&
           !is_secret_reference(std::string_view(pair).substr(equals + 1));
}

std::string query_without_passwords(std::string_view query) {
    std::string result;
    for (const std::string& part : split(query, '&'))
        if (!is_plain_secret(part)) result += (result.empty() ? "?" : "&") + part;
    return result;
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
    if (!parts.scheme.empty()) parts.user = split_user_info(rest);
    if (parts.user) rest.remove_prefix(parts.user->size());
    const std::size_t query = std::min(rest.find('?'), rest.size());
    parts.place = rest.substr(0, query);
    if (query < rest.size()) parts.query = rest.substr(query + 1);
    return parts;
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

std::string reveal_url(const std::string& url) {
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

std::string without_passwords(const std::string& url) {
    const UrlParts parts = split_url(url);
    std::string result(parts.scheme);
    if (parts.user) result += parts.user->user;
    if (parts.user && parts.user->password && is_secret_reference(*parts.user->password))
        result += ":" + std::string(*parts.user->password);
    result += parts.place;
    if (parts.query) result += query_without_passwords(*parts.query);
    return result;
}

}  // namespace fermata
