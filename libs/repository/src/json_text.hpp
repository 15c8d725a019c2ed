#pragma once
// The few texts of JSON that rows have.
#include <fermata/model/records.hpp>

#include <string>
#include <string_view>

namespace fermata {

void append_json(std::string& json, std::string_view text);

/// What columns of parameters and properties have: an object of texts.
[[nodiscard]] std::string json_of(const Parameters& parameters);
/// Throws Error(refused) if it is no such object.
[[nodiscard]] Parameters parameters_in(std::string_view json);

}  // namespace fermata
