#pragma once
// What a verb does with several executions.
#include "error_report.hpp"
#include "session.hpp"

#include <vector>

namespace fermata::cli {

/// As kill does: what one of several is refused is told, and the others are asked all the same. The worst exit code;
/// what only one was refused is thrown, as everywhere.
template <class Ask>
ExitCode for_each_of(Session& session, const std::vector<ExecutionRef>& executions, Ask&& ask) {
    ExitCode code = ExitCode::ok;
    for (const ExecutionRef& reference : executions) {
        try {
            ask(session.resolve(reference));
        } catch (const Error& error) {
            if (executions.size() == 1) throw;
            code = worst(code, report_error(error, session.out().wants_json()));
        }
    }
    return code;
}

}  // namespace fermata::cli
