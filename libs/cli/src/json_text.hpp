#pragma once
// JSON as the command line prints it: in one line, and bytes that are not UTF-8 are replaced rather than refused.
#include <nlohmann/json.hpp>

#include <string>

namespace fermata::cli {

[[nodiscard]] inline std::string json_text(const nlohmann::ordered_json& value) {
    return value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace fermata::cli
