#include "paths.hpp"
#include "values.hpp"

#include <fermata/base/clock.hpp>
#include <fermata/base/text.hpp>
#include <fermata/model/resolved_job.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace fermata {
namespace {

constexpr std::int64_t longest_seconds = std::chrono::duration_cast<std::chrono::seconds>(Duration::max()).count();
constexpr std::string_view reserved_prefix = "jakarta.batch";

constexpr std::int64_t most_partitions = 1'000'000;

}  // namespace

struct PartitionSource {
    StepDefinition step;
    Parameters parameters;
    Parameters system;
    std::map<std::string, std::string> job_properties;
    std::string file;
};

namespace {

class Resolver {
public:
    Resolver(const std::string& file, const Parameters* parameters, const Parameters* system)
        : file_(file), parameters_(parameters), system_(system), values_(file, parameters, system, diagnostics_) {}

    ResolvedJob job(const JobDefinition& source) {
        values_.push();
        ResolvedJob job{.id = source.id, .file = source.file};
        owner_ = fmt::format("job \"{}\"", printable(job.id, 60));
        job.restartable = values_.boolean(owner_, "restartable", source.restartable, true);
        job.properties = properties(source.properties, "");
        job.listeners = listeners(source.listeners);
        job_properties_ = values_.innermost();
        if (source.elements.empty()) error(source.at, "it has no step");
        job.elements = elements("this job", source.elements);
        values_.pop();
        return job;
    }

    ResolvedStep step_of_partition(const PartitionSource& source, const Parameters& plan) {
        values_.push();
        for (const auto& [name, value] : source.job_properties) values_.define(name, value, false);
        values_.set_plan(plan);
        scopes_.emplace_back();
        ResolvedStep step = this->step(source.step, 0);
        values_.pop();
        return step;
    }

    Diagnostics finish() {
        values_.report_missing();
        check_paths(scopes_, file_, diagnostics_);
        return finish_partition();
    }
    Diagnostics finish_partition() {
        diagnostics_.sort();
        return std::move(diagnostics_);
    }

private:
    // ---- the tree

    std::vector<ResolvedElement> elements(std::string scope_name, const std::vector<ElementDefinition>& sources) {
        const std::size_t scope = scopes_.size();
        scopes_.push_back({.name = std::move(scope_name)});
        std::vector<ResolvedElement> result;
        for (const auto& source : sources)
            std::visit([&](const auto& element) { result.emplace_back(this->element(element, scope)); }, source.what);
        return result;
    }

    ResolvedStep element(const StepDefinition& source, std::size_t scope) { return step(source, scope); }

    ResolvedFlow element(const FlowDefinition& source, std::size_t scope) {
        begin_element("flow", source, scope);
        ResolvedFlow flow{.id = source.id, .at = source.at};
        if (scopes_[scope].is_split) refuse_next_of_split_flow(source);
        if (source.next && !scopes_[scope].is_split) flow.next = next(*source.next);
        flow.transitions = transitions(source);
        if (source.elements.empty()) error(source.at, "it has no step");
        flow.elements = elements(owner_, source.elements);
        return flow;
    }

    ResolvedSplit element(const SplitDefinition& source, std::size_t scope) {
        begin_element("split", source, scope);
        ResolvedSplit split{.id = source.id, .at = source.at};
        if (source.next) split.next = next(*source.next);
        if (!path_->links.empty()) path_->certain = 0;
        if (source.flows.empty()) error(source.at, "it has no flow");
        const std::size_t inner = scopes_.size();
        scopes_.push_back({.name = owner_, .is_split = true});
        for (const auto& flow : source.flows) split.flows.push_back(element(flow, inner));
        return split;
    }

    ResolvedDecision element(const DecisionDefinition& source, std::size_t scope) {
        begin_element("decision", source, scope);
        ResolvedDecision decision{.id = source.id, .decider = artifact("decider", source.decider), .at = source.at};
        decision.transitions = transitions(source);
        return decision;
    }

    /// What is told and linked from here on is this element's.
    template <class Definition>
    void begin_element(std::string_view word, const Definition& source, std::size_t scope) {
        owner_ = fmt::format("{} \"{}\"", word, printable(source.id, 60));
        auto& siblings = scopes_[scope].elements;
        path_ = &siblings.emplace_back(PathElement{.word = std::string(word), .id = source.id, .at = source.at});
    }

