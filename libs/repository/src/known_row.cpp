#include "known_row.hpp"

#include "progress.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace fermata {
namespace {

const std::vector<std::string>& columns() {
    static const std::vector<std::string> all = [] {
        std::vector<std::string> names;
        for (const std::string& column : split(progress_columns, ',')) names.emplace_back(trim(column));
        names.emplace_back("pause_request");
        return names;
    }();
    return all;
}

sql::Params cells_of(const Progress& progress) {
    sql::Params cells;
    cells.reserve(columns().size());
    append_progress(cells, progress);
    cells.push_back(cell(progress.pause));
    return cells;
}

/// What append_progress() makes: numbers, text and bytes.
bool is_same(const Value& one, const Value& other) noexcept {
    if (one.kind() != other.kind()) return false;
    const bool is_text = one.kind() == Value::Kind::text || one.kind() == Value::Kind::bytes;
    return is_text ? one.text() == other.text() : one.integer() == other.integer();
}

// What stands before the columns: the row, what it held, the instant.
constexpr std::size_t fixed = 7;
// Of the key of texts_, beyond the columns: the question is asked, too.
constexpr std::uint32_t with_question = 1U << 31U;

}  // namespace

void KnownRow::note(const StepClaim& claim, const Progress& progress, const Requests& requests, std::int64_t writes) {
    known_ = true;
    instance_ = claim.execution.instance.value();
    step_ = claim.step;
    partition_ = claim.partition;
    epoch_ = claim.epoch;
    progress_ = progress;
    requests_ = requests;
    writes_ = writes;
}

bool KnownRow::is_row_of(const StepClaim& claim) const noexcept {
    return instance_ == claim.execution.instance.value() && step_ == claim.step && partition_ == claim.partition &&
           epoch_ == claim.epoch;
}

const std::string& KnownRow::text_for(std::uint32_t changed) {
    std::string& text = texts_[changed];
    if (!text.empty()) return text;
    text = "UPDATE step_progress SET updated = $7";
    std::size_t number = fixed;
    for (std::size_t i = 0; i < columns().size(); ++i) {
        if ((changed >> i & 1U) != 0) text += fmt::format(", {} = ${}", columns()[i], ++number);
    }
    text +=
        " WHERE instance_id = $1 AND step = $2 AND partition = $3 AND epoch = $4 AND status = 'STARTED' AND "
        "generation = $5 AND sequence = $6";
    if ((changed & with_question) != 0)
        text += fmt::format(
            " AND EXISTS (SELECT 1 FROM job_execution e WHERE e.id = ${} AND e.status = 'STARTED' AND e.stop_now = 0 "
            "AND e.pause_now = 0 AND e.pauses = ${} AND e.cuts = ${})",
            number + 1, number + 2, number + 3);
    return text;
}

std::optional<sql::Command> KnownRow::change_to(const StepClaim& claim, const Progress& next, Timestamp now,
                                                std::int64_t writes) {
    return change(claim, next, now, writes, 0);
}

std::optional<sql::Command> KnownRow::change_unasked_to(const StepClaim& claim, const Progress& next, Timestamp now,
                                                        std::int64_t writes) {
    const bool asked = requests_.status != BatchStatus::started || requests_.stop_now || requests_.pause_now;
    if (asked) return std::nullopt;
    std::optional<sql::Command> command = change(claim, next, now, writes, with_question);
    if (command)
        command->params.insert(command->params.end(), {Value(claim.execution.execution.value()),
                                                       Value(requests_.pauses), Value(requests_.cuts)});
    return command;
}

std::optional<sql::Command> KnownRow::change(const StepClaim& claim, const Progress& next, Timestamp now,
                                             std::int64_t writes, std::uint32_t changed) {
    const bool goes_on = next.generation == progress_.generation && next.sequence > progress_.sequence;
    if (!known_ || !goes_on || writes != writes_ || !is_row_of(claim)) return std::nullopt;
    const sql::Params from = cells_of(progress_);
    const sql::Params to = cells_of(next);
    sql::Command command{{},
                         {Value(claim.execution.instance.value()), cell(claim.step), Value(claim.partition),
                          Value(claim.epoch), Value(progress_.generation), Value(progress_.sequence), cell(now)}};
    for (std::size_t i = 0; i < to.size(); ++i) {
        if (is_same(from[i], to[i])) continue;
        changed |= 1U << i;
        command.params.push_back(to[i]);
    }
    command.sql = text_for(changed);
    return command;
}

}  // namespace fermata
