// Every statement the store executes, except those that mean the whole history, finds its rows by an index: SQLite's
// own plans say so.
#include <fermata/testing/repository_suite.hpp>

#include <gmock/gmock.h>
#include <algorithm>
#include <set>

namespace fermata::testing {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Truly;
using Texts = std::set<std::string>;

class Listening final : public sql::Connection {
public:
    Listening(std::unique_ptr<sql::Connection> real, Texts& texts) : real_(std::move(real)), texts_(texts) {}
    sql::Result execute(const sql::Command& command) override {
        texts_.emplace(command.sql);
        return real_->execute(command);
    }
    std::vector<sql::Result> execute_all(std::span<const sql::Command> commands) override {
        for (const sql::Command& command : commands) texts_.emplace(command.sql);
        return real_->execute_all(commands);
    }
    void execute_script(std::string_view script) override { real_->execute_script(script); }
    void begin() override { real_->begin(); }
    std::vector<sql::Result> commit(std::span<const sql::Command> last) override {
        for (const sql::Command& command : last) texts_.emplace(command.sql);
        return real_->commit(last);
    }
    void rollback() noexcept override { real_->rollback(); }
    bool in_transaction() const noexcept override { return real_->in_transaction(); }
    std::unique_ptr<sql::Cursor> query(std::string sql, sql::Params params) override {
        texts_.emplace(sql);
        return real_->query(std::move(sql), std::move(params));
    }
    std::unique_ptr<sql::BulkWriter> bulk(const sql::BulkTarget& target) override { return real_->bulk(target); }
    std::vector<sql::Column> columns_of(std::string_view table) override { return real_->columns_of(table); }
    std::vector<std::string> tables() override { return real_->tables(); }
    std::string quote(std::string_view identifier) const override { return real_->quote(identifier); }
    void interrupt() noexcept override { real_->interrupt(); }
    std::int64_t statement_count() const noexcept override { return real_->statement_count(); }

private:
    std::unique_ptr<sql::Connection> real_;
    Texts& texts_;
};

class ListeningDatabase final : public sql::Database {
public:
    ListeningDatabase(std::unique_ptr<sql::Database> real, Texts& texts) : real_(std::move(real)), texts_(texts) {}
    std::unique_ptr<sql::Connection> connect(sql::OpenMode mode) override {
        return std::make_unique<Listening>(real_->connect(mode), texts_);
    }
    const sql::Dialect& dialect() const noexcept override { return real_->dialect(); }
    std::string identity() const override { return real_->identity(); }
    std::string display_name() const override { return real_->display_name(); }
    bool exists() const override { return real_->exists(); }
    std::vector<std::string> integrity_check() override { return real_->integrity_check(); }
    void backup_to(const std::string& target) override { real_->backup_to(target); }

private:
    std::unique_ptr<sql::Database> real_;
    Texts& texts_;
};

// A null for each of $1, $2, … in the text.
sql::Params nulls_for(const std::string& text) {
    std::size_t count = 0;
    for (std::size_t at = text.find('$'); at != text.npos; at = text.find('$', at + 1))
        count = std::max<std::size_t>(count, std::stoul(text.substr(at + 1)));
    return sql::Params(count);
}

std::vector<std::string> plan_of(sql::Connection& connection, const std::string& text) {
    const sql::Result plan = connection.execute("EXPLAIN QUERY PLAN " + text, nulls_for(text));
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < plan.size(); ++i) lines.emplace_back(plan[i][3].text());
    return lines;
}

// One row, or the names that job_names() has found so far.
bool reads_a_whole_table(const std::string& line) {
    return line.starts_with("SCAN ") && line != "SCAN schema_version" && line != "SCAN names" &&
           line.find("CONSTANT ROW") == line.npos;
}

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
        const Event note[] = {{.kind = "note"}};
        store.append(one, note);
        std::ignore = store.poll(one);
        std::ignore = store.steps_of_instance(one.instance);
        store.end_step(
            entry.claim,
            {.status = BatchStatus::failed, .progress = {.sequence = 1}, .walk = {1, "load", "ran", "next", "check"}});
        store.record_walk(one, {2, "check", "passed", "finish", ""});
        store.request_stop(one.execution, {});
        store.request_stop(one.execution, {.now = true});
        store.end_execution(one, {.status = BatchStatus::failed});
        const Claim two = std::get<Claim>(store.restart(one.execution, {.definition = request().definition}, own));
        std::ignore = store.enter_step(two, "load", StepEntryMode::again);
        store.end_execution(two, {.status = BatchStatus::stopped});
        store.abandon(two.execution, "ann");
        query(store, one);
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
        Repository store(std::make_unique<ListeningDatabase>(database_in(folder_), texts), folder_ / "data", false,
                         clock_);
        Worker own(folder_ / "data");
        const Claim claim = store.adopt(adopted, own, "ann").value();
        store.enter_step(claim, "load", StepEntryMode::adopt);
        EXPECT_TRUE(store.fail_lost(failed, "ann"));
        use(store);
    }
    ASSERT_GT(texts.size(), 50U);
    const auto connection = raw();
    for (const std::string& text : texts)
        EXPECT_THAT(plan_of(*connection, text), Each(Not(Truly(reads_a_whole_table)))) << text;
}

TEST_F(Plans, AFilterStartsFromTheNarrowestIndexAndNeedsNoSorting) {
    const Parameters parameters{{"file", "vendors.csv"}, {"day", "2026-11-22"}};
    const std::pair<ExecutionFilter, std::string> cases[] = {
        {{}, "SEARCH e USING INTEGER PRIMARY KEY (rowid<?)"},
        {{.statuses = {BatchStatus::failed}}, "SEARCH e USING INDEX job_execution_status (status=? AND id<?)"},
        {{.job_name = "import"}, "SEARCH e USING INDEX job_execution_job (job_name=? AND id<?)"},
        {{.statuses = {BatchStatus::failed}, .job_name = "import"},
         "SEARCH e USING INDEX job_execution_job_status (job_name=? AND status=? AND id<?)"},
        {{.instance = JobInstanceId(1)}, "SEARCH e USING INDEX job_execution_instance (instance_id=? AND id<?)"},
        {{.statuses = {BatchStatus::failed}, .job_name = "import", .parameters = parameters},
         "SEARCH p0 USING INDEX job_parameter_value (name=? AND <expr>=? AND execution_id<?)"}};
    for (const auto& [filter, index] : cases) {
        Texts texts;
        repository();
        Repository store(std::make_unique<ListeningDatabase>(database_in(folder_), texts), folder_ / "data", false,
                         clock_);
        std::ignore = store.find_executions(filter);
        const auto query =
            std::ranges::find_if(texts, [](const std::string& text) { return text.find("LIMIT") != text.npos; });
        ASSERT_NE(texts.end(), query);
        const std::vector<std::string> plan = plan_of(*raw(), *query);
        EXPECT_THAT(plan, Contains(index)) << *query;
        EXPECT_THAT(plan, Each(Not(HasSubstr("TEMP B-TREE")))) << *query;
    }
}

}  // namespace
}  // namespace fermata::testing
