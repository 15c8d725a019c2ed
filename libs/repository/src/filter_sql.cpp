#include "filter_sql.hpp"

#include "rows.hpp"

#include <fmt/format.h>

#include <limits>
#include <set>

namespace fermata {

FilterSql::FilterSql(const ExecutionFilter& filter) {
    constexpr std::int64_t all = std::numeric_limits<std::int64_t>::max();
    const std::string id = add_parameters(filter.parameters);
    add_instances(filter);
    where(fmt::format("{} < {}", id, param(Value(filter.before ? filter.before->value() : all))));
    if (filter.job_name) where("e.job_name = " + param(cell(*filter.job_name)));
    if (filter.instance) where("e.instance_id = " + param(Value(filter.instance->value())));
    if (filter.instance_key) where("i.instance_key = " + param(cell(*filter.instance_key)));
    if (filter.since) where("e.created >= " + param(cell(*filter.since)));
    if (filter.until) where("e.created <= " + param(cell(*filter.until)));
    // The limit is a number of ours; as a parameter it would have PostgreSQL make a new plan each time.
    const auto newest = [&](const std::string& more) {
        return fmt::format("FROM {} WHERE {}{} ORDER BY {} DESC LIMIT {}", from_, where_, more, id, filter.limit);
    };
    const std::vector<std::string> statuses = conditions(filter.statuses);
    if (statuses.size() < 2) {
        text_ = newest(statuses.empty() ? "" : statuses.front());
        return;
    }
    std::string each;
    for (const std::string& condition : statuses)
        each += fmt::format("{}SELECT * FROM (SELECT e.id AS id {}) those", each.empty() ? "" : " UNION ALL ",
                            newest(condition));
    text_ = fmt::format("FROM ({}) e ORDER BY e.id DESC LIMIT {}", each, filter.limit);
}

std::string FilterSql::param(Value value) {
    params_.push_back(value);
    return fmt::format("${}", params_.size());
}

void FilterSql::where(const std::string& condition) {
    if (!where_.empty()) where_ += " AND ";
    where_ += condition;
}

// Read from the first parameter's index, which is in the order of the ids: CROSS JOIN keeps SQLite from starting
// elsewhere. NOT … <> because SQLite would put a value it knows by `=` into substr() and no longer see the index.
std::string FilterSql::add_parameters(const Parameters& parameters) {
    int number = 0;
    for (const auto& [name, value] : parameters) {
        const std::string alias = fmt::format("p{}", number);
        const std::string wanted = param(cell(value));
        from_ += fmt::format("job_parameter {} CROSS JOIN ", alias);
        where(fmt::format("{0}.name = {1} AND substr({0}.value, 1, 200) = substr({2}, 1, 200) AND NOT {0}.value <> {2}",
                          alias, param(cell(name)), wanted));
        if (number++ > 0) where(fmt::format("{}.execution_id = p0.execution_id", alias));
    }
    if (!parameters.empty()) where("e.id = p0.execution_id");
    return parameters.empty() ? "e.id" : "p0.execution_id";
}

// A key has few executions: found first, though they are to be sorted then.
void FilterSql::add_instances(const ExecutionFilter& filter) {
    if (!filter.instance_key) {
        from_ += "job_execution e";
    } else if (filter.parameters.empty()) {
        from_ += "job_instance i CROSS JOIN job_execution e";
        where("e.instance_id = i.id");
    } else {
        from_ += "job_execution e JOIN job_instance i ON i.id = e.instance_id";
    }
}

// They say whether it has ended, as the indexes do. Final statuses are many rows each, found one by one in order; what
// has not ended is little.
std::vector<std::string> FilterSql::conditions(const std::vector<BatchStatus>& statuses) {
    std::vector<std::string> all;
    std::string unfinished;
    for (const BatchStatus status : std::set(statuses.begin(), statuses.end())) {
        if (has_ended(status))
            all.push_back(fmt::format(" AND e.status = '{}' AND e.ended IS NOT NULL", to_string(status)));
        else
            unfinished += fmt::format("{}'{}'", unfinished.empty() ? "" : ", ", to_string(status));
    }
    if (!unfinished.empty()) all.push_back(fmt::format(" AND e.status IN ({}) AND e.ended IS NULL", unfinished));
    return all;
}

}  // namespace fermata
