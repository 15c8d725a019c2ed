#include "progress.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

namespace fermata {

const std::string_view progress_columns =
    "generation, sequence, read, written, filtered, read_skips, process_skips, write_skips, commits, rollbacks, "
    "reader, writer, side_outputs, skips_used, retries_used, replay_left, user_data, set_exit_status, exhausted, "
    "publishing";

const std::string& later_assignments() {
    static const std::string sql = [] {
        std::string text;
        int number = 0;
        for (const std::string& column : split(progress_columns, ','))
            if (++number > 1) text += fmt::format("{}{} = ${}", number == 2 ? "" : ", ", trim(column), number);
        return text;
    }();
    return sql;
}

const std::string& progress_assignments() {
    static const std::string sql = "generation = $1, " + later_assignments();
    return sql;
}

void append_progress(sql::Params& params, const Progress& p) {
    params.insert(params.end(), {Value(p.generation), Value(p.sequence)});
    append_metrics(params, p.metrics);
    params.insert(params.end(),
                  {bytes_cell(p.reader), bytes_cell(p.writer), bytes_cell(p.side_outputs), Value(p.skips_used),
                   Value(p.retries_used), Value(p.replay_left), bytes_cell(p.user_data), cell(p.exit_status),
                   flag_cell(p.exhausted), flag_cell(p.publishing)});
}

Progress read_progress(RowReader& row) {
    Progress p;
    p.generation = row.integer();
    p.sequence = row.integer();
    p.metrics = row.metrics();
    p.reader = row.optional_text();
    p.writer = row.optional_text();
    p.side_outputs = row.optional_text();
    p.skips_used = row.integer();
    p.retries_used = row.integer();
    p.replay_left = row.integer();
    p.user_data = row.optional_text();
    p.exit_status = row.optional_text();
    p.exhausted = row.flag();
    p.publishing = row.flag();
    return p;
}

}  // namespace fermata
