#include "journal.hpp"

#include "rows.hpp"

#include <nlohmann/json.hpp>

#include <array>

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

sql::Command journal(const Event& event) { return journal(std::span(&event, 1)); }

sql::Command journal(std::span<const Event> events) {
    static constexpr std::array<std::string_view, 3> inserts{
        "INSERT INTO event (at, execution_id, kind, actor, data) VALUES ($1, $2, $3, $4, $5)",
        "INSERT INTO event (at, execution_id, kind, actor, data) VALUES ($1, $2, $3, $4, $5), ($6, $7, $8, $9, $10)",
        "INSERT INTO event (at, execution_id, kind, actor, data) VALUES ($1, $2, $3, $4, $5), ($6, $7, $8, $9, $10), "
        "($11, $12, $13, $14, $15)"};
    sql::Command command{inserts.at(events.size() - 1), {}, static_cast<std::int64_t>(events.size())};
    command.params.reserve(events.size() * 5);
    for (const Event& event : events) append(command.params, event);
    return command;
}

}  // namespace fermata
