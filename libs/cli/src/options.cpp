#include "options.hpp"

#include <fmt/format.h>
#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>

#include "local_time.hpp"

namespace fermata::cli {

namespace {
Error expected(const std::string& text, std::string_view what) {
    return Error(ErrorKind::usage, fmt::format("\"{}\" is not {}", printable(text), what));
}

}  // namespace

void read_value(const std::string& text, std::string& into) { into = text; }

void read_value(const std::string& text, std::int64_t& into) {
    const auto number = parse_int64(text);
    if (!number || *number < 0) throw expected(text, "a number of 0 or more");
    into = *number;
}

void read_value(const std::string& text, Duration& into) {
    const auto duration = parse_duration(text);
    if (!duration) throw expected(text, "a duration, such as 90s, 15m, 24h or 7d");
    into = *duration;
}

void read_value(const std::string& text, Timestamp& into) {
    const Timestamp now = Clock::system().now();
    if (const auto time = parse_local_time(text, now)) {
        into = *time;
    } else if (const auto ago = parse_duration(text)) {
        into = now - *ago;
    } else {
        throw expected(text, "a time, such as \"2026-11-21 22:00\", 22:00 or yesterday, or how long ago, such as 24h");
    }
}

void read_value(const std::string& text, std::filesystem::path& into) { into = text; }

void read_value(const std::string& text, ExecutionRef& into) {
    const bool latest = text == "@latest" || (text.size() > 7 && text.ends_with("@latest"));
    const auto number = parse_int64(text);
    if (!latest && (!number || *number <= 0)) throw expected(text, "an execution: a number, @latest or JOB@latest");
    into.text = text;
}

void read_value(const std::string& text, Assignment& into) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0) throw expected(text, "NAME=VALUE");
    if (!is_utf8(text))
        throw Error(ErrorKind::invalid, fmt::format("\"{}\" is no UTF-8", printable(text)),
                    "give text in UTF-8; iconv converts it");
    into = {text.substr(0, equals), text.substr(equals + 1)};
}

void read_value(const std::string& text, BatchStatus& into) {
    const auto status = parse_batch_status(text);
    if (!status)
        throw expected(text,
                       "a status: starting, started, stopping, stopped, "
                       "pausing, paused, failed, completed, abandoned");
    into = *status;
}

Option& Options::flag(std::string names, bool& target, std::string about) {
    Option option{.names = std::move(names), .value = {}, .about = std::move(about)};
    option.set = [&target](const std::string&) { target = true; };
    return add(std::move(option));
}

Option& Options::add(Option option) { return options_.emplace_back(std::move(option)); }

}  // namespace fermata::cli
