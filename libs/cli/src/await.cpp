#include "await.hpp"

#include <fmt/format.h>
#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>

#include <thread>

namespace fermata::cli {

bool is_forsaken(Session& session, const JobExecution& execution) {
    if (!execution.owner_lost) return false;
    const auto instance = session.repository().find_instance(execution.instance_id);
    return !instance || !session.repository().is_served(instance->definition_hash);
}

namespace {

void refuse_if_forsaken(Session& session, const JobExecution& execution) {
    if (!is_forsaken(session, execution)) return;
    throw Error(ErrorKind::conflict, fmt::format("execution {} lost its owner: nobody runs it", execution.id.value()),
                fmt::format("fermata recover {}", execution.id.value()));
}

}  // namespace

JobExecution await_end(Session& session, JobExecutionId id, const Deadline& deadline) {
    for (;;) {
        JobExecution execution = session.execution(id);
        if (!is_running(execution.status)) return execution;
        refuse_if_forsaken(session, execution);
        if (deadline.passed())
            throw Error(ErrorKind::timed_out,
                        fmt::format("execution {} is still {}", id.value(), to_string(execution.status)));
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
}

StepExecution await_step_end(Session& session, JobExecutionId id, const std::string& name, const Deadline& deadline) {
    for (;;) {
        // In this order: what has ended with the execution is seen below.
        const JobExecution execution = session.execution(id);
        for (StepExecution& step : session.repository().steps_of(id))
            if (step.name == name && step.ended) return std::move(step);
        const auto still = fmt::format("step \"{}\" of execution {} has not ended", printable(name), id.value());
        if (!is_running(execution.status))
            throw Error(ErrorKind::conflict, fmt::format("{}: it is {}", still, to_string(execution.status)),
                        fmt::format("fermata resume {}", id.value()));
        refuse_if_forsaken(session, execution);
        if (deadline.passed()) throw Error(ErrorKind::timed_out, still);
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
}

}  // namespace fermata::cli
