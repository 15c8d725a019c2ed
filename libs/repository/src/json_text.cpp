#include "json_text.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>

namespace fermata {
namespace {

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
    try {
        return nlohmann::json::parse(json).get<Parameters>();
    } catch (const nlohmann::json::exception&) {
        throw Error(ErrorKind::refused,
                    fmt::format("the parameters of an execution cannot be read: {}", printable(json)),
                    "fermata db verify tells what else is damaged; restore a backup");
    }
}

}  // namespace fermata
