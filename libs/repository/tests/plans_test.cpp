// Every statement the store executes, except those that mean the whole history, finds its rows by an index: the
// engine's own plans say so.
#include "plans.hpp"

#include <fermata/testing/repository_suite.hpp>

#include <gmock/gmock.h>

namespace fermata::testing {
namespace {

using ::testing::IsEmpty;

struct Plans : RepositorySuite {
    // Every verb and query once, each filter alone and with others.
    void use(Repository& store) {
        Worker own(folder_ / "data");
        LaunchRequest keyed = request();
        keyed.instance_key = "key";
        const Claim one = std::get<Claim>(store.launch(keyed, own));
        std::ignore = store.launch(keyed, own);
        const StepEntry entry = store.enter_step(one, "load", StepEntryMode::start);
        store.unit().commit(entry.claim, {.sequence = 1});
        store.set_intent(entry.claim, "item");
        store.request_step_stop(one.execution, {.step = "load", .actor = "ann"});
        std::ignore = store.step_stops_asked(one);
        const Event note[] = {{.kind = "note"}};
        store.append(one, note);
        store.record_sink(one, {"sink.db", "fermata_sink"});
        std::ignore = store.poll(one);
        std::ignore = store.steps_of_instance(one.instance);
        use_partitions(store, one);
        use_claimed_partitions(store, one, own);
        store.end_step(
            entry.claim,
            {.status = BatchStatus::failed, .progress = {.sequence = 1}, .walk = {1, "load", "ran", "next", "check"}});
        store.record_walk(one, {2, "check", "passed", "finish", ""});
        store.request_stop(one.execution, {});
        store.request_stop(one.execution, {.now = true});
        store.end_execution(one, {.status = BatchStatus::failed});
        store.settle_counts(entry.claim.id, 0, {.metrics = {.commits = 1}});
        const Claim two = std::get<Claim>(store.restart(one.execution, {.definition = request().definition}, own));
        const StepEntry again = store.enter_step(two, "load", StepEntryMode::again);
        store.end_step(again.claim, {.status = BatchStatus::completed,
                                     .progress = again.state.progress,
                                     .walk = {1, "load", "ran", "next", "check"},
                                     .cut = CutShort{}});
        store.end_execution(two, {.status = BatchStatus::stopped});
        store.abandon(two.execution, "ann");
        wait(store, own);
        serve(store);
        query(store, one);
    }
    static void use_partitions(Repository& store, const Claim& claim) {
        StepEntry step = store.enter_step(claim, "slices", StepEntryMode::start);
        std::ignore = store.store_plan(step, {.partitions = 2, .properties = {{}, {}}});
        std::ignore = store.plan_of(step.claim);
        const StepEntry slice = store.enter_partition(step.claim, 0, StepEntryMode::start);
        {
            auto unit = store.unit();
            store.store_collected(unit, slice.claim, 1, "data");
            unit.commit(slice.claim, {.sequence = 1});
        }
        store.store_collected(slice.claim, 2, "data");
        std::ignore = store.collected_of(step.claim.id);
        store.end_partition(slice.claim, {.status = BatchStatus::completed, .progress = {.sequence = 1}});
        std::ignore = store.partitions_of(step.claim.id);
        store.end_step(
            step.claim,
            {.status = BatchStatus::failed, .walk = {3, "slices", "ran", "next", "load"}, .partitioned = true});
        store.settle_counts(step.claim.id, 1, {.metrics = {.commits = 1}});
        StepEntry again = store.enter_step(claim, "slices", StepEntryMode::start);
        std::ignore = store.store_plan(again, {.keep_properties = true});
    }
    // As the owner of the execution, and as a worker that serves its job.
    void use_claimed_partitions(Repository& store, const Claim& claim, const Worker& own) {
        Worker beta(folder_ / "data", "beta");
        store.enlist(beta, {.slots = 4, .jobs = {{"import", "hash of import"}}});
        StepEntry step = store.enter_step(claim, "shared", StepEntryMode::start);
        store.store_plan(step, {.partitions = 3, .for_workers = true});
        store.offer_partitions(step.claim, true);
        const auto mine = store.claim_partitions_of(step.claim, own, 1);
        const auto theirs = store.claim_partitions(beta, 1);
        const StepClaim& one = theirs->partitions.front().entry.claim;
        std::ignore = store.poll_partition(one);
        std::ignore = store.others_wait(one, beta);
        store.save_progress(one, {.sequence = 1});
        store.rest_partition(one, {.progress = {.sequence = 1}});
        std::ignore = store.claim_partitions(beta, 5);
        store.disown_unknown_partitions(beta, {}, "ann");
        const auto again = store.claim_partitions(beta, 5);
        store.give_up_turn(again->partitions.front().entry.claim, {.sequence = 1});
        std::ignore = store.claim_partitions(beta, 5);
        store.end_partition(mine->partitions.front().entry.claim, {.status = BatchStatus::completed});
        std::ignore = store.partition_news(step.claim.id, 0);
        std::ignore = store.collected_after(step.claim.id, {{0, 0}});
        store.end_step(
            step.claim,
            {.status = BatchStatus::failed, .walk = {4, "shared", "ran", "next", "load"}, .partitioned = true});
        store.retire(beta);
    }
    // What waits, until it goes on, is stopped or runs out of time.
    static void wait(Repository& store, Worker& own) {
        const PauseRequest approval{.point = "approve", .signals = 2, .timeout = Duration(1), .notify = "mail"};
        const Claim one = std::get<Claim>(store.launch(request("waiting"), own));
        const StepEntry load = store.enter_step(one, "load", StepEntryMode::start);
        store.request_pause(one.execution, {.what = {.point = "operator"}, .actor = "ann"});
        store.resume(one.execution, {.actor = "ann"}, own);
        store.rest_step(load.claim, {.progress = {.sequence = 1}, .pause = approval});
        store.rest_execution(one, {});
        for (const char* key : {"a", "a", "b"})
            store.signal(one.execution, {.point = "approve", .key = key, .sender = "ann"});
        store.resume(one.execution, {.seen = 7, .actor = "ann"}, own);
        const ResumeAnswer resumed = store.resume(one.execution, {.actor = "ann"}, own);
        const Claim two{resumed.execution, resumed.instance, resumed.instance_uuid, resumed.epoch};
        StepEntry again = store.enter_step(two, "load", StepEntryMode::resume);
        std::ignore = store.signals_for(two.execution, {again.state.own_pause, again.state.outside_pause});
        std::ignore = store.count_signals_for(two.execution, {again.state.own_pause, 0});
        store.store_plan(again, {.partitions = 1});
        const StepEntry part = store.enter_partition(again.claim, 0, StepEntryMode::start);
        store.rest_partition(part.claim, {.progress = {.sequence = 1}});
        std::ignore = store.unserved_pauses_of(again.claim);
        store.record_walk(two, {1, "load", "walked", "next", "x"}, {{.what = approval}});
        store.rest_execution(two, {});
        std::ignore = store.outside_pause_of(two.execution);
        std::ignore = store.find_executions({.statuses = {BatchStatus::paused}});
        std::ignore = store.has_duties();
        for (const Notification& notification : store.take_notifications()) store.notified(notification);
        store.serve_deadlines("ann");
        std::ignore = store.pauses_of(two.execution, 10);
        std::ignore = store.pause_summary(two.execution);
    }
    // What workers that serve ask and do; who they are is all of their table.
    void serve(Repository& store) {
        Worker alpha(folder_ / "data", "alpha");
        const WorkerTerms terms{.slots = 4, .jobs = {{"import", "hash of import"}}};
        store.enlist(alpha, terms);
        store.change_terms(alpha, terms);
        const auto submitted = std::get<JobExecutionId>(store.submit(request()));
        const std::vector<ClaimedExecution> claimed = store.claim_waiting(alpha, 5, "ann");
        const Claim& claim = claimed.front().claim;
        store.rest_execution(claim, "HALF", true);
        std::ignore = store.claim_waiting(alpha, 5, "ann");
        store.disown_unknown(alpha, {}, "ann");
        store.resume(submitted, {.actor = "ann"});
        store.end_execution(store.claim_waiting(alpha, 5, "ann").front().claim, {.status = BatchStatus::failed});
        store.submit_restart(submitted, {.actor = "ann"});
        std::ignore = store.is_served("hash of import");
        store.retire(alpha);
    }
    static void query(Repository& store, const Claim& one) {
        const Parameters parameters{{"file", "vendors.csv"}, {"day", "2026-11-22"}};
        std::ignore = store.walk_of(one.execution);
        std::ignore = store.find_execution(one.execution);
        std::ignore = store.find_executions({});
        std::ignore = store.find_executions({.statuses = {BatchStatus::failed}});
        std::ignore = store.find_executions({.job_name = "import"});
        std::ignore = store.find_executions({.instance = one.instance});
        std::ignore = store.find_executions({.since = Timestamp{}, .until = Timestamp{}});
        std::ignore = store.find_executions({.parameters = parameters});
        std::ignore = store.find_executions({.statuses = {BatchStatus::failed, BatchStatus::started},
                                             .job_name = "import",
                                             .parameters = parameters,
                                             .before = one.execution});
        std::ignore = store.latest(std::nullopt);
        std::ignore = store.latest("import");
        std::ignore = store.find_instance(one.instance);
        std::ignore = store.find_instance("import", "key");
        std::ignore = store.instances_of("import", 0, 10);
        std::ignore = store.instance_count("import");
        std::ignore = store.job_names();
        std::ignore = store.steps_of(one.execution);
        std::ignore = store.find_step(StepExecutionId(1));
        std::ignore = store.definition_of(one.instance);
        std::ignore = store.cuts_of(one.instance);
        std::ignore = store.events_of(one.execution, "step.", 10);
        std::ignore = store.events_after(0, 10);
        std::ignore = store.owner_of(one.execution);
    }
};

TEST_F(Plans, NoStatementReadsAWholeTable) {
    Texts texts;
    const JobExecutionId adopted = orphan(1);
    const JobExecutionId failed = orphan(1);
    close();
    {
        Repository store(listened_to(database_in(folder_), texts), folder_ / "data", false, clock_);
        Worker own(folder_ / "data");
        const Claim claim = store.adopt(adopted, own, "ann").value();
        store.enter_step(claim, "load", StepEntryMode::adopt);
        EXPECT_TRUE(store.fail_lost(failed, "ann"));
        use(store);
    }
    ASSERT_GT(texts.size(), 50U);
    const auto connection = raw();
    for (const std::string& text : texts) EXPECT_THAT(scans_in(*connection, text), IsEmpty()) << text;
}

}  // namespace
}  // namespace fermata::testing
