#include "../command.hpp"
#include "../cuts.hpp"
#include "../foreground.hpp"
#include "../job_source.hpp"
#include "../shell_word.hpp"
#include "../submission.hpp"

#include <fmt/format.h>
#include <fermata/base/text.hpp>

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"(A new execution of the same instance: completed steps are passed over, the others go on from their last checkpoint.
Parameters are those of the execution before, changed by -p and --unset. An execution whose process died is marked
FAILED first.

--accept-sink    the sink was restored from a backup: go on from what it holds
--accept-input   a record behind the checkpoint was mended: a file of another size is taken if what was read of it
                 before is still the same
)";

class RestartCommand final : public Command {
public:
    void describe(Options& options) override {
        options.positional("ID", execution_, "The newest execution of its instance, FAILED or STOPPED")
            .require()
            .complete(Completes::execution);
        options.value("-p,--param", "K=V", given_, "Job parameter in place of the one before");
        options.value("--unset", "K", unset_, "Leave out a parameter of the execution before");
        options.value("--job", "FILE", file_, "A new definition in place of the stored one").complete(Completes::file);
        options.flag("--accept-sink", accept_sink_, "Where sink and repository differ, the sink is right");
        options.flag("--accept-input", accept_input_, "Input files may have changed behind the checkpoint");
        options.flag("--workers", for_workers_, "Let workers take partitions, in every partitioned step");
        options.flag("--detach", detach_, "Ask a worker to run it, and print the id");
    }
    ExitCode run(Session& session) override;

private:
    void tell_of_change(Session& session, const JobExecution& before, JobExecutionId id) const;
    [[nodiscard]] RestartOptions options_for(Session& session, const JobExecution& before) const;
    ExecutionRef execution_;
    std::vector<Assignment> given_;
    std::vector<std::string> unset_;
    std::optional<std::string> file_;
    bool accept_sink_ = false;
    bool accept_input_ = false;
    bool for_workers_ = false;
    bool detach_ = false;
};

RestartOptions RestartCommand::options_for(Session& session, const JobExecution& before) const {
    RestartOptions options{
        .parameters = before.parameters, .definition = {}, .accept_sink = accept_sink_, .accept_input = accept_input_};
    options.for_workers = for_workers_;
    for (const auto& name : unset_)
        if (options.parameters.erase(name) == 0)
            throw Error(ErrorKind::invalid, fmt::format("--unset {}: execution {} has no such parameter",
                                                        printable(name), before.id.value()));
    for (const auto& [name, value] : given_) options.parameters[name] = value;
    if (file_) {
        options.definition = load_job(session, *file_);
        if (options.definition->id != before.job_name)
            throw Error(ErrorKind::invalid, fmt::format(R"(--job {} defines "{}", but execution {} is of "{}")", *file_,
                                                        options.definition->id, before.id.value(), before.job_name));
    }
    if (!given_.empty())
        tell_of_slips(session, options.definition ? *options.definition : stored_definition(session, before),
                      options.parameters);
    return options;
}

ExitCode RestartCommand::run(Session& session) {
    if (detach_) require_worker_can(session);
    const JobExecution before = session.execution(session.resolve(execution_));
    const RestartOptions options = options_for(session, before);
    if (detach_) {
        const JobExecutionId id = session.jobs().submit_restart(before.id, options);
        tell_of_change(session, before, id);
        return conclude_submission(session, id);
    }
    Foreground foreground(session);
    const JobExecutionId id = session.jobs().restart(before.id, options);
    tell_of_change(session, before, id);
    if (session.out().format() == Format::table)
        session.out().write(fmt::format("restarted {} as {}\n", before.id.value(), id.value()));
    return foreground.conclude(foreground.follow(id));
}

void RestartCommand::tell_of_change(Session& session, const JobExecution& before, JobExecutionId id) const {
    for (const std::string& cut : cuts_passed_over(session.repository(), before.instance_id))
        Output::note("fermata: " + cut);
    const auto file = file_ ? std::nullopt : changed_file(session, before.instance_id);
    if (!file) return;
    Output::note(
        fmt::format("fermata: {} has changed since; {} goes on with the definition that was stored, "
                    "restart --job {} takes the file's",
                    *file, id.value(), shell_word(*file)));
}

}  // namespace

const Descriptor restart_command{.name = "restart",
                                 .group = "Running",
                                 .about = "Go on with a FAILED or STOPPED execution, here",
                                 .help = help,
                                 .formats = one_object,
                                 .make = make_command<RestartCommand>};

}  // namespace fermata::cli
