#include "await.hpp"

#include <fmt/format.h>
#include <fermata/base/error.hpp>

#include <thread>

namespace fermata::cli {

bool is_forsaken(Session& session, const JobExecution& execution) {
    if (!execution.owner_lost) return false;
    const auto instance = session.repository().find_instance(execution.instance_id);
    return !instance || !session.repository().is_served(instance->definition_hash);
}

JobExecution await_end(Session& session, JobExecutionId id, const Deadline& deadline) {
    for (;;) {
        JobExecution execution = session.execution(id);
        if (!is_running(execution.status)) return execution;
        if (is_forsaken(session, execution))
            throw Error(ErrorKind::conflict, fmt::format("execution {} lost its owner: nobody runs it", id.value()),
                        fmt::format("fermata recover {}", id.value()));
        if (deadline.passed())
            throw Error(ErrorKind::timed_out,
                        fmt::format("execution {} is still {}", id.value(), to_string(execution.status)));
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
}

}  // namespace fermata::cli
