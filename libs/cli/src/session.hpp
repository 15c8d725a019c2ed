#pragma once
// What a verb works with: the settings, the output, and the repository and operator, opened when first asked for.
#include <fermata/cli/cli.hpp>
#include <fermata/runtime/job_operator.hpp>

#include <memory>
#include <optional>
#include <string>

#include "options.hpp"
#include "output.hpp"
#include "settings.hpp"

namespace fermata::cli {

enum class IfAbsent : std::uint8_t { fail, create };

class Session {
public:
    Session(const Application& application, Settings settings, Output output, Parameters system = {});
    ~Session();

    [[nodiscard]] const Application& application() const noexcept { return application_; }
    [[nodiscard]] const Registry& registry() const noexcept { return application_.registry; }
    [[nodiscard]] const Settings& settings() const noexcept { return settings_; }
    /// `-D`.
    [[nodiscard]] const Parameters& system_properties() const noexcept { return system_properties_; }
    [[nodiscard]] Output& out() noexcept { return output_; }

    /// Throws Error(unreachable) if there is none and `absent` is fail.
    Repository& repository(IfAbsent absent = IfAbsent::fail);
    JobOperator& jobs();
    /// The database of the settings, not opened.
    [[nodiscard]] std::unique_ptr<sql::Database> database() const;
    /// Nothing if the repository is on a server.
    [[nodiscard]] std::optional<std::filesystem::path> database_file() const;
    /// Owner files and logs of this host. Opens a repository on a server: its UUID is in the name.
    [[nodiscard]] std::filesystem::path data_folder() { return repository().data_folder(); }
    /// Where the data folder is or would be; without a repository.
    [[nodiscard]] std::filesystem::path local_folder() const;

    /// Throws Error(not_found).
    JobExecutionId resolve(const ExecutionRef& reference);
    JobExecution execution(JobExecutionId id);
    /// When the command is done: sends notifications that nobody else may be there to send.
    void close();

private:
    [[nodiscard]] std::unique_ptr<Repository> open_repository(bool create) const;

    const Application& application_;
    Settings settings_;
    Output output_;
    Parameters system_properties_;
    std::unique_ptr<Doorbell> doorbell_;  ///< null if the settings name none
    std::unique_ptr<Repository> repository_;
    std::unique_ptr<JobOperator> operator_;
    bool notifications_wait_ = false;
};

}  // namespace fermata::cli
