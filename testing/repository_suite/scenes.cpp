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

std::string word_for(const SignalAnswer& answer) {
    return fmt::format("{} {}/{} {}", to_string(answer.disposition), answer.counted, answer.needed,
                       to_string(answer.status));
}

SignalRequest approval(const std::string& sender) {
    return {.point = "approve", .key = sender, .payload = R"({"ok":true})", .sender = sender};
}

std::string word_for(const Rested& rested) {
    if (rested == Rested::handed_on) return "handed on";
    return rested == Rested::paused ? "paused" : rested == Rested::goes_on ? "goes on" : "stopping";
}

std::string word_for(const PauseOpened& opened) {
    return fmt::format("pause {}{}", opened.epoch, opened.open ? " open" : "");
}

std::string word_for(const Metrics& m) { return fmt::format("{}/{}/{}", m.read, m.written, m.commits); }

std::string picture_of_partitions(Repository& repository, StepExecutionId step) {
    std::string text;
    for (const PartitionExecution& p : repository.partitions_of(step))
        text += fmt::format("    {} {} {} {}{}{} {}\n", p.number, to_string(p.status), p.exit_status.value_or("-"),
                            p.started ? "started" : "not started", p.ended ? ", ended" : "",
                            p.failure ? ", " + p.failure->message : "", word_for(p.metrics));
    for (const CollectedData& c : repository.collected_of(step))
        text += fmt::format("    {}.{} collected {}\n", c.partition, c.sequence, c.data);
    return text;
}

}  // namespace

Progress after_one_more_chunk(Progress progress) {
    ++progress.sequence;
    ++progress.metrics.commits;
    progress.metrics.read += 10;
    progress.metrics.written += 10;
    progress.reader = std::to_string(progress.metrics.read);
    return progress;
}

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

Scene partitioned_scene(Repository& repository, const std::string& job) {
    Scene scene = live_scene(repository, job);
    StepEntry step{.claim = scene.load, .state = {.progress = scene.committed}};
    std::ignore = repository.store_plan(step, {.partitions = 3, .properties = {{{"n", "zero"}}, {}, {}}});
    const StepEntry done = repository.enter_partition(scene.load, 2, StepEntryMode::start);
    repository.end_partition(done.claim, {.status = BatchStatus::completed});
    const StepEntry slice = repository.enter_partition(scene.load, 0, StepEntryMode::start);
    scene.slice = slice.claim;
    scene.sliced = after_one_more_chunk(slice.state.progress);
    repository.unit().commit(scene.slice, scene.sliced);
    return scene;
}

Scene lost_partitioned_scene(Repository& repository, const std::string& job) {
    Scene scene = partitioned_scene(repository, job);
    let_die(scene, repository.data_folder());
    return scene;
}

Scene shared_scene(Repository& repository, const std::string& job) {
    Scene scene = live_scene(repository, job);
    scene.helper = std::make_unique<Worker>(repository.data_folder(), "helper of " + job);
    repository.enlist(*scene.helper, {.slots = 4, .jobs = {{job, "hash of " + job}}});
    StepEntry step{.claim = scene.load, .state = {.progress = scene.committed}};
    std::ignore = repository.store_plan(step, {.partitions = 3, .properties = {{}, {}, {}}, .for_workers = true});
    const auto claimed = repository.claim_partitions(*scene.helper, 1);
    const StepEntry& slice = claimed->partitions.at(0).entry;
    scene.slice = slice.claim;
    scene.sliced = after_one_more_chunk(slice.state.progress);
    repository.unit().commit(scene.slice, scene.sliced);
    const auto done = repository.claim_partitions(*scene.helper, 1);
    repository.end_partition(done->partitions.at(0).entry.claim, {.status = BatchStatus::completed});
    return scene;
}

Scene lost_shared_scene(Repository& repository, const std::string& job) {
    Scene scene = shared_scene(repository, job);
    let_die(scene, repository.data_folder());
    return scene;
}

Scene paused_scene(Repository& repository, const std::string& job) {
    Scene scene = live_scene(repository, job);
    repository.rest_step(scene.load, {.progress = scene.committed, .pause = PauseRequest{.point = "approve"}});
    repository.rest_execution(scene.claim, {});
    return scene;
}

Scene pausing_scene(Repository& repository, const std::string& job) {
    Scene scene = live_scene(repository, job);
    repository.request_pause(scene.claim.execution, {.what = {.point = "operator"}, .actor = "bob"});
    return scene;
}

Scene lost_pausing_scene(Repository& repository, const std::string& job) {
    Scene scene = pausing_scene(repository, job);
    let_die(scene, repository.data_folder());
    return scene;
}

