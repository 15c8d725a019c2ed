// What time demands: pauses that were open too long, and notifications of pauses. Served by whoever opens the
// repository, before anything else.
#include "impl.hpp"
#include "journal.hpp"
#include "notifier.hpp"
#include "pauses.hpp"

#include <fermata/base/point.hpp>

#include <algorithm>

namespace fermata {
namespace {

constexpr std::string_view due =
    "FROM pause p JOIN job_execution e ON e.id = p.execution_id WHERE p.completed IS NULL AND p.deadline <= $1 AND "
    "e.status = 'PAUSED'";
// $N: retry_at(now). What failed waits until then.
constexpr std::string_view untold =
    "FROM pause p JOIN job_execution e ON e.id = p.execution_id WHERE p.completed IS NULL AND p.notify IS NOT NULL AND "
    "p.notified IS NULL AND e.status = 'PAUSED' AND (p.notifier IS NULL OR p.notifier NOT LIKE 'retry %' OR "
    "p.notifier <= ";

// The pause that was due first, if it still is.
std::optional<Pause> due_pause(StoreWrite& write, JobExecutionId execution) {
    static const std::string sql = fmt::format(
        "SELECT {} FROM pause p WHERE p.execution_id = $1 AND p.completed IS NULL AND p.deadline <= $2 "
        "ORDER BY p.deadline LIMIT 1",
        pause_columns);
    const sql::Result found = write->execute(sql, {Value(execution.value()), cell(write.now())});
    if (found.empty()) return std::nullopt;
    RowReader row(found[0]);
    return read_pause(row);
}

void complete(StoreWrite& write, JobExecutionId execution, const Pause& pause, const std::string& actor) {
    write->execute(sql::Command{
        "UPDATE pause SET completed = $3, completed_by = $4, how = 'timeout' WHERE execution_id = $1 AND epoch = $2 "
        "AND completed IS NULL",
        {Value(execution.value()), Value(pause.epoch), cell(write.now()), cell(actor)},
        1});
    const Event completed{.at = write.now(),
                          .execution = execution,
                          .kind = "pause.completed",
                          .actor = actor,
                          .data = facts({{"pause", pause.epoch}, {"how", std::string_view("timeout")}})};
    write->execute(journal(completed));
}

Failure timed_out(const Pause& pause) {
    return {"fermata.PauseTimeout",
            fmt::format("nobody completed the pause at \"{}\" in {}", pause.what.point,
                        to_human(pause.what.timeout.value_or(Duration{}))),
            pause.element,
            {}};
}

void stop_asked_by_time(StoreWrite& write, JobExecutionId execution, const Pause& pause) {
    write->execute("UPDATE job_execution SET stop_requested_by = $2, stop_requested_at = $3 WHERE id = $1",
                   {Value(execution.value()), cell(fmt::format("the timeout of the pause at \"{}\"", pause.what.point)),
                    cell(write.now())});
}

// True if its time was up.
bool serve(StoreWrite& write, JobExecutionId execution, const std::string& actor) {
    const Standing standing = locked_standing_of(write, execution);
    if (standing.status != BatchStatus::paused) return false;
    const auto pause = due_pause(write, execution);
    if (!pause) return false;
    complete(write, execution, *pause, actor);
    switch (pause->what.on_timeout) {
        case OnTimeout::resume:
            if (!has_open_pauses(*write, execution)) release(write, execution, BatchStatus::paused);
            break;
        case OnTimeout::stop:
            stop_asked_by_time(write, execution, *pause);
            end_waiting(write, standing, BatchStatus::stopped, actor);
            break;
        case OnTimeout::fail:
            end_waiting(write, standing, BatchStatus::failed, actor, timed_out(*pause));
            break;
    }
    FERMATA_POINT("deadline.before-commit");
    write.commit();
    return true;
}

constexpr std::string_view notify_failed = "pause.notify_failed";

std::int64_t failed_attempts(sql::Connection& connection, const Notification& notification) {
    const std::string of_pause = fmt::format(R"(%"pause":{}}})", notification.epoch);  // names are sorted: it is last
    return connection
        .execute("SELECT COUNT(*) FROM event WHERE execution_id = $1 AND kind = $2 AND data LIKE $3",
                 {Value(notification.execution.value()), Value(notify_failed), cell(of_pause)})[0][0]
        .integer();
}

// Half a minute, then twice as long each time.
Duration pause_before(std::int64_t attempt) {
    constexpr Duration first = std::chrono::seconds(30);
    constexpr Duration longest = std::chrono::hours(1);
    Duration pause = first;
    for (std::int64_t i = 1; i < attempt && pause < longest; ++i) pause *= 2;
    return std::min(pause, longest);
}

}  // namespace

bool Repository::has_duties() {
    static const std::string sql =
        fmt::format("SELECT CASE WHEN EXISTS (SELECT 1 {}) OR EXISTS (SELECT 1 {}$2)) THEN 1 ELSE 0 END", due, untold);
    const Timestamp now = impl_->clock.now();
    const std::string retry = retry_at(now);
    return impl_->select(sql, {cell(now), cell(retry)})[0][0].integer() == 1;
}

std::vector<JobExecutionId> Repository::serve_deadlines(const std::string& actor) {
    constexpr std::int64_t at_once = 1'000;
    static const std::string sql = fmt::format("SELECT p.execution_id {} ORDER BY p.deadline LIMIT {}", due, at_once);
    std::vector<JobExecutionId> served;
    const sql::Result rows = impl_->select(sql, {cell(impl_->clock.now())});
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const JobExecutionId execution(rows[i][0].integer());
        bool done = true;
        // In doubt it is looked at once more: a deadline that was served is no longer due.
        while (done)
            impl_->transact([&](StoreWrite& write) {
                done = serve(write, execution, actor);
                if (done && (served.empty() || served.back() != execution)) served.push_back(execution);
            });
    }
    return served;
}

