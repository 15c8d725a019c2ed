// Every two verbs of the store at once, on two connections, statement by statement: one runs some of its statements,
// then the other one runs as far as it can, then the first goes on; for every number of statements, and the other way
// round. Whatever the order, both end as if one had come after the other: no request is lost, nothing is done twice,
// and neither waits for the other for ever. FERMATA_SWITCHES=n tries every order with up to n changes of turn.
#include "turns.hpp"

#include <fermata/testing/forwarding.hpp>
#include <fermata/testing/repository_suite.hpp>
#include <fermata/testing/scenes.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <future>
#include <list>
#include <map>
#include <mutex>
#include <thread>

namespace fermata::testing {
namespace {

using ::testing::IsEmpty;

/// Statements as they are sent: changed, where a test of this test breaks the protocol on purpose.
class Texts {
public:
    struct Edit {
        std::string from;
        std::string to;
        std::atomic<int> hits = 0;
    };
    void change(std::string from, std::string to) {
        Edit& edit = edits_.emplace_back();
        edit.from = std::move(from);
        edit.to = std::move(to);
    }
    [[nodiscard]] sql::Command of(sql::Command command) {
        if (edits_.empty()) return command;
        const std::lock_guard lock(mutex_);
        const auto [sent, is_new] = sent_.try_emplace(std::string(command.sql), command.sql);
        for (auto edit = edits_.begin(); is_new && edit != edits_.end(); ++edit)
            if (const std::size_t at = sent->second.find(edit->from); at != std::string::npos)
                sent->second.replace(at, edit->from.size(), edit->to), ++edit->hits;
        command.sql = sent->second;
        return command;
    }
    [[nodiscard]] std::vector<sql::Command> of(std::span<const sql::Command> commands) {
        std::vector<sql::Command> all;
        for (const sql::Command& command : commands) all.push_back(of(command));
        return all;
    }
    [[nodiscard]] bool all_used() const {
        return std::ranges::all_of(edits_, [](const Edit& edit) { return edit.hits > 0; });
    }

private:
    std::mutex mutex_;
    std::list<Edit> edits_;
    std::map<std::string, std::string> sent_;
};

class Pausing final : public ForwardingConnection {
public:
    Pausing(std::unique_ptr<sql::Connection> real, Turns& turns, Texts& texts)
        : ForwardingConnection(std::move(real)),
          turns_(turns),
          texts_(texts),
          session_(this->real().execute("SELECT pg_backend_pid()")[0][0].integer()) {}
    sql::Result execute(const sql::Command& command) override {
        turns_.await(session_);
        return real().execute(texts_.of(command));
    }
    std::vector<sql::Result> execute_all(std::span<const sql::Command> commands) override {
        turns_.await(session_);
        return real().execute_all(texts_.of(commands));
    }
    std::vector<sql::Result> commit(std::span<const sql::Command> last) override {
        turns_.await(session_);
        return real().commit(texts_.of(last));
    }

private:
    Turns& turns_;
    Texts& texts_;
    std::int64_t session_;
};

struct Outcome {
    std::array<std::string, 2> answers;
    std::string picture;
    bool operator==(const Outcome&) const = default;
};
void PrintTo(const Outcome& outcome, std::ostream* out) {
    *out << "\n  first: " << outcome.answers[0] << "\n  second: " << outcome.answers[1] << "\n" << outcome.picture;
}

using MakeScene = Scene (*)(Repository&, const std::string&);

class Interleaving : public RepositorySuite {
protected:
    Interleaving() {
        watcher_ = raw();
        turns_ = std::make_unique<Turns>(*watcher_);
        for (auto& side : sides_) {
            auto database = std::make_unique<ForwardingDatabase>(
                database_in(folder_), [this](std::unique_ptr<sql::Connection> real) {
                    return std::make_unique<Pausing>(std::move(real), *turns_, texts_);
                });
            side.store = std::make_unique<Repository>(std::move(database), folder_ / "data", false, clock_);
            std::ignore = side.store->latest(std::nullopt);
            side.worker = std::make_unique<Worker>(folder_ / "data");
        }
    }
    ~Interleaving() override {
        for (auto& side : sides_) side.worker.reset(), side.store.reset();
        watcher_.reset();
    }

