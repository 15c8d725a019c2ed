#pragma once
// The operator's command line over one application: a registry of artifacts and a set of database drivers.
// fermata::main (fermata/fermata.hpp) is the front door of programs; this is what it calls.
#include <fermata/batch/registry.hpp>
#include <fermata/runtime/doorbell.hpp>
#include <fermata/sql/sql.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace fermata {
class Repository;
}

namespace fermata::cli {

struct Application {
    const Registry& registry;
    const sql::Drivers& drivers;
    /// By a URL. Throws Error(usage) for one that is wrong, Error(refused) where there is no Kafka.
    std::unique_ptr<Doorbell> (*open_doorbell)(const std::string& url);
    std::string_view version;
};

/// Parses, runs one verb, prints, and answers the exit code (design §13). Never throws: whatever goes wrong is one
/// message on stderr and its exit code. Uses SIGINT, SIGTERM and SIGHUP while an execution runs in the foreground.
int run(int argc, char** argv, const Application& application);

/// As fermata::open_repository (fermata/fermata.hpp), of a URL without references to secrets.
[[nodiscard]] std::unique_ptr<Repository> open_repository_at(const std::string& url, const sql::Drivers& drivers,
                                                             bool create);

}  // namespace fermata::cli
