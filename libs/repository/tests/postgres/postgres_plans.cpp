// PostgreSQL's own plans: with sequential scans priced out, one is left only where no index serves.
#include "../plans.hpp"

#include <algorithm>

namespace fermata::testing {
namespace {

// "PREPARE … (NULL, NULL)": a plan for any value, not for these.
std::string nulls_for(const std::string& text) {
    std::size_t count = 0;
    for (std::size_t at = text.find('$'); at != std::string::npos; at = text.find('$', at + 1))
        count = std::max<std::size_t>(count, std::stoul(text.substr(at + 1)));
    std::string list;
    for (std::size_t i = 0; i < count; ++i) list += list.empty() ? "(NULL" : ", NULL";
    return list.empty() ? list : list + ")";
}

bool reads_a_whole_table(const std::string& line) {
    return line.find("Seq Scan on ") != std::string::npos &&
           line.find("Seq Scan on schema_version") == std::string::npos;
}

}  // namespace

std::vector<std::string> scans_in(sql::Connection& connection, const std::string& text) {
    connection.execute_script("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan;");
    connection.execute_script("PREPARE looked_at AS " + text);
    const sql::Result plan = connection.execute("EXPLAIN EXECUTE looked_at" + nulls_for(text));
    connection.execute_script("DEALLOCATE looked_at");
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < plan.size(); ++i) lines.emplace_back(plan[i][0].text());
    std::erase_if(lines, [](const std::string& line) { return !reads_a_whole_table(line); });
    return lines;
}

}  // namespace fermata::testing
