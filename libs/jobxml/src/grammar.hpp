#pragma once
// What may stand where in job XML (§8, schema §13.2), as data.
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fermata::jobxml {

struct AttributeRule {
    std::string_view name;
    bool required = false;
};

/// Children come in the order of their places; of one place only one child unless `many`.
struct ChildRule {
    std::string_view name;
    int place = 0;
    bool many = false;
    bool required = false;
};

struct ElementRule {
    std::string_view name;
    std::span<const AttributeRule> attributes;
    std::span<const ChildRule> children;

    [[nodiscard]] const ChildRule* child(std::string_view child_name) const;
    [[nodiscard]] bool allows_attribute(std::string_view attribute) const;
    [[nodiscard]] std::vector<std::string> child_names() const;
    [[nodiscard]] std::vector<std::string> attribute_names() const;
};

/// Every element there is.
[[nodiscard]] std::span<const ElementRule> all_rules();
/// Nothing for names that are no element of job XML.
[[nodiscard]] const ElementRule* rule_of(std::string_view element);
/// The elements `element` may stand in, for messages: "<chunk>".
[[nodiscard]] std::string parents_of(std::string_view element);

/// The namespaces of Jakarta Batch 2.x, Java EE 7 (1.0), and none.
[[nodiscard]] bool is_job_namespace(std::string_view space);

}  // namespace fermata::jobxml
