#pragma once
// An ExecutionFilter as SQL.
#include <fermata/repository/repository.hpp>

#include <string>

namespace fermata {

/// FROM to LIMIT of a query for executions (e) and nothing else, newest first. Every form of it starts from an index: a
/// parameter's, else the instance's, job's or status's, else the id itself, from `before` downwards, and finds them in
/// order; what belongs to them is to be joined to these few. Of several statuses each is found so, and the
/// newest of all are taken. Borrows the filter's texts.
class FilterSql {
public:
    explicit FilterSql(const ExecutionFilter& filter);
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] const sql::Params& params() const noexcept { return params_; }

private:
    std::string param(Value value);
    void where(const std::string& condition);
    /// The alias and column that order the rows.
    std::string add_parameters(const Parameters& parameters);
    void add_instances(const ExecutionFilter& filter);
    /// Of the statuses of a filter, one condition for each part of an index that may serve.
    static std::vector<std::string> conditions(const std::vector<BatchStatus>& statuses);

    sql::Params params_;
    std::string from_;
    std::string where_;
    std::string text_;
};

}  // namespace fermata
