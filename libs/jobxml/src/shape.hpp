#pragma once
#include "document.hpp"
#include "lines.hpp"

#include <string>

namespace fermata::jobxml {

/// Tells everything that stands where it may not, and everything required that is missing. Takes elements and
/// attributes of foreign namespaces out of `root`.
void check_shape(Element& root, const std::string& file, const Lines& lines, Diagnostics& diagnostics);

}  // namespace fermata::jobxml
