#include "map_processor.hpp"

#include "cast.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace fermata::record {
namespace {

/// Records whose shape differs from line to line (JSON) must not make memory grow for ever.
constexpr std::size_t most_plans = 256;

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::ranges::find(names, name) != names.end();
}

}  // namespace

bool MapProcessor::process(Record& in, Record& into) {
    const Plan& plan = plan_for(in.columns());
    const std::span<Value> values = into.reset(plan.to);
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = value_of(plan.cells[i], plan.to->names()[i], in, into.arena());
    into.set_origin(in.position(), in.raw());
    into.set_name(in.name());
    if (into.batch().source != in.batch().source) into.batch().source = in.batch().source;
    return true;
}

const MapProcessor::Plan& MapProcessor::plan_for(const ColumnsPtr& columns) {
    if (last_plan_ != nullptr && last_plan_->from == columns) return *last_plan_;
    auto found = plans_.find(columns.get());
    if (found == plans_.end()) {
        auto plan = std::make_unique<Plan>(make_plan(columns));
        if (plans_.size() >= most_plans) plans_.clear();
        found = plans_.emplace(columns.get(), std::move(plan)).first;
    }
    last_plan_ = found->second.get();
    return *last_plan_;
}

MapProcessor::Plan MapProcessor::make_plan(const ColumnsPtr& columns) const {
    const std::vector<std::string> sources = renamed(columns->names());
    for (const auto& [name, cast] : options_.cast) check_known("cast", name, sources);
    for (const std::string& name : options_.drop) check_known("drop", name, sources);
    for (const std::string& name : options_.keep) check_known("keep", name, sources);
    std::vector<std::string> names = selected(sources);
    Plan plan{.from = columns};
    for (const std::string& name : names) plan.cells.push_back(cell_for(name, sources));
    plan.to = std::make_shared<Columns>(std::move(names));
    return plan;
}

std::vector<std::string> MapProcessor::renamed(const std::vector<std::string>& names) const {
    std::vector<std::string> result = names;
    for (const auto& [from, to] : options_.rename) {
        check_known("rename", from, names);
        const auto place = std::ranges::find(names, from);
        if (place != names.end()) result[static_cast<std::size_t>(place - names.begin())] = to;
    }
    for (const std::string& name : result)
        if (std::ranges::count(result, name) > 1)
            throw options_.properties.wrong("rename",
                                            fmt::format("two columns would be called \"{}\"", printable(name)));
    return result;
}

std::vector<std::string> MapProcessor::selected(std::vector<std::string> names) const {
    if (!options_.keep.empty()) return options_.keep;
    for (const auto& [name, text] : options_.defaults)
        if (!contains(names, name)) names.push_back(name);
    for (const std::string& name : options_.required)
        if (!contains(names, name)) names.push_back(name);
    std::erase_if(names, [&](const std::string& name) { return contains(options_.drop, name); });
    return names;
}

MapProcessor::Cell MapProcessor::cell_for(const std::string& name, const std::vector<std::string>& sources) const {
    Cell cell;
    const auto source = std::ranges::find(sources, name);
    if (source != sources.end()) cell.source = static_cast<std::size_t>(source - sources.begin());
    if (const auto cast = options_.cast.find(name); cast != options_.cast.end()) cell.cast = cast->second;
    for (const auto& [column, text] : options_.defaults)
        if (column == name) cell.fallback = Value(std::string_view(text));
    cell.required = contains(options_.required, name);
    return cell;
}

/// A column that "default" names need not be in every record.
void MapProcessor::check_known(std::string_view property, const std::string& name,
                               const std::vector<std::string>& names) const {
    const bool optional = std::ranges::any_of(options_.defaults, [&](const auto& pair) { return pair.first == name; });
    if (optional || contains(names, name)) return;
    throw options_.properties.wrong(
        property, fmt::format("the records have no column \"{}\"{}", printable(name), did_you_mean(name, names)),
        "name it in the property default if only some have it");
}

Value MapProcessor::value_of(const Cell& cell, const std::string& name, const Record& in, Arena& arena) const {
    Value value = cell.source == absent ? Value() : in[cell.source];
    if (options_.trim && value.kind() == Value::Kind::text) {
        const std::string_view text = fermata::trim(value.text());
        value = text.empty() ? Value() : Value(text);
    }
    if (value.is_null() && cell.fallback) value = *cell.fallback;
    if (value.is_null() && cell.required) refuse_missing(name, in);
    if (cell.cast == Cast::none) return value;
    if (const auto result = converted(value, cell.cast, arena)) return *result;
    throw ConversionError(fmt::format(R"({}: column "{}": "{}" is not of type {})", in.place(), printable(name),
                                      printable(to_text(value), 80), to_string(cell.cast)),
                          in.place(), std::string(in.raw()));
}

void MapProcessor::refuse_missing(const std::string& name, const Record& in) const {
    throw ValidationError(fmt::format("{}: column \"{}\" has no value, but is required", in.place(), printable(name)),
                          in.place(), std::string(in.raw()));
}

}  // namespace fermata::record
