#include "jobs_folder.hpp"

#include <fmt/format.h>
#include <fermata/base/error.hpp>
#include <fermata/model/diagnostic.hpp>

#include <algorithm>

#include "output.hpp"

namespace fermata::cli {

namespace fs = std::filesystem;

std::vector<JobsFolder::Seen> JobsFolder::look() const {
    std::vector<Seen> files;
    for (const auto& entry : fs::directory_iterator(session_.settings().jobs_folder())) {
        if (!is_job_file(entry)) continue;
        std::error_code gone;
        const auto identity = identity_of(entry.path());
        const auto modified = entry.last_write_time(gone);
        const auto size = entry.file_size(gone);
        if (identity && !gone) files.push_back({entry.path(), *identity, modified, size});
    }
    std::ranges::sort(files);
    return files;
}

std::optional<std::vector<JobDefinition>> JobsFolder::changes() {
    try {
        return changed();
    } catch (const fs::filesystem_error& error) {
        throw IoError(fmt::format("cannot read the jobs folder {}: {}", session_.settings().jobs_folder().string(),
                                  error.code().message()));
    }
}

std::optional<std::vector<JobDefinition>> JobsFolder::changed() {
    auto now = look();
    if (seen_ == now) return std::nullopt;
    std::vector<JobDefinition> definitions;
    auto files = jobs_in_folder(session_);
    for (const auto& [job, paths] : ambiguous_jobs(files))
        Output::note(fmt::format("fermata: {}; each is served, and fermata start by the file's name tells which",
                                 ambiguity_text(job, paths)));
    for (auto& file : files) {
        if (file.job) {
            definitions.push_back(*std::move(file.job));
            continue;
        }
        for (const auto& finding : file.diagnostics.all()) Output::note(to_string(finding));
    }
    seen_ = std::move(now);
    return definitions;
}

}  // namespace fermata::cli
