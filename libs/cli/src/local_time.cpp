#include "local_time.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

namespace fermata::cli {

namespace {

/// to_time_t() counts nanoseconds on its way, and has none for the year 2300.
std::time_t seconds_of(Timestamp time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

std::tm local_parts(Timestamp time) {
    const std::time_t seconds = seconds_of(time);
    std::tm parts{};
    ::localtime_r(&seconds, &parts);
    return parts;
}

std::string date_of(const std::tm& parts) { return fmt::format("{:%Y-%m-%d}", parts); }

/// The day before, whatever the length of this one.
std::string date_before(std::tm parts) {
    parts.tm_mday -= 1;
    parts.tm_hour = 12;
    parts.tm_isdst = -1;
    std::mktime(&parts);
    return date_of(parts);
}

/// What a clock on the wall showed, given as if it were UTC.
std::optional<Timestamp> from_wall(Timestamp shown) {
    const std::time_t seconds = seconds_of(shown);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    parts.tm_isdst = -1;
    const std::time_t real = std::mktime(&parts);
    if (real == -1) return std::nullopt;
    return Timestamp(std::chrono::seconds(real)) + (shown - std::chrono::floor<std::chrono::seconds>(shown));
}

struct Words {
    std::string date;
    std::string time;
    std::string zone;  ///< "", "Z", "+01:00"
};

Words split_words(std::string_view text, const std::tm& today) {
    Words words;
    const bool has_date = text.size() >= 10 && text[4] == '-';
    words.date = has_date ? std::string(text.substr(0, 10)) : date_of(today);
    std::string_view rest = has_date ? text.substr(10) : text;
    if (has_date && (rest.starts_with(' ') || rest.starts_with('T'))) rest.remove_prefix(1);
    const auto zone = rest.find_first_of("Z+-");
    if (zone != std::string_view::npos) words.zone = rest.substr(zone);
    words.time = rest.substr(0, zone);
    if (words.time.empty() && has_date && text.size() == 10) words.time = "00:00";
    if (words.time.size() == 5) words.time += ":00";
    return words;
}

}  // namespace

std::optional<Timestamp> parse_local_time(std::string_view text, Timestamp now) {
    if (text == "now") return now;
    const std::tm today = local_parts(now);
    std::string typed(text);
    if (text == "today") typed = date_of(today);
    if (text == "yesterday") typed = date_before(today);
    const Words words = split_words(typed, today);
    const auto shown =
        parse_rfc3339(fmt::format("{}T{}{}", words.date, words.time, words.zone.empty() ? "Z" : words.zone));
    if (!shown || !words.zone.empty()) return shown;
    return from_wall(*shown);
}

std::string local_time(Timestamp time) { return fmt::format("{:%Y-%m-%d %H:%M:%S}", local_parts(time)); }

}  // namespace fermata::cli
