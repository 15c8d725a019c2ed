#include "owner_files.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/id.hpp>
#include <fermata/base/no_permission.hpp>
#include <fermata/base/text.hpp>
#include <fermata/repository/worker.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

namespace fermata {
namespace {

// 48 bits, all of them random; below 2^53, so that every reader of JSON can hold it.
std::int64_t number_in(const std::string& uuid) {
    constexpr int hexadecimal = 16;
    return std::stoll(uuid.substr(0, 8) + uuid.substr(9, 4), nullptr, hexadecimal);
}

std::filesystem::path owner_path(const std::filesystem::path& data_folder, const std::string& incarnation) {
    return data_folder / "owners" / incarnation;
}

void make_private_folder(const std::filesystem::path& path) {
    if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return;
    const int error = errno;
    const std::string message = fmt::format("cannot create the folder {}: {}", path.string(), std::strerror(error));
    if (is_no_permission(error)) throw NoPermission(message);
    throw IoError(message);
}

// A shared lock, so that two processes that ask at once do not take each other for the owner.
bool owner_lock_is_free(int fd) {
    struct flock lock{};
    lock.l_type = F_RDLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = 0;
    lock.l_len = 1;
    return ::fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

std::string read_machine_and_boot() {
    std::string machine;
    try {
        machine = read_file("/etc/machine-id");
    } catch (const IoError&) {
        // Then the name has to do.
    }
    return fmt::format("{}/{}", trim(machine), boot_id());
}

// Two machines may have one name; a machine's id outlives its boots. Containers often have none.
const std::string& machine_and_boot() {
    static const std::string here = read_machine_and_boot();  // asked for each owner that is looked at
    return here;
}

// Containers often share a name, and what lies under /etc: they are given names.
std::string this_host() {
    const char* given = std::getenv("FERMATA_HOST");
    return given != nullptr && *given != '\0' ? given : host_name();
}

std::string_view machine_in(std::string_view machine_and_boot) {
    return machine_and_boot.substr(0, machine_and_boot.find('/'));
}

bool process_runs(const ProcessIdentity& process) { return process_of(process.pid) == process; }

LivenessEvidence without_file(const WorkerRecord& worker) {
    const std::int64_t pid = worker.process.pid;
    if (process_runs(worker.process))
        return {Liveness::unknown, fmt::format("its owner file is gone but pid {} still runs", pid)};
    return {Liveness::dead, fmt::format("its owner file is gone and so is pid {}", pid)};
}

LivenessEvidence by_lock(const WorkerRecord& worker, int fd) {
    const std::int64_t pid = worker.process.pid;
    const bool runs = process_runs(worker.process);
    if (owner_lock_is_free(fd))
        return {Liveness::dead,
                fmt::format("its owner file is unlocked (pid {} {})", pid, runs ? "has let go" : "is gone")};
    if (runs) return {Liveness::alive, fmt::format("pid {} holds its owner file", pid)};
    return {Liveness::alive, fmt::format("pid {} is gone but a child of it still holds its owner file", pid)};
}

// Another user's cannot be looked at, and is not ours to remove.
bool is_stray(const std::filesystem::directory_entry& file, const std::set<std::string>& known) {
    constexpr std::chrono::hours age(1);
    std::error_code gone;
    const auto made = file.last_write_time(gone);
    if (gone || std::filesystem::file_time_type::clock::now() - made < age) return false;
    if (known.contains(file.path().filename().string())) return false;
    const File opened(::open(file.path().c_str(), O_RDWR | O_CLOEXEC));
    return opened && owner_lock_is_free(opened.fd());
}

}  // namespace

void remove_strays(const std::filesystem::path& data_folder, const std::set<std::string>& known) {
    std::error_code ignored;
    for (const auto& file : std::filesystem::directory_iterator(data_folder / "owners", ignored))
        if (is_stray(file, known)) std::filesystem::remove(file.path(), ignored);
}

Worker::Worker(const std::filesystem::path& data_folder, std::string name) {
    record_.name = std::move(name);
    record_.incarnation = new_uuid();
    record_.id = number_in(record_.incarnation);
    record_.process = this_process();
    record_.host = this_host();
    record_.boot_id = machine_and_boot();
    record_.user = user_name();
    record_.started = Clock::system().now();
    make_private_folder(data_folder);
    make_private_folder(data_folder / "owners");
    path_ = owner_path(data_folder, record_.incarnation);
    file_ = File::open(path_, O_RDWR | O_CREAT | O_EXCL, 0600);
    lock_blocking(file_.fd(), 0);  // nobody else knows the file yet
    record_.owner_file = identity_of(file_.fd());
}

Worker::~Worker() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
}

LivenessEvidence liveness_of(const WorkerRecord& worker, const std::filesystem::path& data_folder) {
    if (worker.declared_dead) return {Liveness::dead, "its lease ran out"};
    const std::string& here = machine_and_boot();
    if (worker.host != this_host() || machine_in(worker.boot_id) != machine_in(here))
        return {Liveness::unknown, fmt::format("it runs on another host, {}; only that host can tell", worker.host)};
    if (worker.boot_id != here)
        return {Liveness::dead, fmt::format("{} was booted since pid {} ran", worker.host, worker.process.pid)};
    const std::filesystem::path path = owner_path(data_folder, worker.incarnation);
    const File file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!file && errno != ENOENT)
        return {Liveness::unknown,
                fmt::format("cannot open its owner file {}: {}", path.string(), std::strerror(errno))};
    if (!file || identity_of(file.fd()) != worker.owner_file) return without_file(worker);
    return by_lock(worker, file.fd());
}

}  // namespace fermata
