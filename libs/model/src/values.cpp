#include "values.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <ranges>

namespace fermata {
namespace {

bool is_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// `item-count="0"`, and for a value that was put in, where it came from.
std::string shown(std::string_view attribute, const std::string& value, const Template& source) {
    auto text = fmt::format("{}=\"{}\"", attribute, printable(value, 60));
    if (source.has_expressions()) text += fmt::format(" (from {})", printable(source.source(), 60));
    return text;
}

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
    return text;
}

std::string list_of(const std::vector<Position>& places) {
    std::string list;
    for (const auto& at : places) list += fmt::format("{}{}:{}", list.empty() ? "" : ", ", at.line, at.column);
    return list;
}

}  // namespace

Text Values::text(const Template& source) {
    inspect(source);
    if (!is_known(source)) return Text(source.source(), source.at());
    return Scope([this](Operator op, std::string_view name) { return find(op, name); }).resolve(source);
}

std::optional<std::string> Values::written(const Template& source) {
    auto value = text(source).str();
    if (!is_known(source) || (value.empty() && source.has_expressions())) return std::nullopt;
    return value;
}

std::optional<std::int64_t> Values::number(const NumberRule& rule, const Template& source) {
    const auto value = written(source);
    if (!value) return rule.otherwise;
    const auto number = parse_int64(*value);
    if (number && *number >= rule.least && *number <= rule.most) return number;

    const bool is_negative = value->starts_with('-') && is_digits(value->substr(1));
    std::string why = "is not a whole number";
    if (is_digits(*value)) why = fmt::format("is too large, at most {}", rule.most);
    if ((number && *number < rule.least) || is_negative) why = fmt::format("must be at least {}", rule.least);
    diagnostics_.error(file_, source.at(),
                       fmt::format("{}: {} {}", rule.owner, shown(rule.attribute, *value, source), why));
    return rule.otherwise;
}

bool Values::boolean(std::string_view owner, std::string_view attribute, const Template& source, bool otherwise) {
    const auto value = written(source);
    if (!value) return otherwise;
    const auto word = lower(*value);
    if (word != "true" && word != "false") {
        diagnostics_.error(
            file_, source.at(),
            fmt::format("{}: {} is neither \"true\" nor \"false\"", owner, shown(attribute, *value, source)));
    }
    return word == "true";
}

std::optional<std::string> Values::find(Operator op, std::string_view name) const {
    const auto in = [&](const Parameters& values) -> std::optional<std::string> {
        const auto found = values.find(std::string(name));
        return found == values.end() ? std::nullopt : std::optional(found->second);
    };
    switch (op) {
        case Operator::job_parameters:
            return in(*parameters_);
        case Operator::system_properties:
            return in(*system_);
        case Operator::job_properties: {
            const auto* property = find_property(name);
            return property ? std::optional(property->value) : std::nullopt;
        }
        case Operator::partition_plan:
            break;
    }
    return plan_ ? in(*plan_) : std::nullopt;
}

const Values::Property* Values::find_property(std::string_view name) const {
    for (const auto& scope : std::views::reverse(scopes_)) {
        if (const auto found = scope.find(name); found != scope.end()) return &found->second;
    }
    return nullptr;
}

std::map<std::string, std::string> Values::innermost() const {
    std::map<std::string, std::string> values;
    for (const auto& [name, property] : scopes_.back()) values.emplace(name, property.value);
    return values;
}

bool Values::awaits_plan(const Template& source) const {
    if (plan_) return false;
    return std::ranges::any_of(source.pieces(), [this](const Template::Piece& piece) {
        if (!piece.expression) return false;
        if (piece.op == Operator::partition_plan) return true;
        const auto* property = piece.op == Operator::job_properties ? find_property(piece.name) : nullptr;
        if (property && property->of_plan) return true;
        return !piece.fallback.empty() && awaits_plan(piece.fallback.front());
    });
}

/// Looks at what `source` needs: a default that is not used is not needed.
void Values::inspect(const Template& source) {
    for (const auto& piece : source.pieces()) {
        if (!piece.expression) continue;
        if (piece.op == Operator::partition_plan && !in_partitions_) {
            diagnostics_.error(file_, piece.at,
                               fmt::format("partitionPlan['{}'] has values only in the properties, listeners, work and "
                                           "collector of a step with a <partition>",
                                           printable(piece.name, 60)));
        }
        const auto value = parameters_ ? find(piece.op, piece.name) : std::nullopt;
        if (value && !value->empty()) continue;
        if (!piece.fallback.empty()) {
            inspect(piece.fallback.front());
        } else if (piece.op == Operator::job_properties) {
            warn_undefined(piece);
        } else if (piece.op == Operator::job_parameters && parameters_ && !value) {
            missing_[piece.name].push_back(piece.at);
        }
    }
}

void Values::warn_undefined(const Template::Piece& piece) {
    if (find_property(piece.name)) return;
    std::vector<std::string> names;
    for (const auto& scope : scopes_) std::ranges::copy(std::views::keys(scope), std::back_inserter(names));
    diagnostics_.warning(
        file_, piece.at,
        fmt::format("jobProperties['{}'] is defined nowhere before this place and resolves to an empty text{}",
                    printable(piece.name, 60), did_you_mean(piece.name, names)));
}

void Values::report_missing() {
    for (const auto& [name, places] : missing_) {
        const auto shown_name = printable(name, 60);
        diagnostics_.error(
            file_, places.front(),
            fmt::format("parameter \"{}\" is used{} but not given{}; give -p {}=VALUE or a default: "
                        "#{{jobParameters['{}']}}?:VALUE;",
                        shown_name, places.front().line == 0 ? "" : fmt::format(" ({})", list_of(places)),
                        unlike_any(name), shown_name, shown_name));
    }
}

std::string Values::unlike_any(std::string_view parameter) const {
    const auto names = std::views::keys(*parameters_);
    return did_you_mean(parameter, std::vector<std::string>(names.begin(), names.end()));
}

}  // namespace fermata
