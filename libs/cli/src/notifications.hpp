#pragma once
// What became of the notifications of pauses (docs/waiting.md).
#include <map>
#include <string>
#include <vector>

#include "session.hpp"

namespace fermata::cli {

struct FailedNotification {
    std::int64_t attempts = 0;
    Timestamp last;
    Timestamp next;  ///< not before
    std::string error;
};

/// Of those of `pauses` that wait and whose notification has failed until now: by their epochs. One query, none where
/// nothing is to be told.
[[nodiscard]] std::map<std::int64_t, FailedNotification> failed_notifications(Session& session,
                                                                              JobExecutionId execution,
                                                                              const std::vector<Pause>& pauses);
/// "notifying of "approve" failed twice, last at …, again after …: …"
[[nodiscard]] std::string sentence(const Pause& pause, const FailedNotification& failed);
/// The same, one line each, to stderr.
void tell_of_notifications(Session& session, const JobExecution& execution);

}  // namespace fermata::cli
