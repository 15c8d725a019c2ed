#pragma once
// Records as JSON objects.
#include <fermata/batch/record.hpp>

#include <string>
#include <vector>

namespace fermata::json {

class Text {
public:
    /// Adds {"id":7,"name":"Ann"} to `to`. Bytes are written in hexadecimal. Throws ConversionError for a value JSON
    /// has no form for; `to` then ends in the middle.
    void put(const Record& record, std::string& to);

private:
    void learn(const ColumnsPtr& columns);

    ColumnsPtr columns_;             ///< the shape keys_ is for
    std::vector<std::string> keys_;  ///< `{"id":`, `,"name":`
};

/// "…" with what JSON wants escaped. REQUIRES: is_utf8(text).
void put_quoted(std::string_view text, std::string& to);

}  // namespace fermata::json
