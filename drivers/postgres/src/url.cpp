#include "url.hpp"

#include "handle.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace fermata::postgres {

namespace {

constexpr std::string_view usual_port = "5432";
constexpr std::string_view remedy = "postgresql://user@host:5432/database; passwords are best kept in ~/.pgpass";

[[noreturn]] void refuse(const std::string& why) {
    throw Error(ErrorKind::usage, "the database URL " + why, std::string(remedy));
}

std::string replaced(std::string text, std::string_view what) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += 3)
        text.replace(at, what.size(), "***");
    return text;
}

std::string one_line(std::string_view words) {
    std::string line;
    for (const char c : trim(words)) {
        const bool blank = c == '\n' || c == '\r' || c == '\t' || c == ' ';
        if (!blank) line += c;
        if (blank && !line.ends_with(' ')) line += ' ';
    }
    return printable(line, 600);
}

/// libpq decodes keywords, too.
std::string decoded(std::string_view text) {
    std::string result;
    for (std::size_t at = 0; at < text.size(); ++at) {
        unsigned byte = 0;
        const std::string_view digits = text.substr(at, 3);
        const bool encoded = digits.size() == 3 && digits.front() == '%' &&
                             std::from_chars(digits.data() + 1, digits.data() + 3, byte, 16).ptr == digits.data() + 3;
        result += encoded ? static_cast<char>(byte) : text[at];
        if (encoded) at += 2;
    }
    return result;
}

bool is_secret(std::string_view keyword) { return keyword == "password" || keyword == "sslpassword"; }

}  // namespace

Url::Url(std::string text) : text_(std::move(text)) {
    find_secrets();
    parse();
}

/// libpq ends user and password at the first "@" or "/". A password with one of these unescaped would be taken for a
/// host name in part, and shown with it.
void Url::find_secrets() {
    if (!text_.starts_with("postgresql://") && !text_.starts_with("postgres://"))
        refuse("does not begin with postgresql://");
    const std::string_view rest = std::string_view(text_).substr(text_.find("://") + 3);
    const std::size_t end = std::min(rest.find_first_of("@/"), rest.size());
    const bool has_user = end < rest.size() && rest[end] == '@';
    const std::string_view place = has_user ? rest.substr(end + 1) : rest;
    if (place.substr(0, place.find('?')).find('@') != std::string_view::npos)
        refuse("has an \"@\" too many: in user, password and database write @ as %40, / as %2F, : as %3A");
    const std::string_view user = has_user ? rest.substr(0, end) : std::string_view();
    if (const std::size_t colon = user.find(':'); colon != std::string_view::npos)
        secrets_.emplace_back(user.substr(colon + 1));
    const std::size_t query = place.find('?');
    if (query == std::string_view::npos) return;
    for (const std::string& pair : split(place.substr(query + 1), '&')) {
        const std::size_t equals = pair.find('=');
        if (equals != std::string::npos && is_secret(decoded(pair.substr(0, equals))))
            secrets_.push_back(pair.substr(equals + 1));
    }
}

void Url::parse() {
    char* message = nullptr;
    const Handle<PQconninfoOption> options(PQconninfoParse(text_.c_str(), &message));
    const Handle<void> owned(message);
    if (!options) refuse("cannot be read: " + safe(message != nullptr ? message : "out of memory"));
    for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
        const char* value = option->val;
        if (value == nullptr && option->envvar != nullptr) value = std::getenv(option->envvar);
        if (value == nullptr) continue;
        if (is_secret(option->keyword)) secrets_.emplace_back(value);
        values_.emplace_back(option->keyword, value);
    }
    std::string host = value_of("host");
    const bool socket = host.starts_with('/');
    if (host.empty()) host = value_of("hostaddr");
    const std::string user = value_of("user");
    const std::string port = value_of("port");
    const std::string at = user.empty() ? "" : user + "@";
    const bool usual = port.empty() || port == usual_port;
    display_name_ =
        socket ? fmt::format("postgresql://{}/{}?host={}{}{}", at, value_of("dbname"), host,
                             usual ? "" : "&port=", usual ? "" : port)
               : fmt::format("postgresql://{}{}{}{}/{}", at, host, port.empty() ? "" : ":", port, value_of("dbname"));
    display_name_ = printable(display_name_);
}

std::string Url::value_of(std::string_view keyword) const {
    const auto found = std::ranges::find(values_, keyword, [](const auto& v) { return std::string_view(v.first); });
    return found == values_.end() ? std::string() : found->second;
}

bool Url::says(std::string_view keyword) const { return !value_of(keyword).empty(); }

std::string Url::database() const {
    const std::string name = value_of("dbname");
    return name.empty() ? value_of("user") : name;
}

std::string Url::options() const { return value_of("options"); }

std::string Url::password_file() const { return value_of("passfile"); }

std::string Url::safe(std::string_view words) const {
    std::string text(words);
    for (const std::string& secret : secrets_) {
        if (!secret.empty()) text = replaced(std::move(text), secret);
    }
    return one_line(text);
}

}  // namespace fermata::postgres
