#pragma once
// Tells people that an execution waits: the command lines of `notify`, run by the `command` batchlet once the execution
// is PAUSED. At least once, with a key: a process that dies while it tells leaves it to whoever opens the repository
// next, and so does a command that fails.
#include <fermata/batch/context.hpp>
#include <fermata/batch/registry.hpp>
#include <fermata/repository/repository.hpp>

namespace fermata {

struct NotificationTools {
    const Registry& registry;
    const sql::Drivers& drivers;
    int owner_fd = -1;
    const JobContext* job = nullptr;  ///< of the execution that has just come to rest; null: made from the repository
    std::string repository_url = {};
};
/// Sends what this process is to send, for half a minute at most: what is left is for the next call. A command that
/// runs as long is killed and has failed. Throws nothing; what fails is told in logs/<execution>/notifications.
void send_notifications(Repository& repository, const NotificationTools& tools);

}  // namespace fermata
