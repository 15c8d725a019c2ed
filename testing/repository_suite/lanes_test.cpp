// Chunks that follow each other on one lane: of these a server gets only what changes.
// Whatever is done between two of them, the next one comes to the same as if everything were sent.
#include <fermata/testing/breaking.hpp>
#include <fermata/testing/repository_suite.hpp>
#include <fermata/testing/scenes.hpp>
#include <fermata/testing/thrown_by.hpp>

#include <gmock/gmock.h>

#include <functional>

namespace fermata::testing {
namespace {

using ::testing::IsEmpty;

/// What a chunk has in its transaction beside its progress: nothing; something that was done before; rows of a writer
/// that an engine may send together with it.
enum class Rows : std::uint8_t { none, some, together };

/// A step and the lane of its chunks.
struct Going {
    Going(Repository& its_repository, const StepEntry& entry, Rows its_rows = Rows::none)
        : repository(its_repository),
          claim(entry.claim),
          lane(its_repository.lane()),
          next(entry.state.progress),
          rows(its_rows) {}
    Repository& repository;
    StepClaim claim;
    Repository::Lane lane;
    Progress next;
    Rows rows;

    Requests commit() {
        Repository::Unit unit = repository.unit(lane);
        if (rows == Rows::some) unit.connection().execute("SELECT 1");
        if (rows == Rows::together) write(unit.connection());
        return unit.commit(claim, next);
    }
    static void write(sql::Connection& connection) {
        const Value cells[] = {Value(1)};
        const auto place = [](std::size_t) { return sql::BulkTarget::Place{}; };
        connection.bulk({.table = "written", .columns = {"n"}, .place_of = place})->write(1, cells);
    }
    Requests chunk() {
        next = after_one_more_chunk(next);
        return commit();
    }
};

struct Lanes : RepositorySuite, ::testing::WithParamInterface<Rows> {
    ~Lanes() override { EXPECT_THAT(repository().verify(), IsEmpty()); }

