// Executions that wait for a worker, and workers that claim them.
#include <fermata/base/error.hpp>
#include <fermata/testing/repository_suite.hpp>
#include <fermata/testing/thrown_by.hpp>

#include <gmock/gmock.h>

#include <chrono>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace fermata::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

struct Serving : RepositorySuite {
    JobExecutionId submit(const std::string& job = "import") {
        return std::get<JobExecutionId>(repository().submit(request(job)));
    }
    std::unique_ptr<Worker> serving(const std::string& name, std::initializer_list<std::string> jobs = {"import"}) {
        auto made = std::make_unique<Worker>(folder_ / "data", name);
        repository().enlist(*made, terms(jobs));
        return made;
    }
    static WorkerTerms terms(std::initializer_list<std::string> jobs) {
        WorkerTerms terms{.slots = 4};
        for (const std::string& job : jobs) terms.jobs.push_back({job, "hash of " + job});
        return terms;
    }
    std::vector<ClaimedExecution> claim(const Worker& worker, std::int64_t most = 10) {
        return repository().claim_waiting(worker, most, "ann");
    }
    static std::vector<std::int64_t> ids(const std::vector<ClaimedExecution>& claimed) {
        std::vector<std::int64_t> ids;
        for (const ClaimedExecution& one : claimed) ids.push_back(one.claim.execution.value());
        return ids;
    }
    std::vector<std::string> names() {
        std::vector<std::string> names;
        for (const WorkerState& state : repository().workers()) names.push_back(state.record.name);
        return names;
    }
    void expect_sound() { EXPECT_THAT(repository().verify(), IsEmpty()); }
};

TEST_F(Serving, WhatIsSubmittedIsNobodysAndNotStarted) {
    const JobExecution e = execution(submit());
    EXPECT_EQ(BatchStatus::starting, e.status);
    EXPECT_FALSE(e.owner);
    EXPECT_FALSE(e.started);
    EXPECT_FALSE(e.owner_lost);
    EXPECT_EQ("vendors.csv", e.parameters.at("file"));
    EXPECT_THAT(kinds(e.id), ElementsAre("execution.submitted"));
    expect_sound();
}

TEST_F(Serving, AKeyIsTakenOnce) {
    LaunchRequest keyed = request();
    keyed.instance_key = "today";
    const auto first = std::get<JobExecutionId>(repository().submit(keyed));
    EXPECT_EQ(first, std::get<InstanceExists>(repository().submit(keyed)).latest);
}

TEST_F(Serving, AWorkerClaimsTheOldestItServesUpToItsSlots) {
    for (const char* job : {"import", "export", "import", "import"}) submit(job);
    const auto worker = serving("alpha");
    const auto first = claim(*worker, 2);
    EXPECT_THAT(ids(first), ElementsAre(1, 3));
    EXPECT_THAT(ids(claim(*worker, 0)), IsEmpty());
    EXPECT_THAT(ids(claim(*worker)), ElementsAre(4));
    EXPECT_THAT(claim(*worker), IsEmpty());
    const ClaimedExecution& one = first.front();
    EXPECT_EQ(2, one.claim.epoch);
    EXPECT_EQ(36U, one.claim.instance_uuid.size());
    EXPECT_FALSE(one.adopted || one.begun || one.accept_sink || one.accept_input);
    const JobExecution e = execution(one.claim.execution);
    EXPECT_EQ(BatchStatus::started, e.status);
    EXPECT_EQ("alpha", repository().owner_of(e.id)->name);
    EXPECT_TRUE(e.started);
    EXPECT_THAT(kinds(e.id), ElementsAre("execution.submitted", "execution.claimed"));
    expect_sound();
    for (const ClaimedExecution& each : first) end(each.claim, BatchStatus::completed);
    EXPECT_THAT(names(), ElementsAre("alpha")) << "it serves on";
    expect_sound();
}

