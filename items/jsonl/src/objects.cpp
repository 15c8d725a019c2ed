#include <fermata/items/json/objects.hpp>

#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>

namespace fermata::json {
namespace {

/// Input in which every object has other keys must not make memory grow for ever.
constexpr std::size_t most_shapes = 256;

std::string reason_of(simdjson::error_code error) {
    if (error == simdjson::NUMBER_ERROR)
        return "a number that is malformed, or a whole number of more than 64 bits, which is to stand between quotes";
    return fmt::format("not valid JSON ({})", simdjson::error_message(error));
}

Value value_of(simdjson::dom::element element, Arena& arena) {
    using simdjson::dom::element_type;
    switch (element.type()) {
        case element_type::NULL_VALUE:
            return {};
        case element_type::BOOL:
            return bool(element);
        case element_type::INT64:
            return std::int64_t(element);
        case element_type::UINT64:  // beyond int64: as every JSON reader that has no larger integers
            return static_cast<double>(std::uint64_t(element));
        case element_type::DOUBLE:
            return double(element);
        case element_type::STRING:
            return arena.copy(std::string_view(element));
        case element_type::ARRAY:
        case element_type::OBJECT:
            return arena.copy(simdjson::minify(element));
    }
    return {};
}

}  // namespace

std::string_view Objects::keep(Record& into, std::string_view text) {
    char* place = into.arena().allocate(text.size() + simdjson::SIMDJSON_PADDING);
    if (!text.empty()) std::memcpy(place, text.data(), text.size());
    return {place, text.size()};
}

std::span<Value> Objects::fill(Record& into, std::string_view kept) {
    simdjson::dom::element document;
    if (const auto error = parser_.parse(kept.data(), kept.size(), false).get(document))
        throw NoObject(reason_of(error));
    simdjson::dom::object object;
    if (document.get(object) != simdjson::SUCCESS) throw NoObject("not a JSON object");

    const std::span<Value> values = into.reset(columns_of(object));
    std::size_t column = before_.size();
    for (const auto& field : object) values[column++] = value_of(field.value, into.arena());
    return values.first(before_.size());
}

const ColumnsPtr& Objects::columns_of(simdjson::dom::object object) {
    const auto same_key = [](const auto& field, const std::string& name) { return field.key == name; };
    if (columns_ && std::equal(object.begin(), object.end(),
                               columns_->names().begin() + static_cast<std::ptrdiff_t>(before_.size()),
                               columns_->names().end(), same_key))
        return columns_;
    std::vector<std::string> names = before_;
    std::set<std::string_view> seen(before_.begin(), before_.end());
    for (const auto& field : object) {
        names.emplace_back(field.key);
        if (!seen.insert(field.key).second) throw NoObject(fmt::format("the key \"{}\" twice", printable(field.key)));
    }
    if (shapes_.size() >= most_shapes) shapes_.clear();
    ColumnsPtr& shape = shapes_[names];
    if (!shape) shape = std::make_shared<Columns>(std::move(names));
    return columns_ = shape;
}

}  // namespace fermata::json
