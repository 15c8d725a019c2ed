#pragma once
// The expressions of `filter`:
//
//   condition   any-of
//   any-of      all-of { "or" all-of }
//   all-of      one { "and" one }
//   one         "not" one | "(" any-of ")" | column comparison
//   comparison  ("=" | "!=" | "<>" | "<" | "<=" | ">" | ">=") value | "is" ["not"] "null" | ["not"] "like" text
//   column      name | "any name"       value   number | 'text' | true | false
//
// As in SQL a comparison with null is unknown, and unknown is not enough to pass. An unquoted number compares by
// number, also with text that is one; 'text' compares byte by byte; like knows % and _.
#include <fermata/batch/record.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace fermata::record {

class Condition {
public:
    virtual ~Condition() = default;
    /// Nothing: unknown. Throws ConversionError if a value is not of the type it is compared with, ValidationError if
    /// the record has no such column.
    [[nodiscard]] virtual std::optional<bool> test(const Record& record) const = 0;
};

/// What is wrong with the text of a condition, and where.
class ConditionError : public std::runtime_error {
public:
    ConditionError(std::size_t position, const std::string& message);
};

/// Throws ConditionError.
[[nodiscard]] std::unique_ptr<Condition> parse_condition(std::string_view text);

}  // namespace fermata::record