    void refuse_next_of_split_flow(const FlowDefinition& source) {
        constexpr std::string_view why =
            "it leads nowhere, since all flows of a split begin together; give next to the "
            "split";
        if (source.next) error(source.next->at(), why);
        using Kind = TransitionDefinition::Kind;
        for (const auto& transition : source.transitions)
            if (transition.kind == Kind::next || (transition.kind == Kind::pause && !transition.to.empty()))
                error(transition.at, why);
    }

    ResolvedStep step(const StepDefinition& source, std::size_t scope) {
        begin_element("step", source, scope);
        ResolvedStep step{.id = source.id, .at = source.at};
        step.start_limit =
            *values_.number({.owner = owner_, .attribute = "start-limit", .otherwise = 0}, source.start_limit);
        step.allow_start_if_complete =
            values_.boolean(owner_, "allow-start-if-complete", source.allow_start_if_complete, false);
        if (source.next) step.next = next(*source.next);
        values_.push();
        of_plan_ = false;
        if (source.partition) values_.enter_partitions();
        step.properties = properties(source.properties, "");
        step.listeners = listeners(source.listeners);
        std::visit([&](const auto& definition) { step.work = work(definition); }, source.work);
        if (source.partition) step.partition = partition(*source.partition, source);
        step.transitions = transitions(source);
        values_.pop();
        return step;
    }

    // ---- partitions

    ResolvedPartition partition(const PartitionDefinition& source, const StepDefinition& step) {
        ResolvedPartition partition{.at = source.at};
        partition.collector = artifact("collector", source.collector);
        values_.leave_partitions();
        partition.uses_plan = of_plan_;
        if (source.plan) partition.plan = plan(*source.plan);
        partition.mapper = artifact("mapper", source.mapper);
        partition.analyzer = artifact("analyzer", source.analyzer);
        partition.reducer = artifact("reducer", source.reducer);
        if (source.workers) partition.for_workers = is_for_workers(*source.workers);
        if (source.turn) partition.turn = turn(*source.turn, source.workers.has_value());
        if (parameters_ && partition.uses_plan)
            partition.source = std::make_shared<PartitionSource>(
                PartitionSource{step, *parameters_, system_ ? *system_ : Parameters(), job_properties_, file_});
        return partition;
    }

    bool is_for_workers(const Template& source) {
        const auto text = values_.written(source);
        if (text && *text != "any" && *text != "none")
            error(source.at(), fmt::format(R"(fer:workers="{}" is neither "any" nor "none")", printable(*text, 60)));
        return text == "any";
    }

    std::optional<Duration> turn(const Template& source, bool says_workers) {
        if (!says_workers) {
            const std::string said = printable(values_.text(source).str(), 60);
            error(source.at(),
                  fmt::format("fer:turn=\"{}\" without fer:workers: only partitions that workers claim take turns",
                              said));
            return std::nullopt;
        }
        return duration("fer:turn", source, "2s, 500ms or 1m");
    }

    ResolvedPartitionPlan plan(const PartitionPlanDefinition& source) {
        ResolvedPartitionPlan plan;
        plan.partitions = *values_.number(
            {.owner = owner_, .attribute = "partitions", .most = most_partitions, .otherwise = 1}, source.partitions);
        if (source.threads)
            plan.threads = values_.number({.owner = owner_, .attribute = "threads", .least = 1}, *source.threads);
        for (const auto& group : source.properties) add_plan_properties(group, source, plan);
        return plan;
    }

    void add_plan_properties(const PartitionPlanDefinition::Properties& group, const PartitionPlanDefinition& source,
                             ResolvedPartitionPlan& plan) {
        const auto number = values_.number({.owner = owner_, .attribute = "partition"}, group.partition);
        values_.push();
        const auto resolved = properties(group.properties, "plan: ");
        values_.pop();
        if (!number || !values_.is_known(source.partitions)) return;
        if (*number >= plan.partitions) {
            return warning(group.partition.at(),
                           fmt::format("partition=\"{}\": the plan has {} partition{}, counted "
                                       "from 0; these properties are not used",
                                       *number, plan.partitions, plan.partitions == 1 ? "" : "s"));
        }
        const auto index = static_cast<std::size_t>(*number);
        if (plan.properties.size() <= index) plan.properties.resize(index + 1);
        for (const auto& property : resolved) plan.properties[index][property.name] = property.value.str();
    }