TEST_F(Serving, WhatIsOfferedIsClaimed) {
    const auto worker = serving("alpha");
    const bool offers = repository().database().dialect().concurrent_writers;
    const auto claim_offered = [&](JobExecutionId id) {
        ClaimedTogether claimed = repository().claim_offered(*worker, {id, "hash of import"}, "ann");
        claimed.on_disk.wait();
        claimed.on_disk.wait();
        return std::move(claimed.executions);
    };
    const JobExecutionId older = submit();
    const JobExecutionId newer = submit();
    const auto first = claim_offered(newer);
    EXPECT_THAT(ids(first), ElementsAre(offers ? newer.value() : older.value()));
    const ClaimedExecution& one = first.front();
    EXPECT_EQ(2, one.claim.epoch);
    EXPECT_EQ(36U, one.claim.instance_uuid.size());
    EXPECT_FALSE(one.adopted || one.begun || one.accept_sink || one.accept_input);
    EXPECT_EQ(worker->record().id, one.execution.owner);
    EXPECT_FALSE(one.execution.owner_lost);
    EXPECT_EQ("vendors.csv", one.execution.parameters.at("file"));
    EXPECT_THAT(kinds(one.claim.execution), ElementsAre("execution.submitted", "execution.claimed"));
    EXPECT_THAT(claim_offered(offers ? older : newer), SizeIs(1));
    EXPECT_THAT(claim_offered(newer), IsEmpty()) << "somebody has it";
    expect_sound();
}

TEST_F(Serving, WhoIsTakenForDeadGetsNothingThatIsOffered) {
    const auto worker = serving("alpha");
    const JobExecutionId id = submit();
    raw()->execute("UPDATE worker SET dead = 1");
    if (!repository().database().dialect().concurrent_writers) return;
    EXPECT_THAT(repository().claim_offered(*worker, {id, "hash of import"}, "ann").executions, IsEmpty());
    EXPECT_EQ(BatchStatus::starting, execution(id).status);
}

TEST_F(Serving, AnotherDefinitionOfTheJobIsNotClaimed) {
    LaunchRequest other = request();
    other.definition.hash = "another";
    repository().submit(other);
    EXPECT_THAT(claim(*serving("alpha")), IsEmpty());
    EXPECT_FALSE(repository().is_served("another"));
    EXPECT_FALSE(repository().is_served("hash of export"));
}

TEST_F(Serving, TermsAreReplaced) {
    submit("export");
    const auto worker = serving("alpha");
    EXPECT_TRUE(repository().is_served("hash of import"));
    repository().change_terms(*worker, terms({"export", "report"}));
    EXPECT_FALSE(repository().is_served("hash of import"));
    EXPECT_THAT(repository().workers().at(0).jobs, ElementsAre("export", "report"));
    WorkerTerms leaving = terms({"export"});
    leaving.draining = true;
    repository().change_terms(*worker, leaving);
    EXPECT_FALSE(repository().is_served("hash of export"));
    EXPECT_THAT(claim(*worker), IsEmpty());
    EXPECT_TRUE(repository().workers().at(0).draining);
}

TEST_F(Serving, OfManyWorkersEachExecutionHasOne) {
    constexpr int executions = 60;
    constexpr int claimers = 4;
    for (int i = 0; i < executions; ++i) submit();
    std::mutex mutex;
    std::multiset<std::int64_t> claimed;
    std::vector<std::unique_ptr<Worker>> workers;
    std::vector<std::unique_ptr<Repository>> views;
    for (int i = 0; i < claimers; ++i) {
        workers.push_back(serving("w" + std::to_string(i)));
        views.push_back(open());
    }
    std::vector<std::jthread> threads;
    for (int i = 0; i < claimers; ++i)
        threads.emplace_back([&, i] {
            for (bool done = false; !done;) {
                const auto mine = ids(views[i]->claim_waiting(*workers[i], 3, "ann"));
                const std::lock_guard lock(mutex);
                claimed.insert(mine.begin(), mine.end());
                done = claimed.size() >= executions;
            }
        });
    threads.clear();
    EXPECT_THAT(claimed, SizeIs(executions));
    EXPECT_THAT(std::set<std::int64_t>(claimed.begin(), claimed.end()), SizeIs(executions));
    std::map<std::string, std::int64_t> owners;
    for (const JobExecution& e : repository().find_executions({.limit = 100})) {
        EXPECT_EQ(2, e.epoch);
        ++owners[repository().owner_of(e.id).value().name];
    }
    for (const WorkerState& state : repository().workers()) EXPECT_EQ(owners[state.record.name], state.owns);
    expect_sound();
}

