#include "submission.hpp"

#include <fmt/format.h>
#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>

#include "waits.hpp"

namespace fermata::cli {

void warn_if_nobody_serves(Session& session, const JobExecution& execution) {
    const auto instance = session.repository().find_instance(execution.instance_id);
    if (!instance || session.repository().is_served(instance->definition_hash)) return;
    Output::note(
        fmt::format("fermata: no worker serves job {} as it is defined here, so {} waits; a worker whose jobs folder "
                    "holds this very "
                    "definition takes it, and fermata resume {} runs it here",
                    printable(execution.job_name), execution.id.value(), execution.id.value()));
}

void require_worker_can(const Session& session) {
    if (session.system_properties().empty()) return;
    throw Error(ErrorKind::usage, "-D is of no use here: a worker has system properties of its own",
                "give it to fermata worker, or use parameters: -p K=V");
}

ExitCode conclude_submission(Session& session, JobExecutionId id) {
    const JobExecution execution = session.execution(id);
    session.out().one(
        fmt::format("execution {} is {}: fermata watch {}\n", id.value(), to_string(execution.status), id.value()),
        fmt::format(R"({{"id":{},"status":"{}"}})", id.value(), to_string(execution.status)),
        std::to_string(id.value()));
    if (awaits_owner(execution)) warn_if_nobody_serves(session, execution);
    return ExitCode::ok;
}

}  // namespace fermata::cli