    // ---- properties and artifacts

    ResolvedProperties properties(const std::vector<PropertyDefinition>& sources, std::string_view of) {
        ResolvedProperties result;
        for (const auto& source : sources) {
            check_name(source, of, result);
            auto value = values_.text(source.value);
            const bool of_plan = awaits_plan(source.value);
            values_.define(source.name, value.str(), of_plan);
            std::erase_if(result, [&](const ResolvedProperty& earlier) { return earlier.name == source.name; });
            result.push_back({source.name, std::move(value), source.at, of_plan});
        }
        return result;
    }

    void check_name(const PropertyDefinition& property, std::string_view of, const ResolvedProperties& earlier) {
        const auto name = printable(property.name, 60);
        if (property.name.empty()) error(property.at, fmt::format("{}a property has an empty name", of));
        if (property.name == reserved_prefix || property.name.starts_with(fmt::format("{}.", reserved_prefix))) {
            warning(property.at,
                    fmt::format("{}property \"{}\": names that begin with {} are reserved by the specification", of,
                                name, reserved_prefix));
        }
        if (std::ranges::find(earlier, property.name, &ResolvedProperty::name) != earlier.end()) {
            warning(property.at, fmt::format("{}property \"{}\" is given twice; this last one counts", of, name));
        }
    }

    ResolvedArtifact artifact(std::string_view kind, const ArtifactDefinition& source) {
        ResolvedArtifact artifact{
            .ref = values_.text(source.ref).str(), .at = source.at, .of_plan = awaits_plan(source.ref)};
        if (artifact.ref.empty()) {
            error(source.ref.at().line > 0 ? source.ref.at() : source.at, fmt::format("{} has an empty ref", kind));
        }
        values_.push();
        const auto of = fmt::format("{} \"{}\": ", kind, printable(artifact.ref, 60));
        artifact.properties = properties(source.properties, of);
        values_.pop();
        return artifact;
    }

    std::optional<ResolvedArtifact> artifact(std::string_view kind, const std::optional<ArtifactDefinition>& source) {
        return source ? std::optional(artifact(kind, *source)) : std::nullopt;
    }

    std::vector<ResolvedArtifact> listeners(const std::vector<ArtifactDefinition>& sources) {
        std::vector<ResolvedArtifact> result;
        for (const auto& source : sources) result.push_back(artifact("listener", source));
        return result;
    }

    bool awaits_plan(const Template& source) {
        const bool awaits = values_.awaits_plan(source);
        of_plan_ = of_plan_ || awaits;
        return awaits;
    }

    // ---- the work of a step

    ResolvedBatchlet work(const BatchletDefinition& source) { return {artifact("batchlet", source.batchlet)}; }

    ResolvedChunk work(const ChunkDefinition& source) {
        ResolvedChunk chunk{.at = source.at};
        note_plan(source);
        chunk.policy = policy(source);
        chunk.item_count = *values_.number({.owner = owner_, .attribute = "item-count", .least = 1, .otherwise = 10},
                                           source.item_count);
        chunk.time_limit = std::chrono::seconds(*values_.number(
            {.owner = owner_, .attribute = "time-limit", .most = longest_seconds, .otherwise = 0}, source.time_limit));
        chunk.skip_limit = limit("skip-limit", source.skip_limit);
        chunk.retry_limit = limit("retry-limit", source.retry_limit);
        chunk.reader = artifact("reader", source.reader);
        chunk.processor = artifact("processor", source.processor);
        chunk.writer = artifact("writer", source.writer);
        chunk.checkpoint_algorithm = artifact("checkpoint-algorithm", source.checkpoint_algorithm);
        chunk.skippable = filter(source.skippable);
        chunk.retryable = filter(source.retryable);
        chunk.no_rollback = filter(source.no_rollback);
        return chunk;
    }

    /// Attributes that depend on the plan keep their defaults until it is known.
    void note_plan(const ChunkDefinition& source) {
        for (const auto* attribute : {&source.checkpoint_policy, &source.item_count, &source.time_limit})
            awaits_plan(*attribute);
        for (const auto* attribute : {&source.skip_limit, &source.retry_limit})
            if (*attribute) awaits_plan(**attribute);
        for (const auto* filter : {&source.skippable, &source.retryable, &source.no_rollback})
            for (const auto* classes : {&filter->include, &filter->exclude})
                for (const auto& entry : *classes) awaits_plan(entry.name);
    }

