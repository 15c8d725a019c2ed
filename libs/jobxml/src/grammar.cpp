#include "grammar.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fermata::jobxml {
namespace {

constexpr bool required = true;
constexpr bool many = true;

constexpr AttributeRule job_attributes[] = {{"id", required}, {"restartable"}, {"version"}};
constexpr ChildRule job_children[] = {{"properties", 0}, {"listeners", 1},   {"step", 2, many},
                                      {"flow", 2, many}, {"split", 2, many}, {"decision", 2, many}};
constexpr AttributeRule step_attributes[] = {{"id", required}, {"start-limit"}, {"allow-start-if-complete"}, {"next"}};
constexpr ChildRule step_children[] = {{"properties", 0}, {"listeners", 1},      {"batchlet", 2},   {"chunk", 2},
                                       {"partition", 3},  {"next", 4, many},     {"fail", 4, many}, {"end", 4, many},
                                       {"stop", 4, many}, {"fer:pause", 4, many}};
constexpr AttributeRule flow_attributes[] = {{"id", required}, {"next"}};
constexpr ChildRule flow_children[] = {{"step", 0, many},     {"flow", 0, many}, {"split", 0, many},
                                       {"decision", 0, many}, {"next", 1, many}, {"fail", 1, many},
                                       {"end", 1, many},      {"stop", 1, many}, {"fer:pause", 1, many}};
constexpr ChildRule split_children[] = {{"flow", 0, many}};
constexpr AttributeRule decision_attributes[] = {{"id", required}, {"ref", required}};
constexpr ChildRule decision_children[] = {{"properties", 0}, {"next", 1, many}, {"fail", 1, many},
                                           {"end", 1, many},  {"stop", 1, many}, {"fer:pause", 1, many}};
constexpr AttributeRule partition_attributes[] = {{"fer:workers"}, {"fer:turn"}};
constexpr ChildRule partition_children[] = {
    {"mapper", 0}, {"plan", 0}, {"collector", 1}, {"analyzer", 2}, {"reducer", 3}};
constexpr AttributeRule plan_attributes[] = {{"partitions"}, {"threads"}};
constexpr ChildRule plan_children[] = {{"properties", 0, many}};
constexpr AttributeRule chunk_attributes[] = {
    {"checkpoint-policy"}, {"item-count"}, {"time-limit"}, {"skip-limit"}, {"retry-limit"}};
constexpr ChildRule chunk_children[] = {{"reader", 0, false, required},      {"processor", 1},
                                        {"writer", 2, false, required},      {"checkpoint-algorithm", 3},
                                        {"skippable-exception-classes", 4},  {"retryable-exception-classes", 5},
                                        {"no-rollback-exception-classes", 6}};
constexpr AttributeRule artifact_attributes[] = {{"ref", required}};
constexpr ChildRule artifact_children[] = {{"properties", 0}};
constexpr AttributeRule properties_attributes[] = {{"partition"}};
constexpr ChildRule properties_children[] = {{"property", 0, many}};
constexpr AttributeRule property_attributes[] = {{"name", required}, {"value", required}};
constexpr ChildRule listeners_children[] = {{"listener", 0, many}};
constexpr ChildRule filter_children[] = {{"include", 0, many}, {"exclude", 1, many}};
constexpr AttributeRule class_attributes[] = {{"class", required}};
constexpr AttributeRule next_attributes[] = {{"on", required}, {"to", required}};
constexpr AttributeRule end_attributes[] = {{"on", required}, {"exit-status"}};
constexpr AttributeRule pause_attributes[] = {{"on", required}, {"point", required}, {"to"},         {"message"},
                                              {"signals"},      {"timeout"},         {"on-timeout"}, {"notify"}};
constexpr AttributeRule stop_attributes[] = {{"on", required}, {"exit-status"}, {"restart"}};

constexpr ElementRule rules[] = {
    {"job", job_attributes, job_children},
    {"step", step_attributes, step_children},
    {"chunk", chunk_attributes, chunk_children},
    {"batchlet", artifact_attributes, artifact_children},
    {"reader", artifact_attributes, artifact_children},
    {"processor", artifact_attributes, artifact_children},
    {"writer", artifact_attributes, artifact_children},
    {"checkpoint-algorithm", artifact_attributes, artifact_children},
    {"listener", artifact_attributes, artifact_children},
    {"listeners", {}, listeners_children},
    {"properties", properties_attributes, properties_children},
    {"property", property_attributes, {}},
    {"skippable-exception-classes", {}, filter_children},
    {"retryable-exception-classes", {}, filter_children},
    {"no-rollback-exception-classes", {}, filter_children},
    {"include", class_attributes, {}},
    {"exclude", class_attributes, {}},
    {"next", next_attributes, {}},
    {"end", end_attributes, {}},
    {"fail", end_attributes, {}},
    {"stop", stop_attributes, {}},
    {"fer:pause", pause_attributes, {}},
    {"flow", flow_attributes, flow_children},
    {"split", flow_attributes, split_children},
    {"decision", decision_attributes, decision_children},
    {"partition", partition_attributes, partition_children},
    {"plan", plan_attributes, plan_children},
    {"mapper", artifact_attributes, artifact_children},
    {"collector", artifact_attributes, artifact_children},
    {"analyzer", artifact_attributes, artifact_children},
    {"reducer", artifact_attributes, artifact_children},
};

constexpr std::string_view namespaces[] = {"", "https://jakarta.ee/xml/ns/jakartaee",
                                           "http://xmlns.jcp.org/xml/ns/javaee"};

template <class Rules>
std::vector<std::string> names_of(const Rules& rules_of_element) {
    std::vector<std::string> names;
    for (const auto& rule : rules_of_element) names.emplace_back(rule.name);
    return names;
}

}  // namespace

const ChildRule* ElementRule::child(std::string_view child_name) const {
    const auto found = std::ranges::find(children, child_name, &ChildRule::name);
    return found == children.end() ? nullptr : &*found;
}

bool ElementRule::allows_attribute(std::string_view attribute) const {
    return std::ranges::find(attributes, attribute, &AttributeRule::name) != attributes.end();
}

std::vector<std::string> ElementRule::child_names() const { return names_of(children); }
std::vector<std::string> ElementRule::attribute_names() const { return names_of(attributes); }

std::span<const ElementRule> all_rules() { return rules; }

const ElementRule* rule_of(std::string_view element) {
    const auto* found = std::ranges::find(rules, element, &ElementRule::name);
    return found == std::end(rules) ? nullptr : found;
}

std::string parents_of(std::string_view element) {
    std::string text;
    for (const auto& rule : rules) {
        if (rule.child(element)) text += fmt::format("{}<{}>", text.empty() ? "" : ", ", rule.name);
    }
    return text;
}

bool is_job_namespace(std::string_view space) { return std::ranges::find(namespaces, space) != std::end(namespaces); }

}  // namespace fermata::jobxml
