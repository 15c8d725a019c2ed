#pragma once
// From what was typed to a definition and its parameters.
#include <fermata/model/job_definition.hpp>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "options.hpp"
#include "session.hpp"

namespace fermata::cli {

/// Findings, one a line; errors end the verb with exit code 9.
class InvalidJob : public Error {
public:
    InvalidJob(const std::string& message, Diagnostics diagnostics, std::string remedy = {})
        : Error(ErrorKind::invalid, message, std::move(remedy)), diagnostics_(std::move(diagnostics)) {}
    [[nodiscard]] const Diagnostics& diagnostics() const noexcept { return diagnostics_; }

private:
    Diagnostics diagnostics_;
};

/// A file, or else a job of the jobs folder by its id. Warnings go to stderr. Throws InvalidJob with every finding;
/// Error(not_found) with did-you-mean; Error(conflict) if several files of the folder define it.
[[nodiscard]] JobDefinition load_job(Session& session, const std::string& file_or_job);

/// As it was when the instance began, or was restarted with another one.
[[nodiscard]] JobDefinition stored_definition(Session& session, const JobExecution& execution);

/// The file an instance's stored definition came from, if it is there and says something else now.
[[nodiscard]] std::optional<std::string> changed_file(Session& session, JobInstanceId instance);

struct JobFile {
    std::filesystem::path path;
    std::optional<JobDefinition> job;  ///< nothing if it is no valid job XML
    Diagnostics diagnostics;
};
/// Of a jobs folder: *.xml, a regular file or a link to one.
[[nodiscard]] bool is_job_file(const std::filesystem::directory_entry& entry);
/// All of the jobs folder, by name of the file.
[[nodiscard]] std::vector<JobFile> jobs_in_folder(const Session& session);
/// The ids that several of them define, with these files.
[[nodiscard]] std::map<std::string, std::vector<std::filesystem::path>> ambiguous_jobs(
    const std::vector<JobFile>& files);
/// `several files define job "x": a.xml, b.xml`
[[nodiscard]] std::string ambiguity_text(const std::string& job, const std::vector<std::filesystem::path>& files);

/// `--params FILE.json` or `-` for stdin: one object of text, numbers and booleans. Throws Error(invalid).
[[nodiscard]] Parameters read_parameters(const std::string& file);
/// The file's, then `-p` over them.
[[nodiscard]] Parameters parameters_from(const std::optional<std::string>& file, const std::vector<Assignment>& given);

/// Parameters that look like slips of the keyboard, on stderr; answers what was told.
Diagnostics tell_of_slips(const Session& session, const JobDefinition& job, const Parameters& parameters);
/// What `validate` would warn of beside those that were `told`, on stderr; nothing if there are errors, which a start
/// tells.
void tell_of_doubts(const Session& session, const JobDefinition& job, const Parameters& parameters,
                    const Diagnostics& told);
/// The part of these doubts that does not depend on where the job runs.
void tell_of_passwords(const Session& session, const JobDefinition& job, const Parameters& parameters);

}  // namespace fermata::cli
