#include "step_log.hpp"

#include <fermata/base/clock.hpp>
#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>

#include <fcntl.h>
#include <unistd.h>

namespace fermata {

int FileStepLog::opened() const {
    auto file = file_.lock();
    if (!*file) {
        try {
            std::filesystem::create_directories(path_.parent_path());
            *file = File::open(path_, O_WRONLY | O_CREAT | O_APPEND);
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
