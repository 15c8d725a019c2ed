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
    R"(The folder is named by --jobs, FERMATA_JOBS or the setting jobs. Exit code 9 if one of its files is no valid job.
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
    return printable(text);
}

Row row_of(const JobDefinition& job, const std::filesystem::path& path) {
    const std::size_t steps = steps_of(job.elements).size();
    nlohmann::ordered_json object{{"job", job.id}, {"file", path.string()}, {"steps", steps}};
    object["parameters"] = nlohmann::ordered_json::array();
    for (const auto& use : parameters_of(job))
        object["parameters"].push_back(
            {{"name", use.name}, {"default", use.fallback ? nlohmann::ordered_json(*use.fallback) : nullptr}});
    return {.cells = {printable(job.id), path.filename().string(), std::to_string(steps), parameters_text(job)},
            .object = json_text(object),
            .name = job.id};
}

ExitCode JobsCommand::run(Session& session) {
    ExitCode code = ExitCode::ok;
    std::vector<Row> rows;
    for (const auto& file : jobs_in_folder(session)) {
        if (file.job) {
            rows.push_back(row_of(*file.job, file.path));
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
