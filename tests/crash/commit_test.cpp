// The connection breaks inside the exchange that commits a chunk: at every byte of what is sent, at every byte of the
// answer, and with the request arriving after the client has gone. Whatever is concluded must be true: in the end each
// row stands there once, and the counters of all executions together agree.
#include <fermata/drivers/postgres.hpp>
#include <fermata/drivers/sqlite.hpp>
#include <fermata/items/sql.hpp>
#include <fermata/jobxml/jobxml.hpp>
#include <fermata/runtime/job_operator.hpp>
#include <fermata/testing/postgres_cluster.hpp>
#include <fermata/testing/proxy.hpp>
#include <fermata/testing/temp_folder.hpp>

#include <gmock/gmock.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace fermata::testing {
namespace {

using namespace std::chrono_literals;
using Act = Fault::Act;
using Direction = Fault::Direction;

constexpr std::int64_t rows = 9;
constexpr std::int64_t marked_row = 6;  // the last of the second chunk

/// The last thing the marked row sends: from there on the commit is on its way.
std::string mark(std::int64_t round, std::int64_t row) {
    return "round " + std::to_string(round) + " row " + std::to_string(row) + ".";
}

class Rows {
public:
    using item_type = Record;
    explicit Rows(const ArtifactContext& context) : round_(context.properties.require<std::int64_t>("round")) {}
    void open(const Checkpoint& from) { last_ = from ? from.integer() : 0; }
    bool read(Record& into) {
        if (last_ == rows) return false;
        ++last_;
        const std::span<Value> cells = into.reset(columns_);
        cells[0] = Value(round_);
        cells[1] = Value(last_);
        cells[2] = into.arena().copy(mark(round_, last_));
        return true;
    }
    [[nodiscard]] Checkpoint checkpoint() const { return Checkpoint::of(last_); }

private:
    std::int64_t round_;
    std::int64_t last_ = 0;
    ColumnsPtr columns_ = std::make_shared<const Columns>(std::vector<std::string>{"round", "id", "mark"});
};

constexpr const char* job = R"(<job id="load" xmlns="https://jakarta.ee/xml/ns/jakartaee" version="2.0">
  <step id="rows">
    <chunk item-count="3">
      <reader ref="rows"><properties><property name="round" value="#{jobParameters['round']}"/></properties></reader>
      <writer ref="sqlWriter">
        <properties><property name="url" value="#{jobParameters['sink']}"/><property name="table" value="item"/></properties>
      </writer>
    </chunk>
  </step>
</job>)";

class CommitTest : public ::testing::Test {
protected:
    void SetUp() override {
        if (const auto reason = PostgresCluster::missing()) GTEST_SKIP() << *reason;
        database_ = std::make_unique<PostgresDatabase>();
        proxy_ = std::make_unique<Proxy>(PostgresCluster::shared().socket());
        sink_ = proxy_->url(database_->name());
        add_sqlite_driver(drivers_);
        add_postgres_driver(drivers_);
        add_sql_artifacts(registry_);
        registry_.reader<Rows>("rows");
    }
    void open_repository(const std::string& url) {
        repository_ = std::make_unique<Repository>(drivers_.open(url), folder_ / "data", true);
        operator_ = std::make_unique<JobOperator>(*repository_, registry_, drivers_, JobOperator::Settings{});
        direct_ = drivers_.open(database_->url())->connect(sql::OpenMode::create);
        direct_->execute_script("CREATE TABLE item (round bigint, id bigint, mark text)");
    }
    void TearDown() override {
        if (repository_) {
            EXPECT_THAT(repository_->verify(), ::testing::IsEmpty());
        }
        operator_.reset();
        repository_.reset();
        direct_.reset();
    }

