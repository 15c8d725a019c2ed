#include "json_text.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

namespace fermata {
namespace {

/// Takes `text` from the beginning of `json`, if it is there.
bool takes(std::string_view& json, char text) {
    if (json.empty() || json.front() != text) return false;
    json.remove_prefix(1);
    return true;
}

/// The text up to the next quotation mark, from the beginning of `json`.
std::optional<std::string> quoted(std::string_view& json) {
    if (!takes(json, '"')) return std::nullopt;
    const std::size_t end = json.find('"');
    if (end == std::string_view::npos) return std::nullopt;
    std::string text(json.substr(0, end));
    json.remove_prefix(end + 1);
    return text;
}

/// An object as json_of() writes it, if nothing in it is escaped: a JSON library takes longer for the parameters of a
/// list than their rows.
std::optional<Parameters> plain_parameters(std::string_view json) {
    if (json.find('\\') != std::string_view::npos || !takes(json, '{')) return std::nullopt;
    Parameters parameters;
    do {
        std::optional<std::string> name = quoted(json);
        if (!name || !takes(json, ':')) return std::nullopt;
        std::optional<std::string> value = quoted(json);
        if (!value) return std::nullopt;
        parameters.emplace(std::move(*name), std::move(*value));
    } while (takes(json, ','));
    if (json != "}") return std::nullopt;
    return parameters;
}

bool stands_for_itself(char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; }

}  // namespace

// Most texts are names and statuses: a JSON library's object for each costs more than their row.
void append_json(std::string& json, std::string_view text) {
    if (std::ranges::all_of(text, stands_for_itself))
        fmt::format_to(std::back_inserter(json), "\"{}\"", text);
    else
        json += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string json_of(const Parameters& parameters) {
    std::string json = "{";
    for (const auto& [name, value] : parameters) {
        if (json.size() > 1) json += ',';
        append_json(json, name);
        json += ':';
        append_json(json, value);
    }
    return json + '}';
}

Parameters parameters_in(std::string_view json) {
    if (json == "{}") return {};
    if (auto plain = plain_parameters(json)) return std::move(*plain);
    try {
        return nlohmann::json::parse(json).get<Parameters>();
    } catch (const nlohmann::json::exception&) {
        throw Error(ErrorKind::refused,
                    fmt::format("parameters or properties that cannot be read: {}", printable(json)),
                    "fermata db verify tells what else is damaged; restore a backup");
    }
}

}  // namespace fermata