    Scene fresh(MakeScene make) {
        job_ = fmt::format("job {}", ++jobs_);
        Scene scene = make(repository(), job_);
        if (!sides_serve_) return scene;
        for (auto& side : sides_)
            side.store->enlist(*side.worker, {.slots = 5, .draining = false, .jobs = {{job_, "hash of " + job_}}});
        return scene;
    }
    // Whoever claims passes over what somebody else holds at that instant, and looks again.
    void claim_what_was_passed_over() {
        if (sides_serve_) std::ignore = sides_[0].store->claim_waiting(*sides_[0].worker, 5, "again");
    }
    Outcome with_picture(Outcome outcome) {
        claim_what_was_passed_over();
        outcome.picture = picture_of(repository(), job_);
        for (std::size_t at = 0; (at = outcome.picture.find(job_)) != std::string::npos;)
            outcome.picture.replace(at, job_.size(), "it");
        return outcome;
    }
    Outcome one_after_the_other(MakeScene make, const std::array<const Verb*, 2>& verbs, int first) {
        const Scene scene = fresh(make);
        Outcome outcome;
        for (const int i : {first, 1 - first})
            outcome.answers[i] = verbs[i]->run(*sides_[i].store, *sides_[i].worker, scene);
        return with_picture(outcome);
    }
    // `changes`: after how many statements of the one whose turn it is the other one gets it. Answers how many
    // statements were made before the last change, fewer than asked for if a verb ended before.
    Outcome at_once(MakeScene make, const std::array<const Verb*, 2>& verbs, int first, const std::vector<int>& changes,
                    bool& all_used) {
        const Scene scene = fresh(make);
        Outcome outcome;
        {
            Turns::Game game(*turns_);
            std::array<std::jthread, 2> players;
            for (const int i : {0, 1})
                players[i] = std::jthread([&, i] {
                    const Turns::Seat seat(*turns_, i);
                    outcome.answers[i] = verbs[i]->run(*sides_[i].store, *sides_[i].worker, scene);
                });
            all_used = turns_->play(first, changes);
        }
        return with_picture(outcome);
    }
    void try_all(MakeScene make, const Verb& one, const Verb& other) {
        const std::array<const Verb*, 2> verbs{&one, &other};
        const std::array<Outcome, 2> legal{one_after_the_other(make, verbs, 0), one_after_the_other(make, verbs, 1)};
        for (const int first : {0, 1}) try_orders(make, verbs, legal, first, {});
    }
    void try_orders(MakeScene make, const std::array<const Verb*, 2>& verbs, const std::array<Outcome, 2>& legal,
                    int first, std::vector<int> changes) {
        if (changes.size() == switches()) return;
        changes.push_back(0);
        for (bool all_used = true; all_used;) {
            ++changes.back();
            SCOPED_TRACE(fmt::format("{} and {}, {} first, turns change after {}", verbs[0]->name, verbs[1]->name,
                                     verbs[first]->name, fmt::join(changes, ", ")));
            const Outcome found = at_once(make, verbs, first, changes, all_used);
            if (!all_used) return;
            const bool is_legal = found == legal[0] || found == legal[1];
            if (!is_broken_) {
                EXPECT_THAT(found, ::testing::AnyOf(legal[0], legal[1]));
            }
            if (!is_legal) ++illegal_;
            ++tried_;
            try_orders(make, verbs, legal, first, changes);
        }
    }
    // How often one execution was claimed by two workers at once, which began to while its row was locked, and ended
    // their statements or waited for it before that was over.
    std::size_t claimed_behind_a_lock() {
        sides_serve_ = true;
        fresh(waiting_scene);
        const auto holder = raw();
        holder->begin();
        holder->execute("SELECT 1 FROM job_execution WHERE job_name = $1 FOR UPDATE", {std::string_view(job_)});
        std::array<std::future<std::size_t>, 2> claims;
        for (std::size_t i = 0; i < claims.size(); ++i)
            claims[i] = std::async(std::launch::async, [&side = sides_[i]] {
                return side.store->claim_waiting(*side.worker, 5, "a worker").size();
            });
        const auto settled = [&] {
            const auto waiting = watcher_->execute(
                "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = "
                "'Lock'");
            std::int64_t ended = 0;
            for (const auto& claim : claims)
                ended += claim.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
            return waiting[0][0].integer() + ended >= 2;
        };
        while (!settled()) std::this_thread::yield();
        holder->rollback();
        return claims[0].get() + claims[1].get();
    }
    static std::size_t switches() {
        const char* wanted = std::getenv("FERMATA_SWITCHES");
        return wanted == nullptr ? 1 : std::stoul(wanted);
    }

