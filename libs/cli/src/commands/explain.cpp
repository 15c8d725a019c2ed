#include "../command.hpp"
#include "../job_arguments.hpp"

#include <fermata/batch/properties.hpp>
#include <fermata/model/resolved_job.hpp>

#include <fmt/format.h>

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"(Nothing is started, and no artifact is looked at: fermata validate does that.

  fermata explain nightly.xml -p date=2026-11-21
)";

class ExplainCommand final : public Command {
public:
    void describe(Options& options) override {
        job_.describe(options);
        parameters_.describe(options);
    }
    ExitCode run(Session& session) override {
        const JobDefinition job = job_.load(session);
        const Parameters parameters = parameters_.parameters();
        tell_of_slips(session, job, parameters);
        const Resolution resolution = resolve(job, parameters, session.system_properties());
        if (!resolution.job) throw InvalidJob(fmt::format("{} does not resolve", job_.text()), resolution.diagnostics);
        for (const auto& finding : resolution.diagnostics.all()) Output::note(to_string(finding));
        session.out().write(fermata::describe(*resolution.job, with_hidden_passwords));
        return ExitCode::ok;
    }

private:
    JobArgument job_;
    ParameterArguments parameters_;
};

}  // namespace

const Descriptor explain_command{.name = "explain",
                                 .group = "Definitions",
                                 .about = "What a job is with these parameters: every default, every value",
                                 .help = help,
                                 .make = make_command<ExplainCommand>};

}  // namespace fermata::cli
