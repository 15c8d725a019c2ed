#pragma once
// What stands behind the expressions of one resolution: parameters, system properties, and the properties defined so
// far, scope by scope (§8.8.1.2). Without parameters (check) everything with an expression is unknown and not judged.
#include <fermata/model/resolved_job.hpp>

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fermata {

/// A whole-number attribute: who has it ('step "load"'), its name, its range, and what holds if it is not written.
struct NumberRule {
    std::string_view owner;
    std::string_view attribute;
    std::int64_t least = 0;
    std::int64_t most = std::numeric_limits<std::int64_t>::max();
    std::optional<std::int64_t> otherwise;
};

class Values {
public:
    Values(const std::string& file, const Parameters* parameters, const Parameters* system, Diagnostics& diagnostics)
        : file_(file), parameters_(parameters), system_(system), diagnostics_(diagnostics) {}

    /// Properties defined until the matching pop are the innermost scope.
    void push() { scopes_.emplace_back(); }
    void pop() { scopes_.pop_back(); }
    void define(const std::string& name, const std::string& value, bool of_plan) {
        scopes_.back()[name] = {value, of_plan};
    }
    [[nodiscard]] std::map<std::string, std::string> innermost() const;

    /// partitionPlan is allowed until `leave_partitions`; without a plan what depends on it is not known yet.
    void enter_partitions() { in_partitions_ = true; }
    void leave_partitions() { in_partitions_ = false; }
    void set_plan(const Parameters& plan) { plan_ = &plan; }

    /// The value; expressions that stay unknown are left as they are written. Tells what is wrong with the expressions.
    Text text(const Template& source);
    /// Nothing if it is unknown, or if it has expressions and all of it came out empty (then it counts as not written).
    std::optional<std::string> written(const Template& source);
    std::optional<std::int64_t> number(const NumberRule& rule, const Template& source);
    bool boolean(std::string_view owner, std::string_view attribute, const Template& source, bool otherwise);

    [[nodiscard]] bool is_known(const Template& source) const {
        return (parameters_ || !source.has_expressions()) && !awaits_plan(source);
    }
    /// It, or a property it asks for, depends on a plan that is not known yet.
    [[nodiscard]] bool awaits_plan(const Template& source) const;
    /// One error for every parameter that was needed and not given.
    void report_missing();

private:
    std::optional<std::string> find(Operator op, std::string_view name) const;
    struct Property {
        std::string value;
        bool of_plan = false;
    };
    const Property* find_property(std::string_view name) const;
    void inspect(const Template& source);
    void warn_undefined(const Template::Piece& piece);
    std::string unlike_any(std::string_view parameter) const;

    const std::string& file_;
    const Parameters* parameters_;
    const Parameters* system_;
    Diagnostics& diagnostics_;
    const Parameters* plan_ = nullptr;
    bool in_partitions_ = false;
    std::vector<std::map<std::string, Property, std::less<>>> scopes_;
    std::map<std::string, std::vector<Position>> missing_;
};

}  // namespace fermata
