#include "input_text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <fermata/base/error.hpp>
#include <fermata/base/file.hpp>
#include <fermata/base/text.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace fermata::cli {

std::string input_text(const std::string& option, const std::string& file, std::size_t limit) {
    const std::string name = fmt::format("{} {}", option, printable(file));
    if (file != "-" && !std::filesystem::exists(file))
        throw Error(ErrorKind::not_found, fmt::format("{}: there is no such file", name));
    const File opened = file == "-" ? File{} : File::open(file, O_RDONLY);
    const int fd = file == "-" ? STDIN_FILENO : opened.fd();
    std::string text;
    std::array<char, 65536> buffer;
    for (ssize_t got = 0; (got = ::read(fd, buffer.data(), buffer.size())) != 0;) {
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw IoError(fmt::format("cannot read {}: {}", name, std::strerror(errno)));
        text.append(buffer.data(), static_cast<std::size_t>(got));
        if (text.size() > limit)
            throw Error(ErrorKind::invalid, fmt::format("{}: it is longer than {} bytes", name, limit));
    }
    return text;
}

}  // namespace fermata::cli
