#include "lone_chunk.hpp"

#include "saves.hpp"

#include <fermata/base/point.hpp>

namespace fermata {
namespace {

/// Changing no row, it has changed nothing.
bool save_change(sql::Connection& connection, const sql::Command& change) {
    FERMATA_POINT("chunk.before-commit");
    const bool changed = connection.execute(change).changed == 1;
    FERMATA_POINT("chunk.after-commit");
    return changed;
}

}  // namespace

Requests LoneChunk::save(sql::Connection& connection, KnownRow* row, std::int64_t writes) {
    if (row == nullptr) return save_all(connection).requests;
    const auto change = row->change_unasked_to(claim_, next_, now_, writes);
    row->forget();
    row->note(claim_, next_, change && save_change(connection, *change) ? row->asked() : save_all(connection), writes);
    return row->asked().requests;
}

/// And the question what is asked.
Asked LoneChunk::save_all(sql::Connection& connection) {
    sql::Command both[] = {save_chunk(claim_, next_, now_), ask_anew(claim_.execution, dialect_)};
    both[0].rows.reset();
    FERMATA_POINT("chunk.before-commit");
    const std::vector<sql::Result> results = connection.execute_all(both);
    FERMATA_POINT("chunk.after-commit");
    if (results.front().changed != 1) throw sql::RowCountError("the step is another owner's by now");
    return asked_in(results.back(), dialect_);
}

}  // namespace fermata
