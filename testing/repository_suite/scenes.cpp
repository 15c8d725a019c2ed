#include <fermata/testing/scenes.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace fermata::testing {
namespace {

namespace fs = std::filesystem;

LaunchRequest request_for(const std::string& job) {
    return {.definition = {.hash = "hash of " + job, .job_name = job, .canonical = "{}"},
            .instance_key = "key",
            .parameters = {{"file", "vendors.csv"}},
            .working_directory = "/data",
            .actor = "ann"};
}

Progress after_one_more_chunk(Progress progress) {
    ++progress.sequence;
    ++progress.metrics.commits;
    progress.metrics.read += 10;
    progress.metrics.written += 10;
    progress.reader = std::to_string(progress.metrics.read);
    return progress;
}

StepEnd end_of(const Scene& scene, BatchStatus status) {
    return {.status = status,
            .exit_status = std::string(to_string(status)),
            .progress = scene.committed,
            .walk = {1, "load", "ran", "next", "check"}};
}

// The kernel frees the lock, and the very file the row names is still there: the owner is dead.
void let_die(Scene& scene, const fs::path& data_folder) {
    const fs::path file = data_folder / "owners" / scene.owner->record().incarnation;
    const fs::path kept = file.string() + ".kept";
    fs::create_hard_link(file, kept);
    scene.owner.reset();
    fs::rename(kept, file);
}

std::string answer_of(const std::function<std::string()>& verb) {
    try {
        return verb();
    } catch (const Error& error) {
        switch (error.kind()) {
            case ErrorKind::stale:
                return "fenced";
            case ErrorKind::not_found:
                return "not found";
            default:
                return error.what();
        }
    }
}

// What a verb answers, as a word; nothing to say is "done".
template <class F>
Verb verb(std::string name, F action) {
    return {std::move(name), [action](Repository& repository, Worker& worker, const Scene& scene) {
                return answer_of([&]() -> std::string {
                    if constexpr (std::is_void_v<std::invoke_result_t<F, Repository&, Worker&, const Scene&>>) {
                        action(repository, worker, scene);
                        return "done";
                    } else {
                        return action(repository, worker, scene);
                    }
                });
            }};
}

std::string word_for(const std::variant<Claim, RestartRefused>& answer) {
    const auto* refused = std::get_if<RestartRefused>(&answer);
    return refused == nullptr ? "restarted" : fmt::format("refused {}", static_cast<int>(refused->reason));
}

std::string word_for(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
    return text;
}

std::string word_for(const Metrics& m) { return fmt::format("{}/{}/{}", m.read, m.written, m.commits); }

}  // namespace

Scene live_scene(Repository& repository, const std::string& job) {
    Scene scene{.job = job, .owner = std::make_unique<Worker>(repository.data_folder())};
    scene.claim = std::get<Claim>(repository.launch(request_for(job), *scene.owner));
    const StepEntry entry = repository.enter_step(scene.claim, "load", StepEntryMode::start);
    scene.load = entry.claim;
    scene.committed = after_one_more_chunk(entry.state.progress);
    repository.unit().commit(scene.load, scene.committed);
    return scene;
}

Scene failed_scene(Repository& repository, const std::string& job) {
    Scene scene = live_scene(repository, job);
    repository.end_step(scene.load, end_of(scene, BatchStatus::failed));
    repository.end_execution(scene.claim, {.status = BatchStatus::failed});
    return scene;
}

Scene lost_scene(Repository& repository, const std::string& job) {
    Scene scene = live_scene(repository, job);
    let_die(scene, repository.data_folder());
    return scene;
}

const std::vector<Verb>& requests() {
    using R = Repository;
    using W = Worker;
    using S = Scene;
    static const std::vector<Verb> all{
        verb("launch with the key",
             [](R& r, W& w, const S& s) {
                 const auto answer = r.launch(request_for(s.job), w);
                 return std::string(std::holds_alternative<Claim>(answer) ? "launched" : "exists");
             }),
        verb("restart",
             [](R& r, W& w, const S& s) { return word_for(r.restart(s.claim.execution, {.actor = "ann"}, w)); }),
        verb("restart with another definition",
             [](R& r, W& w, const S& s) {
                 RestartRequest request{.actor = "ann"};
                 request.definition = {"another hash of " + s.job, s.job, "{}"};
                 return word_for(r.restart(s.claim.execution, request, w));
             }),
        verb("stop",
             [](R& r, W&, const S& s) {
                 const StopAnswer answer = r.request_stop(s.claim.execution, {.actor = "ann"});
                 return fmt::format("{} {}", static_cast<int>(answer.effect), to_string(answer.status));
             }),
        verb("stop now",
             [](R& r, W&, const S& s) {
                 const StopAnswer answer = r.request_stop(s.claim.execution, {.now = true, .actor = "ann"});
                 return fmt::format("{} {}", static_cast<int>(answer.effect), to_string(answer.status));
             }),
        verb("abandon",
             [](R& r, W&, const S& s) { return std::string(to_string(r.abandon(s.claim.execution, "ann"))); }),
        verb("adopt",
             [](R& r, W& w, const S& s) {
                 return std::string(r.adopt(s.claim.execution, w, "ann") ? "adopted" : "left alone");
             }),
        verb("fail_lost",
             [](R& r, W&, const S& s) {
                 return std::string(r.fail_lost(s.claim.execution, "ann") ? "failed" : "left alone");
             }),
        verb("purge", [](R& r, W&, const S& s) {
            const PurgeResult result = r.purge({.job_name = s.job, .actor = "ann"});
            return fmt::format("{} instances, {} executions", result.instances, result.executions);
        })};
    return all;
}

