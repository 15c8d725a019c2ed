#pragma once
// Which process is sending a pause's notification, as text in its row: another one does so only if that process is
// gone. Or when it is to be sent again, if it failed: it is nobody's then.
#include <fermata/base/clock.hpp>

#include <string>

namespace fermata {

[[nodiscard]] std::string this_notifier();
/// Later ones are greater as text.
[[nodiscard]] std::string retry_at(Timestamp time);
/// Empty: nobody has begun, as where somebody else settled what a dead owner left. To be sent again: nobody's. Else
/// proved by its pid and start time; of another host, or another boot, nothing lives after a while.
[[nodiscard]] bool notifier_is_gone(const std::string& notifier, Duration since);

}  // namespace fermata
