#include "detach.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fermata/base/error.hpp>
#include <fermata/base/file.hpp>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace fermata::cli {

namespace {

Error system_error(std::string_view what) {
    return Error(ErrorKind::failed, fmt::format("cannot {}: {}", what, std::strerror(errno)));
}

ExitCode exit_code_of_child(pid_t child) {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? static_cast<ExitCode>(WEXITSTATUS(status)) : ExitCode::failed;
}

std::int64_t read_id(int fd) {
    std::int64_t id = 0;
    ssize_t got = 0;
    while ((got = ::read(fd, &id, sizeof id)) < 0 && errno == EINTR) {
    }
    return got == sizeof id ? id : 0;
}

}  // namespace

Detachment::~Detachment() {
    if (announcement_ >= 0) ::close(announcement_);
}

std::optional<ExitCode> Detachment::split(Session& session) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw system_error("make a pipe");
    const File reading(ends[0]);
    File writing(ends[1]);
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child < 0) throw system_error("start a process");
    if (child == 0) {
        ::setsid();
        announcement_ = writing.release();
        return std::nullopt;
    }
    ::close(writing.release());
    const std::int64_t id = read_id(reading.fd());
    if (id == 0) return exit_code_of_child(child);
    session.out().one(fmt::format("started execution {} in the background: fermata watch {}\n", id, id),
                      fmt::format("{{\"id\":{}}}", id), std::to_string(id));
    return ExitCode::ok;
}

void Detachment::announce(Session& session, JobExecutionId execution) {
    if (announcement_ < 0) return;
    const auto folder = session.data_folder() / "logs" / std::to_string(execution.value());
    std::filesystem::create_directories(folder);
    const File log = File::open(folder / "detached.out", O_WRONLY | O_CREAT | O_APPEND);
    const File nothing = File::open("/dev/null", O_RDONLY);
    ::dup2(nothing.fd(), STDIN_FILENO);
    ::dup2(log.fd(), STDOUT_FILENO);
    ::dup2(log.fd(), STDERR_FILENO);
    const std::int64_t id = execution.value();
    while (::write(announcement_, &id, sizeof id) < 0 && errno == EINTR) {
    }
    ::close(announcement_);
    announcement_ = -1;
}

}  // namespace fermata::cli
