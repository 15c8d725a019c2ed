// The connection to the sink goes away at each of its calls: the chunk is done again, each row is there once.
#include "harness.hpp"

#include <fermata/testing/breaking.hpp>

namespace fermata::test {
namespace {

using testing::Break;

class LostConnection : public Harness {
protected:
    LostConnection() {
        drivers_.add("breaking", [this](const std::string& url) {
            return testing::breaking(drivers_.open("sqlite:" + url.substr(url.find(':') + 1)), break_);
        });
    }
    JobDefinition into(const std::string& url) {
        JobDefinition definition = job(chunk(R"(item-count="3")", 7));
        std::get<ChunkDefinition>(std::get<StepDefinition>(definition.elements[0].what).work)
            .writer.properties.push_back({"url", Template::literal(url), {}});
        return definition;
    }
    // Whether the break was reached.
    bool survives(const JobDefinition& definition, const std::string& database, const Break& planned) {
        SCOPED_TRACE(std::string(planned.how == Break::How::after ? "after" : "at") + " call " +
                     std::to_string(planned.left));
        const std::size_t before = written(database).size();
        break_ = planned;
        const JobExecution execution = run(definition);
        const bool reached = break_.left == 0;
        break_ = {};
        EXPECT_EQ(execution.status, BatchStatus::completed) << (execution.failure ? execution.failure->message : "");
        std::vector<std::int64_t> now = written(database);
        now.erase(now.begin(), now.begin() + static_cast<std::ptrdiff_t>(before));
        EXPECT_EQ(now, numbers(1, 7));
        const Metrics metrics = step(execution.id).metrics;
        EXPECT_EQ(metrics.read, 7);
        EXPECT_EQ(metrics.written, 7);
        EXPECT_LE(metrics.rollbacks, 1);
        return reached;
    }
    Break break_;
};

TEST_F(LostConnection, InASinkOfItsOwn) {
    const JobDefinition definition = into("breaking:" + path("other.db"));
    EXPECT_EQ(run(definition).status, BatchStatus::completed);  // makes the tables
    int reached = 0;
    for (const auto how : {Break::How::instead, Break::How::after})
        for (int n = 1; survives(definition, "other.db", {n, how}); ++n) ++reached;
    EXPECT_GT(reached, 10);
    EXPECT_TRUE(repository_->verify().empty());
}

TEST_F(LostConnection, InTheRepositoryWhichIsTheSink) {
    const JobDefinition definition = job(chunk(R"(item-count="3")", 7));
    EXPECT_EQ(run(definition).status, BatchStatus::completed);
    operator_.reset();
    repository_ =
        std::make_unique<Repository>(drivers_.open("breaking:" + path("repo.db")), folder_ / "repo.db.d", false);
    operator_ = std::make_unique<JobOperator>(*repository_, registry_, drivers_, JobOperator::Settings{});
    int reached = 0;
    for (const auto how : {Break::How::instead, Break::How::after})
        for (int n = 1; survives(definition, "repo.db", {n, how}); ++n) ++reached;
    EXPECT_GT(reached, 30);
    EXPECT_TRUE(repository_->verify().empty());
}

TEST_F(LostConnection, ThatNeverLastsForAChunkFailsTheStep) {
    const JobDefinition definition = into("breaking:" + path("other.db"));
    script().on_write = [&](std::int64_t n) {
        if (n == 5) break_ = {1, Break::How::instead};
    };
    const JobExecution execution = run(definition);
    EXPECT_EQ(execution.status, BatchStatus::failed);
    EXPECT_EQ(execution.failure->message, "the connection is gone");
    EXPECT_EQ(step(execution.id).metrics.rollbacks, 6);
    script().on_write = nullptr;
    EXPECT_EQ(restart(execution.id).status, BatchStatus::completed);
    EXPECT_EQ(written("other.db"), numbers(1, 7));
}

}  // namespace
}  // namespace fermata::test