    CheckpointPolicy policy(const ChunkDefinition& source) {
        const auto text = values_.written(source.checkpoint_policy);
        if (!text && !values_.is_known(source.checkpoint_policy)) return CheckpointPolicy::item;
        const bool is_custom = text == "custom";
        if (text && !is_custom && *text != "item") {
            error(source.checkpoint_policy.at(),
                  fmt::format("checkpoint-policy=\"{}\" is neither \"item\" nor \"custom\"", printable(*text, 60)));
        } else if (is_custom && !source.checkpoint_algorithm) {
            error(source.checkpoint_policy.at(), "checkpoint-policy=\"custom\" needs a checkpoint-algorithm element");
        } else if (!is_custom && source.checkpoint_algorithm) {
            warning(source.checkpoint_algorithm->at,
                    "the checkpoint-algorithm is not used without checkpoint-policy=\"custom\"");
        }
        return is_custom ? CheckpointPolicy::custom : CheckpointPolicy::item;
    }

    std::optional<std::int64_t> limit(std::string_view attribute, const std::optional<Template>& source) {
        return source ? values_.number({.owner = owner_, .attribute = attribute}, *source) : std::nullopt;
    }

    ResolvedExceptionFilter filter(const ExceptionFilterDefinition& source) {
        const auto classes = [&](const std::vector<ExceptionFilterDefinition::Class>& names) {
            std::vector<ResolvedExceptionFilter::Class> result;
            for (const auto& entry : names) {
                result.push_back({values_.text(entry.name).str(), entry.at});
                if (result.back().name.empty()) error(entry.at, "an exception class has an empty name");
            }
            return result;
        };
        return {classes(source.include), classes(source.exclude)};
    }

    // ---- where it goes on

    std::optional<std::string> next(const Template& source) {
        auto target = values_.written(source);
        if (!target && values_.is_known(source)) return std::nullopt;
        if (target && target->empty()) error(source.at(), "next=\"\" names no step");
        if (target && target->empty()) return std::nullopt;
        link({.written = fmt::format("next=\"{}\"", shown(target, source)), .target = target, .at = source.at()});
        return target;
    }

    ResolvedTransition transition(const TransitionDefinition& source) {
        using Kind = TransitionDefinition::Kind;
        ResolvedTransition result{.kind = source.kind, .on = values_.text(source.on).str(), .at = source.at};
        if (source.kind == Kind::next) {
            const auto to = target(source.to);
            link_from(result, "to", source.to, to);
            result.to = to.value_or("");
        }
        if (source.kind == Kind::pause) {
            if (!source.to.empty()) {
                const auto to = target(source.to);
                link_from(result, "to", source.to, to);
                result.to = to.value_or("");
            }
            result.pause = pause(*source.pause);
        }
        if (source.exit_status) result.exit_status = values_.written(*source.exit_status);
        if (source.restart) result.restart = restart(result, *source.restart);
        return result;
    }

    PauseRequest pause(const PauseDefinition& source) {
        PauseRequest pause{.point = values_.text(source.point).str()};
        if (pause.point.empty()) error(source.point.at(), "a pause has an empty point");
        if (source.message) pause.message = values_.text(*source.message).str();
        pause.signals =
            *values_.number({.owner = owner_, .attribute = "signals", .least = 1, .otherwise = 1}, source.signals);
        if (source.timeout) pause.timeout = duration("timeout", *source.timeout, "30s, 15m or 72h");
        pause.on_timeout = on_timeout(source.on_timeout);
        if (source.notify && source.notify->has_expressions())
            error(source.notify->at(),
                  "notify must not contain expressions; parameters are in its environment, FERMATA_PARAM_<NAME>");
        if (source.notify) pause.notify = source.notify->source();
        if (pause.notify && trim(*pause.notify).empty())
            error(source.notify->at(), "notify=\"\" is no command; without the attribute nobody is told");
        return pause;
    }

