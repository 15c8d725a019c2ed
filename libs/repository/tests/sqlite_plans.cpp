// SQLite's own plans.
#include "plans.hpp"

#include <fermata/testing/repository_suite.hpp>

#include <gmock/gmock.h>
#include <algorithm>

namespace fermata::testing {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

// A null for each of $1, $2, … in the text.
sql::Params nulls_for(const std::string& text) {
    std::size_t count = 0;
    for (std::size_t at = text.find('$'); at != std::string::npos; at = text.find('$', at + 1))
        count = std::max<std::size_t>(count, std::stoul(text.substr(at + 1)));
    return sql::Params(count);
}

std::vector<std::string> plan_of(sql::Connection& connection, const std::string& text) {
    const sql::Result plan = connection.execute("EXPLAIN QUERY PLAN " + text, nulls_for(text));
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < plan.size(); ++i) lines.emplace_back(plan[i][3].text());
    return lines;
}

// One row, the names that job_names() has found so far, the numbers of a plan's partitions, the executions of a list,
// or an index of what a query is for and nothing else.
bool reads_a_whole_table(const std::string& line) {
    if (line == "SCAN p USING INDEX pause_untold") return false;
    return line.starts_with("SCAN ") && line != "SCAN schema_version" && line != "SCAN names" &&
           line != "SCAN numbers" && line != "SCAN those" && line.find("CONSTANT ROW") == std::string::npos;
}

class SqlitePlans : public RepositorySuite {
protected:
    /// What a list asks.
    Texts asked(const ExecutionFilter& filter) {
        Texts texts;
        repository();
        Repository store(listened_to(database_in(folder_), texts), folder_ / "data", false, clock_);
        std::ignore = store.find_executions(filter);
        return texts;
    }
    /// Of these the one for the executions themselves.
    std::string query_of(const ExecutionFilter& filter) {
        for (const std::string& text : asked(filter))
            if (text.starts_with("SELECT e.id, e.instance_id")) return text;
        ADD_FAILURE() << "no query for executions";
        return {};
    }
};

TEST_F(SqlitePlans, AFilterStartsFromTheNarrowestIndexAndNeedsNoSorting) {
    const Parameters parameters{{"file", "vendors.csv"}, {"day", "2026-11-22"}};
    const std::pair<ExecutionFilter, std::string> cases[] = {
        {{}, "SEARCH e USING INTEGER PRIMARY KEY (rowid<?)"},
        {{.statuses = {BatchStatus::failed}}, "SEARCH e USING INDEX job_execution_status (status=? AND id<?)"},
        {{.statuses = {BatchStatus::paused}}, "SEARCH e USING INDEX job_execution_unfinished (id<?)"},
        {{.job_name = "import"}, "SEARCH e USING COVERING INDEX job_execution_job (job_name=? AND id<?)"},
        {{.statuses = {BatchStatus::failed}, .job_name = "import"},
         "SEARCH e USING INDEX job_execution_job_status (job_name=? AND status=? AND id<?)"},
        {{.instance = JobInstanceId(1)},
         "SEARCH e USING COVERING INDEX job_execution_instance (instance_id=? AND id<?)"},
        {{.statuses = {BatchStatus::failed}, .job_name = "import", .parameters = parameters},
         "SEARCH p0 USING INDEX job_parameter_value (name=? AND <expr>=? AND execution_id<?)"}};
    for (const auto& [filter, index] : cases) {
        const std::string query = query_of(filter);
        const std::vector<std::string> plan = plan_of(*raw(), query);
        EXPECT_THAT(plan, Contains(index)) << query;
        EXPECT_THAT(plan, Each(Not(HasSubstr("TEMP B-TREE")))) << query;
    }
}

TEST_F(SqlitePlans, OfSeveralStatusesEachIsFoundInItsIndex) {
    const std::string query =
        query_of({.statuses = {BatchStatus::failed, BatchStatus::paused, BatchStatus::completed}});
    const std::vector<std::string> plan = plan_of(*raw(), query);
    EXPECT_EQ(2, std::ranges::count(plan, "SEARCH e USING INDEX job_execution_status (status=? AND id<?)")) << query;
    EXPECT_THAT(plan, Contains("SEARCH e USING INDEX job_execution_unfinished (id<?)")) << query;
}

TEST_F(SqlitePlans, AKeyIsFoundWithoutTheNameOfItsJob) {
    Texts texts = asked({.instance_key = "2026-11-22"});
    std::erase_if(texts, [](const std::string& text) { return text.find("i.instance_key = ") == std::string::npos; });
    ASSERT_FALSE(texts.empty());
    for (const std::string& text : texts)
        EXPECT_THAT(plan_of(*raw(), text),
                    Contains("SEARCH i USING COVERING INDEX job_instance_by_key (instance_key=?)"))
            << text;
}

}  // namespace

std::vector<std::string> scans_in(sql::Connection& connection, const std::string& text) {
    std::vector<std::string> lines = plan_of(connection, text);
    std::erase_if(lines, [](const std::string& line) { return !reads_a_whole_table(line); });
    return lines;
}

}  // namespace fermata::testing
