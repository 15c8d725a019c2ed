#include "mappers.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <glob.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace fermata::partition {
namespace {

/// A pattern for exactly this path.
std::string literally(const std::string& path) {
    std::string pattern;
    for (const char each : path) {
        if (std::string_view("*?[]{},\\~").find(each) != std::string_view::npos) pattern += '\\';
        pattern += each;
    }
    return pattern;
}

/// Only what the job's author wrote is a pattern, not the folder it was started in.
std::string below(const std::filesystem::path& folder, const std::string& pattern) {
    return pattern.starts_with('/') ? pattern : literally((folder / "").string()) + pattern;
}

struct Unreadable {
    std::string folder;
    int error = 0;
};
thread_local Unreadable unreadable;  // glob() has no room for it

/// A folder that is not there has no files; of one that cannot be read nobody knows.
int on_error(const char* folder, int error) {
    if (error == ENOENT || error == ENOTDIR) return 0;
    unreadable = {folder, error};
    return 1;
}

/// Frees what glob() found.
class Matches {
public:
    explicit Matches(const std::string& pattern) : found_(glob(pattern.c_str(), GLOB_BRACE, on_error, &all_)) {}
    Matches(const Matches&) = delete;
    Matches& operator=(const Matches&) = delete;
    ~Matches() { globfree(&all_); }
    /// In the order of their bytes, whatever the locale. What is no folder is a file: what is wrong with one its reader
    /// tells, and none is left out in silence.
    [[nodiscard]] std::vector<std::string> files() const {
        if (found_ == GLOB_ABORTED)
            throw Error(unreadable.error == EACCES ? ErrorKind::forbidden : ErrorKind::failed,
                        fmt::format("cannot read the folder \"{}\": {}", printable(unreadable.folder),
                                    std::generic_category().message(unreadable.error)),
                        "give this user the right to read it, or write the pattern without it");
        std::vector<std::string> files;
        for (std::size_t i = 0; found_ == 0 && i < all_.gl_pathc; ++i)
            if (std::error_code unknown; !std::filesystem::is_directory(all_.gl_pathv[i], unknown))
                files.emplace_back(all_.gl_pathv[i]);
        std::sort(files.begin(), files.end());
        return files;
    }

private:
    glob_t all_{};
    int found_;
};

bool none_is_fine(const Properties& properties) {
    const auto word = properties.get<std::string>("none", "fail");
    if (word != "fail" && word != "complete")
        throw properties.wrong("none", fmt::format("\"{}\" is neither fail nor complete", printable(word)));
    return word == "complete";
}

}  // namespace

FilesMapper::FilesMapper(const ArtifactContext& context)
    : pattern_(below(context.job.working_directory, context.properties.require<std::string>("files"))),
      none_is_fine_(none_is_fine(context.properties)),
      threads_(threads_of(context.properties)) {}

PartitionPlan FilesMapper::map_partitions() {
    const std::vector<std::string> files = Matches(pattern_).files();
    if (files.empty() && !none_is_fine_)
        throw Error(ErrorKind::not_found, fmt::format("no file matches \"{}\"", printable(pattern_)),
                    "set none=\"complete\" if that is right");
    PartitionPlan plan{.partitions = static_cast<std::int64_t>(files.size()), .threads = threads_};
    plan.keep_properties = true;
    for (const std::string& file : files)
        plan.properties.push_back({{"file", file}, {"name", std::filesystem::path(file).filename().string()}});
    return plan;
}

std::vector<PropertyRule> FilesMapper::rules() { return {none_is_fine, threads_of}; }

ArtifactInfo FilesMapper::info() {
    return {.about =
                "One partition for each file that matches, in it as #{partitionPlan['file']} (absolute) and "
                "#{partitionPlan['name']} (without folders), in the order of their names; folders are left out",
            .properties = {{.name = "files",
                            .type = "pattern",
                            .required = true,
                            .about = "* ? [a-z] {a,b}; below the instance's working directory"},
                           {.name = "none",
                            .type = "fail|complete",
                            .default_value = "fail",
                            .about = "what the step does if no file matches"},
                           threads_info()},
            .example = R"(<partition>
  <mapper ref="filesMapper">
    <properties>
      <property name="files" value="incoming/*.csv"/>
      <property name="threads" value="4"/>
    </properties>
  </mapper>
</partition>)"};
}

}  // namespace fermata::partition
