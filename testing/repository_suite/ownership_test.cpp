// Requests from outside, owners that die, and processes that want the same thing at once.
#include <fermata/base/process.hpp>
#include <fermata/testing/repository_suite.hpp>

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fermata::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Effect = StopAnswer::Effect;

struct Stopping : RepositorySuite {};
struct Abandoning : RepositorySuite {};
struct DeadOwner : RepositorySuite {
    [[nodiscard]] StepState load_of(JobExecutionId id) {
        return repository().steps_of_instance(execution(id).instance_id).at("load");
    }
    [[nodiscard]] std::int64_t workers() { return raw()->execute("SELECT COUNT(*) FROM worker")[0][0].integer(); }
    [[nodiscard]] bool owner_files_left() { return !std::filesystem::is_empty(folder_ / "data" / "owners"); }
};

TEST_F(Stopping, OfALiveOwnerIsARequest) {
    const Claim claim = launch();
    const StopAnswer first = repository().request_stop(claim.execution, {.actor = "bob"});
    EXPECT_EQ(Effect::requested, first.effect);
    EXPECT_EQ(BatchStatus::stopping, first.status);
    const JobExecution e = execution(claim.execution);
    EXPECT_EQ("bob", e.stop_requested_by);
    EXPECT_EQ(first.since, e.stop_requested_at);
    EXPECT_FALSE(e.stop_now);
    EXPECT_EQ(BatchStatus::stopping, repository().poll(claim).status);
}

TEST_F(Stopping, AgainSaysSinceWhenAndMayOnlyRaiseIt) {
    const Claim claim = launch();
    const auto since = repository().request_stop(claim.execution, {.actor = "bob"}).since;
    const StopAnswer again = repository().request_stop(claim.execution, {.now = true, .actor = "ann"});
    EXPECT_EQ(Effect::already, again.effect);
    EXPECT_EQ(since, again.since);
    EXPECT_TRUE(repository().poll(claim).stop_now);
    repository().request_stop(claim.execution, {.actor = "ann"});
    repository().request_stop(claim.execution, {.now = true, .actor = "ann"});
    EXPECT_TRUE(repository().poll(claim).stop_now);
    EXPECT_EQ("bob", execution(claim.execution).stop_requested_by);
    EXPECT_THAT(kinds(claim.execution),
                ElementsAre("execution.started", "execution.stop_requested", "execution.stop_requested"));
}

TEST_F(Stopping, OfWhatHasEndedTellsItsStatus) {
    const Claim claim = failed();
    const StopAnswer answer = repository().request_stop(claim.execution, {.actor = "bob"});
    EXPECT_EQ(Effect::not_running, answer.effect);
    EXPECT_EQ(BatchStatus::failed, answer.status);
    EXPECT_THROW(repository().request_stop(JobExecutionId(77), {}), Error);
}

