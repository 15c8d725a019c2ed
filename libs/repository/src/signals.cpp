// What is sent to a point of an execution, by anybody, at any time while the execution has not ended.
#include "fence.hpp"
#include "journal.hpp"
#include "pauses.hpp"

#include <fermata/base/id.hpp>
#include <fermata/base/point.hpp>

#include <algorithm>
#include <array>

namespace fermata {
namespace {

using Disposition = SignalAnswer::Disposition;

constexpr std::array<std::string_view, 7> dispositions = {"applied", "counted",  "duplicate", "buffered",
                                                          "stale",   "conflict", "finished"};

struct Sent {
    const SignalRequest& what;
    const std::string& key;
    JobExecutionId execution;
};

// What this key was answered before.
std::optional<SignalAnswer> first_answer(sql::Connection& connection, const Sent& sent) {
    const sql::Result found = connection.execute(
        "SELECT answer, counted, needed, pause, payload FROM signal WHERE execution_id = $1 AND point = $2 AND "
        "signal_key = $3",
        {Value(sent.execution.value()), cell(sent.what.point), cell(sent.key)});
    if (found.empty()) return std::nullopt;
    RowReader row(found[0]);
    SignalAnswer answer{.disposition = Disposition::duplicate};
    answer.first = parse_disposition(row.text());
    answer.counted = row.optional_integer().value_or(0);
    answer.needed = row.optional_integer().value_or(0);
    answer.pause = row.optional_integer().value_or(0);
    if (row.optional_text() != sent.what.payload) answer.disposition = Disposition::conflict;
    return answer;
}

// For the verdict: by what it carries, too, since another one of this key may have come at the same instant.
bool is_kept(sql::Connection& connection, const Sent& sent, Timestamp at) {
    const sql::Result found = connection.execute(
        "SELECT payload FROM signal WHERE execution_id = $1 AND point = $2 AND signal_key = $3 AND at = $4 AND "
        "sender = $5",
        {Value(sent.execution.value()), cell(sent.what.point), cell(sent.key), cell(at), cell(sent.what.sender)});
    if (found.empty()) return false;
    RowReader row(found[0]);
    return row.optional_text() == sent.what.payload;
}

struct Target {
    std::int64_t epoch = 0;
    std::int64_t needed = 0;
    std::int64_t counted = 0;
};

// The pause it is for: the one it names, else the oldest that is open at its point.
std::optional<Target> find_target(sql::Connection& connection, const Sent& sent) {
    const sql::Result found = connection.execute(
        "SELECT epoch, signals, counted FROM pause WHERE execution_id = $1 AND completed IS NULL AND point = $2 AND "
        "(CAST($3 AS BIGINT) IS NULL OR epoch = $3) ORDER BY epoch LIMIT 1",
        {Value(sent.execution.value()), cell(sent.what.point), sent.what.pause ? Value(*sent.what.pause) : Value()});
    if (found.empty()) return std::nullopt;
    RowReader row(found[0]);
    const std::int64_t epoch = row.integer();
    const std::int64_t needed = row.integer();
    return Target{epoch, needed, row.integer()};
}

/// Whether the pause it names is or was there.
bool names_a_pause(sql::Connection& connection, const Sent& sent) {
    return exists(connection, "SELECT 1 FROM pause WHERE execution_id = $1 AND epoch = $2 AND point = $3",
                  {Value(sent.execution.value()), Value(*sent.what.pause), cell(sent.what.point)});
}

sql::Command insert_signal(const Sent& sent, const SignalAnswer& answer, Timestamp now) {
    const bool acted = answer.pause > 0 && answer.disposition != Disposition::stale;
    return {
        "INSERT INTO signal (execution_id, point, signal_key, payload, sender, at, pause, answer, counted, needed) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        {Value(sent.execution.value()), cell(sent.what.point), cell(sent.key), cell(sent.what.payload),
         cell(sent.what.sender), cell(now), acted ? Value(answer.pause) : Value(), cell(to_string(answer.disposition)),
         acted ? Value(answer.counted) : Value(), acted ? Value(answer.needed) : Value()},
        1};
}

void count(StoreWrite& write, const Sent& sent, const SignalAnswer& answer) {
    const bool complete = answer.disposition == Disposition::applied;
    write->execute(sql::Command{
        "UPDATE pause SET counted = $3, completed = $4, completed_by = $5, how = $6 WHERE execution_id = $1 AND "
        "epoch = $2 AND completed IS NULL",
        {Value(sent.execution.value()), Value(answer.pause), Value(answer.counted),
         complete ? cell(write.now()) : Value(), complete ? cell(sent.what.sender) : Value(),
         complete ? Value(std::string_view("signals")) : Value()},
        1});
    if (!complete) return;
    const Event completed{.at = write.now(),
                          .execution = sent.execution,
                          .kind = "pause.completed",
                          .actor = sent.what.sender,
                          .data = facts({{"pause", answer.pause}, {"how", std::string_view("signals")}})};
    write->execute(journal(completed));
}

// What it does, and what its sender is told.
SignalAnswer act(StoreWrite& write, const Sent& sent, BatchStatus status) {
    SignalAnswer answer{.status = status};
    const auto target = find_target(*write, sent);
    if (!target) {
        answer.disposition = sent.what.pause ? Disposition::stale : Disposition::buffered;
        return answer;
    }
    answer.pause = target->epoch;
    answer.needed = target->needed;
    answer.counted = target->counted + 1;
    answer.disposition = answer.counted >= answer.needed ? Disposition::applied : Disposition::counted;
    count(write, sent, answer);
    const bool leaves = answer.disposition == Disposition::applied && status == BatchStatus::paused &&
                        !has_open_pauses(*write, sent.execution);
    if (leaves) {
        release(write, sent.execution, BatchStatus::paused);
        answer.status = BatchStatus::starting;
    }
    return answer;
}

Signal read_signal(std::span<const Value> cells) {
    RowReader row(cells);
    Signal signal;
    signal.point = row.text();
    signal.key = row.text();
    signal.payload = row.optional_text();
    signal.sender = row.text();
    signal.at = row.time();
    signal.pause = row.optional_integer();
    return signal;
}

}  // namespace