std::vector<Notification> Repository::take_notifications() {
    static const std::string sql =
        fmt::format("SELECT p.execution_id, p.epoch, p.notifier, p.opened {}$1) LIMIT 1000", untold);
    const std::string me = this_notifier();
    const std::string retry = retry_at(impl_->clock.now());
    std::vector<Notification> mine;
    const sql::Result rows = impl_->select(sql, {cell(retry)});
    for (std::size_t i = 0; i < rows.size(); ++i) {
        RowReader row(rows[i]);
        const Notification notification{JobExecutionId(row.integer()), row.integer()};
        const std::string notifier = row.optional_text().value_or("");
        const Duration since = impl_->clock.now() - row.time();
        bool is_mine = notifier == me;
        if (!is_mine && notifier_is_gone(notifier, since))
            impl_->transact([&](StoreWrite& write) {
                is_mine = write
                              ->execute(
                                  "UPDATE pause SET notifier = $3 WHERE execution_id = $1 AND epoch = $2 AND "
                                  "notified IS NULL AND (notifier = $4 OR (notifier IS NULL AND $4 = ''))",
                                  {Value(notification.execution.value()), Value(notification.epoch), cell(me),
                                   cell(notifier)})
                              .changed == 1;
                write.commit();
            });
        if (is_mine) mine.push_back(notification);
    }
    return mine;
}

void Repository::notified(const Notification& notification) {
    impl_->transact([&](StoreWrite& write) {
        const sql::Command last[] = {
            {"UPDATE pause SET notified = $3 WHERE execution_id = $1 AND epoch = $2 AND notified IS NULL",
             {Value(notification.execution.value()), Value(notification.epoch), cell(write.now())}}};
        write.commit(last);
    });
}

void Repository::not_notified(const Notification& notification, const std::string& error) {
    const std::string me = this_notifier();
    impl_->transact([&](StoreWrite& write) {
        const std::int64_t attempt = failed_attempts(*write, notification) + 1;
        const Timestamp next = write.now() + pause_before(attempt);
        const std::string retry = retry_at(next);
        const std::string told_next = to_rfc3339(next);
        const bool is_mine =
            write
                ->execute(
                    "UPDATE pause SET notifier = $3 WHERE execution_id = $1 AND epoch = $2 AND "
                    "notified IS NULL AND notifier = $4",
                    {Value(notification.execution.value()), Value(notification.epoch), cell(retry), cell(me)})
                .changed == 1;
        if (!is_mine) return;
        const Event failed{.at = write.now(),
                           .execution = notification.execution,
                           .kind = std::string(notify_failed),
                           .actor = std::string(runtime_actor),
                           .data = facts({{"pause", notification.epoch},
                                          {"attempt", attempt},
                                          {"next", std::string_view(told_next)},
                                          {"error", std::string_view(error)}})};
        const sql::Command last[] = {journal(failed)};
        write.commit(last);
    });
}

}  // namespace fermata
