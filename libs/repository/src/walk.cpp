// Where the walk of an execution stands: one row for each element that ended, by the flow it stands in, so that the
// flows of a split record theirs at the same time.
#include "walk.hpp"

#include "fence.hpp"
#include "journal.hpp"
#include "pauses.hpp"

#include <fermata/base/text.hpp>

namespace fermata {
namespace {

std::string joined(const std::vector<StepExecutionId>& steps) {
    std::string text;
    for (const StepExecutionId id : steps) text += fmt::format("{}{}", text.empty() ? "" : ",", id.value());
    return text;
}

std::vector<StepExecutionId> parted(const std::string& text) {
    std::vector<StepExecutionId> steps;
    if (text.empty()) return steps;
    for (const std::string& number : split(text, ',')) steps.emplace_back(parse_int64(number).value_or(0));
    return steps;
}

WalkEntry read_entry(std::span<const Value> cells) {
    RowReader row(cells);
    WalkEntry entry;
    entry.scope = row.text();
    entry.number = row.integer();
    entry.step = row.text();
    entry.outcome = row.text();
    entry.status = row.status();
    entry.exit_status = row.optional_text();
    entry.job_exit_status = row.optional_text();
    entry.steps = parted(row.text());
    entry.taken = row.text();
    entry.to = row.text();
    entry.failure = row.failure();
    entry.pause = row.integer();
    return entry;
}

PauseOpened open_pauses(StoreWrite& write, const Claim& claim, const std::string& element,
                        const std::vector<PauseBehind>& pauses) {
    PauseOpened all;
    for (const PauseBehind& pause : pauses) {
        const std::string_view by = pause.opened_by.empty() ? runtime_actor : std::string_view(pause.opened_by);
        const PauseOpened opened = open_pause(
            write, claim.execution, {.kind = pause.kind, .what = pause.what, .element = element, .opened_by = by});
        all = {opened.epoch, all.open || opened.open};
    }
    return all;
}

}  // namespace

WalkRow::WalkRow(const Claim& claim, const WalkEntry& entry)
    : claim_(claim), entry_(entry), steps_(joined(entry.steps)) {}

sql::Command WalkRow::insert() const {
    sql::Command command{
        "INSERT INTO walk (execution_id, scope, number, step, outcome, status, exit_status, job_exit_status, steps, "
        "taken, target, pause, error_class, error_message, error_step, error_position) VALUES ($1, $2, $3, $4, $5, $6, "
        "$7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        {Value(claim_.execution.value()), cell(entry_.scope), Value(entry_.number), cell(entry_.step),
         cell(entry_.outcome), cell(to_string(entry_.status)), cell(entry_.exit_status), cell(entry_.job_exit_status),
         cell(steps_), cell(entry_.taken), cell(entry_.to), Value(entry_.pause)},
        1};
    append_failure(command.params, entry_.failure);
    return command;
}

std::vector<WalkEntry> Repository::walk_of(JobExecutionId execution) {
    const sql::Result rows = impl_->select(
        "SELECT scope, number, step, outcome, status, exit_status, job_exit_status, steps, taken, target, "
        "error_class, error_message, error_step, error_position, pause FROM walk "
        "WHERE execution_id = $1 ORDER BY scope, number",
        {Value(execution.value())});
    return read_all(rows, read_entry);
}

ElementRecorded Repository::record_walk(const Claim& claim, const WalkEntry& entry,
                                        const std::vector<PauseBehind>& pauses) {
    ElementRecorded recorded;
    const auto verb = [&](StoreWrite& write) {
        recorded = {};
        WalkEntry with_pause = entry;
        const WalkRow row(claim, with_pause);
        std::vector<sql::Command> last{fence(claim, write.now())};
        if (!pauses.empty()) {
            write->execute(last.front());
            recorded.pause = open_pauses(write, claim, entry.step, pauses);
            with_pause.pause = recorded.pause.epoch;
            last.clear();
        }
        last.push_back(row.insert());
        last.push_back(ask(claim));
        recorded.requests = requests_in(write.commit(last).back());
    };
    as_owner(claim, [&] {
        impl_->transact(verb, [&](StoreWrite& look) {
            look->execute(fence(claim, look.now()));
            recorded.requests = requests_in(look->execute(ask(claim)));
            return exists(*look, "SELECT 1 FROM walk WHERE execution_id = $1 AND scope = $2 AND number = $3",
                          {Value(claim.execution.value()), cell(entry.scope), Value(entry.number)});
        });
    });
    return recorded;
}

}  // namespace fermata
