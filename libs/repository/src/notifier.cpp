#include "notifier.hpp"

#include <fermata/base/process.hpp>
#include <fermata/base/text.hpp>

#include <fmt/format.h>

namespace fermata {
namespace {

/// How long a process that cannot be looked at from here may take.
constexpr Duration patience = std::chrono::minutes(5);

constexpr std::string_view retry_word = "retry ";

std::string here() { return fmt::format("{}/{}", host_name(), boot_id()); }

}  // namespace

std::string this_notifier() {
    const ProcessIdentity process = this_process();
    return fmt::format("{} {} {}", process.pid, process.start_ticks, here());
}

std::string retry_at(Timestamp time) { return fmt::format("{}{:016}", retry_word, to_micros(time)); }

bool notifier_is_gone(const std::string& notifier, Duration since) {
    if (notifier.empty() || notifier.starts_with(retry_word)) return true;
    const std::size_t ticks = notifier.find(' ');
    const std::size_t host = ticks == std::string::npos ? ticks : notifier.find(' ', ticks + 1);
    if (host == std::string::npos || notifier.substr(host + 1) != here()) return since > patience;
    const ProcessIdentity process{.pid = parse_int64(notifier.substr(0, ticks)).value_or(0),
                                  .start_ticks = parse_int64(notifier.substr(ticks + 1, host - ticks - 1)).value_or(0)};
    return process_of(process.pid) != process;
}

}  // namespace fermata
