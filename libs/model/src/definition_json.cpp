#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>
#include <fermata/model/job_definition.hpp>

#include <fmt/format.h>
#include <sha2.h>

#include <nlohmann/json.hpp>

namespace fermata {
namespace {

using Json = nlohmann::json;
constexpr std::string_view schema = "fermata.definition/1";
constexpr std::string_view hex_digits = "0123456789abcdef";

// ---- text: a JSON string, or {"hex": "…"} for bytes that are not UTF-8 (a source in another encoding).

std::string to_hex(std::string_view bytes) {
    std::string out;
    for (const unsigned char byte : bytes) {
        out += hex_digits[byte >> 4];
        out += hex_digits[byte & 15];
    }
    return out;
}

std::string from_hex(std::string_view hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        const auto high = hex_digits.find(hex[i]);
        const auto low = hex_digits.find(hex[i + 1]);
        if (high == std::string_view::npos || low == std::string_view::npos) {
            throw Error(ErrorKind::refused, "not hex digits");
        }
        bytes += static_cast<char>(high * 16 + low);
    }
    return bytes;
}

Json text_to_json(const std::string& text) {
    if (is_utf8(text)) return text;
    return Json{{"hex", to_hex(text)}};
}

std::string text_from_json(const Json& json) {
    return json.is_object() ? from_hex(json.at("hex").get<std::string>()) : json.get<std::string>();
}

// ---- to JSON

class Writer {
public:
    explicit Writer(bool with_positions) : with_positions_(with_positions) {}

    [[nodiscard]] Json write(const JobDefinition& job) const {
        Json json = at(job.at, {{"schema", schema}, {"id", text_to_json(job.id)}});
        json["restartable"] = write(job.restartable);
        json["properties"] = write(job.properties);
        json["listeners"] = write(job.listeners);
        json["elements"] = write(job.elements);
        if (with_positions_) {
            json["file"] = text_to_json(job.file);
            json["source"] = text_to_json(job.source);
        }
        return json;
    }

private:
    [[nodiscard]] Json at(Position position, Json json) const {
        if (with_positions_) json["at"] = {position.line, position.column};
        return json;
    }

    [[nodiscard]] Json write(const Template& text) const {
        return at(text.at(), {{"text", text_to_json(text.source())}});
    }

    [[nodiscard]] Json write(const PropertyDefinition& property) const {
        return at(property.at, {{"name", text_to_json(property.name)}, {"value", write(property.value)}});
    }

    [[nodiscard]] Json write(const ArtifactDefinition& artifact) const {
        return at(artifact.at, {{"ref", write(artifact.ref)}, {"properties", write(artifact.properties)}});
    }

    [[nodiscard]] Json write(const PauseDefinition& pause) const {
        return {{"point", write(pause.point)},     {"message", write(pause.message)},
                {"signals", write(pause.signals)}, {"timeout", write(pause.timeout)},
                {"notify", write(pause.notify)},   {"on-timeout", write(pause.on_timeout)}};
    }

    /// A job without pauses has the text, and the hash, it had before there were any.
    [[nodiscard]] Json write(const TransitionDefinition& transition) const {
        Json json = at(transition.at, {{"kind", static_cast<int>(transition.kind)},
                                       {"on", write(transition.on)},
                                       {"to", write(transition.to)},
                                       {"exit-status", write(transition.exit_status)},
                                       {"restart", write(transition.restart)}});
        if (transition.pause) json["pause"] = write(*transition.pause);
        return json;
    }

    [[nodiscard]] Json write(const ExceptionFilterDefinition::Class& entry) const {
        return at(entry.at, {{"class", write(entry.name)}});
    }

    [[nodiscard]] Json write(const ExceptionFilterDefinition& filter) const {
        return {{"include", write(filter.include)}, {"exclude", write(filter.exclude)}};
    }

    [[nodiscard]] Json write(const BatchletDefinition& batchlet) const {
        return {{"batchlet", write(batchlet.batchlet)}};
    }

    [[nodiscard]] Json write(const ChunkDefinition& chunk) const {
        return {{"chunk", at(chunk.at, {{"checkpoint-policy", write(chunk.checkpoint_policy)},
                                        {"item-count", write(chunk.item_count)},
                                        {"time-limit", write(chunk.time_limit)},
                                        {"skip-limit", write(chunk.skip_limit)},
                                        {"retry-limit", write(chunk.retry_limit)},
                                        {"reader", write(chunk.reader)},
                                        {"processor", write(chunk.processor)},
                                        {"writer", write(chunk.writer)},
                                        {"checkpoint-algorithm", write(chunk.checkpoint_algorithm)},
                                        {"skippable", write(chunk.skippable)},
                                        {"retryable", write(chunk.retryable)},
                                        {"no-rollback", write(chunk.no_rollback)}})}};
    }

    [[nodiscard]] Json write(const StepDefinition& step) const {
        return at(step.at, {{"id", text_to_json(step.id)},
                            {"start-limit", write(step.start_limit)},
                            {"allow-start-if-complete", write(step.allow_start_if_complete)},
                            {"next", write(step.next)},
                            {"properties", write(step.properties)},
                            {"listeners", write(step.listeners)},
                            {"work", std::visit([&](const auto& work) { return write(work); }, step.work)},
                            {"partition", write(step.partition)},
                            {"transitions", write(step.transitions)}});
    }