Scene waiting_scene(Repository& repository, const std::string& job) {
    Scene scene{.job = job};
    scene.claim.execution = std::get<JobExecutionId>(repository.submit(request_for(job)));
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
        verb("stop the step",
             [](R& r, W&, const S& s) {
                 const StepStopAnswer answer = r.request_step_stop(s.claim.execution, {.step = "load", .actor = "ann"});
                 return fmt::format("{} {} {}", static_cast<int>(answer.effect), to_string(answer.status),
                                    answer.step ? to_string(*answer.step) : "-");
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
        verb("pause",
             [](R& r, W&, const S& s) {
                 const PauseAnswer answer =
                     r.request_pause(s.claim.execution, {.what = {.point = "operator"}, .actor = "ann"});
                 return fmt::format("{} {} {}", static_cast<int>(answer.effect), to_string(answer.status),
                                    answer.epoch);
             }),
        verb("signal", [](R& r, W&, const S& s) { return word_for(r.signal(s.claim.execution, approval("ann"))); }),
        verb("signal by another",
             [](R& r, W&, const S& s) { return word_for(r.signal(s.claim.execution, approval("bob"))); }),
        verb("resume",
             [](R& r, W& w, const S& s) {
                 const ResumeAnswer answer = r.resume(s.claim.execution, {.payload = "1", .actor = "ann"}, w);
                 return fmt::format("{} {} {}", static_cast<int>(answer.effect), to_string(answer.status),
                                    answer.epoch);
             }),
        verb("resume for a worker",
             [](R& r, W&, const S& s) {
                 const ResumeAnswer answer = r.resume(s.claim.execution, {.payload = "1", .actor = "ann"});
                 return fmt::format("{} {} {}", static_cast<int>(answer.effect), to_string(answer.status),
                                    answer.epoch);
             }),
        verb("release_lost",
             [](R& r, W&, const S& s) {
                 return std::string(r.release_lost(s.claim.execution, "ann") ? "released" : "left alone");
             }),
        verb("pause_lost",
             [](R& r, W&, const S& s) {
                 return std::string(r.pause_lost(s.claim.execution, "ann") ? "paused" : "left alone");
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
        verb("store_plan",
             [](R& r, W&, const S& s) {
                 StepEntry step{.claim = s.load, .state = {.progress = s.committed}};
                 return std::to_string(r.store_plan(step, {.partitions = 2, .threads = 1}).partitions.size());
             }),
        verb("end_step", [](R& r, W&, const S& s) { r.end_step(s.load, end_of(s, BatchStatus::completed)); }),
        verb("end_step of what is cut short",
             [](R& r, W&, const S& s) {
                 StepEnd end = end_of(s, BatchStatus::completed);
                 end.cut = CutShort{s.committed.metrics.read, "vendors.csv:10"};
                 r.end_step(s.load, end);
             }),
        verb("end_step with a pause",
             [](R& r, W&, const S& s) {
                 StepEnd end = end_of(s, BatchStatus::completed);
                 end.pause = PauseRequest{.point = "approve"};
                 return word_for(r.end_step(s.load, end).pause);
             }),
        verb("rest_step",
             [](R& r, W&, const S& s) { return word_for(r.rest_step(s.load, {.progress = s.committed})); }),
        verb("rest_step with a pause",
             [](R& r, W&, const S& s) {
                 return word_for(
                     r.rest_step(s.load, {.progress = s.committed, .pause = PauseRequest{.point = "approve"}}));
             }),
        verb("rest_together",
             [](R& r, W&, const S& s) {
                 const StepRest how{.progress = s.committed, .pause = PauseRequest{.point = "approve"}};
                 const RestedTogether rested = r.rest_together(s.load, how, "HALF");
                 return word_for(rested.pause) + (rested.paused ? ", both" : ", alone");
             }),
        verb("rest_execution", [](R& r, W&, const S& s) { return word_for(r.rest_execution(s.claim, "HALF")); }),
        verb("hand on", [](R& r, W&, const S& s) { return word_for(r.rest_execution(s.claim, "HALF", true)); }),
        verb("end_execution", [](R& r, W&, const S& s) {
            r.end_execution(s.claim, {.status = BatchStatus::failed, .exit_status = "BAD"});
        })};
    return all;
}

const std::vector<Verb>& partition_verbs() {
    using R = Repository;
    using W = Worker;
    using S = Scene;
    static const std::vector<Verb> all{
        verb("enter_partition",
             [](R& r, W&, const S& s) {
                 const StepEntry entry = r.enter_partition(s.load, 1, StepEntryMode::start);
                 return std::string(to_string(entry.state.status));
             }),
        verb("commit of a partition",
             [](R& r, W&, const S& s) {
                 auto unit = r.unit();
                 r.store_collected(unit, s.slice, 2, "second");
                 return std::string(to_string(unit.commit(s.slice, after_one_more_chunk(s.sliced)).status));
             }),
        verb("store_collected", [](R& r, W&, const S& s) { r.store_collected(s.slice, 2, "second"); }),
        verb("end_partition", [](R& r, W&, const S& s) {
            r.end_partition(s.slice, {.status = BatchStatus::failed,
                                      .exit_status = "BAD",
                                      .progress = s.sliced,
                                      .failure = Failure{"test.Bad", "as told", "load", {}},
                                      .collected = "last"});
        })};
    return all;
}

const std::vector<Verb>& claimed_partition_verbs() {
    using R = Repository;
    using W = Worker;
    using S = Scene;
    static const std::vector<Verb> all{
        verb("claim_partitions",
             [](R& r, W&, const S& s) {
                 const auto claimed = r.claim_partitions(*s.helper, 5);
                 return claimed ? std::to_string(claimed->partitions.size()) : std::string("none");
             }),
        verb("commit of a claimed partition",
             [](R& r, W&, const S& s) {
                 auto unit = r.unit();
                 r.store_collected(unit, s.slice, 2, "second");
                 unit.commit(s.slice, after_one_more_chunk(s.sliced));
             }),
        verb("end of a claimed partition",
             [](R& r, W&, const S& s) {
                 r.end_partition(s.slice, {.status = BatchStatus::completed, .progress = s.sliced, .collected = "x"});
             }),
        verb("rest of a claimed partition",
             [](R& r, W&, const S& s) { r.rest_partition(s.slice, {.progress = s.sliced}); }),
        verb("give_up_turn", [](R& r, W&, const S& s) { r.give_up_turn(s.slice, s.sliced); }),
        verb("record_sink of a claimed partition",
             [](R& r, W&, const S& s) { r.record_sink(s.slice.execution, {"sqlite:/sink.db", "sink"}); }),
        verb("offer_partitions", [](R& r, W&, const S& s) { r.offer_partitions(s.load, false); }),
        verb("end_step over claimed partitions",
             [](R& r, W&, const S& s) {
                 StepEnd end = end_of(s, BatchStatus::failed);
                 end.partitioned = true;
                 r.end_step(s.load, end);
             }),
        verb("disown_unknown_partitions", [](R& r, W&, const S& s) {
            return std::to_string(r.disown_unknown_partitions(*s.helper, {}, "ann").size());
        })};
    return all;
}

// What they got stands in the picture: who finds a row locked passes over it, and is as right as who was first.
const std::vector<Verb>& worker_verbs() {
    using R = Repository;
    using W = Worker;
    using S = Scene;
    static const std::vector<Verb> all{
        verb("claim", [](R& r, W& w, const S&) { std::ignore = r.claim_waiting(w, 5, "a worker"); }),
        verb("claim what is offered",
             [](R& r, W& w, const S& s) {
                 std::ignore = r.claim_offered(w, {s.claim.execution, "hash of " + s.job}, "a worker");
             }),
        verb("change_terms",
             [](R& r, W& w, const S& s) {
                 r.change_terms(w, {.slots = 3, .draining = false, .jobs = {{s.job, "hash of " + s.job}}});
             }),
        verb("look for the lost", [](R& r, W& w, const S&) { std::ignore = r.lost_executions(w); }),
        verb("disown", [](R& r, W& w, const S&) { std::ignore = r.disown_unknown(w, {}, "a worker"); })};
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
            text += fmt::format("  {} {} {}\n", s.name, to_string(s.status), word_for(s.metrics)) +
                    picture_of_partitions(repository, s.id);
        for (const WalkEntry& w : repository.walk_of(e.id))
            text += fmt::format("  {} {} {} pause {}\n", w.number, w.step, w.taken, w.pause);
        for (const Pause& p : repository.pauses_of(e.id, 100))
            text += fmt::format("  pause {} {} {} {}/{} {}\n", p.epoch, p.what.point, to_string(p.kind), p.counted,
                                p.what.signals, p.how.value_or("open"));
        for (const Signal& sent : repository.signals_for(e.id, {.own = 1, .outside = 2}))
            text += fmt::format("  signal {} {} of {}\n", sent.point, sent.payload.value_or("-"), sent.sender);
    }
    for (const JobInstance& i : repository.instances_of(job, 0, 100)) {
        for (const auto& [name, s] : repository.steps_of_instance(i.id))
            text += fmt::format("{} {} epoch {} starts {} deaths {} intent {} at {}: {}\n", name, to_string(s.status),
                                s.epoch, s.starts, s.deaths, s.intent.value_or("-"), s.progress.sequence,
                                word_for(s.progress.metrics));
        for (const StepCut& cut : repository.cuts_of(i.id))
            text += fmt::format("cut {} by {} after {}\n", cut.step, cut.by, cut.after.value_or(-1));
        for (const SinkAddress& sink : repository.sinks_of(i.id)) text += fmt::format("sink {}\n", sink.url);
        text += fmt::format("definition {}\n", i.definition_hash);
    }
    return text;
}

}  // namespace fermata::testing
