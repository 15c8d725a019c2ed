#pragma once
// JSON objects as records: the columns an object has, in its order; objects and arrays inside it as their JSON text.
#include <fermata/batch/record.hpp>

#include <simdjson.h>

#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace fermata::json {

/// `what()` says what is wrong with the text, not where it stands.
struct NoObject : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class Objects {
public:
    /// Records begin with the columns `before`, null until the caller fills them.
    explicit Objects(std::vector<std::string> before = {}) : before_(std::move(before)) {}

    /// `text` in the record's arena, with the room behind it that fill() needs.
    [[nodiscard]] static std::string_view keep(Record& into, std::string_view text);
    /// Gives `into` the shape and the values of the object; answers the cells before them. REQUIRES: `kept` is what
    /// keep() answered. Throws NoObject; the record is then as it was.
    std::span<Value> fill(Record& into, std::string_view kept);

private:
    [[nodiscard]] const ColumnsPtr& columns_of(simdjson::dom::object object);

    std::vector<std::string> before_;
    simdjson::dom::parser parser_;
    ColumnsPtr columns_;
    std::map<std::vector<std::string>, ColumnsPtr> shapes_;
};

}  // namespace fermata::json
