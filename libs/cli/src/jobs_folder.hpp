#pragma once
// The jobs folder as somebody sees it who looks again and again.
#include <fermata/base/file.hpp>

#include <compare>
#include <optional>
#include <vector>

#include "job_source.hpp"

namespace fermata::cli {

class JobsFolder {
public:
    explicit JobsFolder(const Session& session) : session_(session) {}
    /// The definitions it holds; nothing if no file has changed since the last call. Files that are no valid jobs are
    /// told of on stderr, once a change. Throws as Settings::jobs_folder(), and IoError.
    [[nodiscard]] std::optional<std::vector<JobDefinition>> changes();

private:
    struct Seen {
        std::filesystem::path path;
        FileIdentity identity;
        std::filesystem::file_time_type modified;
        std::uintmax_t size = 0;
        auto operator<=>(const Seen&) const = default;
    };
    [[nodiscard]] std::optional<std::vector<JobDefinition>> changed();
    [[nodiscard]] std::vector<Seen> look() const;
    const Session& session_;
    std::optional<std::vector<Seen>> seen_;
};

}  // namespace fermata::cli
