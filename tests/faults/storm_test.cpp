// F20: ten thousand commands of many operators at once, about the same few executions, while two workers run them. Each
// change of a status is a legal one, each answer is true, nobody wins twice, and each row is there once.
// FERMATA_STORM=n asks for another number, FERMATA_SEED=n for other commands.
#include "commands.hpp"

#include <fermata/drivers/postgres.hpp>
#include <fermata/drivers/sqlite.hpp>
#include <fermata/items/sql.hpp>
#include <fermata/jobxml/jobxml.hpp>
#include <fermata/runtime/worker_service.hpp>
#include <fermata/testing/forwarding.hpp>
#include <fermata/testing/postgres_cluster.hpp>
#include <fermata/testing/temp_folder.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <list>
#include <mutex>
#include <random>
#include <thread>

namespace fermata::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::int64_t rows = 6;
constexpr int operators = 8;
constexpr int most = 10'000;
constexpr std::int64_t at_a_time = 8;  ///< executions that commands are about, the newest ones
constexpr int commands_per_key = 14;   ///< about as many of the keys that are asked for have been used before

constexpr const char* step = R"(
  <step id="{0}"{1}>
    <properties><property name="max-rate" value="500"/></properties>
    <chunk item-count="2">
      <reader ref="rows"><properties>
        <property name="key" value="#{{jobParameters['key']}}"/><property name="step" value="{0}"/>
      </properties></reader>
      <writer ref="sqlWriter"><properties>
        <property name="url" value="#{{jobParameters['sink']}}"/><property name="table" value="item"/>
      </properties></writer>
    </chunk>
    {2}
  </step>)";

std::string job_text() {
    return R"(<job id="storm" xmlns="https://jakarta.ee/xml/ns/jakartaee" xmlns:fer="urn:fermata:job:1" version="2.0">)" +
           fmt::format(fmt::runtime(step), "one", R"( next="two")", R"(<fer:pause on="*" point="p"/>)") +
           fmt::format(fmt::runtime(step), "two", "", "") + "</job>";
}

class Rows {
public:
    using item_type = Record;
    explicit Rows(const ArtifactContext& context)
        : key_(context.properties.require<std::string>("key")),
          step_(context.properties.require<std::string>("step")) {}
    void open(const Checkpoint& from) { last_ = from ? from.integer() : 0; }
    bool read(Record& into) {
        if (last_ == rows) return false;
        const std::span<Value> cells = into.reset(columns_);
        cells[0] = into.arena().copy(key_);
        cells[1] = into.arena().copy(step_);
        cells[2] = Value(++last_);
        return true;
    }
    [[nodiscard]] Checkpoint checkpoint() const { return Checkpoint::of(last_); }

private:
    std::string key_;
    std::string step_;
    std::int64_t last_ = 0;
    ColumnsPtr columns_ = std::make_shared<const Columns>(std::vector<std::string>{"instance", "step", "value"});
};

/// A statement changed on its way to the database, for the tests of this test.
struct Mutant {
    std::string from;
    std::string to;
};

class Mutated final : public ForwardingConnection {
public:
    Mutated(std::unique_ptr<sql::Connection> real, const Mutant& mutant, std::atomic<int>& hits)
        : ForwardingConnection(std::move(real)), mutant_(mutant), hits_(hits) {}
    sql::Result execute(const sql::Command& command) override { return real().execute(changed(command)); }
    std::vector<sql::Result> execute_all(std::span<const sql::Command> commands) override {
        return real().execute_all(changed(commands));
    }
    std::vector<sql::Result> commit(std::span<const sql::Command> last) override {
        return real().commit(changed(last));
    }

private:
    sql::Command changed(sql::Command command) {
        const auto [sent, is_new] = sent_.try_emplace(std::string(command.sql), command.sql);
        if (const std::size_t at = is_new ? sent->second.find(mutant_.from) : std::string::npos;
            at != std::string::npos)
            sent->second.replace(at, mutant_.from.size(), mutant_.to), ++hits_;
        command.sql = sent->second;
        return command;
    }
    std::vector<sql::Command> changed(std::span<const sql::Command> commands) {
        std::vector<sql::Command> all;
        for (const sql::Command& command : commands) all.push_back(changed(command));
        return all;
    }
    const Mutant& mutant_;
    std::atomic<int>& hits_;
    std::map<std::string, std::string> sent_;  ///< the driver's statement cache keeps the texts' addresses
};

