#include "build.hpp"
#include "encoding.hpp"
#include "shape.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/file.hpp>
#include <fermata/base/no_permission.hpp>
#include <fermata/base/text.hpp>
#include <fermata/jobxml/jobxml.hpp>

#include <fmt/format.h>

namespace fermata {
namespace {

constexpr std::size_t max_bytes = 8ULL << 20;

ParsedJob refused(const std::string& file, Position at, std::string message) {
    ParsedJob result;
    result.diagnostics.error(file, at, std::move(message));
    return result;
}

/// The job file whose name is nearest to the one that does not exist.
std::string suggestion(const std::filesystem::path& path) {
    std::vector<std::string> names;
    std::error_code unreadable;
    const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    for (const auto& entry : std::filesystem::directory_iterator(folder, unreadable)) {
        if (entry.path().extension() == ".xml") names.push_back(entry.path().filename().string());
    }
    return did_you_mean(path.filename().string(), names);
}

[[noreturn]] void fail(ErrorKind kind, const std::filesystem::path& path, std::string_view why) {
    throw Error(kind, fmt::format("job file \"{}\" {}", printable(path.string()), why));
}

}  // namespace

ParsedJob parse_job(std::string_view text, const std::string& file) {
    if (text.size() > max_bytes) return refused(file, {1, 1}, "the job XML is longer than 8 MiB");
    const auto utf8 = jobxml::to_utf8(text);
    if (utf8.problem) return refused(file, jobxml::Lines(text).at(utf8.problem->offset), utf8.problem->message);
    const jobxml::Lines lines(utf8.text);
    auto document = jobxml::read_document(utf8.text);
    if (document.wrong) return refused(file, lines.at(document.wrong->offset), document.wrong->message);

    ParsedJob result;
    const bool is_sound = jobxml::check_shape(*document.root, file, lines, result.diagnostics);
    auto job = jobxml::build(*document.root, file, lines, result.diagnostics);
    result.diagnostics.sort();
    job.source = text;
    if (!result.diagnostics.has_errors())
        result.job = std::move(job);
    else if (is_sound)
        result.sketch = std::move(job);
    return result;
}

ParsedJob parse_job_file(const std::filesystem::path& path) {
    std::error_code ignored;
    const auto kind = std::filesystem::status(path, ignored).type();
    if (kind == std::filesystem::file_type::not_found) {
        fail(ErrorKind::not_found, path, fmt::format("does not exist{}", suggestion(path)));
    }
    if (kind == std::filesystem::file_type::directory) fail(ErrorKind::invalid, path, "is a folder; name a file in it");
    std::string text;
    try {
        text = read_file(path, max_bytes);
    } catch (const NoPermission& error) {
        throw Error(ErrorKind::forbidden, error.what());
    } catch (const IoError& error) {
        throw Error(ErrorKind::invalid, error.what());
    }
    if (text.empty()) fail(ErrorKind::invalid, path, "is empty");
    return parse_job(text, path.string());
}

}  // namespace fermata
