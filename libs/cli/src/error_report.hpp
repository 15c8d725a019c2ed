#pragma once
// How a failure is told: one message and its remedy on stderr, or one JSON object there.
#include <exception>

#include "exit_code.hpp"

namespace fermata::cli {

/// Prints `error` and answers its exit code.
ExitCode report_error(const std::exception& error, bool as_json);

}  // namespace fermata::cli
