#include "../command.hpp"
#include "../job_source.hpp"
#include "../json_text.hpp"

#include <fmt/format.h>
#include <fermata/base/text.hpp>
#include <fermata/model/resolved_job.hpp>

#include <nlohmann/json.hpp>

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"(The folder is named by --jobs, FERMATA_JOBS or the setting jobs. Exit code 9 if one of its files is no valid job, or
if several define the same one.
)";

class JobsCommand final : public Command {
public:
    void describe(Options&) override {}
    ExitCode run(Session& session) override;
};

/// "date, region=eu": what must be given, and what has a default.
std::string parameters_text(const JobDefinition& job) {
    std::string text;
    for (const auto& use : parameters_of(job))
        text += fmt::format("{}{}{}", text.empty() ? "" : ", ", use.name, use.fallback ? "=" + *use.fallback : "");
    return text;
}

using Files = std::vector<std::filesystem::path>;

/// `all` define this job: one file, as a rule.
Row row_of(const JobDefinition& job, const std::filesystem::path& path, const Files& all) {
    const std::size_t steps = steps_of(job.elements).size();
    nlohmann::ordered_json object{{"job", job.id}, {"file", path.string()}, {"steps", steps}};
    object["parameters"] = nlohmann::ordered_json::array();
    for (const auto& use : parameters_of(job))
        object["parameters"].push_back(
            {{"name", use.name}, {"default", use.fallback ? nlohmann::ordered_json(*use.fallback) : nullptr}});
    object["ambiguous"] = all.size() > 1;
    const std::string file = path.filename().string();
    const std::string parameters = parameters_text(job);
    return {.cells = {printable(job.id), printable(file) + (all.size() > 1 ? " (one of several)" : ""),
                      std::to_string(steps), printable(parameters)},
            .object = json_text(object),
            .name = job.id,
            .plain = {job.id, file, std::to_string(steps), parameters}};
}

ExitCode JobsCommand::run(Session& session) {
    ExitCode code = ExitCode::ok;
    std::vector<Row> rows;
    const auto files = jobs_in_folder(session);
    const auto ambiguous = ambiguous_jobs(files);
    for (const auto& [job, paths] : ambiguous) {
        Output::note(fmt::format("fermata: {}; run and start take neither by its id", ambiguity_text(job, paths)));
        code = ExitCode::invalid;
    }
    for (const auto& file : files) {
        if (file.job) {
            const auto several = ambiguous.find(file.job->id);
            rows.push_back(row_of(*file.job, file.path, several == ambiguous.end() ? Files{} : several->second));
            continue;
        }
        for (const auto& finding : file.diagnostics.all()) Output::note(to_string(finding));
        code = ExitCode::invalid;
    }
    session.out().rows({{"JOB"}, {"FILE"}, {"STEPS", true}, {"PARAMETERS"}}, rows);
    return code;
}

}  // namespace

const Descriptor jobs_command{.name = "jobs",
                              .group = "Definitions",
                              .about = "The job definitions of the jobs folder",
                              .help = help,
                              .formats = all_formats,
                              .make = make_command<JobsCommand>};

}  // namespace fermata::cli
