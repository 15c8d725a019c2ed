#include "../command.hpp"
#include "../json_text.hpp"
#include "../local_time.hpp"
#include "../plain_time.hpp"
#include "../session.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fermata/base/text.hpp>

#include <nlohmann/json.hpp>

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"(serving, draining (after TERM), running (the process of a run, resume or recover), dead (others take over what it owns), or
unknown (only its own host can tell).
)";

class WorkersCommand final : public Command {
public:
    void describe(Options&) override {}
    ExitCode run(Session& session) override;
};

std::string_view state_of(const WorkerState& worker) {
    if (worker.liveness.liveness == Liveness::dead) return "dead";
    if (worker.liveness.liveness == Liveness::unknown) return "unknown";
    if (worker.slots == 0) return "running";
    return worker.draining ? "draining" : "serving";
}

std::string object_of(const WorkerState& worker) {
    nlohmann::ordered_json object{{"name", worker.record.name},
                                  {"incarnation", worker.record.incarnation},
                                  {"host", worker.record.host},
                                  {"pid", worker.record.process.pid},
                                  {"user", worker.record.user},
                                  {"state", state_of(worker)},
                                  {"evidence", worker.liveness.evidence},
                                  {"slots", worker.slots},
                                  {"owns", worker.owns},
                                  {"partitions", worker.partitions},
                                  {"jobs", worker.jobs},
                                  {"started", to_rfc3339(worker.record.started)}};
    return json_text(object);
}

Row row_of(const WorkerState& worker) {
    const WorkerRecord& record = worker.record;
    const std::string jobs = fmt::format("{}", fmt::join(worker.jobs, " "));
    return {.cells = {printable(record.name), printable(record.host), std::to_string(record.process.pid),
                      printable(record.user), std::string(state_of(worker)), std::to_string(worker.slots),
                      std::to_string(worker.owns), std::to_string(worker.partitions), printable(jobs),
                      local_time(record.started)},
            .object = object_of(worker),
            .name = record.name,
            .plain = {record.name, record.host, std::to_string(record.process.pid), record.user,
                      std::string(state_of(worker)), std::to_string(worker.slots), std::to_string(worker.owns),
                      std::to_string(worker.partitions), jobs, plain_time(record.started)}};
}

ExitCode WorkersCommand::run(Session& session) {
    std::vector<Row> rows;
    for (const WorkerState& worker : session.repository().workers()) rows.push_back(row_of(worker));
    session.out().rows({{"NAME"},
                        {"HOST"},
                        {"PID", true},
                        {"USER"},
                        {"STATE"},
                        {"SLOTS", true},
                        {"OWNS", true},
                        {"PARTITIONS", true},
                        {"JOBS"},
                        {"STARTED"}},
                       rows);
    return ExitCode::ok;
}

}  // namespace

const Descriptor workers_command{.name = "workers",
                                 .group = "Workers",
                                 .about = "The processes that run executions, or are ready to",
                                 .help = help,
                                 .formats = all_formats,
                                 .make = make_command<WorkersCommand>};

}  // namespace fermata::cli
