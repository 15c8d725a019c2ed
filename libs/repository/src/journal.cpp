#include "journal.hpp"

#include "rows.hpp"

#include <nlohmann/json.hpp>

namespace fermata {

std::string facts(std::initializer_list<std::pair<std::string_view, Fact>> pairs) {
    using nlohmann::json;
    json object = json::object();
    for (const auto& [name, value] : pairs) {
        json& slot = object[std::string(name)];
        if (const auto* number = std::get_if<std::int64_t>(&value))
            slot = *number;
        else if (const auto* flag = std::get_if<bool>(&value))
            slot = *flag;
        else if (const auto* text = std::get_if<std::string_view>(&value))
            slot = *text;
        else
            object.erase(std::string(name));
    }
    return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

sql::Command journal(const Event& event) {
    return {"INSERT INTO event (at, execution_id, kind, actor, data) VALUES ($1, $2, $3, $4, $5)",
            {cell(event.at), event.execution ? Value(event.execution->value()) : Value(), cell(event.kind),
             cell(event.actor), cell(event.data)},
            1};
}

}  // namespace fermata
