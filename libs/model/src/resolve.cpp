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

class Resolver {
public:
    Resolver(const JobDefinition& job, const Parameters* parameters, const Parameters* system)
        : definition_(job), values_(job.file, parameters, system, diagnostics_) {}

    ResolvedJob job() {
        values_.push();
        ResolvedJob job{.id = definition_.id, .file = definition_.file};
        owner_ = fmt::format("job \"{}\"", printable(job.id, 60));
        job.restartable = values_.boolean(owner_, "restartable", definition_.restartable, true);
        job.properties = properties(definition_.properties, "");
        job.listeners = listeners(definition_.listeners);
        if (definition_.steps.empty()) error(definition_.at, "it has no step");
        for (const auto& source : definition_.steps) job.steps.push_back(step(source));
        values_.pop();
        return job;
    }

    Diagnostics finish() {
        values_.report_missing();
        check_paths(paths_, definition_.file, diagnostics_);
        diagnostics_.sort();
        return std::move(diagnostics_);
    }

private:
    ResolvedStep step(const StepDefinition& source) {
        owner_ = fmt::format("step \"{}\"", printable(source.id, 60));
        paths_.push_back({.id = source.id, .at = source.at});
        ResolvedStep step{.id = source.id, .at = source.at};
        step.start_limit =
            *values_.number({.owner = owner_, .attribute = "start-limit", .otherwise = 0}, source.start_limit);
        step.allow_start_if_complete =
            values_.boolean(owner_, "allow-start-if-complete", source.allow_start_if_complete, false);
        if (source.next) step.next = next(*source.next);
        const bool has_next_link = !paths_.back().links.empty();
        values_.push();
        step.properties = properties(source.properties, "");
        step.listeners = listeners(source.listeners);
        std::visit([&](const auto& definition) { step.work = work(definition); }, source.work);
        for (const auto& transition : source.transitions) step.transitions.push_back(this->transition(transition));
        values_.pop();
        note_certain_link(source, has_next_link);
        return step;
    }

    // ---- properties and artifacts

    ResolvedProperties properties(const std::vector<PropertyDefinition>& sources, std::string_view of) {
        ResolvedProperties result;
        for (const auto& source : sources) {
            check_name(source, of, result);
            auto value = values_.text(source.value);
            values_.define(source.name, value.str());
            std::erase_if(result, [&](const ResolvedProperty& earlier) { return earlier.name == source.name; });
            result.push_back({source.name, std::move(value), source.at});
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
        ResolvedArtifact artifact{.ref = values_.text(source.ref).str(), .at = source.at};
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

    // ---- the work of a step

    ResolvedBatchlet work(const BatchletDefinition& source) { return {artifact("batchlet", source.batchlet)}; }

    ResolvedChunk work(const ChunkDefinition& source) {
        ResolvedChunk chunk{.at = source.at};
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
        if (source.exit_status) result.exit_status = values_.written(*source.exit_status);
        if (source.restart) result.restart = restart(result, *source.restart);
        return result;
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
        link({.written = fmt::format("{} on=\"{}\" {}=\"{}\"", is_restart ? "stop" : "next",
                                     printable(transition.on, 60), attribute, shown(target, source)),
              .target = target,
              .is_restart = is_restart,
              .at = source.at()});
    }

    static std::string shown(const std::optional<std::string>& value, const Template& source) {
        return printable(value.value_or(source.source()), 60);
    }

    void link(Link link) { paths_.back().links.push_back(std::move(link)); }

    /// The first transition element decides if it matches everything; the next attribute if there are no elements.
    void note_certain_link(const StepDefinition& source, bool has_next_link) {
        if (source.transitions.empty()) {
            if (has_next_link) paths_.back().certain = 0;
            return;
        }
        const auto& first = source.transitions.front();
        const bool matches_all = !first.on.empty() && first.on.source().find_first_not_of('*') == std::string::npos;
        if (first.kind == TransitionDefinition::Kind::next && matches_all)
            paths_.back().certain = has_next_link ? 1 : 0;
    }

    void error(Position at, std::string_view what) {
        diagnostics_.error(definition_.file, at, fmt::format("{}: {}", owner_, what));
    }
    void warning(Position at, std::string_view what) {
        diagnostics_.warning(definition_.file, at, fmt::format("{}: {}", owner_, what));
    }

    const JobDefinition& definition_;
    Diagnostics diagnostics_;
    Values values_;
    std::vector<PathStep> paths_;
    std::string owner_;
};

}  // namespace

Resolution resolve(const JobDefinition& job, const Parameters& parameters, const Parameters& system) {
    Resolver resolver(job, &parameters, &system);
    Resolution result{.job = resolver.job()};
    result.diagnostics = resolver.finish();
    if (result.diagnostics.has_errors()) result.job.reset();
    return result;
}

Diagnostics check(const JobDefinition& job) {
    Resolver resolver(job, nullptr, nullptr);
    static_cast<void>(resolver.job());
    return resolver.finish();
}

}  // namespace fermata