TEST_F(Serving, ASubmittedRestartCarriesWhatItAccepts) {
    const Claim before = failed();
    const auto again = std::get<JobExecutionId>(
        repository().submit_restart(before.execution, {.accept_sink = true, .accept_input = true, .actor = "ann"}));
    EXPECT_EQ(before.execution, execution(again).restart_of);
    EXPECT_EQ(RestartRefused::Reason::waits, std::get<RestartRefused>(repository().submit_restart(again, {})).reason);
    EXPECT_EQ(RestartRefused::Reason::not_most_recent,
              std::get<RestartRefused>(repository().submit_restart(before.execution, {})).reason);
    const auto claimed = claim(*serving("alpha"));
    ASSERT_THAT(claimed, SizeIs(1));
    EXPECT_TRUE(claimed[0].accept_sink && claimed[0].accept_input);
    EXPECT_FALSE(claimed[0].adopted);
    expect_sound();
}

TEST_F(Serving, AStopEndsItAtOnceAndAPauseTakesItsPlace) {
    const JobExecutionId stopped = submit();
    EXPECT_EQ(StopAnswer::Effect::stopped, repository().request_stop(stopped, {.actor = "ann"}).effect);
    EXPECT_EQ(BatchStatus::stopped, execution(stopped).status);

    const JobExecutionId paused = submit();
    const OutsidePause pause{.what = {.point = "operator"}, .actor = "ann"};
    EXPECT_EQ(PauseAnswer::Effect::paused, repository().request_pause(paused, pause).effect);
    EXPECT_EQ(BatchStatus::paused, execution(paused).status);
    const auto worker = serving("alpha");
    EXPECT_THAT(claim(*worker), IsEmpty());
    EXPECT_EQ(ResumeAnswer::Effect::released, repository().resume(paused, {.actor = "ann"}).effect);
    EXPECT_EQ(ResumeAnswer::Effect::released, repository().resume(paused, {.actor = "ann"}).effect) << "still";
    const auto claimed = claim(*worker);
    ASSERT_THAT(ids(claimed), ElementsAre(paused.value()));
    EXPECT_FALSE(claimed[0].adopted || claimed[0].begun) << "nobody has owned it";
    expect_sound();
}

TEST_F(Serving, SomebodyElseMayTakeItHere) {
    const JobExecutionId id = submit();
    const ResumeAnswer here = repository().resume(id, {.actor = "ann"}, worker());
    EXPECT_EQ(ResumeAnswer::Effect::owned, here.effect);
    EXPECT_FALSE(here.adopted);
    EXPECT_TRUE(execution(id).started);
    EXPECT_THAT(claim(*serving("alpha")), IsEmpty());
    end({id, here.instance, here.instance_uuid, here.epoch}, BatchStatus::completed);
    expect_sound();
}

TEST_F(Serving, WhatASignalCompletesIsClaimedWhereItRests) {
    const Claim owned = launch();
    const StepEntry load = repository().enter_step(owned, "load", StepEntryMode::start);
    repository().rest_step(load.claim, {.progress = {.sequence = 1}, .pause = PauseRequest{.point = "approve"}});
    ASSERT_EQ(Rested::paused, repository().rest_execution(owned, {}));
    const auto worker = serving("alpha");
    EXPECT_THAT(claim(*worker), IsEmpty());
    repository().signal(owned.execution, {.point = "approve", .sender = "bob"});
    const auto claimed = claim(*worker);
    ASSERT_THAT(claimed, SizeIs(1));
    EXPECT_TRUE(claimed[0].adopted && claimed[0].begun);
    const StepEntry again = repository().enter_step(claimed[0].claim, "load", StepEntryMode::resume);
    EXPECT_EQ(1, again.state.progress.sequence);
    expect_sound();
}

TEST_F(Serving, AnOwnerHandsOnWhatRests) {
    submit();
    const auto alpha = serving("alpha");
    const Claim owned = claim(*alpha).at(0).claim;
    const StepEntry load = repository().enter_step(owned, "load", StepEntryMode::start);
    const Progress progress = commit_chunk(load, load.state.progress);
    repository().rest_step(load.claim, {.progress = progress, .pause = {}});
    EXPECT_EQ(Rested::handed_on, repository().rest_execution(owned, "HALF", true));
    EXPECT_EQ(BatchStatus::starting, execution(owned.execution).status);
    EXPECT_THROW(repository().end_execution(owned, {.status = BatchStatus::completed}), Error) << "no longer its own";
    const auto beta = serving("beta");
    const auto claimed = claim(*beta);
    ASSERT_THAT(claimed, SizeIs(1));
    EXPECT_TRUE(claimed[0].adopted && claimed[0].begun);
    EXPECT_EQ("HALF", execution(owned.execution).exit_status);
    const StepEntry again = repository().enter_step(claimed[0].claim, "load", StepEntryMode::resume);
    EXPECT_EQ(load.claim.id, again.claim.id);
    EXPECT_EQ(progress.sequence, again.state.progress.sequence);
    EXPECT_EQ(0, again.state.deaths);
    expect_sound();
}