    struct Side {
        std::unique_ptr<Repository> store;
        std::unique_ptr<Worker> worker;
    };
    Texts texts_;
    bool is_broken_ = false;
    bool sides_serve_ = false;  ///< the job of the scene
    std::unique_ptr<sql::Connection> watcher_;
    std::unique_ptr<Turns> turns_;
    std::array<Side, 2> sides_;
    std::string job_;
    int jobs_ = 0;
    int tried_ = 0;
    int illegal_ = 0;
};

const Verb& verb_named(const std::vector<Verb>& verbs, std::string_view name) {
    return *std::ranges::find(verbs, name, &Verb::name);
}

TEST_F(Interleaving, RequestsAboutWhatHasFailed) {
    for (std::size_t i = 0; i < requests().size(); ++i)
        for (std::size_t j = i; j < requests().size(); ++j) try_all(failed_scene, requests()[i], requests()[j]);
    EXPECT_THAT(repository().verify(), IsEmpty());
    EXPECT_GT(tried_, 100);
}

TEST_F(Interleaving, RequestsAboutADeadOwner) {
    for (std::size_t i = 0; i < requests().size(); ++i)
        for (std::size_t j = i; j < requests().size(); ++j) try_all(lost_scene, requests()[i], requests()[j]);
    EXPECT_THAT(repository().verify(), IsEmpty());
    EXPECT_GT(tried_, 100);
}

TEST_F(Interleaving, RequestsAboutWhatIsPaused) {
    for (std::size_t i = 0; i < requests().size(); ++i)
        for (std::size_t j = i; j < requests().size(); ++j) try_all(paused_scene, requests()[i], requests()[j]);
    EXPECT_THAT(repository().verify(), IsEmpty());
    EXPECT_GT(tried_, 100);
}

TEST_F(Interleaving, TheOwnerOfWhatIsPausingAndRequests) {
    for (const Verb& owner : owner_verbs())
        for (const Verb& request : requests()) try_all(pausing_scene, owner, request);
    EXPECT_THAT(repository().verify(), IsEmpty());
    EXPECT_GT(tried_, 100);
}

TEST_F(Interleaving, ALiveOwnerAndRequests) {
    for (const Verb& owner : owner_verbs())
        for (const Verb& request : requests()) try_all(live_scene, owner, request);
    EXPECT_THAT(repository().verify(), IsEmpty());
    EXPECT_GT(tried_, 100);
}

TEST_F(Interleaving, PartitionsBesideEachOtherAndRequests) {
    const std::vector<Verb>& verbs = partition_verbs();
    for (std::size_t i = 1; i < verbs.size(); ++i) try_all(partitioned_scene, verbs[0], verbs[i]);
    for (const Verb& owner : verbs)
        for (const Verb& request : requests()) try_all(partitioned_scene, owner, request);
    EXPECT_THAT(repository().verify(), IsEmpty());
    EXPECT_GT(tried_, 70);
}

// As a zombie's chunk and the end by its new owner: the same rows, of one partition and of one piece of its data.
TEST_F(Interleaving, AChunkOfAPartitionAndItsEndDoNotWaitForEachOther) {
    const auto deadlocks = [&] {
        raw()->execute("SELECT pg_stat_force_next_flush()");
        return raw()
            ->execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")[0][0]
            .integer();
    };
    const std::int64_t before = deadlocks();
    for (const char* chunk : {"commit of a partition", "store_collected"})
        try_all(partitioned_scene, verb_named(partition_verbs(), chunk),
                verb_named(partition_verbs(), "end_partition"));
    EXPECT_EQ(before, deadlocks());
}

TEST_F(Interleaving, PartitionsOfAZombieAndRequests) {
    for (const Verb& zombie : partition_verbs())
        for (const Verb& request : requests()) try_all(lost_partitioned_scene, zombie, request);
    EXPECT_THAT(repository().verify(), IsEmpty());
    EXPECT_GT(tried_, 70);
}

TEST_F(Interleaving, PartitionsForWorkersBesideEachOtherAndRequests) {
    const std::vector<Verb>& verbs = claimed_partition_verbs();
    // What a partition's owner does comes one after the other; so do a worker's claims and its housekeeping.
    constexpr std::size_t claims = 0;
    constexpr std::size_t offers = 6;
    constexpr std::size_t ends_step = 7;
    for (std::size_t i = claims; i <= ends_step; ++i) try_all(shared_scene, verbs[claims], verbs[i]);
    for (std::size_t i = claims + 1; i < offers; ++i) {
        try_all(shared_scene, verbs[offers], verbs[i]);
        try_all(shared_scene, verbs[ends_step], verbs[i]);
    }
    for (const Verb& one : verbs)
        for (const Verb& request : requests()) try_all(shared_scene, one, request);
    EXPECT_GT(tried_, 100);
}

TEST_F(Interleaving, PartitionsForWorkersOfADeadOwnerAndRequests) {
    constexpr std::size_t owner_verbs_begin = 6;  // the dead one does nothing
    for (std::size_t i = 0; i < owner_verbs_begin; ++i)
        for (const Verb& request : requests()) try_all(lost_shared_scene, claimed_partition_verbs()[i], request);
    EXPECT_THAT(repository().verify(), IsEmpty());
    EXPECT_GT(tried_, 100);
}

TEST_F(Interleaving, AZombieAndRequests) {
    for (const Verb& zombie : owner_verbs())
        for (const Verb& request : requests()) try_all(lost_scene, zombie, request);
    EXPECT_THAT(repository().verify(), IsEmpty());
    EXPECT_GT(tried_, 100);
}

// --- workers that serve

TEST_F(Interleaving, AClaimAndRequestsAboutWhatWaitsForAWorker) {
    sides_serve_ = true;
    for (const Verb& claim : worker_verbs()) {
        for (const Verb& other : worker_verbs()) try_all(waiting_scene, claim, other);
        for (const Verb& request : requests())
            if (request.name != "purge") try_all(waiting_scene, claim, request);
    }
    EXPECT_THAT(repository().verify(), IsEmpty());
    EXPECT_GT(tried_, 100);
}

TEST_F(Interleaving, AClaimPassesOverWhatSomebodyHolds) {
    EXPECT_EQ(0U, claimed_behind_a_lock());
    std::size_t claimed = 0;
    for (auto& side : sides_) claimed += side.store->claim_waiting(*side.worker, 5, "ann").size();
    EXPECT_EQ(1U, claimed);
}

TEST_F(Interleaving, AnOwnerThatHandsOnAndAClaim) {
    sides_serve_ = true;
    const Verb& claim = verb_named(worker_verbs(), "claim");
    for (const Verb& owner : owner_verbs()) try_all(pausing_scene, owner, claim);
    for (const Verb& owner : owner_verbs()) try_all(live_scene, owner, claim);
    EXPECT_THAT(repository().verify(), IsEmpty());
    EXPECT_GT(tried_, 50);
}

TEST_F(Interleaving, AClaimOfWhatADeadOwnerLeft) {
    sides_serve_ = true;
    const Verb& claim = verb_named(worker_verbs(), "claim");
    try_all(lost_scene, claim, verb_named(requests(), "release_lost"));
    try_all(lost_scene, claim, verb_named(requests(), "adopt"));
    try_all(lost_pausing_scene, claim, verb_named(requests(), "release_lost"));
    try_all(lost_pausing_scene, claim, verb_named(requests(), "resume for a worker"));
    EXPECT_THAT(repository().verify(), IsEmpty());
    EXPECT_GT(tried_, 20);
}

// --- what all this is worth: protocols that are broken on purpose

class BrokenInterleaving : public Interleaving {
protected:
    BrokenInterleaving() { is_broken_ = true; }
    void expect_noticed() const {
        EXPECT_TRUE(texts_.all_used()) << "there was nothing to change";
        EXPECT_GT(illegal_, 0) << "in " << tried_ << " orders nobody noticed";
    }
};

constexpr const char* locked_execution = "SELECT id FROM job_execution WHERE id = $1 FOR UPDATE";

TEST_F(BrokenInterleaving, ASignalWithoutTheLockOfTheExecution) {
    texts_.change(locked_execution, "SELECT id FROM job_execution WHERE id = $1");
    try_all(live_scene, verb_named(owner_verbs(), "rest_step with a pause"), verb_named(requests(), "signal"));
    expect_noticed();
}

TEST_F(BrokenInterleaving, AReaperThatSkipsWhatIsLocked) {
    texts_.change(locked_execution, std::string(locked_execution) + " SKIP LOCKED");
    for (const Verb& zombie : owner_verbs())
        if (illegal_ == 0) try_all(lost_scene, zombie, verb_named(requests(), "release_lost"));
    for (const Verb& request : requests())
        if (illegal_ == 0) try_all(lost_scene, request, verb_named(requests(), "adopt"));
    expect_noticed();
}

TEST_F(BrokenInterleaving, APartitionThatIsEnteredWithoutTheLockOfTheExecution) {
    texts_.change("'PAUSING') FOR UPDATE) RETURNING", "'PAUSING')) RETURNING");
    try_all(lost_partitioned_scene, verb_named(partition_verbs(), "enter_partition"),
            verb_named(requests(), "fail_lost"));
    expect_noticed();
}

// One statement has no turns: both begin while a third session holds the row.
TEST_F(BrokenInterleaving, AClaimWithoutLocks) {
    texts_.change(" FOR UPDATE OF e SKIP LOCKED", "");
    texts_.change(" AND e.status = 'STARTING' AND COALESCE(e.owner, 0) = 0 RETURNING", " RETURNING");
    EXPECT_EQ(2U, claimed_behind_a_lock());
    EXPECT_TRUE(texts_.all_used()) << "there was nothing to change";
}

}  // namespace
}  // namespace fermata::testing