TEST_F(Abandoning, TakesWhatDoesNotRun) {
    for (const BatchStatus status : {BatchStatus::failed, BatchStatus::stopped, BatchStatus::completed}) {
        const Claim claim = launch();
        end(claim, status);
        EXPECT_EQ(status, repository().abandon(claim.execution, "ann"));
        EXPECT_EQ(BatchStatus::abandoned, execution(claim.execution).status);
        EXPECT_EQ(BatchStatus::abandoned, repository().abandon(claim.execution, "ann"));
        EXPECT_THAT(kinds(claim.execution), ElementsAre("execution.started", "execution.ended", "execution.abandoned"));
    }
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_F(Abandoning, LeavesARunningOneAlone) {
    const Claim claim = launch();
    EXPECT_EQ(BatchStatus::started, repository().abandon(claim.execution, "ann"));
    EXPECT_EQ(BatchStatus::started, execution(claim.execution).status);
    EXPECT_THROW(repository().abandon(JobExecutionId(77), "ann"), Error);
}

TEST_F(DeadOwner, IsSeenAtOnceByWhoeverLooks) {
    const JobExecutionId id = orphan(0);
    EXPECT_TRUE(execution(id).owner_lost);
    EXPECT_TRUE(repository().find_executions({}).at(0).owner_lost);
    const LivenessEvidence evidence = repository().owner_liveness(id).value();
    EXPECT_EQ(Liveness::dead, evidence.liveness);
    EXPECT_THAT(evidence.evidence, HasSubstr("its owner file is unlocked"));
}

TEST_F(DeadOwner, ALiveOneIsNeverTakenForDead) {
    const Claim claim = launch();
    const auto other = open();
    Worker adopter(folder_ / "data");
    EXPECT_EQ(Liveness::alive, other->owner_liveness(claim.execution)->liveness);
    EXPECT_FALSE(other->adopt(claim.execution, adopter, "bob"));
    EXPECT_FALSE(other->fail_lost(claim.execution, "bob"));
    EXPECT_EQ(1, execution(claim.execution).epoch);
    end(claim, BatchStatus::completed);
    EXPECT_FALSE(other->owner_liveness(claim.execution));
    EXPECT_FALSE(other->owner_of(claim.execution));
    EXPECT_FALSE(other->adopt(claim.execution, adopter, "bob"));
    EXPECT_FALSE(other->fail_lost(claim.execution, "bob"));
    EXPECT_THROW(other->adopt(JobExecutionId(77), adopter, "bob"), Error);
}

TEST_F(DeadOwner, AnAdopterGoesOnWithTheSameExecutionAndStep) {
    const JobExecutionId id = orphan(3);
    const Claim claim = repository().adopt(id, worker(), "ann").value();
    EXPECT_EQ(id, claim.execution);
    EXPECT_EQ(2, claim.epoch);
    EXPECT_EQ(36U, claim.instance_uuid.size());
    EXPECT_EQ(worker().record().incarnation, repository().owner_of(id)->incarnation);
    EXPECT_EQ(1, workers());
    const StepState before = load_of(id);
    EXPECT_EQ(1, before.deaths);
    EXPECT_EQ(3, before.death_sequence);
    const StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::adopt);
    EXPECT_EQ(before.last_execution, entry.claim.id);
    EXPECT_EQ(before.epoch + 1, entry.claim.epoch);
    EXPECT_EQ(1, entry.state.starts);
    EXPECT_EQ(30, entry.state.progress.metrics.read);
    commit_chunk(entry, entry.state.progress);
    EXPECT_EQ(0, load_of(id).deaths);
    end_step(entry, BatchStatus::completed);
    end(claim, BatchStatus::completed);
    EXPECT_EQ(40, repository().steps_of(id).at(0).metrics.read);
    EXPECT_THAT(kinds(id), ElementsAre("execution.started", "step.started", "execution.adopted", "step.started",
                                       "step.ended", "execution.ended"));
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_F(DeadOwner, IsFencedOnceItsExecutionWasAdopted) {
    const JobExecutionId id = orphan(1);
    const StepState state = load_of(id);
    const Claim adopted = repository().adopt(id, worker(), "ann").value();
    Claim zombie = adopted;
    zombie.epoch = 1;
    const StepClaim zombie_step{zombie, state.last_execution, "load", state.epoch};
    Progress next = state.progress;
    ++next.sequence;
    EXPECT_THROW(repository().unit().commit(zombie_step, next), Error);
    EXPECT_THROW(repository().end_execution(zombie, {.status = BatchStatus::completed}), Error);
    EXPECT_EQ(1, load_of(id).progress.sequence);
}

TEST_F(DeadOwner, DeathsWithoutProgressAddUp) {
    const JobExecutionId id = orphan(1);
    const auto die_again = [&](std::int64_t chunks) {
        in_killed_process([&] {
            const Claim claim = repository().adopt(id, worker(), "ann").value();
            const StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::adopt);
            repository().set_intent(entry.claim, "item 11");
            Progress progress = entry.state.progress;
            for (std::int64_t i = 0; i < chunks; ++i) progress = commit_chunk(entry, progress);
        });
    };
    die_again(0);
    die_again(0);
    const Claim claim = repository().adopt(id, worker(), "ann").value();
    StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::adopt);
    EXPECT_EQ(3, entry.state.deaths);
    EXPECT_EQ("item 11", entry.state.intent);
    close();
    // This process lives on without its owner file, so the next one needs a proof of another kind.
    EXPECT_EQ(Liveness::unknown, repository().owner_liveness(id)->liveness);
}

TEST_F(DeadOwner, ProgressBetweenTwoDeathsStartsTheCountAgain) {
    const JobExecutionId id = orphan(1);
    in_killed_process([&] {
        const Claim claim = repository().adopt(id, worker(), "ann").value();
        const StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::adopt);
        repository().set_intent(entry.claim, "item 11");
        commit_chunk(entry, entry.state.progress);
    });
    repository().fail_lost(id, "ann");
    const StepState state = load_of(id);
    EXPECT_EQ(1, state.deaths);
    EXPECT_EQ(2, state.death_sequence);
    EXPECT_FALSE(state.intent);
}