/// As a process of its own would have it, but for the address space.
struct Process {
    std::unique_ptr<Repository> store;
    std::unique_ptr<JobOperator> jobs;
    std::unique_ptr<WorkerService> service;
    std::jthread thread;
};

class Storm : public ::testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        if (GetParam() == "postgresql") {
            if (const auto reason = PostgresCluster::missing()) GTEST_SKIP() << *reason;
            server_ = std::make_unique<PostgresDatabase>();
        }
        url_ = server_ ? server_->url() : folder_ / "repository.db";
        add_sqlite_driver(drivers_);
        add_postgres_driver(drivers_);
        add_sql_artifacts(registry_);
        registry_.reader<Rows>("rows");
        std::ignore = Repository(drivers_.open(url_), folder_ / "data", true).uuid();
        look_ = drivers_.open(url_)->connect(sql::OpenMode::read_write);
        watch_statuses(*look_, drivers_.open(url_)->dialect());
        look_->execute_script("CREATE TABLE item (instance TEXT, step TEXT, value BIGINT)");
    }
    void TearDown() override {
        drain_workers();
        look_.reset();
    }
    std::unique_ptr<Repository> open() {
        auto database = drivers_.open(url_);
        if (mutant_)
            database = std::make_unique<ForwardingDatabase>(std::move(database), [this](auto real) {
                return std::make_unique<Mutated>(std::move(real), *mutant_, hits_);
            });
        return std::make_unique<Repository>(std::move(database), folder_ / "data", false);
    }
    void begin_worker(const std::string& name) {
        Process& process = processes_.emplace_back();
        process.store = open();
        process.jobs = std::make_unique<JobOperator>(*process.store, registry_, drivers_, JobOperator::Settings{});
        WorkerService::Settings settings{.name = name, .slots = 8};
        settings.jobs = [this, given = false]() mutable -> std::optional<std::vector<JobDefinition>> {
            if (std::exchange(given, true)) return std::nullopt;
            return std::vector{definition_};
        };
        process.service = std::make_unique<WorkerService>(*process.jobs, std::move(settings));
        process.thread = std::jthread([this, &process, name] {
            try {
                process.service->run();
            } catch (const std::exception& error) {
                add("worker " + name + " left: " + error.what());
            }
        });
    }
    void drain_workers() {
        for (Process& process : processes_) process.service->drain();
        for (Process& process : processes_) process.thread.join();
        processes_.clear();
    }

    Told start(Repository& store, std::int64_t key) {
        const std::string name = "key-" + std::to_string(key);
        const auto answer = store.submit({.definition = {hash_of(definition_), definition_.id, to_json(definition_)},
                                          .instance_key = name,
                                          .parameters = {{"key", name}, {"sink", url_}},
                                          .working_directory = folder_.path().string(),
                                          .actor = "operator"});
        if (const auto* taken = std::get_if<InstanceExists>(&answer))
            return {.verb = "start", .execution = taken->latest.value(), .answer = "conflict"};
        const JobExecutionId made = std::get<JobExecutionId>(answer);
        return {.verb = "start", .execution = made.value(), .answer = "accepted", .made = BatchStatus::starting};
    }
    void know(std::int64_t execution) {
        const std::lock_guard lock(mutex_);
        known_.push_back(execution);
    }
    [[nodiscard]] std::int64_t known(std::int64_t back) {
        const std::lock_guard lock(mutex_);
        return *(known_.end() - 1 - std::min(back, static_cast<std::int64_t>(known_.size()) - 1));
    }

    /// One operator's.
    class Operator {
    public:
        Operator(Storm& storm, int number, std::uint64_t seed, int commands)
            : storm_(storm),
              chance_(seed + static_cast<std::uint64_t>(number)),
              commands_(commands),
              name_(fmt::format("operator {}", number)),
              store_(storm.open()),
              look_(storm.drivers_.open(storm.url_)->connect(sql::OpenMode::read_write)) {}
        void run() {
            for (int i = 0; i < commands_; ++i) try {
                    const Told told = give_one();
                    if (told.restarted_as > 0) storm_.know(told.restarted_as);
                    if (told.made == BatchStatus::starting) storm_.know(told.execution);
                    all_.push_back(told);
                } catch (const std::exception& error) {
                    storm_.add(fmt::format("{}, command {}: {}", name_, i, error.what()));
                }
        }
        [[nodiscard]] const std::vector<Told>& told() const { return all_; }

    private:
        std::int64_t any(std::int64_t count) {
            return static_cast<std::int64_t>(chance_() % static_cast<std::uint64_t>(count));
        }
        Told give_one() {
            const std::int64_t choice = any(24);
            if (choice < 3) return watched(0, [&](JobExecutionId) { return storm_.start(*store_, any(storm_.keys_)); });
            return watched(choose(), [&](JobExecutionId id) {
                if (choice < 7) return pause(*store_, id, name_, any(2) == 0);
                if (choice < 11) return resume(*store_, id, name_);
                if (choice < 14) return send_signal(*store_, id, name_);
                if (choice < 16) return stop(*store_, id, name_, any(4) == 0);
                if (choice < 20) return restart(*store_, id, name_);
                if (choice < 21) return abandon(*store_, id, name_);
                if (choice < 22) return recover(*store_, id, name_);
                return stop_step(*store_, id, name_);
            });
        }
        /// One of the newest, or of those that run.
        std::int64_t choose() {
            const std::int64_t back = any(at_a_time);
            if (any(2) == 0) return storm_.known(back);
            const sql::Result running = look_->execute(
                "SELECT id FROM job_execution WHERE ended IS NULL AND owner IS NOT NULL ORDER BY id LIMIT 8");
            if (running.empty()) return storm_.known(back);
            return running[static_cast<std::size_t>(back) % running.size()][0].integer();
        }
        template <class Give>
        Told watched(std::int64_t execution, Give give) {
            const std::int64_t before = newest_change(*look_, execution);
            Told told = give(JobExecutionId(execution));
            told.before = before;
            told.after = newest_change(*look_, told.execution);
            return told;
        }

        Storm& storm_;
        std::mt19937_64 chance_;
        int commands_;
        std::string name_;
        std::unique_ptr<Repository> store_;
        std::unique_ptr<sql::Connection> look_;
        std::vector<Told> all_;
    };

    std::vector<Told> storm(int commands) {
        keys_ = std::max(commands / commands_per_key, 1);
        for (const char* name : {"alpha", "beta"}) begin_worker(name);
        const auto store = open();
        for (std::int64_t key = 0; key < 4; ++key) know(start(*store, keys_ + key).execution);
        std::list<Operator> all;
        for (int i = 0; i < operators; ++i) all.emplace_back(*this, i, seed(), commands / operators);
        {
            std::vector<std::jthread> threads;
            for (Operator& each : all) threads.emplace_back([&each] { each.run(); });
        }
        std::vector<Told> told;
        for (const Operator& each : all) told.insert(told.end(), each.told().begin(), each.told().end());
        return told;
    }
    /// With the storm over everything comes to its end.
    void settle() {
        const auto store = open();
        const auto until = std::chrono::steady_clock::now() + 60s;
        using enum BatchStatus;
        std::vector<JobExecution> open_ones;
        do {
            open_ones =
                store->find_executions({.statuses = {starting, started, stopping, pausing, paused}, .limit = 1000});
            for (const JobExecution& each : open_ones)
                if (each.status == paused) std::ignore = store->resume(each.id, {.actor = "the last one"});
            std::this_thread::sleep_for(10ms);  // between two looks
        } while (!open_ones.empty() && std::chrono::steady_clock::now() < until);
        if (!open_ones.empty()) add(fmt::format("{} executions never end", open_ones.size()));
    }
    void check(const std::vector<Told>& told) {
        const History history(*look_);
        for (std::string& each : history.illegal()) add(std::move(each));
        for (std::string& each : untrue(told, history)) add(std::move(each));
        for (std::string& each : Repository(drivers_.open(url_), folder_ / "data", false).verify())
            add(std::move(each));
        check_rows();
        changes_ = history.changes();
        executions_ = history.executions();
    }
    /// Each once, as many as the steps say, and all of them where a step has come to its end.
    void check_rows() {
        static const std::string of_step =
            "(SELECT COUNT(*) FROM item r WHERE r.instance = i.instance_key AND r.step = s.step)";
        static const std::string from =
            " FROM step_execution s JOIN job_execution e ON e.id = s.execution_id JOIN job_instance i ON i.id = "
            "e.instance_id ";
        static const std::string wrong[] = {
            "SELECT 'row ' || instance || ' ' || step || ' ' || value || ' is there ' || COUNT(*) || ' times' FROM "
            "item "
            "GROUP BY instance, step, value HAVING COUNT(*) > 1",
            "SELECT 'step ' || s.step || ' of ' || i.instance_key || ' has written ' || SUM(s.written) || ' rows, but "
            "there "
            "are ' || " +
                of_step + from + "GROUP BY i.id, i.instance_key, s.step HAVING SUM(s.written) <> " + of_step,
            "SELECT 'step ' || s.step || ' of ' || i.instance_key || ' is COMPLETED with ' || " + of_step +
                " || ' rows'" + from + "WHERE s.status = 'COMPLETED' AND s.cut_after IS NULL AND " +
                std::to_string(rows) + " <> " + of_step};
        for (const std::string& sql : wrong) {
            const sql::Result found = look_->execute(sql);
            for (std::size_t i = 0; i < found.size(); ++i) add(std::string(found[i][0].text()));
        }
    }

    static std::int64_t asked(const char* variable, std::int64_t otherwise) {
        const char* wanted = std::getenv(variable);
        return wanted == nullptr ? otherwise : std::stoll(wanted);
    }
    static std::uint64_t seed() { return static_cast<std::uint64_t>(asked("FERMATA_SEED", 1)); }
    void add(std::string finding) {
        const std::lock_guard lock(mutex_);
        findings_.push_back(std::move(finding));
    }

    TempFolder folder_;
    std::unique_ptr<PostgresDatabase> server_;
    std::string url_;
    sql::Drivers drivers_;
    Registry registry_;
    const JobDefinition definition_ = parse_job(job_text(), "storm.xml").job.value();
    std::unique_ptr<sql::Connection> look_;
    std::optional<Mutant> mutant_;
    std::atomic<int> hits_ = 0;
    std::list<Process> processes_;
    std::vector<std::int64_t> known_;  ///< executions, as they were made
    std::int64_t keys_ = 1;
    std::size_t changes_ = 0;
    std::size_t executions_ = 0;
    std::mutex mutex_;
    std::vector<std::string> findings_;
};