std::string_view to_string(Disposition disposition) { return dispositions.at(static_cast<std::size_t>(disposition)); }

std::optional<Disposition> parse_disposition(std::string_view text) {
    const auto* found = std::ranges::find(dispositions, text);
    if (found == dispositions.end()) return std::nullopt;
    return static_cast<Disposition>(found - dispositions.begin());
}

SignalAnswer Repository::signal(JobExecutionId execution, const SignalRequest& request) {
    const std::string key = request.key.value_or(new_uuid());
    const Sent sent{request, key, execution};
    SignalAnswer answer;
    Timestamp sent_at;
    bool wrote = false;
    const auto verb = [&](StoreWrite& write) {
        wrote = false;
        const Standing standing = locked_standing_of(write, execution);
        answer = {.disposition = Disposition::finished, .status = standing.status};
        if (has_ended(standing.status)) return;
        if (auto before = first_answer(*write, sent)) {
            answer = *before;
            answer.status = standing.status;
            return;
        }
        answer.disposition = Disposition::conflict;
        if (standing.status == BatchStatus::stopping) return;
        answer = act(write, sent, standing.status);
        // A slip of the keyboard does not use up the key.
        if (answer.disposition == Disposition::stale && !names_a_pause(*write, sent)) return;
        sent_at = write.now();
        wrote = true;
        const sql::Command last[] = {insert_signal(sent, answer, sent_at)};
        FERMATA_POINT("signal.before-commit");
        write.commit(last);
        FERMATA_POINT("signal.after-commit");
    };
    impl_->transact(verb, [&](StoreWrite& look) {
        look.lock("job_execution", execution.value());
        return wrote && is_kept(*look, sent, sent_at);
    });
    return answer;
}

std::vector<Signal> Repository::signals_for(JobExecutionId execution, const SignalSource& source) {
    const sql::Result rows = impl_->select(
        "SELECT point, signal_key, payload, sender, at, pause FROM signal WHERE execution_id = $1 AND pause IN ($2, "
        "$3) ORDER BY id",
        {Value(execution.value()), Value(source.own), Value(source.outside)});
    return read_all(rows, read_signal);
}

std::int64_t Repository::count_signals_for(JobExecutionId execution, const SignalSource& source) {
    return impl_
        ->select("SELECT COUNT(*) FROM signal WHERE execution_id = $1 AND pause IN ($2, $3)",
                 {Value(execution.value()), Value(source.own), Value(source.outside)})[0][0]
        .integer();
}

std::vector<Signal> Repository::buffered_signals_of(JobExecutionId execution, std::int64_t limit) {
    const sql::Result rows = impl_->select(
        "SELECT point, signal_key, payload, sender, at, pause FROM signal WHERE execution_id = $1 AND answer = "
        "'buffered' AND pause IS NULL ORDER BY id LIMIT $2",
        {Value(execution.value()), Value(limit)});
    return read_all(rows, read_signal);
}

}  // namespace fermata
