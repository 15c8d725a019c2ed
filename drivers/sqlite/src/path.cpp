#include "path.hpp"

#include <fermata/base/error.hpp>

#include <fmt/format.h>

#include <cctype>
#include <system_error>

namespace fermata::sqlite {

std::string path_of_url(const std::string& url) {
    static constexpr std::string_view scheme = "sqlite:";
    std::string path = url.starts_with(scheme) ? url.substr(scheme.size()) : url;
    if (path.starts_with("//")) path.erase(0, 2);
    if (path.empty() || path == ":memory:")
        throw Error(ErrorKind::usage, fmt::format("\"{}\" names no database file", url), "give a path: sqlite:jobs.db");
    return path;
}

std::filesystem::path canonical(const std::string& path) {
    std::error_code error;
    auto resolved = std::filesystem::weakly_canonical(std::filesystem::absolute(path, error), error);
    // A folder that may not be searched: opening the file will say so.
    return error ? std::filesystem::absolute(path) : resolved;
}

namespace {

std::string percent_encoded(const std::string& text) {
    std::string encoded;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 || c == '/' || c == '-' || c == '_' || c == '.') {
            encoded += c;
        } else {
            encoded += fmt::format("%{:02X}", byte);
        }
    }
    return encoded;
}

}  // namespace

std::string uri_of(const std::filesystem::path& path, const std::filesystem::path& mode_of) {
    std::string uri = "file:" + percent_encoded(path.string());
    if (!mode_of.empty()) uri += "?modeof=" + percent_encoded(mode_of.string());
    return uri;
}

}  // namespace fermata::sqlite