TEST_F(Serving, APauseOrAStopGoesBeforeHandingOn) {
    const Claim pausing = launch();
    repository().request_pause(pausing.execution, {.what = {.point = "operator"}, .actor = "ann"});
    EXPECT_EQ(Rested::paused, repository().rest_execution(pausing, {}, true));
    const Claim stopping = launch();
    repository().request_stop(stopping.execution, {.actor = "ann"});
    EXPECT_EQ(Rested::stopping, repository().rest_execution(stopping, {}, true));
    end(stopping, BatchStatus::stopped);
    const Claim withdrawn = launch();
    repository().request_pause(withdrawn.execution, {.what = {.point = "operator"}, .actor = "ann"});
    repository().resume(withdrawn.execution, {.actor = "ann"});
    EXPECT_EQ(Rested::handed_on, repository().rest_execution(withdrawn, {}, true));
    EXPECT_THAT(names(), IsEmpty()) << "a process that does not serve is forgotten with its last execution";
    expect_sound();
}

TEST_F(Serving, WhatLostItsOwnerIsLeftToWorkers) {
    const JobExecutionId id = orphan(2);
    EXPECT_TRUE(repository().release_lost(id, "ann"));
    EXPECT_FALSE(repository().release_lost(id, "ann"));
    EXPECT_EQ(BatchStatus::starting, execution(id).status);
    EXPECT_THAT(kinds(id), AllOf(Contains("execution.orphaned"), Contains("execution.released")));
    EXPECT_THAT(names(), IsEmpty());
    const auto claimed = claim(*serving("alpha"));
    ASSERT_THAT(claimed, SizeIs(1));
    EXPECT_TRUE(claimed[0].adopted);
    EXPECT_FALSE(claimed[0].begun);
    const StepEntry load = repository().enter_step(claimed[0].claim, "load", StepEntryMode::resume);
    EXPECT_EQ(2, load.state.progress.sequence);
    EXPECT_EQ(1, load.state.deaths);
    expect_sound();
}

TEST_F(Serving, WhatWasStoppingIsStopped) {
    const JobExecutionId id = orphan(1);
    raw()->execute("UPDATE job_execution SET status = 'STOPPING'");  // asked before its owner died
    EXPECT_TRUE(repository().release_lost(id, "ann"));
    EXPECT_EQ(BatchStatus::stopped, execution(id).status);
    expect_sound();
}

TEST_F(Serving, AWorkerLetsGoOfWhatItDoesNotKnow) {
    submit();
    submit();
    submit();
    const auto worker = serving("alpha");
    const auto claimed = claim(*worker);
    repository().request_stop(claimed[1].claim.execution, {.actor = "ann"});
    const JobExecutionId known[] = {claimed[2].claim.execution};
    EXPECT_THAT(repository().disown_unknown(*worker, known, "ann"), SizeIs(2));
    EXPECT_EQ(BatchStatus::starting, execution(claimed[0].claim.execution).status);
    EXPECT_EQ(BatchStatus::stopped, execution(claimed[1].claim.execution).status);
    EXPECT_EQ(BatchStatus::started, execution(claimed[2].claim.execution).status);
    EXPECT_THROW(repository().end_execution(claimed[0].claim, {.status = BatchStatus::completed}), Error);
    EXPECT_THAT(names(), ElementsAre("alpha"));
    EXPECT_THAT(ids(claim(*worker)), ElementsAre(claimed[0].claim.execution.value()));
    expect_sound();
}

TEST_F(Serving, AWorkerComesAndGoes) {
    auto worker = serving("alpha");
    EXPECT_EQ(4, repository().workers().at(0).slots);
    EXPECT_EQ(Liveness::alive, repository().workers().at(0).liveness.liveness);
    submit();
    const auto claimed = claim(*worker);
    repository().retire(*worker);
    EXPECT_THAT(names(), ElementsAre("alpha")) << "it owns something";
    end(claimed.at(0).claim, BatchStatus::completed);
    EXPECT_THAT(names(), IsEmpty());
    repository().retire(*worker);
    EXPECT_THROW(std::ignore = claim(*worker), Error);
    EXPECT_THROW(repository().change_terms(*worker, terms({"import"})), Error);
    expect_sound();
}

