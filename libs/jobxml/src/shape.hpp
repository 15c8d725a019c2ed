#pragma once
#include "document.hpp"
#include "lines.hpp"

#include <string>

namespace fermata::jobxml {

/// Tells everything that stands where it may not, and everything required that is missing. Takes elements and
/// attributes of foreign namespaces out of `root`. False if elements or ids are wrong: what refers to them cannot be
/// judged then.
bool check_shape(Element& root, const std::string& file, const Lines& lines, Diagnostics& diagnostics);

}  // namespace fermata::jobxml
