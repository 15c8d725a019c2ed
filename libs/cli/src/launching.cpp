#include "launching.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fermata/base/text.hpp>
#include <fermata/batch/properties.hpp>

#include "execution_view.hpp"
#include "waits.hpp"

namespace fermata::cli {

namespace {

Error cannot_go_on(const std::string& key, const JobExecution& latest, std::string_view why) {
    return Error(ErrorKind::conflict,
                 fmt::format("instance \"{}\": execution {} {}", printable(key), latest.id.value(), why),
                 fmt::format("fermata show {}", latest.id.value()));
}

std::string shown(const std::string& value) { return printable(with_hidden_passwords(value)); }

/// "date=2026-11-20 instead of 2026-11-21, region not given"
std::string differences(const Parameters& before, const Parameters& now) {
    std::vector<std::string> texts;
    for (const auto& [name, value] : before) {
        const auto found = now.find(name);
        if (found == now.end())
            texts.push_back(fmt::format("{}={}, and now it is not given", printable(name), shown(value)));
        else if (found->second != value)
            texts.push_back(fmt::format("{}={}, and now {}", printable(name), shown(value), shown(found->second)));
    }
    for (const auto& [name, value] : now)
        if (!before.contains(name)) texts.push_back(fmt::format("no {}, and now {}", printable(name), shown(value)));
    return fmt::format("{}", fmt::join(texts, "; "));
}

}  // namespace

void Launching::describe(Options& options) {
    argument_.describe(options);
    given_.describe(options);
    options.value("--instance", "KEY", key_, "Start, or go on with, the instance of this key").refuse_empty("a key");
    options.flag("--workers", for_workers_, "Let workers take partitions, in every partitioned step");
}

void Launching::load(Session& session) {
    job_ = argument_.load(session);
    parameters_ = given_.parameters();
    slips_ = tell_of_slips(session, job_, parameters_);
}

std::optional<JobExecutionId> Launching::begin(Session& session, Where where) {
    where_ = where;
    if (key_)
        if (const auto instance = session.repository().find_instance(job_.id, *key_)) return go_on(session, *instance);
    if (where == Where::here)
        tell_of_doubts(session, job_, parameters_, slips_);
    else
        tell_of_passwords(session, job_, parameters_);
    const StartOptions options{
        .parameters = parameters_, .instance_key = key_, .working_directory = {}, .for_workers = for_workers_};
    return where == Where::here ? session.jobs().start(job_, options) : session.jobs().submit(job_, options);
}

std::optional<JobExecutionId> Launching::go_on(Session& session, const JobInstance& instance) {
    const JobExecution latest = session.repository().find_executions({.instance = instance.id, .limit = 1}).front();
    if (latest.parameters != parameters_)
        throw cannot_go_on(*key_, latest, "has other parameters: " + differences(latest.parameters, parameters_));
    if (latest.status == BatchStatus::completed) return settle_completed(session, latest);
    if (latest.status == BatchStatus::paused) return settle_paused(session, latest);
    if (awaits_owner(latest)) return take(session, latest, instance);
    if (latest.owner_lost) return recover(session, latest.id);
    if (!is_restartable(latest.status))
        throw cannot_go_on(*key_, latest, fmt::format("is {}", to_string(latest.status)));
    return restart(session, latest.id, instance);
}

std::nullopt_t Launching::settle_completed(Session& session, const JobExecution& latest) {
    session.out().one(fmt::format("{} {}: already completed by execution {}\n", printable(job_.id), printable(*key_),
                                  latest.id.value()),
                      fmt::format(R"({{"id":{},"already_completed":true}})", latest.id.value()),
                      std::to_string(latest.id.value()));
    return std::nullopt;
}

std::nullopt_t Launching::settle_paused(Session& session, const JobExecution& latest) {
    session.out().one(fmt::format("{} {}: execution {} is PAUSED\n{}", printable(job_.id), printable(*key_),
                                  latest.id.value(), waits_lines(latest)),
                      to_json(view_of(session, latest), true), std::to_string(latest.id.value()));
    settled_ = ExitCode::paused;
    return std::nullopt;
}

JobExecutionId Launching::take(Session& session, const JobExecution& waiting, const JobInstance& instance) const {
    if (hash_of(job_) != instance.definition_hash)
        Output::note(fmt::format("fermata: {} has changed since; {} goes on with the definition that was stored",
                                 argument_.text(), waiting.id.value()));
    if (where_ == Where::here) session.jobs().resume(waiting.id, {.seen = waiting.pauses});
    return waiting.id;
}

JobExecutionId Launching::recover(Session& session, JobExecutionId lost) const {
    if (where_ == Where::here)
        session.jobs().recover(lost);
    else
        session.jobs().submit_recovery(lost);
    return lost;
}

JobExecutionId Launching::restart(Session& session, JobExecutionId latest, const JobInstance& instance) const {
    RestartOptions options{.parameters = parameters_, .for_workers = for_workers_};
    if (hash_of(job_) != instance.definition_hash) {
        Output::note(fmt::format("fermata: {} has changed since execution {}; it goes on as the file says now",
                                 argument_.text(), latest.value()));
        options.definition = job_;
    }
    return where_ == Where::here ? session.jobs().restart(latest, options)
                                 : session.jobs().submit_restart(latest, options);
}

}  // namespace fermata::cli
