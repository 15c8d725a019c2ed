#pragma once
#include "document.hpp"
#include "lines.hpp"

#include <fermata/model/job_definition.hpp>

namespace fermata::jobxml {

/// The definition a <job> element means, as far as it has the right shape; malformed expressions are told.
[[nodiscard]] JobDefinition build(const Element& job, const std::string& file, const Lines& lines,
                                  Diagnostics& diagnostics);

}  // namespace fermata::jobxml
