#include "password_file.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <set>

namespace fermata::postgres {

namespace {

constexpr const char* nowhere = "/dev/null/none";

/// As libpq finds it.
std::string home() {
    if (const char* named = std::getenv("HOME"); named != nullptr && *named != '\0') return named;
    std::array<char, 4096> text{};
    passwd entry{};
    passwd* found = nullptr;
    ::getpwuid_r(::geteuid(), &entry, text.data(), text.size(), &found);
    return found != nullptr ? found->pw_dir : "";
}

/// Empty if nothing is.
std::string wrong_with(const std::string& path) {
    struct stat facts{};
    if (::stat(path.c_str(), &facts) != 0) return {};
    if (!S_ISREG(facts.st_mode)) return "it is no regular file";
    if ((facts.st_mode & (S_IRWXG | S_IRWXO)) == 0) return {};
    return fmt::format("others may read or write it (mode {:04o}): chmod 600 \"{}\"", facts.st_mode & 07777U,
                       printable(path));
}

void tell_once(const std::string& line) {
    static std::mutex mutex;
    static std::set<std::string> told;
    const std::lock_guard lock(mutex);
    if (told.insert(line).second) std::fprintf(stderr, "%s\n", line.c_str());
}

}  // namespace

std::string password_file_for(const Url& url) {
    if (url.says("password")) return {};
    std::string path = url.password_file();
    if (path.empty()) path = home() + "/.pgpass";
    const std::string wrong = wrong_with(path);
    if (wrong.empty()) return {};
    tell_once(fmt::format("fermata: the password file \"{}\" is not used: {}", printable(path), wrong));
    return nowhere;
}

}  // namespace fermata::postgres
