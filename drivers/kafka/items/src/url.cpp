#include <fermata/items/kafka/url.hpp>

#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>
#include <fermata/batch/properties.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace fermata::kafka {
namespace {

constexpr std::string_view scheme = "kafka://";

[[noreturn]] void refuse(const std::string& why) {
    throw Error(ErrorKind::usage, "the Kafka URL " + why,
                "kafka://HOST:9092 or kafka://USER:@env:PASSWORD@HOST:9093,HOST2:9093?ssl.ca.location=ca.pem");
}

constexpr std::size_t longest_topic = 249;  // Kafka's own limit

bool is_of_topic(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
}

int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string decoded(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            result += text[i];
            continue;
        }
        const int high = i + 2 < text.size() ? digit(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? digit(text[i + 2]) : -1;
        if (high < 0 || low < 0) refuse("has a % that two hexadecimal digits do not follow: write % itself as %25");
        result += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return result;
}

/// What stands before the first `separator`; `rest` begins behind it, or is empty.
std::string_view cut(std::string_view& rest, char separator) {
    const std::string_view part = rest.substr(0, rest.find(separator));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    return part;
}

bool says(const Url& url, std::string_view name) {
    return std::ranges::find(url.settings, name, [](const auto& s) { return std::string_view(s.first); }) !=
           url.settings.end();
}

void take_user(Url& url, std::string_view user) {
    url.settings.emplace_back("sasl.username", decoded(cut(user, ':')));
    url.settings.emplace_back("sasl.password", decoded(user));
    if (!says(url, "security.protocol")) url.settings.emplace_back("security.protocol", "sasl_ssl");
    if (!says(url, "sasl.mechanisms") && !says(url, "sasl.mechanism"))
        url.settings.emplace_back("sasl.mechanisms", "PLAIN");
}

void take_settings(Url& url, std::string_view query) {
    while (!query.empty()) {
        std::string_view pair = cut(query, '&');
        const std::string_view name = cut(pair, '=');
        if (name.empty()) refuse(fmt::format("has a setting without a name: \"={}\"", printable(pair)));
        url.settings.emplace_back(name, decoded(pair));
    }
}

void check_servers(const std::string& servers) {
    for (const std::string& server : split(servers, ','))
        if (server.empty() || server.front() == ':')
            refuse(fmt::format("names no host before port or comma: \"{}\"", printable(servers)));
}

}  // namespace

std::string wrong_with_topic(const std::string& name) {
    const bool good = !name.empty() && name.size() <= longest_topic && name != "." && name != ".." &&
                      std::ranges::all_of(name, is_of_topic);
    if (good) return {};
    return fmt::format(R"("{}" is no name of a topic: 1 to {} letters, digits, ".", "_", "-")", printable(name),
                       longest_topic);
}

std::string Url::display() const { return std::string(scheme) + printable(servers); }

Url Url::parse(const std::string& text) {
    const std::string revealed = reveal_url(text);
    std::string_view rest = revealed;
    if (!rest.starts_with(scheme))
        refuse(fmt::format("\"{}\" does not begin with {}", printable(without_passwords(text)), scheme));
    rest.remove_prefix(scheme.size());
    std::string_view place = cut(rest, '?');
    const std::size_t at = place.rfind('@');
    const std::string_view user = at == std::string_view::npos ? std::string_view() : place.substr(0, at);
    if (at != std::string_view::npos) place.remove_prefix(at + 1);

    Url url;
    url.servers = cut(place, '/');
    url.topic = decoded(place);
    check_servers(url.servers);
    if (!url.topic.empty())
        if (const std::string wrong = wrong_with_topic(url.topic); !wrong.empty())
            refuse("names a topic that cannot be: " + wrong);
    take_settings(url, rest);
    if (at != std::string_view::npos) take_user(url, user);
    return url;
}

}  // namespace fermata::kafka
