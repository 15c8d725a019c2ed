#pragma once
// What the process tells its caller (design §13); one table for every verb.
#include <fermata/base/error.hpp>
#include <fermata/model/status.hpp>

namespace fermata::cli {

enum class ExitCode : int {
    ok = 0,
    failed = 1,
    usage = 2,
    timed_out = 3,
    stale = 4,
    refused = 5,
    not_found = 6,
    forbidden = 7,
    conflict = 8,
    invalid = 9,
    stopped = 10,
    paused = 11,
    abandoned = 12,
    unreachable = 13,
    interrupted = 130,
};

[[nodiscard]] ExitCode exit_code_of(ErrorKind kind);
/// Of an execution that has ended or is PAUSED. REQUIRES: not running.
[[nodiscard]] ExitCode exit_code_of(BatchStatus status);
/// Several ids: the highest.
[[nodiscard]] inline ExitCode worst(ExitCode left, ExitCode right) { return left < right ? right : left; }
/// "conflict", for `{"error": {"code": …}}`.
[[nodiscard]] std::string_view to_string(ErrorKind kind);

}  // namespace fermata::cli