    /// An import with the fault in its second commit; false if the fault lies behind the end of that exchange.
    bool survives(Fault fault) {
        const std::int64_t round = ++rounds_;
        fault.marker = mark(round, marked_row);
        const std::string place = " round " + std::to_string(round) + ": byte " + std::to_string(fault.after);
        proxy_->arm(fault);
        run_to_the_end(round, place);
        proxy_->release();
        const auto end = std::chrono::steady_clock::now() + 60s;
        while (!proxy_->settled() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(1ms);
        EXPECT_TRUE(proxy_->settled()) << place;
        check_rows(round, place);
        const bool fired = proxy_->fired();
        proxy_->disarm();
        return fired;
    }
    /// Whether by itself or by a restart: both are allowed, a wrong end is not.
    void run_to_the_end(std::int64_t round, const std::string& place) {
        const Parameters parameters{{"round", std::to_string(round)}, {"sink", sink_}};
        JobExecution execution = ended(operator_->start(definition_, {.parameters = parameters}));
        for (int tries = 0; execution.status != BatchStatus::completed && tries < 5; ++tries) {
            ASSERT_EQ(BatchStatus::failed, execution.status) << place;
            ++restarts_;
            execution = ended(operator_->restart(execution.id, {.parameters = parameters}));
        }
        ASSERT_EQ(BatchStatus::completed, execution.status) << place;
        EXPECT_EQ(rows, written_by_all(execution.instance_id)) << place;
    }
    std::int64_t written_by_all(JobInstanceId instance) {
        std::int64_t written = 0;
        for (const JobExecution& execution : repository_->find_executions({.instance = instance}))
            for (const StepExecution& step : repository_->steps_of(execution.id)) written += step.metrics.written;
        return written;
    }
    JobExecution ended(JobExecutionId id) {
        const auto execution = operator_->wait(id, 120s);
        if (!execution) throw std::runtime_error("the execution hangs");
        return *execution;
    }
    void check_rows(std::int64_t round, const std::string& place) {
        std::vector<std::int64_t> found;
        const sql::Result answer = direct_->execute("SELECT id FROM item WHERE round = $1 ORDER BY id", {round});
        for (std::size_t i = 0; i < answer.size(); ++i) found.push_back(answer[i][0].integer());
        EXPECT_EQ((std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9}), found) << place;
    }
    /// Every `stride`-th of the first `bytes` in one direction, which are the rest of the exchange and the beginning of
    /// the next; answers how many faults there were.
    int every_byte(Fault fault, std::size_t bytes, std::size_t stride = 1) {
        int faults = 0;
        for (fault.after = 0; fault.after < bytes && !HasFailure() && survives(fault); fault.after += stride) ++faults;
        RecordProperty("faults", faults);
        RecordProperty("restarts", restarts_);
        return faults;
    }

    TempFolder folder_;
    std::unique_ptr<PostgresDatabase> database_;
    std::unique_ptr<Proxy> proxy_;
    std::string sink_;
    sql::Drivers drivers_;
    Registry registry_;
    const JobDefinition definition_ = parse_job(job, "load.xml").job.value();
    std::unique_ptr<sql::Connection> direct_;
    std::unique_ptr<Repository> repository_;
    std::unique_ptr<JobOperator> operator_;
    std::int64_t rounds_ = 0;
    int restarts_ = 0;
};

TEST_F(CommitTest, TheSinkIsCutAtEveryByteOfTheRequest) {
    open_repository(folder_ / "repository.db");
    EXPECT_EQ(320, every_byte({.act = Act::cut, .direction = Direction::to_server}, 320));
}

TEST_F(CommitTest, TheSinkIsCutAtEveryByteOfTheAnswer) {
    open_repository(folder_ / "repository.db");
    EXPECT_EQ(150, every_byte({.act = Act::cut, .direction = Direction::to_client}, 150));
}

TEST_F(CommitTest, TheRequestReachesTheSinkWhileTheClientAsks) {
    open_repository(folder_ / "repository.db");
    EXPECT_EQ(80, every_byte({.act = Act::late, .direction = Direction::to_server, .delay = 5ms}, 320, 4));
}

TEST_F(CommitTest, TheRequestReachesTheSinkWhenAllIsDone) {
    open_repository(folder_ / "repository.db");
    EXPECT_TRUE(survives({.act = Act::late, .direction = Direction::to_server, .after = 0, .delay = 1h}));
}

// Rows and progress in one database: the repository's own connection breaks.
TEST_F(CommitTest, TheRepositoryIsCutAllOverTheRequest) {
    open_repository(sink_);
    EXPECT_EQ(150, every_byte({.act = Act::cut, .direction = Direction::to_server}, 600, 4));
}

TEST_F(CommitTest, TheRepositoryIsCutAtEveryByteOfTheAnswer) {
    open_repository(sink_);
    EXPECT_EQ(100, every_byte({.act = Act::cut, .direction = Direction::to_client}, 100));
}

TEST_F(CommitTest, TheRequestReachesTheRepositoryWhileTheClientAsks) {
    open_repository(sink_);
    EXPECT_EQ(30, every_byte({.act = Act::late, .direction = Direction::to_server, .delay = 5ms}, 600, 20));
}

TEST_F(CommitTest, TheRequestReachesTheRepositoryWhenAllIsDone) {
    open_repository(sink_);
    EXPECT_TRUE(survives({.act = Act::late, .direction = Direction::to_server, .after = 0, .delay = 1h}));
}

}  // namespace
}  // namespace fermata::testing
