// Chunks that follow each other on one lane: of these a server gets only what changes, if nobody has asked anything.
// Whatever is done between two of them, the next one comes to the same as if everything were sent.
#include <fermata/testing/breaking.hpp>
#include <fermata/testing/repository_suite.hpp>
#include <fermata/testing/thrown_by.hpp>

#include <gmock/gmock.h>

#include <functional>

namespace fermata::testing {
namespace {

using ::testing::IsEmpty;

struct Lanes : RepositorySuite {
    ~Lanes() override { EXPECT_THAT(repository().verify(), IsEmpty()); }

    StepEntry enter() { return repository().enter_step(launch(), "load", StepEntryMode::start); }
    static Progress one_more(Progress progress) {
        ++progress.sequence;
        ++progress.metrics.commits;
        progress.metrics.read += 10;
        progress.metrics.written += 10;
        progress.reader = std::to_string(progress.metrics.read);
        return progress;
    }
    [[nodiscard]] Progress saved(const StepEntry& entry) {
        return repository().steps_of_instance(entry.claim.execution.instance).at("load").progress;
    }
    [[nodiscard]] std::string cell_of(const std::string& column) {
        const sql::Result found = raw()->execute("SELECT COALESCE(" + column + ", 'none') FROM step_progress");
        return std::string(found[0][0].text());
    }
    [[nodiscard]] bool on_a_server() { return repository().database().dialect().concurrent_writers; }
};

TEST_F(Lanes, WhateverAChunkChangesIsSaved) {
    const StepEntry entry = enter();
    Repository::Lane lane = repository().lane();
    Progress next = entry.state.progress;
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
        next = one_more(next);
        change(next);
        repository().unit(lane).commit(entry.claim, next);
        EXPECT_EQ(next, saved(entry));
    }
    next = one_more(next);
    next.pause = "asked";
    repository().unit(lane).commit(entry.claim, next);
    EXPECT_EQ("asked", cell_of("pause_request"));
    next = one_more(next);
    next.pause.reset();
    repository().unit(lane).commit(entry.claim, next);
    EXPECT_EQ("none", cell_of("pause_request"));
}

TEST_F(Lanes, OnAServerAChunkThatGoesOnIsOneStatement) {
    if (!on_a_server()) GTEST_SKIP() << "a file is locked, written and let go by three";
    const StepEntry entry = enter();
    Progress next = entry.state.progress;
    const auto cost_of = [&](int chunks) {
        const std::int64_t before = repository().statement_count();
        {
            Repository::Lane lane = repository().lane();
            for (int i = 0; i < chunks; ++i) {
                next = one_more(next);
                repository().unit(lane).commit(entry.claim, next);
            }
        }
        return repository().statement_count() - before;  // of a lane that was given up
    };
    EXPECT_EQ(2, cost_of(1)) << "all of it, and the question what is asked";
    EXPECT_EQ(2 + 9, cost_of(10));
}

TEST_F(Lanes, WhatIsAskedBetweenTwoChunksIsToldByTheSecond) {
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
        const StepEntry entry = enter();
        Repository::Lane lane = repository().lane();
        Progress next = entry.state.progress;
        const auto chunk = [&] {
            next = one_more(next);
            return repository().unit(lane).commit(entry.claim, next);
        };
        EXPECT_FALSE(request.is_told(chunk()));
        EXPECT_FALSE(request.is_told(chunk()));
        request.ask(*open(), entry.claim.execution);
        EXPECT_TRUE(request.is_told(chunk()));
        EXPECT_TRUE(request.is_told(chunk())) << "and by each that follows";
        EXPECT_EQ(next, saved(entry));
    }
}

TEST_F(Lanes, WhoWasOvertakenBetweenTwoChunksIsFenced) {
    const StepEntry entry = enter();
    Repository::Lane lane = repository().lane();
    Progress next = one_more(entry.state.progress);
    repository().unit(lane).commit(entry.claim, next);
    next = one_more(next);
    repository().unit(lane).commit(entry.claim, next);
    raw()->execute("UPDATE step_progress SET epoch = epoch + 1");
    const auto chunk = [&](const Progress& progress) { repository().unit(lane).commit(entry.claim, progress); };
    EXPECT_EQ(ErrorKind::stale, thrown_by<Error>([&] { chunk(one_more(next)); }).kind());
    EXPECT_EQ(ErrorKind::stale, thrown_by<Error>([&] { chunk(one_more(next)); }).kind());
    EXPECT_EQ(next, saved(entry));
}

TEST_F(Lanes, AChunkThatArrivesASecondTimeIsRefused) {
    const StepEntry entry = enter();
    Repository::Lane lane = repository().lane();
    Progress next = one_more(entry.state.progress);
    repository().unit(lane).commit(entry.claim, next);
    const auto again = [&] { repository().unit(lane).commit(entry.claim, next); };
    EXPECT_EQ(ErrorKind::stale, thrown_by<Error>(again).kind());
    next = one_more(next);
    again();
    EXPECT_EQ(ErrorKind::stale, thrown_by<Error>(again).kind());
    EXPECT_EQ(next, saved(entry));
}

TEST_F(Lanes, WhatWasWrittenBetweenTwoChunksOtherwiseIsOverwritten) {
    const StepEntry entry = enter();
    Repository::Lane lane = repository().lane();
    Progress next = one_more(entry.state.progress);
    repository().unit(lane).commit(entry.claim, next);
    repository().set_intent(entry.claim, "item 7");
    next = one_more(next);
    repository().unit(lane).commit(entry.claim, next);
    EXPECT_EQ("none", cell_of("intent"));
    Progress other = next;
    other.replay_left = 5;
    repository().save_progress(entry.claim, other);
    next = one_more(next);
    repository().unit(lane).commit(entry.claim, next);
    EXPECT_EQ(next, saved(entry));
}

TEST_F(Lanes, AChunkWhoseConnectionIsLostIsCommittedOnceOrNotAtAll) {
    const StepEntry entry = enter();
    Break broken;
    Repository losing(breaking(database_in(folder_), broken), folder_ / "data", false, clock_);
    Repository::Lane lane = losing.lane();
    Progress next = entry.state.progress;
    for (const auto how : {Break::How::instead, Break::How::after}) {
        for (int i = 0; i < 2; ++i) {
            next = one_more(next);
            losing.unit(lane).commit(entry.claim, next);
        }
        next = one_more(next);
        broken = {1, how};
        bool lost = false;
        try {
            losing.unit(lane).commit(entry.claim, next);
        } catch (const sql::SqlError& error) {
            EXPECT_EQ(sql::SqlError::Kind::lost, error.sql_kind());
            lost = true;
        }
        EXPECT_EQ(0, broken.left);
        broken = {};
        EXPECT_EQ(lost, saved(entry) != next);
        if (lost) losing.unit(lane).commit(entry.claim, next);
        EXPECT_EQ(next, saved(entry));
    }
}

}  // namespace
}  // namespace fermata::testing
