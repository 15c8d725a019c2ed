#include <fermata/base/point.hpp>
#include <fermata/base/text.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <system_error>

namespace fermata::point {
namespace {

std::string_view environment(const char* name) noexcept {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

/// A rig that waits for a kill which can never come must hear of it at once.
[[noreturn]] void give_up(const std::string& message) {
    fmt::print(stderr, "fermata: {}\n", message);
    ::_exit(2);
}

struct Rig {
    std::string name;
    std::int64_t arrival = 1;
    int signal = SIGKILL;
    int log = -1;
    std::atomic<std::int64_t> arrivals{0};

    Rig() {
        aim(environment("FERMATA_POINT"));
        choose(environment("FERMATA_POINT_SIGNAL"));
        const std::string file(environment("FERMATA_POINT_LOG"));
        if (!file.empty()) open_log(file);
    }
    void aim(std::string_view point) {
        const auto colon = point.find(':');
        name = point.substr(0, colon);
        if (colon == std::string_view::npos) return;
        const auto number = parse_int64(point.substr(colon + 1));
        if (!number || *number < 1)
            give_up(fmt::format("FERMATA_POINT=\"{}\": expected NAME or NAME:N with N from 1", point));
        arrival = *number;
    }
    void choose(std::string_view act) {
        if (act == "STOP")
            signal = SIGSTOP;
        else if (!act.empty() && act != "KILL")
            give_up(fmt::format("FERMATA_POINT_SIGNAL=\"{}\": expected KILL or STOP", act));
    }
    void open_log(const std::string& file) {
        log = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (log < 0) give_up(fmt::format("FERMATA_POINT_LOG=\"{}\": {}", file, std::generic_category().message(errno)));
    }
    void write_down(std::string_view point) const {
        const std::string line = fmt::format("{}\n", point);
        // One write a line: with O_APPEND lines of several processes do not mix.
        if (::write(log, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
            give_up(fmt::format("FERMATA_POINT_LOG: cannot write: {}", std::generic_category().message(errno)));
    }
};

Rig& rig() {
    static Rig the_rig;
    return the_rig;
}

}  // namespace

const bool armed = !environment("FERMATA_POINT").empty() || !environment("FERMATA_POINT_LOG").empty();

void reached(const char* name) noexcept {
    Rig& here = rig();
    if (here.log >= 0) here.write_down(name);
    if (here.name != name || here.arrivals.fetch_add(1) + 1 != here.arrival) return;
    ::kill(::getpid(), here.signal);
    while (here.signal == SIGKILL) ::pause();
}

}  // namespace fermata::point
