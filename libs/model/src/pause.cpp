#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>
#include <fermata/model/pause.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace fermata {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 3> timeouts = {"fail", "stop", "resume"};
constexpr std::array<std::string_view, 3> kinds = {"after", "within", "outside"};

template <class Enum>
std::optional<Enum> find_in(const std::array<std::string_view, 3>& names, std::string_view text) {
    const auto* found = std::ranges::find(names, text);
    if (found == names.end()) return std::nullopt;
    return static_cast<Enum>(found - names.begin());
}

}  // namespace

std::string_view to_string(OnTimeout what) { return timeouts.at(static_cast<std::size_t>(what)); }
std::optional<OnTimeout> parse_on_timeout(std::string_view text) { return find_in<OnTimeout>(timeouts, text); }
std::string_view to_string(PauseKind kind) { return kinds.at(static_cast<std::size_t>(kind)); }
std::optional<PauseKind> parse_pause_kind(std::string_view text) { return find_in<PauseKind>(kinds, text); }

std::string encode(const StepPause& pause) {
    json object{{"point", pause.what.point},
                {"message", pause.what.message},
                {"signals", pause.what.signals},
                {"on-timeout", to_string(pause.what.on_timeout)},
                {"after", pause.after}};
    if (pause.what.timeout) object["timeout"] = pause.what.timeout->count();
    if (pause.what.notify) object["notify"] = *pause.what.notify;
    return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

StepPause decode_step_pause(std::string_view text) {
    try {
        const json object = json::parse(text);
        StepPause pause{.what = {.point = object.at("point"), .message = object.at("message")},
                        .after = object.at("after")};
        pause.what.signals = object.at("signals");
        pause.what.on_timeout = parse_on_timeout(object.at("on-timeout").get<std::string>()).value_or(OnTimeout::fail);
        if (object.contains("timeout")) pause.what.timeout = Duration(object["timeout"].get<std::int64_t>());
        if (object.contains("notify")) pause.what.notify = object["notify"].get<std::string>();
        return pause;
    } catch (const json::exception&) {
        throw Error(ErrorKind::refused, fmt::format("pause unreadable: \"{}\"", printable(text, 60)),
                    "it was written by another version or damaged");
    }
}

void check_payload(const std::string& text) {
    if (text.size() > largest_payload)
        throw Error(ErrorKind::invalid,
                    fmt::format("the payload has {} bytes; a signal carries at most {}", text.size(), largest_payload),
                    "send where the data is, not the data");
    if (!json::accept(text))
        throw Error(ErrorKind::invalid, fmt::format("the payload is not JSON: {}", printable(text, 60)),
                    R"(quote it for the shell: '{"by":"ann"}')");
}

}  // namespace fermata
