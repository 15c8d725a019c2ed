#include "await.hpp"

#include <fmt/format.h>
#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>
#include <fermata/repository/bell.hpp>

#include <thread>

namespace fermata::cli {

namespace {

constexpr std::chrono::milliseconds between_looks{100};
/// A hint may get lost, and nobody rings for an owner that dies.
constexpr std::chrono::milliseconds between_looks_of_a_listener{1000};

}  // namespace

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
    Bell bell(session.repository(), Bell::About::ends);
    for (;;) {
        JobExecution execution = session.execution(id);
        if (!is_running(execution.status)) return execution;
        refuse_if_forsaken(session, execution);
        if (deadline.passed())
            throw Error(ErrorKind::timed_out,
                        fmt::format("execution {} is still {}", id.value(), to_string(execution.status)),
                        fmt::format("fermata show {}", id.value()));
        if (!bell.listens()) {
            bell.listen();
            if (bell.listens()) continue;  // what ended before it did
        }
        static_cast<void>(bell.wait(deadline.within(bell.listens() ? between_looks_of_a_listener : between_looks)));
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
        if (deadline.passed()) throw Error(ErrorKind::timed_out, still, fmt::format("fermata show {}", id.value()));
        std::this_thread::sleep_for(deadline.within(between_looks));
    }
}

}  // namespace fermata::cli
