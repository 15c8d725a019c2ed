#include <fermata/base/error.hpp>
#include <fermata/base/file.hpp>
#include <fermata/base/process.hpp>
#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <pwd.h>
#include <unistd.h>
#include <array>
#include <climits>
#include <vector>

namespace fermata {
namespace {

/// State and start time out of /proc/PID/stat. The command name in it is free text: the fields begin after its last
/// ')'.
ProcessIdentity parse_stat(std::int64_t pid, std::string_view stat, char& state) {
    constexpr std::size_t state_field = 0;
    constexpr std::size_t start_field = 19;
    const auto fields = split(stat.substr(stat.rfind(')') + 2), ' ');
    state = fields.at(state_field).front();
    return {.pid = pid, .start_ticks = parse_int64(fields.at(start_field)).value()};
}

}  // namespace

ProcessIdentity this_process() {
    if (const auto self = process_of(::getpid())) return *self;
    throw Error(ErrorKind::refused,
                "/proc does not show this process; its start time there is what tells it from a later one of its pid",
                "mount proc at /proc");
}

std::optional<ProcessIdentity> process_of(std::int64_t pid) {
    const auto path = fmt::format("/proc/{}/stat", pid);
    std::string stat;
    try {
        stat = read_file(path);
    } catch (const IoError&) {
        // Without evidence that it is gone, "no such process" would be a lie that costs a live owner its execution.
        if (!identity_of(std::filesystem::path(path))) return std::nullopt;
        throw;
    }
    char state = 0;
    const auto identity = parse_stat(pid, stat, state);
    const bool dead = state == 'Z' || state == 'X';
    return dead ? std::nullopt : std::optional(identity);
}

std::string host_name() {
    std::array<char, HOST_NAME_MAX + 1> name{};
    ::gethostname(name.data(), name.size() - 1);
    return name.data();
}

std::string boot_id() {
    static const std::string id(trim(read_file("/proc/sys/kernel/random/boot_id")));  // no process outlives a boot
    return id;
}

std::string user_name() {
    const auto uid = ::geteuid();
    std::vector<char> memory(1U << 16);
    passwd entry{};
    passwd* found = nullptr;
    ::getpwuid_r(uid, &entry, memory.data(), memory.size(), &found);
    return found != nullptr ? found->pw_name : std::to_string(uid);
}

std::filesystem::path this_executable() { return std::filesystem::read_symlink("/proc/self/exe"); }

}  // namespace fermata