const std::vector<Verb>& owner_verbs() {
    using R = Repository;
    using W = Worker;
    using S = Scene;
    static const std::vector<Verb> all{
        verb("commit",
             [](R& r, W&, const S& s) {
                 const Progress next = after_one_more_chunk(s.committed);
                 return std::string(to_string(r.unit().commit(s.load, next).status));
             }),
        verb("commit with skips",
             [](R& r, W&, const S& s) {
                 const Event skipped[] = {{.kind = "item.skipped"}};
                 auto unit = r.unit();
                 r.append(unit, s.claim, skipped);
                 return std::string(to_string(unit.commit(s.load, after_one_more_chunk(s.committed)).status));
             }),
        verb("save_progress",
             [](R& r, W&, const S& s) {
                 const Event skipped[] = {{.kind = "item.skipped"}};
                 const Requests asked = r.save_progress(s.load, after_one_more_chunk(s.committed), skipped);
                 return std::string(to_string(asked.status));
             }),
        verb("set_intent", [](R& r, W&, const S& s) { r.set_intent(s.load, "item 7"); }),
        verb("append",
             [](R& r, W&, const S& s) {
                 const Event note[] = {{.kind = "step.noted"}};
                 r.append(s.claim, note);
             }),
        verb("record_walk", [](R& r, W&, const S& s) { r.record_walk(s.claim, {1, "load", "passed", "next", "x"}); }),
        verb("record_sink", [](R& r, W&, const S& s) { r.record_sink(s.claim, {"sqlite:/sink.db", "sink"}); }),
        verb("enter_step",
             [](R& r, W&, const S& s) {
                 const StepEntry entry = r.enter_step(s.claim, "check", StepEntryMode::start);
                 return fmt::format("epoch {}", entry.claim.epoch);
             }),
        verb("end_step", [](R& r, W&, const S& s) { r.end_step(s.load, end_of(s, BatchStatus::completed)); }),
        verb("end_execution", [](R& r, W&, const S& s) {
            r.end_execution(s.claim, {.status = BatchStatus::failed, .exit_status = "BAD"});
        })};
    return all;
}

std::string picture_of(Repository& repository, const std::string& job) {
    std::string text;
    for (const JobExecution& e : repository.find_executions({.job_name = job})) {
        std::vector<std::string> kinds;
        for (const Event& event : repository.events_of(e.id, "", 1'000)) kinds.push_back(event.kind);
        // A commit writes its events first and asks what was requested last: a request between stands behind them.
        std::ranges::sort(kinds);
        text += fmt::format("{} {} epoch {} {}{}{}: {}\n", to_string(e.status), e.exit_status.value_or("-"), e.epoch,
                            e.owner ? "owned" : "unowned", e.stop_now ? " now" : "",
                            e.stop_requested_by ? " stop asked" : "", word_for(kinds));
        for (const StepExecution& s : repository.steps_of(e.id))
            text += fmt::format("  {} {} {}\n", s.name, to_string(s.status), word_for(s.metrics));
        for (const WalkEntry& w : repository.walk_of(e.id))
            text += fmt::format("  {} {} {}\n", w.number, w.step, w.taken);
    }
    for (const JobInstance& i : repository.instances_of(job, 0, 100)) {
        for (const auto& [name, s] : repository.steps_of_instance(i.id))
            text += fmt::format("{} {} epoch {} starts {} deaths {} intent {} at {}: {}\n", name, to_string(s.status),
                                s.epoch, s.starts, s.deaths, s.intent.value_or("-"), s.progress.sequence,
                                word_for(s.progress.metrics));
        for (const SinkAddress& sink : repository.sinks_of(i.id)) text += fmt::format("sink {}\n", sink.url);
        text += fmt::format("definition {}\n", i.definition_hash);
    }
    return text;
}

}  // namespace fermata::testing
