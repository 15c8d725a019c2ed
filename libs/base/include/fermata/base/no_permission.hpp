#pragma once
// A system call that failed since a right is missing: the caller may not, and trying again helps nobody.
#include <fermata/base/error.hpp>

#include <cerrno>

namespace fermata {

/// Exit code 7, as ErrorKind::forbidden.
struct NoPermission : IoError {
    using IoError::IoError;
};

/// Also of a file system that is read-only.
[[nodiscard]] inline bool is_no_permission(int error_number) noexcept {
    return error_number == EACCES || error_number == EPERM || error_number == EROFS;
}

}  // namespace fermata
