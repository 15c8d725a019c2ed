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

void put_cells(sql::Params& cells, const Progress& progress) {
    cells.clear();
    append_progress(cells, progress);
    cells.push_back(cell(progress.pause));
}

/// What append_progress() makes: numbers, text and bytes.
bool is_same(const Value& one, const Value& other) noexcept {
    if (one.kind() != other.kind()) return false;
    const bool is_text = one.kind() == Value::Kind::text || one.kind() == Value::Kind::bytes;
    return is_text ? one.text() == other.text() : one.integer() == other.integer();
}

// What stands before the columns: the row, what it held, the instant.
constexpr std::size_t fixed = 7;
// And behind them.
constexpr std::size_t of_version = 2;
// Of the key of texts_, beyond the columns: the version is compared, too; the statement fails for another row.
constexpr std::uint32_t with_version = 1U << 31U;
constexpr std::uint32_t fenced = 1U << 30U;

constexpr std::string_view as_it_was = "epoch = $4 AND status = 'STARTED' AND generation = $5 AND sequence = $6";

}  // namespace

void KnownRow::note(const StepClaim& claim, const Progress& progress, Asked asked, std::int64_t writes) {
    known_ = true;
    instance_ = claim.execution.instance.value();
    step_ = claim.step;
    partition_ = claim.partition;
    epoch_ = claim.epoch;
    progress_ = progress;
    put_cells(held_, progress_);
    asked_ = std::move(asked);
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
    text += " WHERE instance_id = $1 AND step = $2 AND partition = $3 AND ";
    text += (changed & fenced) != 0 ? dialect_.required(as_it_was, "status") : as_it_was;
    if ((changed & with_version) != 0)
        text += fmt::format(" AND EXISTS (SELECT 1 FROM job_execution e WHERE e.{} = ${} AND e.{} = ${})",
                            dialect_.row_version[0], number + 1, dialect_.row_version[1], number + 2);
    return text;
}

std::optional<sql::Command> KnownRow::change_to(const StepClaim& claim, const Progress& next, Timestamp now,
                                                std::int64_t writes) {
    if (!asked_.has_version() || dialect_.required == nullptr) return std::nullopt;
    return change(claim, next, now, writes, fenced);
}

std::optional<sql::Command> KnownRow::change_unasked_to(const StepClaim& claim, const Progress& next, Timestamp now,
                                                        std::int64_t writes) {
    const Requests& known = asked_.requests;
    const bool asked = known.status != BatchStatus::started || known.stop_now || known.pause_now;
    if (asked || !asked_.has_version()) return std::nullopt;
    std::optional<sql::Command> command = change(claim, next, now, writes, with_version);
    if (command)
        for (const std::string& part : asked_.version) command->params.push_back(cell(part));
    return command;
}

std::optional<sql::Command> KnownRow::change(const StepClaim& claim, const Progress& next, Timestamp now,
                                             std::int64_t writes, std::uint32_t changed) {
    const bool goes_on = next.generation == progress_.generation && next.sequence > progress_.sequence;
    if (!known_ || !goes_on || writes != writes_ || !is_row_of(claim)) return std::nullopt;
    put_cells(next_, next);
    sql::Command command;
    command.params.reserve(fixed + next_.size() + of_version);
    command.params = {Value(claim.execution.instance.value()),
                      cell(claim.step),
                      Value(claim.partition),
                      Value(claim.epoch),
                      Value(progress_.generation),
                      Value(progress_.sequence),
                      cell(now)};
    for (std::size_t i = 0; i < next_.size(); ++i) {
        if (is_same(held_[i], next_[i])) continue;
        changed |= 1U << i;
        command.params.push_back(next_[i]);
    }
    command.sql = text_for(changed);
    return command;
}

}  // namespace fermata
