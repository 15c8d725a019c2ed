// The JSON of an execution (design §13): may grow, never changes.
#include <fermata/batch/properties.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

#include "busy.hpp"
#include "execution_view.hpp"
#include "json_text.hpp"
#include "waits.hpp"

namespace fermata::cli {

namespace {

using Json = nlohmann::ordered_json;

Json or_null(const std::optional<Timestamp>& time) { return time ? Json(to_rfc3339(*time)) : Json(nullptr); }
Json or_null(const std::optional<std::string>& text) { return text ? Json(*text) : Json(nullptr); }

/// Parameters or properties.
Json texts(const std::map<std::string, std::string>& named) {
    Json object = Json::object();
    for (const auto& [name, value] : named) object[name] = with_hidden_passwords(value);
    return object;
}

Json to_object(const std::optional<Failure>& failure) {
    if (!failure) return nullptr;
    return {{"class", failure->error_class},
            {"message", failure->message},
            {"step", failure->step},
            {"position", failure->position}};
}

Json to_object(const std::optional<WorkerRecord>& owner) {
    if (!owner) return nullptr;
    return {{"name", owner->name}, {"host", owner->host}, {"pid", owner->process.pid}};
}

void add_metrics(Json& object, const Metrics& metrics) {
    object["read"] = metrics.read;
    object["written"] = metrics.written;
    object["filtered"] = metrics.filtered;
    object["read_skips"] = metrics.read_skips;
    object["process_skips"] = metrics.process_skips;
    object["write_skips"] = metrics.write_skips;
    object["commits"] = metrics.commits;
    object["rollbacks"] = metrics.rollbacks;
}

Json to_object(const PartitionExecution& partition) {
    Json object{{"number", partition.number},
                {"status", to_string(partition.status)},
                {"exit_status", or_null(partition.exit_status)},
                {"started", or_null(partition.started)},
                {"ended", or_null(partition.ended)}};
    add_metrics(object, partition.metrics);
    object["worker"] = partition.worker.empty() ? Json(nullptr) : Json(partition.worker);
    object["properties"] = texts(partition.properties);
    object["error"] = to_object(partition.failure);
    return object;
}

Json to_objects(const std::vector<PartitionExecution>& partitions) {
    Json objects = Json::array();
    for (const auto& partition : partitions) objects.push_back(to_object(partition));
    return objects;
}

/// Who has stopped it alone; `after` is null while it has not come to that, and where it ended before.
Json cut_of(const StepExecution& step, const ExecutionView& view) {
    const auto cut = std::ranges::find(view.cuts, step.id, &StepCut::step_execution);
    if (cut == view.cuts.end()) return nullptr;
    return {{"by", cut->by},
            {"at", to_rfc3339(cut->at)},
            {"after", cut->after ? Json(*cut->after) : Json(nullptr)},
            {"position", cut->position}};
}

Json to_object(const StepExecution& step, const ExecutionView& view) {
    const auto partitions = view.partitions.find(step.id);
    Json object{{"id", step.id.value()},
                {"name", step.name},
                {"status", to_string(step.status)},
                {"exit_status", or_null(step.exit_status)},
                {"started", or_null(step.started)},
                {"ended", or_null(step.ended)}};
    add_metrics(object, step.metrics);
    object["error"] = to_object(step.failure);
    object["partitions"] = partitions == view.partitions.end() ? Json::array() : to_objects(partitions->second);
    object["cut"] = cut_of(step, view);
    return object;
}

Json waiting_for(const ExecutionView& view) {
    const JobExecution& execution = view.execution;
    Json all = Json::array();
    for (const Busy& busy : still_busy(view))
        all.push_back({{"kind", busy.kind},
                       {"name", busy.name},
                       {"since", to_rfc3339(busy.waited_for)},
                       {"message", "runs since " + to_rfc3339(busy.running)}});
    if (awaits_owner(execution))
        all.push_back({{"kind", "worker"},
                       {"name", ""},
                       {"since", to_rfc3339(execution.updated)},
                       {"message", runs_here(execution)}});
    for (const Pause& pause : execution.waits)
        all.push_back({{"kind", "signal"},
                       {"name", pause.what.point},
                       {"since", to_rfc3339(pause.opened)},
                       {"message", pause.what.message},
                       {"pause", pause.epoch},
                       {"counted", pause.counted},
                       {"signals", pause.what.signals},
                       {"deadline", or_null(pause.deadline)},
                       {"overdue", is_overdue(pause)}});
    return all;
}

/// What `list` shows of all steps together.
Json counts_of(const ExecutionView& view) {
    Json counts{{"steps", view.steps.size()}, {"steps_done", steps_done(view)}};
    add_metrics(counts, totals_of(view.steps));
    return counts;
}

Json to_object(const Action& action) {
    return {{"name", action.name},
            {"allowed", action.allowed},
            {"why_not", action.allowed ? Json(nullptr) : Json(action.why_not)}};
}

}  // namespace

std::string to_json(const PartitionExecution& partition) { return json_text(to_object(partition)); }

std::string to_json(const ExecutionView& view, bool with_steps) {
    const JobExecution& execution = view.execution;
    Json object{{"schema", "fermata.execution/1"},
                {"id", execution.id.value()},
                {"instance_id", execution.instance_id.value()},
                {"instance_key", or_null(execution.instance_key)},
                {"job", execution.job_name},
                {"status", to_string(execution.status)},
                {"exit_status", or_null(execution.exit_status)},
                {"owner_lost", execution.owner_lost},
                {"owner", to_object(view.owner)},
                {"created", to_rfc3339(execution.created)},
                {"started", or_null(execution.started)},
                {"ended", or_null(execution.ended)},
                {"parameters", texts(execution.parameters)},
                {"counts", counts_of(view)},
                {"waiting_for", waiting_for(view)},
                {"actions", Json::array()}};
    for (const auto& action : view.actions) object["actions"].push_back(to_object(action));
    if (with_steps) {
        object["steps"] = Json::array();
        for (const auto& step : view.steps) object["steps"].push_back(to_object(step, view));
    }
    object["unserved_pauses"] = Json::array();
    for (const Pause& pause : view.unserved)
        object["unserved_pauses"].push_back({{"pause", pause.epoch},
                                             {"point", pause.what.point},
                                             {"since", to_rfc3339(pause.opened)},
                                             {"by", pause.opened_by}});
    object["error"] = to_object(execution.failure);
    return json_text(object);
}

}  // namespace fermata::cli