    Going going() { return {repository(), enter(), GetParam()}; }
    StepEntry enter() {
        raw()->execute("CREATE TABLE IF NOT EXISTS written (n BIGINT)");
        return repository().enter_step(launch(), "load", StepEntryMode::start);
    }
    [[nodiscard]] Progress saved(const Going& going) {
        return repository().steps_of_instance(going.claim.execution.instance).at("load").progress;
    }
    [[nodiscard]] std::string cell_of(const std::string& column) {
        const sql::Result found = raw()->execute("SELECT COALESCE(" + column + ", 'none') FROM step_progress");
        return std::string(found[0][0].text());
    }
    /// Statements of so many chunks on a lane of their own, with what happens before each; nothing is asked of them.
    std::int64_t cost(const StepClaim& claim, Progress& next, int chunks, const std::function<void(int)>& before_each) {
        const std::int64_t before = repository().statement_count();
        {
            Repository::Lane lane = repository().lane();
            for (int i = 0; i < chunks; ++i) {
                before_each(i);
                next = after_one_more_chunk(next);
                EXPECT_EQ(repository().unit(lane).commit(claim, next).status, BatchStatus::started);
            }
        }
        return repository().statement_count() - before;  // of a lane that was given up
    }
    [[nodiscard]] bool on_a_server() { return repository().database().dialect().concurrent_writers; }
};

INSTANTIATE_TEST_SUITE_P(Chunks, Lanes, ::testing::Values(Rows::none, Rows::some, Rows::together),
                         [](const auto& chunks) {
                             if (chunks.param == Rows::none) return "WithoutRows";
                             return chunks.param == Rows::some ? "WithRows" : "WithRowsTogether";
                         });

TEST_P(Lanes, WhateverAChunkChangesIsSaved) {
    Going going = this->going();
    Progress& next = going.next;
    const std::vector<std::function<void(Progress&)>> changes{
        [](Progress&) {},
        [](Progress&) {},
        [](Progress& p) { ++p.metrics.filtered, --p.metrics.written; },
        [](Progress& p) {
            ++p.metrics.read_skips, ++p.metrics.process_skips, ++p.metrics.write_skips, p.metrics.written -= 2;
        },
        [](Progress& p) { ++p.metrics.rollbacks; },
        [](Progress& p) { p.writer = std::string("w\0r", 3), p.side_outputs = "{}"; },
        [](Progress& p) { p.skips_used = 3, p.retries_used = 4, p.replay_left = 5; },
        [](Progress& p) { p.reader.reset(), p.writer = "", p.replay_left = 0; },
        [](Progress& p) { p.user_data = "u", p.exit_status = "HALF"; },
        [](Progress& p) { p.user_data.reset(), p.exit_status.reset(), p.sequence += 7; },
        [](Progress& p) { p.exhausted = true, p.publishing = true; }};
    for (const auto& change : changes) {
        next = after_one_more_chunk(next);
        change(next);
        going.commit();
        EXPECT_EQ(next, saved(going));
    }
    next.pause = "asked";
    going.chunk();
    EXPECT_EQ("asked", cell_of("pause_request"));
    next.pause.reset();
    going.chunk();
    EXPECT_EQ("none", cell_of("pause_request"));
}

TEST_P(Lanes, OnAServerAChunkSendsWhatChanges) {
    if (!on_a_server()) GTEST_SKIP() << "with a file nothing is gained by that";
    Going going = this->going();
    going.chunk();
    raw()->execute("UPDATE step_progress SET pause_request = 'nobody sends this'");
    going.chunk();
    EXPECT_EQ("nobody sends this", cell_of("pause_request"));
}

TEST_P(Lanes, OnAServerAChunkThatGoesOnIsOneStatement) {
    if (!on_a_server()) GTEST_SKIP() << "a file is locked, written and let go by three";
    if (GetParam() != Rows::none) GTEST_SKIP() << "with rows it is these and two statements";
    const StepEntry entry = enter();
    Progress next = entry.state.progress;
    const auto cost_of = [&](int chunks) { return cost(entry.claim, next, chunks, [](int) {}); };
    EXPECT_EQ(2, cost_of(1)) << "all of it, and the question what is asked";
    EXPECT_EQ(2 + 9, cost_of(10));
}

TEST_P(Lanes, OnAServerTheQuestionIsAskedAnewOnceTheExecutionsRowHasChanged) {
    if (!on_a_server()) GTEST_SKIP() << "with a file it is asked each time";
    if (GetParam() != Rows::none) GTEST_SKIP() << "with rows it is asked each time";
    const StepEntry entry = enter();
    Progress next = entry.state.progress;
    const auto cost_of_four = [&](bool changes) {
        return cost(entry.claim, next, 4, [&](int i) {
            if (changes && i == 2) raw()->execute("UPDATE job_execution SET updated = updated + 1");
        });
    };
    EXPECT_EQ(2 + 3, cost_of_four(false));
    EXPECT_EQ(2 + 1 + (1 + 2) + 1, cost_of_four(true)) << "the third changes nothing, and is sent whole";
    EXPECT_EQ(next, repository().steps_of_instance(entry.claim.execution.instance).at("load").progress);
}

TEST_P(Lanes, WhatIsAskedBetweenTwoChunksIsToldByTheSecond) {
    struct Asked {
        std::function<void(Repository&, const Claim&)> ask;
        std::function<bool(const Requests&)> is_told;
    };
    const std::vector<Asked> requests{
        {[](Repository& r, const Claim& c) { r.request_stop(c.execution, {.actor = "bob"}); },
         [](const Requests& found) { return found.status == BatchStatus::stopping && !found.stop_now; }},
        {[](Repository& r, const Claim& c) { r.request_stop(c.execution, {.now = true, .actor = "bob"}); },
         [](const Requests& found) { return found.stop_now; }},
        {[](Repository& r, const Claim& c) { r.request_step_stop(c.execution, {.step = "load", .actor = "bob"}); },
         [](const Requests& found) { return found.cuts == 1 && found.status == BatchStatus::started; }},
        {[](Repository& r, const Claim& c) { r.request_pause(c.execution, {.after_step = true, .actor = "bob"}); },
         [](const Requests& found) { return found.status == BatchStatus::pausing && !found.pause_now; }},
        {[](Repository& r, const Claim& c) { r.request_pause(c.execution, {.actor = "bob"}); },
         [](const Requests& found) { return found.status == BatchStatus::pausing && found.pause_now; }}};
    for (const Asked& request : requests) {
        Going going = this->going();
        EXPECT_FALSE(request.is_told(going.chunk()));
        EXPECT_FALSE(request.is_told(going.chunk()));
        request.ask(*open(), going.claim.execution);
        EXPECT_TRUE(request.is_told(going.chunk()));
        EXPECT_TRUE(request.is_told(going.chunk())) << "and by each that follows";
        EXPECT_EQ(going.next, saved(going));
    }
}

TEST_P(Lanes, WhoWasOvertakenBetweenTwoChunksIsFenced) {
    Going going = this->going();
    going.chunk();
    going.chunk();
    const Progress committed = going.next;
    raw()->execute("UPDATE step_progress SET epoch = epoch + 1");
    EXPECT_EQ(ErrorKind::stale, thrown_by<Error>([&] { going.chunk(); }).kind());
    EXPECT_EQ(ErrorKind::stale, thrown_by<Error>([&] { going.commit(); }).kind());
    EXPECT_EQ(committed, saved(going));
}

TEST_P(Lanes, WhoWasPurgedBetweenTwoChunksIsFenced) {
    Going going = this->going();
    going.chunk();
    going.chunk();
    repository().end_execution(going.claim.execution, {.status = BatchStatus::failed});
    EXPECT_EQ(1, repository().purge({}).instances);
    EXPECT_EQ(ErrorKind::stale, thrown_by<Error>([&] { going.chunk(); }).kind());
    EXPECT_EQ(ErrorKind::stale, thrown_by<Error>([&] { going.commit(); }).kind());
    const std::int64_t kept = raw()->execute("SELECT COUNT(*) FROM written")[0][0].integer();
    EXPECT_EQ(GetParam() == Rows::together ? 2 : 0, kept);
}

TEST_P(Lanes, AChunkThatArrivesASecondTimeIsRefused) {
    Going going = this->going();
    for (int i = 0; i < 2; ++i) {
        going.chunk();
        EXPECT_EQ(ErrorKind::stale, thrown_by<Error>([&] { going.commit(); }).kind());
    }
    EXPECT_EQ(going.next, saved(going));
}

TEST_P(Lanes, WhatWasWrittenBetweenTwoChunksOtherwiseIsOverwritten) {
    Going going = this->going();
    going.chunk();
    repository().set_intent(going.claim, "item 7");
    going.chunk();
    EXPECT_EQ("none", cell_of("intent"));
    Progress other = going.next;
    other.replay_left = 5;
    repository().save_progress(going.claim, other);
    going.chunk();
    EXPECT_EQ(going.next, saved(going));
}

TEST_P(Lanes, AChunkWhoseConnectionIsLostIsCommittedOnceOrNotAtAll) {
    const StepEntry entry = enter();
    Break broken;
    Repository losing(breaking(database_in(folder_), broken), folder_ / "data", false, clock_);
    Going going(losing, entry, GetParam());
    for (const auto how : {Break::How::instead, Break::How::after}) {
        for (int i = 0; i < 2; ++i) going.chunk();
        broken = {1, how};
        bool lost = false;
        try {
            going.chunk();
        } catch (const sql::SqlError& error) {
            EXPECT_EQ(sql::SqlError::Kind::lost, error.sql_kind());
            lost = true;
        }
        EXPECT_EQ(0, broken.left);
        broken = {};
        EXPECT_EQ(lost, saved(going) != going.next);
        if (lost) going.commit();
        EXPECT_EQ(going.next, saved(going));
    }
}

TEST_P(Lanes, OnAServerAQuestionThatIsLostBehindTheCommitIsAskedByTheNextChunk) {
    if (!on_a_server()) GTEST_SKIP() << "with a file it is asked before the commit";
    if (GetParam() == Rows::none) GTEST_SKIP() << "without rows it is asked with the chunk";
    if (GetParam() == Rows::together) GTEST_SKIP() << "as with others";
    const StepEntry entry = enter();
    Break broken;
    Repository losing(breaking(database_in(folder_), broken), folder_ / "data", false, clock_);
    Going going(losing, entry, GetParam());
    for (int i = 0; i < 2; ++i) going.chunk();
    open()->request_pause(entry.claim.execution.execution, {.actor = "bob"});
    broken = {3, Break::How::instead};  // behind the rows and the commit
    EXPECT_EQ(BatchStatus::started, going.chunk().status);
    EXPECT_EQ(0, broken.left);
    EXPECT_EQ(going.next, saved(going));
    EXPECT_EQ(BatchStatus::pausing, going.chunk().status);
    EXPECT_EQ(going.next, saved(going));
}

}  // namespace
}  // namespace fermata::testing
