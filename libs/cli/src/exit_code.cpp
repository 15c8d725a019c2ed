#include "exit_code.hpp"

namespace fermata::cli {

ExitCode exit_code_of(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::failed:
            return ExitCode::failed;
        case ErrorKind::usage:
            return ExitCode::usage;
        case ErrorKind::timed_out:
            return ExitCode::timed_out;
        case ErrorKind::stale:
            return ExitCode::stale;
        case ErrorKind::refused:
            return ExitCode::refused;
        case ErrorKind::not_found:
            return ExitCode::not_found;
        case ErrorKind::forbidden:
            return ExitCode::forbidden;
        case ErrorKind::conflict:
            return ExitCode::conflict;
        case ErrorKind::invalid:
            return ExitCode::invalid;
        case ErrorKind::unreachable:
            return ExitCode::unreachable;
    }
    return ExitCode::failed;
}

ExitCode exit_code_of(BatchStatus status) {
    switch (status) {
        case BatchStatus::completed:
            return ExitCode::ok;
        case BatchStatus::stopped:
            return ExitCode::stopped;
        case BatchStatus::paused:
            return ExitCode::paused;
        case BatchStatus::abandoned:
            return ExitCode::abandoned;
        default:
            return ExitCode::failed;
    }
}

std::string_view to_string(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::failed:
            return "failed";
        case ErrorKind::usage:
            return "usage";
        case ErrorKind::timed_out:
            return "timed_out";
        case ErrorKind::stale:
            return "stale";
        case ErrorKind::refused:
            return "refused";
        case ErrorKind::not_found:
            return "not_found";
        case ErrorKind::forbidden:
            return "forbidden";
        case ErrorKind::conflict:
            return "conflict";
        case ErrorKind::invalid:
            return "invalid";
        case ErrorKind::unreachable:
            return "unreachable";
    }
    return "failed";
}

}  // namespace fermata::cli
