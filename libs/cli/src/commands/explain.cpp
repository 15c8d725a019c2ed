#include "../command.hpp"
#include "../job_source.hpp"

#include <fermata/model/resolved_job.hpp>

#include <fmt/format.h>

namespace fermata::cli {

namespace {

class ExplainCommand final : public Command {
public:
    void describe(Options& options) override {
        options.positional("JOB", job_, "Job XML file, or the id of a job in the jobs folder")
            .require()
            .complete(Completes::job);
        options.value("-p,--param", "K=V", given_, "Job parameter");
        options.value("--params", "FILE", file_, "Parameters from a JSON object; - is stdin").complete(Completes::file);
    }
    ExitCode run(Session& session) override {
        const JobDefinition job = load_job(session, job_);
        const Resolution resolution = resolve(job, parameters_from(file_, given_), session.system_properties());
        if (!resolution.job) throw InvalidJob(fmt::format("{} does not resolve", job_), resolution.diagnostics);
        for (const auto& finding : resolution.diagnostics.all()) Output::note(to_string(finding));
        session.out().write(fermata::describe(*resolution.job));
        return ExitCode::ok;
    }

private:
    std::string job_;
    std::vector<Assignment> given_;
    std::optional<std::string> file_;
};

}  // namespace

const Descriptor explain_command{.name = "explain",
                                 .group = "Definitions",
                                 .about = "What a job is with these parameters: every default, every value",
                                 .help = {},
                                 .make = make_command<ExplainCommand>};

}  // namespace fermata::cli
