#include "mappers.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <glob.h>

#include <algorithm>

namespace fermata::partition {
namespace {

/// Frees what glob() found.
class Matches {
public:
    explicit Matches(const std::string& pattern) : found_(glob(pattern.c_str(), GLOB_BRACE, nullptr, &all_)) {}
    Matches(const Matches&) = delete;
    Matches& operator=(const Matches&) = delete;
    ~Matches() { globfree(&all_); }
    /// In the order of their bytes, whatever the locale.
    [[nodiscard]] std::vector<std::string> files() const {
        std::vector<std::string> files;
        for (std::size_t i = 0; found_ == 0 && i < all_.gl_pathc; ++i)
            if (std::filesystem::is_regular_file(all_.gl_pathv[i])) files.emplace_back(all_.gl_pathv[i]);
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
    : pattern_(context.step->resolve_path(context.properties.require<std::string>("files")).string()),
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
                "#{partitionPlan['name']} (without folders), in the order of their names",
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
