#include "journal.hpp"

#include "json_text.hpp"
#include "rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

namespace fermata {

namespace {

void append_value(std::string& json, const Fact& value) {
    if (const auto* number = std::get_if<std::int64_t>(&value))
        fmt::format_to(std::back_inserter(json), "{}", *number);
    else if (const auto* flag = std::get_if<bool>(&value))
        json += *flag ? "true" : "false";
    else
        append_json(json, std::get<std::string_view>(value));
}

}  // namespace

std::string facts(std::initializer_list<std::pair<std::string_view, Fact>> pairs) {
    std::vector<std::pair<std::string_view, Fact>> by_name(pairs);
    std::ranges::sort(by_name, {}, [](const auto& pair) { return pair.first; });
    std::string json = "{";
    for (const auto& [name, value] : by_name) {
        if (std::holds_alternative<std::monostate>(value)) continue;
        if (json.size() > 1) json += ',';
        append_json(json, name);
        json += ':';
        append_value(json, value);
    }
    return json + '}';
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

// In a text of JSON the name in quotation marks, with a colon, stands nowhere but where it means that.
std::pair<std::string, std::string> around_number(std::string_view name, const std::string& facts) {
    const std::string key = fmt::format("\"{}\":", name);
    const std::size_t at = facts.find(key) + key.size();
    return {facts.substr(0, at), facts.substr(at + 1)};
}

}  // namespace fermata
