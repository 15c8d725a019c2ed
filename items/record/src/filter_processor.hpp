#pragma once
#include "condition.hpp"

#include <fermata/batch/context.hpp>

#include <memory>

namespace fermata::record {

/// The property "where". Throws Error(invalid).
[[nodiscard]] inline std::unique_ptr<Condition> where_of(const Properties& properties) {
    try {
        return parse_condition(properties.require<std::string>("where"));
    } catch (const ConditionError& error) {
        throw properties.wrong("where", error.what());
    }
}

/// Hands on the records for which the condition is true.
class FilterProcessor {
public:
    using input_type = Record;
    using output_type = Record;

    explicit FilterProcessor(const ArtifactContext& context) : where_(where_of(context.properties)) {}
    bool process(Record& in, Record& into) {
        if (where_->test(in) != true) return false;
        into = in;
        return true;
    }

private:
    std::unique_ptr<Condition> where_;
};

}  // namespace fermata::record