    [[nodiscard]] Json write(const PartitionPlanDefinition::Properties& group) const {
        return at(group.at, {{"partition", write(group.partition)}, {"properties", write(group.properties)}});
    }

    [[nodiscard]] Json write(const PartitionPlanDefinition& plan) const {
        return at(plan.at, {{"partitions", write(plan.partitions)},
                            {"threads", write(plan.threads)},
                            {"properties", write(plan.properties)}});
    }

    [[nodiscard]] Json write(const PartitionDefinition& partition) const {
        Json object{{"plan", write(partition.plan)},
                    {"mapper", write(partition.mapper)},
                    {"collector", write(partition.collector)},
                    {"analyzer", write(partition.analyzer)},
                    {"reducer", write(partition.reducer)}};
        // Only where it is said: definitions that were stored before there was such a thing keep their hash.
        if (partition.workers) object["workers"] = write(partition.workers);
        if (partition.turn) object["turn"] = write(partition.turn);
        return at(partition.at, std::move(object));
    }

    [[nodiscard]] Json write(const DecisionDefinition& decision) const {
        return at(decision.at, {{"id", text_to_json(decision.id)},
                                {"decider", write(decision.decider)},
                                {"transitions", write(decision.transitions)}});
    }

    [[nodiscard]] Json write(const FlowDefinition& flow) const {
        return at(flow.at, {{"id", text_to_json(flow.id)},
                            {"next", write(flow.next)},
                            {"elements", write(flow.elements)},
                            {"transitions", write(flow.transitions)}});
    }

    [[nodiscard]] Json write(const SplitDefinition& split) const {
        return at(split.at,
                  {{"id", text_to_json(split.id)}, {"next", write(split.next)}, {"flows", write(split.flows)}});
    }

    [[nodiscard]] Json write(const ElementDefinition& element) const {
        return {{std::string(word_of(element)), std::visit([&](const auto& it) { return write(it); }, element.what)}};
    }

    template <class T>
    [[nodiscard]] Json write(const std::optional<T>& value) const {
        return value ? write(*value) : Json();
    }

    template <class T>
    [[nodiscard]] Json write(const std::vector<T>& values) const {
        Json json = Json::array();
        for (const auto& value : values) json.push_back(write(value));
        return json;
    }

    bool with_positions_;
};

// ---- from JSON: every missing or mistyped member throws, and the caller says what that means.

Position position_from(const Json& json) { return {json.at("at").at(0).get<int>(), json.at("at").at(1).get<int>()}; }

class Reader {
public:
    static JobDefinition read(const Json& json) {
        if (json.at("schema").get<std::string>() != schema) throw Error(ErrorKind::refused, "unknown schema");
        JobDefinition job;
        into(job.file, json.at("file"));
        into(job.source, json.at("source"));
        into(job.id, json.at("id"));
        into(job.restartable, json.at("restartable"));
        into(job.properties, json.at("properties"));
        into(job.listeners, json.at("listeners"));
        into(job.elements, json.at("elements"));
        job.at = position_from(json);
        return job;
    }

private:
    static void into(std::string& text, const Json& json) { text = text_from_json(json); }

    static void into(Template& text, const Json& json) {
        Diagnostics diagnostics;
        text = Template::parse(text_from_json(json.at("text")), position_from(json), "", diagnostics);
        if (diagnostics.has_errors()) throw Error(ErrorKind::refused, diagnostics.all().front().message);
    }

    static void into(PropertyDefinition& property, const Json& json) {
        into(property.name, json.at("name"));
        into(property.value, json.at("value"));
        property.at = position_from(json);
    }

    static void into(ArtifactDefinition& artifact, const Json& json) {
        into(artifact.ref, json.at("ref"));
        into(artifact.properties, json.at("properties"));
        artifact.at = position_from(json);
    }

    static void into(PauseDefinition& pause, const Json& json) {
        into(pause.point, json.at("point"));
        into(pause.message, json.at("message"));
        into(pause.signals, json.at("signals"));
        into(pause.timeout, json.at("timeout"));
        into(pause.on_timeout, json.at("on-timeout"));
        into(pause.notify, json.at("notify"));
    }

    static void into(TransitionDefinition& transition, const Json& json) {
        const int kind = json.at("kind").get<int>();
        if (kind < 0 || kind > static_cast<int>(TransitionDefinition::Kind::pause)) {
            throw Error(ErrorKind::refused, fmt::format("unknown transition kind {}", kind));
        }
        transition.kind = static_cast<TransitionDefinition::Kind>(kind);
        into(transition.on, json.at("on"));
        into(transition.to, json.at("to"));
        into(transition.exit_status, json.at("exit-status"));
        into(transition.restart, json.at("restart"));
        if (json.contains("pause")) into(transition.pause.emplace(), json.at("pause"));
        transition.at = position_from(json);
    }

