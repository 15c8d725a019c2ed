#include "repository_at.hpp"

#include <fermata/batch/properties.hpp>
#include <fermata/repository/repository.hpp>

#include "settings.hpp"

namespace fermata::cli {

namespace fs = std::filesystem;

fs::path local_folder_of(const std::optional<fs::path>& file) {
    if (file) return fs::absolute(*file).lexically_normal().parent_path();
    if (const auto folder = state_folder()) return *folder;
    throw Error(ErrorKind::usage, "no home folder for owner files and logs: neither XDG_STATE_HOME nor HOME is set",
                "set XDG_STATE_HOME");
}

/// Several hosts share a server's repository: what belongs to this one lies in its state folder, by the repository's
/// UUID, so that the same repository is found again under any URL.
std::unique_ptr<Repository> open_repository_at(const std::string& url, const sql::Drivers& drivers, bool create) {
    const auto path = sqlite_path(url);
    if (path) {
        const fs::path folder = fs::absolute(path->string() + ".d").lexically_normal();
        return std::make_unique<Repository>(drivers.open(url), folder, create);
    }
    const fs::path local = local_folder_of(path);
    const auto folder = [&](const std::string& uuid) {
        if (fs::create_directories(local)) fs::permissions(local, fs::perms::owner_all);
        return local / (uuid + ".d");
    };
    return std::make_unique<Repository>(drivers.open(url), Repository::FolderOf(folder), create);
}

}  // namespace fermata::cli