/// What has to come up, or the storm was none.
const std::vector<std::string>& expected_answers() {
    static const std::vector<std::string> all{
        "start accepted",  "start conflict",   "pause requested", "pause paused",     "pause conflict",
        "resume released", "resume withdrawn", "resume conflict", "signal applied",   "signal buffered",
        "stop requested",  "stop stopped",     "stop conflict",   "restart accepted", "restart conflict",
        "signal finished", "abandon conflict", "pause already",   "abandon abandoned"};
    return all;
}

TEST_P(Storm, ManyOperators) {
    const int commands = static_cast<int>(asked("FERMATA_STORM", most));
    const std::vector<Told> told = storm(commands);
    settle();
    drain_workers();
    check(told);
    std::map<std::string, int> answers;
    for (const Told& each : told) ++answers[each.verb + " " + each.answer];
    EXPECT_THAT(findings_, IsEmpty());
    EXPECT_EQ(commands / operators * operators, std::ssize(told));
    if (commands >= most) {
        for (const std::string& each : expected_answers()) EXPECT_GT(answers[each], 0) << each;
    }
    EXPECT_EQ(0, answers["recover released"]) << "nobody died";
    std::cout << fmt::format(
        "{} commands of {} operators attempted, {} held, seed {}; {} executions, {} changes of statuses\n", told.size(),
        operators, told.size() - std::min(told.size(), findings_.size()), seed(), executions_, changes_);
    for (const auto& [answer, count] : answers) std::cout << answer << ": " << count << '\n';
}
INSTANTIATE_TEST_SUITE_P(Engines, Storm, ::testing::Values("sqlite", "postgresql"),
                         [](const auto& test) { return test.param; });

// Tests of this test: what is broken on purpose is found.
class BrokenStorm : public Storm {
protected:
    void expect(const std::string& finding, Mutant mutant) {
        look_->execute_script(server_ ? "DROP TRIGGER job_execution_transition ON job_execution"
                                      : "DROP TRIGGER job_execution_transition");
        mutant_ = std::move(mutant);
        const std::vector<Told> told = storm(1'000);
        drain_workers();
        check(told);
        EXPECT_GT(hits_, 0) << "there was nothing to break";
        EXPECT_THAT(findings_, Contains(HasSubstr(finding)));
    }
};

TEST_P(BrokenStorm, AStopThatAsksForNoStatus) {
    expect(
        "which no table allows",
        {.from = " AND (status IN ('STARTED', 'PAUSING') OR (status = 'STARTING' AND owner IS NOT NULL))", .to = ""});
}

TEST_P(BrokenStorm, AnAbandonThatChangesNothing) {
    expect("nothing was changed, in that time",
           {.from = "SET status = 'ABANDONED', updated", .to = "SET status = status, updated"});
}

INSTANTIATE_TEST_SUITE_P(Engines, BrokenStorm, ::testing::Values("sqlite", "postgresql"),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace fermata::testing