    static void into(ExceptionFilterDefinition::Class& entry, const Json& json) {
        into(entry.name, json.at("class"));
        entry.at = position_from(json);
    }

    static void into(ExceptionFilterDefinition& filter, const Json& json) {
        into(filter.include, json.at("include"));
        into(filter.exclude, json.at("exclude"));
    }

    static void into(ChunkDefinition& chunk, const Json& json) {
        into(chunk.checkpoint_policy, json.at("checkpoint-policy"));
        into(chunk.item_count, json.at("item-count"));
        into(chunk.time_limit, json.at("time-limit"));
        into(chunk.skip_limit, json.at("skip-limit"));
        into(chunk.retry_limit, json.at("retry-limit"));
        into(chunk.reader, json.at("reader"));
        into(chunk.processor, json.at("processor"));
        into(chunk.writer, json.at("writer"));
        into(chunk.checkpoint_algorithm, json.at("checkpoint-algorithm"));
        into(chunk.skippable, json.at("skippable"));
        into(chunk.retryable, json.at("retryable"));
        into(chunk.no_rollback, json.at("no-rollback"));
        chunk.at = position_from(json);
    }

    static void into(std::variant<BatchletDefinition, ChunkDefinition>& work, const Json& json) {
        if (json.contains("chunk")) {
            into(work.emplace<ChunkDefinition>(), json.at("chunk"));
        } else {
            into(work.emplace<BatchletDefinition>().batchlet, json.at("batchlet"));
        }
    }

    static void into(StepDefinition& step, const Json& json) {
        into(step.id, json.at("id"));
        into(step.start_limit, json.at("start-limit"));
        into(step.allow_start_if_complete, json.at("allow-start-if-complete"));
        into(step.next, json.at("next"));
        into(step.properties, json.at("properties"));
        into(step.listeners, json.at("listeners"));
        into(step.work, json.at("work"));
        into(step.partition, json.at("partition"));
        into(step.transitions, json.at("transitions"));
        step.at = position_from(json);
    }

    static void into(PartitionPlanDefinition::Properties& group, const Json& json) {
        into(group.partition, json.at("partition"));
        into(group.properties, json.at("properties"));
        group.at = position_from(json);
    }

    static void into(PartitionPlanDefinition& plan, const Json& json) {
        into(plan.partitions, json.at("partitions"));
        into(plan.threads, json.at("threads"));
        into(plan.properties, json.at("properties"));
        plan.at = position_from(json);
    }

    static void into(PartitionDefinition& partition, const Json& json) {
        into(partition.plan, json.at("plan"));
        into(partition.mapper, json.at("mapper"));
        into(partition.collector, json.at("collector"));
        into(partition.analyzer, json.at("analyzer"));
        into(partition.reducer, json.at("reducer"));
        if (json.contains("workers")) into(partition.workers, json.at("workers"));
        if (json.contains("turn")) into(partition.turn, json.at("turn"));
        partition.at = position_from(json);
    }

    static void into(DecisionDefinition& decision, const Json& json) {
        into(decision.id, json.at("id"));
        into(decision.decider, json.at("decider"));
        into(decision.transitions, json.at("transitions"));
        decision.at = position_from(json);
    }

    static void into(FlowDefinition& flow, const Json& json) {
        into(flow.id, json.at("id"));
        into(flow.next, json.at("next"));
        into(flow.elements, json.at("elements"));
        into(flow.transitions, json.at("transitions"));
        flow.at = position_from(json);
    }

    static void into(SplitDefinition& split, const Json& json) {
        into(split.id, json.at("id"));
        into(split.next, json.at("next"));
        into(split.flows, json.at("flows"));
        split.at = position_from(json);
    }

    static void into(ElementDefinition& element, const Json& json) {
        if (json.contains("step")) return into(element.what.emplace<StepDefinition>(), json.at("step"));
        if (json.contains("flow")) return into(element.what.emplace<FlowDefinition>(), json.at("flow"));
        if (json.contains("split")) return into(element.what.emplace<SplitDefinition>(), json.at("split"));
        into(element.what.emplace<DecisionDefinition>(), json.at("decision"));
    }

    template <class T>
    static void into(std::optional<T>& value, const Json& json) {
        if (!json.is_null()) into(value.emplace(), json);
    }

    template <class T>
    static void into(std::vector<T>& values, const Json& json) {
        for (const auto& element : json) into(values.emplace_back(), element);
    }
};

}  // namespace

std::string to_json(const JobDefinition& job) { return Writer(true).write(job).dump(); }

JobDefinition job_definition_from_json(std::string_view json) {
    try {
        return Reader::read(Json::parse(json));
    } catch (const std::exception& error) {
        throw Error(ErrorKind::refused, fmt::format("stored job definition unreadable: {}", printable(error.what())),
                    "it was written by another version or damaged");
    }
}

std::string hash_of(const JobDefinition& job) {
    const std::string meaning = Writer(false).write(job).dump();
    char digest[SHA256_DIGEST_STRING_LENGTH];
    SHA256Data(reinterpret_cast<const std::uint8_t*>(meaning.data()), meaning.size(), digest);
    return digest;
}

}  // namespace fermata
