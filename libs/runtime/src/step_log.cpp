#include "step_log.hpp"

#include <fermata/base/clock.hpp>
#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fermata {
namespace {

// logs/ID: what a job writes is its user's own business.
void make_folders(const std::filesystem::path& of_execution) {
    std::filesystem::create_directories(of_execution.parent_path().parent_path());
    for (const auto& folder : {of_execution.parent_path(), of_execution}) ::mkdir(folder.c_str(), 0700);
}

}  // namespace

int FileStepLog::opened() const {
    auto file = file_.lock();
    if (!*file) {
        try {
            make_folders(path_.parent_path());
            *file = File::open(path_, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW);
        } catch (const std::exception&) {
            return -1;
        }
    }
    return file->fd();
}

int FileStepLog::fd() const noexcept {
    try {
        return opened();
    } catch (...) {
        return -1;
    }
}

void FileStepLog::line(std::string_view text) {
    const int fd = opened();
    if (fd < 0) return;
    const std::string full = to_rfc3339(Clock::system().now()) + " " + printable(text, 64 << 10) + "\n";
    try {
        write_all(fd, full, path_);
    } catch (const std::exception&) {  // a full disk must not end the job because of its log
    }
}

}  // namespace fermata
