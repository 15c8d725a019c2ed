#pragma once
// `:name` in SQL stands for the job parameter of that name, bound, never pasted. Quoted text (PostgreSQL's E'…' and
// $$…$$ too), quoted identifiers, comments and `::` casts are left alone.
#include <fermata/batch/properties.hpp>
#include <fermata/model/expression.hpp>
#include <fermata/sql/sql.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace fermata {

struct BoundSql {
    std::string sql;                  ///< with $1…$n
    std::vector<std::string> values;  ///< of $1…$n
    /// Borrows from `values`.
    [[nodiscard]] sql::Params params() const { return {values.begin(), values.end()}; }
};

/// Each name once, in the order of their first use.
[[nodiscard]] std::vector<std::string> names_in(std::string_view sql);
/// For artifacts whose property "sql" binds names.
[[nodiscard]] std::vector<std::string> names_in_sql(const Properties& properties);
/// A name used twice is one parameter. Throws Error(invalid) for a name that is no parameter of the job.
[[nodiscard]] BoundSql bind_names(std::string_view sql, const Parameters& parameters);
/// In capitals, outside of quotes and comments.
[[nodiscard]] std::vector<std::string> words_of(std::string_view statement);
/// At the semicolons outside of quotes and comments; empty statements are left out.
[[nodiscard]] std::vector<std::string_view> split_statements(std::string_view script);

}  // namespace fermata