    /// More than none.
    std::optional<Duration> duration(std::string_view attribute, const Template& source, std::string_view such_as) {
        const auto text = values_.written(source);
        if (!text) return std::nullopt;
        const auto duration = parse_duration(*text);
        if (!duration || *duration <= Duration{})
            error(source.at(),
                  fmt::format("{}=\"{}\" is no duration such as {}", attribute, printable(*text, 60), such_as));
        return duration;
    }

    OnTimeout on_timeout(const Template& source) {
        const auto text = values_.written(source);
        const auto what = text ? parse_on_timeout(*text) : std::nullopt;
        if (text && !what)
            error(source.at(),
                  fmt::format(R"(on-timeout="{}" is neither "fail", "stop" nor "resume")", printable(*text, 60)));
        return what.value_or(OnTimeout::fail);
    }

    std::optional<std::string> restart(const ResolvedTransition& transition, const Template& source) {
        auto id = values_.written(source);
        if (id || !values_.is_known(source)) link_from(transition, "restart", source, id);
        return id;
    }

    std::optional<std::string> target(const Template& source) {
        auto id = values_.text(source).str();
        return values_.is_known(source) ? std::optional(std::move(id)) : std::nullopt;
    }

    void link_from(const ResolvedTransition& transition, std::string_view attribute, const Template& source,
                   const std::optional<std::string>& target) {
        const bool is_restart = transition.kind == TransitionDefinition::Kind::stop;
        const bool is_pause = transition.kind == TransitionDefinition::Kind::pause;
        link({.written = fmt::format("{} on=\"{}\" {}=\"{}\"",
                                     is_restart ? "stop"
                                     : is_pause ? "fer:pause"
                                                : "next",
                                     printable(transition.on, 60), attribute, shown(target, source)),
              .target = target,
              .is_restart = is_restart,
              .at = source.at()});
    }

    static std::string shown(const std::optional<std::string>& value, const Template& source) {
        return printable(value.value_or(source.source()), 60);
    }

    void link(Link link) { path_->links.push_back(std::move(link)); }

    /// All transition elements. The first one decides if it matches everything; the next attribute if there are none.
    template <class Definition>
    std::vector<ResolvedTransition> transitions(const Definition& source) {
        const bool has_next_link = !path_->links.empty();
        std::vector<ResolvedTransition> result;
        for (const auto& transition : source.transitions) result.push_back(this->transition(transition));
        if (source.transitions.empty()) {
            if (has_next_link) path_->certain = 0;
            return result;
        }
        const auto& first = source.transitions.front();
        const bool matches_all = !first.on.empty() && first.on.source().find_first_not_of('*') == std::string::npos;
        if (first.kind == TransitionDefinition::Kind::next && matches_all) path_->certain = has_next_link ? 1 : 0;
        return result;
    }

    void error(Position at, std::string_view what) {
        diagnostics_.error(file_, at, fmt::format("{}: {}", owner_, what));
    }
    void warning(Position at, std::string_view what) {
        diagnostics_.warning(file_, at, fmt::format("{}: {}", owner_, what));
    }

    const std::string& file_;
    const Parameters* parameters_;
    const Parameters* system_;
    Diagnostics diagnostics_;
    Values values_;
    std::map<std::string, std::string> job_properties_;
    std::vector<PathScope> scopes_;
    PathElement* path_ = nullptr;  ///< of the element being resolved, until an inner one begins
    std::string owner_;
    bool of_plan_ = false;  ///< something of this step depends on partitionPlan
};

}  // namespace

Resolution resolve(const JobDefinition& job, const Parameters& parameters, const Parameters& system) {
    Resolver resolver(job.file, &parameters, &system);
    Resolution result{.job = resolver.job(job)};
    result.diagnostics = resolver.finish();
    if (result.diagnostics.has_errors()) result.job.reset();
    return result;
}

Diagnostics check(const JobDefinition& job) {
    Resolver resolver(job.file, nullptr, nullptr);
    static_cast<void>(resolver.job(job));
    return resolver.finish();
}

PartitionResolution resolve_partition(const ResolvedStep& step, const Parameters& plan) {
    if (!step.partition->uses_plan) return {.step = step};
    const PartitionSource& source = *step.partition->source;
    Resolver resolver(source.file, &source.parameters, &source.system);
    PartitionResolution result{.step = resolver.step_of_partition(source, plan)};
    result.diagnostics = resolver.finish_partition();
    if (result.diagnostics.has_errors()) result.step.reset();
    return result;
}

}  // namespace fermata
