#pragma once
// One life of a process that owns executions, and the kernel's proof of its death: an OFD lock on a file of its own in
// <repository>.d/owners/. The kernel frees the lock when the process dies, however it dies, so a dead owner is seen at
// once and a stopped or slow one is never mistaken for dead. A guarded child keeps the descriptor, hence the lock,
// until it has ended: nothing is adopted while children of the old owner live.
#include <fermata/base/clock.hpp>
#include <fermata/base/file.hpp>
#include <fermata/base/process.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace fermata {

/// What the worker row says about an owner.
struct WorkerRecord {
    std::int64_t id = 0;      ///< the beginning of the incarnation: known before the row is written
    std::string incarnation;  ///< UUID; also the name of the owner file
    ProcessIdentity process;
    std::string host;
    std::string boot_id;  ///< "machine/boot"
    std::string user;
    FileIdentity owner_file;
    Timestamp started;
    std::string name;            ///< given by whoever started it; empty: none
    bool declared_dead = false;  ///< its lease ran out, and somebody said so: for good
};

class Worker {
public:
    /// Creates and locks the owner file (folder 0700, file 0600). The worker row is written by the first verb that
    /// makes this worker an owner. Throws IoError.
    explicit Worker(const std::filesystem::path& data_folder, std::string name = {});
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    ~Worker();  ///< removes the file; rows that still name it are then proved dead by its absence and pid

    [[nodiscard]] const WorkerRecord& record() const noexcept { return record_; }
    [[nodiscard]] int owner_fd() const noexcept { return file_.fd(); }

private:
    std::filesystem::path path_;
    File file_;
    WorkerRecord record_;
};

enum class Liveness : std::uint8_t { alive, dead, unknown };
struct LivenessEvidence {
    Liveness liveness = Liveness::unknown;
    std::string evidence;  ///< "its owner file is unlocked (pid 4711 is gone)", one line for `recover --dry-run`
};
/// Dead: we locked the very file the row names (device and inode), or the host was booted since, or the file is gone
/// and so is the process (pid and start time). Alive: locked by somebody. Unknown: another host.
[[nodiscard]] LivenessEvidence liveness_of(const WorkerRecord& worker, const std::filesystem::path& data_folder);

}  // namespace fermata