TEST_F(Serving, ADeadWorkerIsForgottenOnceItOwnsNothing) {
    in_killed_process([&] {
        submit();
        const auto worker = serving("alpha");
        ASSERT_THAT(claim(*worker), SizeIs(1));
    });
    EXPECT_EQ(Liveness::dead, repository().workers().at(0).liveness.liveness);
    EXPECT_FALSE(repository().is_served("hash of import"));
    EXPECT_EQ(0, repository().forget_dead_workers()) << "what it owns is not to be lost";
    const JobExecutionId id = repository().latest(std::nullopt).value();
    EXPECT_TRUE(repository().release_lost(id, "ann"));
    EXPECT_THAT(names(), IsEmpty()) << "gone with its last execution";
    in_killed_process([&] { repository().enlist(Worker(folder_ / "data", "beta"), terms({"import"})); });
    EXPECT_EQ(1, repository().forget_dead_workers());
    EXPECT_THAT(names(), IsEmpty());
    EXPECT_TRUE(std::filesystem::is_empty(folder_ / "data" / "owners"));
    expect_sound();
}

TEST_F(Serving, AWorkerThatWasTakenForDeadOwnsNothingMore) {
    submit();
    const auto alpha = serving("alpha");
    raw()->execute("UPDATE worker SET dead = 1");
    EXPECT_THROW(std::ignore = claim(*alpha), Error);
    EXPECT_THROW(repository().change_terms(*alpha, terms({"import"})), Error);
    expect_sound();
}

TEST_F(Serving, AWorkerThatIsForgottenMeanwhileClaimsNothing) {
    if (!repository().database().dialect().concurrent_writers) return;
    const JobExecutionId id = submit();
    const auto alpha = serving("alpha");
    const auto forgetter = raw();
    forgetter->begin();
    forgetter->execute("DELETE FROM worker WHERE name = 'alpha'");
    auto claimed = std::async(std::launch::async, [&] { return claim(*alpha); });
    const auto watcher = raw();
    const std::string waiting =
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while (watcher->execute(waiting).empty() && claimed.wait_for(1ms) != std::future_status::ready) continue;
    forgetter->commit({});
    EXPECT_EQ(ErrorKind::stale, thrown_by<Error>([&] { claimed.get(); }).kind());
    EXPECT_EQ(BatchStatus::starting, execution(id).status);
}

TEST_F(Serving, AWorkerThatWasForgottenAdoptsNothing) {
    const JobExecutionId id = orphan(1);
    const auto alpha = serving("alpha");
    raw()->execute("DELETE FROM worker WHERE name = 'alpha'");
    const auto before = names();
    EXPECT_THROW(std::ignore = repository().adopt(id, *alpha, "ann"), Error);
    EXPECT_EQ(before, names()) << "nor is its row written anew, without its terms";
    EXPECT_TRUE(execution(id).owner_lost);
    expect_sound();
}

TEST_F(Serving, OwnerFilesThatNoRowNamesAreRemovedInTheEnd) {
    const auto owners = folder_ / "data" / "owners";
    const auto age = [](const std::filesystem::path& file) {
        std::filesystem::last_write_time(file, std::filesystem::last_write_time(file) - std::chrono::hours(2));
    };
    const auto alpha = serving("alpha");
    const Worker silent(folder_ / "data");  // has a file, and no row yet
    std::filesystem::copy_file(owners / alpha->record().incarnation, owners / "left just now");
    std::filesystem::copy_file(owners / alpha->record().incarnation, owners / "left long ago");
    age(owners / "left long ago");
    age(owners / alpha->record().incarnation);
    age(owners / silent.record().incarnation);
    EXPECT_EQ(0, repository().forget_dead_workers());
    EXPECT_FALSE(std::filesystem::exists(owners / "left long ago"));
    EXPECT_TRUE(std::filesystem::exists(owners / "left just now")) << "its row may be about to be written";
    EXPECT_TRUE(std::filesystem::exists(owners / silent.record().incarnation));
    EXPECT_EQ(Liveness::alive, repository().workers().at(0).liveness.liveness);
}

}  // namespace
}  // namespace fermata::testing
