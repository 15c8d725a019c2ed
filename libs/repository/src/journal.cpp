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

namespace {

void append(sql::Params& params, const Event& event) {
    params.insert(params.end(), {cell(event.at), event.execution ? Value(event.execution->value()) : Value(),
                                 cell(event.kind), cell(event.actor), cell(event.data)});
}

}  // namespace

sql::Command journal(const Event& event) {
    sql::Command command{"INSERT INTO event (at, execution_id, kind, actor, data) VALUES ($1, $2, $3, $4, $5)", {}, 1};
    append(command.params, event);
    return command;
}

sql::Command journal(std::span<const Event, 2> events) {
    sql::Command command{
        "INSERT INTO event (at, execution_id, kind, actor, data) VALUES ($1, $2, $3, $4, $5), ($6, $7, $8, $9, $10)",
        {},
        2};
    for (const Event& event : events) append(command.params, event);
    return command;
}

}  // namespace fermata