TEST_F(DeadOwner, ItsExecutionCanBeFailedWithEverythingBelowIt) {
    const JobExecutionId id = orphan(2);
    EXPECT_TRUE(repository().fail_lost(id, "ann"));
    const JobExecution e = execution(id);
    EXPECT_EQ(BatchStatus::failed, e.status);
    EXPECT_EQ("FAILED", e.exit_status);
    EXPECT_EQ("fermata.OwnerLost", e.failure->error_class);
    EXPECT_THAT(e.failure->message, HasSubstr("its owner died: its owner file is unlocked"));
    EXPECT_EQ(2, e.epoch);
    const StepExecution step = repository().steps_of(id).at(0);
    EXPECT_EQ(BatchStatus::failed, step.status);
    EXPECT_EQ(20, step.metrics.written);
    EXPECT_EQ(1, load_of(id).deaths);
    EXPECT_EQ(2, load_of(id).epoch);
    EXPECT_THAT(kinds(id), ElementsAre("execution.started", "step.started", "execution.lost"));
    EXPECT_EQ(0, workers());
    EXPECT_FALSE(owner_files_left());
    EXPECT_FALSE(repository().fail_lost(id, "ann"));
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_F(DeadOwner, OfSeveralExecutionsKeepsItsRowUntilTheLastIsEnded) {
    in_killed_process([&] {
        launch("one");
        launch("two");
    });
    EXPECT_TRUE(repository().fail_lost(repository().latest("one").value(), "ann"));
    EXPECT_EQ(1, workers());
    EXPECT_TRUE(owner_files_left());
    EXPECT_TRUE(repository().fail_lost(repository().latest("two").value(), "ann"));
    EXPECT_EQ(0, workers());
    EXPECT_FALSE(owner_files_left());
}

TEST_F(DeadOwner, RestartFailsItsExecutionFirst) {
    const JobExecutionId id = orphan(2);
    const Claim claim = restart(id);
    EXPECT_EQ(BatchStatus::failed, execution(id).status);
    const StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::start);
    EXPECT_EQ(1, entry.state.deaths);
    EXPECT_EQ("20", entry.state.progress.reader);
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_F(DeadOwner, AStopEndsItsExecutionAtOnce) {
    const JobExecutionId id = orphan(1);
    EXPECT_EQ(Effect::stopped, repository().request_stop(id, {.actor = "bob"}).effect);
    EXPECT_EQ(BatchStatus::stopped, execution(id).status);
    EXPECT_FALSE(execution(id).failure);
    EXPECT_EQ(BatchStatus::stopped, repository().steps_of(id).at(0).status);
    EXPECT_EQ(BatchStatus::started, execution(restart(id).execution).status);
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_F(DeadOwner, ThatWasStoppingLeavesAStoppedExecution) {
    in_killed_process([&] {
        const Claim claim = launch();
        repository().request_stop(claim.execution, {.actor = "bob"});
    });
    const JobExecutionId id = repository().latest(std::nullopt).value();
    EXPECT_TRUE(repository().fail_lost(id, "ann"));
    EXPECT_EQ(BatchStatus::stopped, execution(id).status);
}

TEST_F(DeadOwner, AnExecutionNobodyOwnsIsLost) {
    const Claim claim = launch();
    raw()->execute("UPDATE job_execution SET owner = NULL WHERE id = $1", {Value(claim.execution.value())});
    EXPECT_EQ("nobody owns it", repository().owner_liveness(claim.execution)->evidence);
    EXPECT_TRUE(repository().fail_lost(claim.execution, "ann"));
}

// The lock belongs to the open file: whoever still holds a copy of it keeps the execution from being adopted.
TEST_F(DeadOwner, IsNotDeadWhileAChildHoldsItsFile) {
    int release[2];
    int gone[2];
    ASSERT_EQ(0, ::pipe(release));
    ASSERT_EQ(0, ::pipe(gone));
    in_killed_process([&] {
        launch();
        if (::fork() == 0) {
            ::close(release[1]);
            char byte = 0;
            std::ignore = ::read(release[0], &byte, 1);
            ::_exit(0);
        }
    });
    ::close(gone[1]);
    const JobExecutionId id = repository().latest(std::nullopt).value();
    const LivenessEvidence held = repository().owner_liveness(id).value();
    EXPECT_EQ(Liveness::alive, held.liveness);
    EXPECT_THAT(held.evidence, HasSubstr("a child of it still holds its owner file"));
    EXPECT_FALSE(repository().adopt(id, worker(), "ann"));
    ::close(release[1]);
    char byte = 0;
    EXPECT_EQ(0, ::read(gone[0], &byte, 1)) << "the child still runs";
    EXPECT_TRUE(repository().adopt(id, worker(), "ann"));
    ::close(release[0]);
    ::close(gone[0]);
}

// A process that does the same thing as another one, again and again, on command.
class Rival {
public:
    using Attempt = std::function<std::int64_t(std::int64_t)>;
    explicit Rival(const std::function<Attempt()>& prepare) {
        if (::pipe(orders_) != 0 || ::pipe(answers_) != 0) throw std::runtime_error("no pipe");
        child_ = ::fork();
        if (child_ == 0) serve(prepare);
    }
    Rival(const Rival&) = delete;
    Rival& operator=(const Rival&) = delete;
    ~Rival() {
        order(0);
        int status = 0;
        ::waitpid(child_, &status, 0);
        for (const int fd : {orders_[0], orders_[1], answers_[0], answers_[1]}) ::close(fd);
        EXPECT_EQ(0, status);
    }
    void order(std::int64_t id) { std::ignore = ::write(orders_[1], &id, sizeof id); }
    [[nodiscard]] std::int64_t answer() {
        std::int64_t id = -1;
        EXPECT_EQ(static_cast<ssize_t>(sizeof id), ::read(answers_[0], &id, sizeof id));
        return id;
    }

private:
    [[noreturn]] void serve(const std::function<Attempt()>& prepare) {
        try {
            const Attempt attempt = prepare();
            for (std::int64_t id = 0; ::read(orders_[0], &id, sizeof id) == sizeof id && id != 0;) {
                const std::int64_t made = attempt(id);
                std::ignore = ::write(answers_[1], &made, sizeof made);
            }
        } catch (const std::exception& error) {
            std::fprintf(stderr, "rival: %s\n", error.what());
            ::_exit(1);
        }
        ::_exit(0);
    }
    int orders_[2]{};
    int answers_[2]{};
    pid_t child_ = -1;
};

struct Racing : RepositorySuite {
    // Of two attempts at once exactly one may answer an id; answers it.
    static std::int64_t race(Rival& one, Rival& two, std::int64_t id) {
        one.order(id);
        two.order(id);
        const std::int64_t first = one.answer();
        const std::int64_t second = two.answer();
        EXPECT_TRUE((first == 0) != (second == 0)) << first << " and " << second;
        return std::max(first, second);
    }
};

TEST_F(Racing, OfTwoRestartsAtOnceExactlyOneWins) {
    std::int64_t id = failed().execution.value();
    close();
    const auto restarter = [&]() -> Rival::Attempt {
        repository();
        worker();
        return [&](std::int64_t previous) {
            auto answer = repository().restart(JobExecutionId(previous), {.actor = "rival"}, worker());
            const Claim* won = std::get_if<Claim>(&answer);
            if (won == nullptr) return std::int64_t{0};
            end(*won, BatchStatus::failed);
            return won->execution.value();
        };
    };
    {
        Rival one(restarter);
        Rival two(restarter);
        for (int round = 0; round < 200; ++round) id = race(one, two, id);
    }
    EXPECT_EQ(201, id);
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_F(Racing, OfTwoAdoptersAtOnceExactlyOneWins) {
    std::vector<std::int64_t> orphans;
    in_killed_process([&] {
        for (int i = 0; i < 50; ++i) launch();
    });
    for (const JobExecution& e : repository().find_executions({})) orphans.push_back(e.id.value());
    close();
    const auto adopter = [&]() -> Rival::Attempt {
        repository();
        worker();
        return [&](std::int64_t id) { return repository().adopt(JobExecutionId(id), worker(), "rival") ? id : 0; };
    };
    {
        Rival one(adopter);
        Rival two(adopter);
        for (const std::int64_t id : orphans) EXPECT_EQ(id, race(one, two, id));
    }
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_F(Racing, OfTwoLaunchesWithOneKeyExactlyOneMakesTheInstance) {
    repository();
    close();
    const auto launcher = [&]() -> Rival::Attempt {
        repository();
        worker();
        return [&](std::int64_t round) {
            LaunchRequest keyed = request();
            keyed.instance_key = std::to_string(round);
            auto answer = repository().launch(keyed, worker());
            return std::holds_alternative<Claim>(answer) ? round : std::int64_t{0};
        };
    };
    {
        Rival one(launcher);
        Rival two(launcher);
        for (std::int64_t round = 1; round <= 50; ++round) EXPECT_EQ(round, race(one, two, round));
    }
    EXPECT_EQ(50, repository().instance_count("import"));
}

}  // namespace
}  // namespace fermata::testing
