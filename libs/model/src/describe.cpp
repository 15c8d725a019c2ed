#include <fermata/base/text.hpp>
#include <fermata/model/resolved_job.hpp>

#include <fmt/format.h>

#include <iterator>

namespace fermata {
namespace {

std::string or_unlimited(const std::optional<std::int64_t>& limit) {
    return limit ? fmt::format("{}", *limit) : "unlimited";
}

using Shown = std::function<std::string(std::string_view)>;

class Description {
public:
    explicit Description(const Shown& shown) : shown_(shown) {}
    std::string text;

    void job(const ResolvedJob& job) {
        line(0, "job {}", quoted(job.id));
        line(1, "restartable: {}", job.restartable);
        properties(1, job.properties);
        for (const auto& listener : job.listeners) artifact(1, "listener", listener);
        elements(1, job.elements, "the job");
    }

private:
    [[nodiscard]] std::string quoted(std::string_view said) const {
        return fmt::format("\"{}\"", shown_ ? printable(shown_(said)) : printable(said));
    }

    void elements(int depth, const std::vector<ResolvedElement>& elements, std::string_view scope) {
        for (const auto& element : elements)
            std::visit([&](const auto& it) { this->element(depth, it, scope); }, element.what);
    }

    void element(int depth, const ResolvedStep& step, std::string_view scope) {
        depth_ = depth;
        line(depth, "step {}", quoted(step.id));
        line(depth + 1, "start-limit: {}", step.start_limit == 0 ? "unlimited" : fmt::format("{}", step.start_limit));
        line(depth + 1, "allow-start-if-complete: {}", step.allow_start_if_complete);
        properties(depth + 1, step.properties);
        for (const auto& listener : step.listeners) artifact(depth + 1, "listener", listener);
        std::visit([&](const auto& work) { this->work(work); }, step.work);
        if (step.partition) partition(depth + 1, *step.partition);
        ways(depth + 1, step.transitions, step.next, scope);
    }

    void element(int depth, const ResolvedFlow& flow, std::string_view scope) {
        line(depth, "flow {}", quoted(flow.id));
        elements(depth + 1, flow.elements, "the flow");
        ways(depth + 1, flow.transitions, flow.next, scope);
    }

    void element(int depth, const ResolvedSplit& split, std::string_view scope) {
        line(depth, "split {}", quoted(split.id));
        for (const auto& flow : split.flows) element(depth + 1, flow, "the flow");
        ways(depth + 1, {}, split.next, scope);
    }

    void element(int depth, const ResolvedDecision& decision, std::string_view scope) {
        line(depth, "decision {}", quoted(decision.id));
        artifact(depth + 1, "decider", decision.decider);
        ways(depth + 1, decision.transitions, std::nullopt, scope);
    }

    void ways(int depth, const std::vector<ResolvedTransition>& transitions, const std::optional<std::string>& next,
              std::string_view scope) {
        for (const auto& transition : transitions) this->transition(depth, transition);
        line(depth, "{}: {}", transitions.empty() ? "then" : "otherwise",
             next ? fmt::format("next {}", quoted(*next)) : fmt::format("{} ends", scope));
    }

    void partition(int depth, const ResolvedPartition& partition) {
        line(depth, "partition{}{}", partition.for_workers ? ", for any worker" : "",
             partition.turn ? fmt::format(", in turns of {:g}s", std::chrono::duration<double>(*partition.turn).count())
                            : "");
        if (partition.mapper) {
            artifact(depth + 1, "mapper", *partition.mapper);
        } else {
            plan(depth + 1, partition.plan);
        }
        if (partition.collector) artifact(depth + 1, "collector", *partition.collector);
        if (partition.analyzer) artifact(depth + 1, "analyzer", *partition.analyzer);
        if (partition.reducer) artifact(depth + 1, "reducer", *partition.reducer);
    }

    void plan(int depth, const ResolvedPartitionPlan& plan) {
        line(depth, "partitions: {}{}", plan.partitions,
             plan.threads ? fmt::format(", at most {} at once", *plan.threads) : "");
        for (std::size_t i = 0; i < plan.properties.size(); ++i) {
            for (const auto& [name, value] : plan.properties[i])
                line(depth, "partition {}: {} = {}", i, printable(name), quoted(value));
        }
    }

    void work(const ResolvedBatchlet& work) { artifact(depth_ + 1, "batchlet", work.batchlet); }

    void work(const ResolvedChunk& chunk) {
        line(depth_ + 1, "chunk");
        line(depth_ + 2, "checkpoint: {}", checkpoint(chunk));
        line(depth_ + 2, "skip-limit: {}", or_unlimited(chunk.skip_limit));
        line(depth_ + 2, "retry-limit: {}", or_unlimited(chunk.retry_limit));
        artifact(depth_ + 2, "reader", chunk.reader);
        if (chunk.processor) artifact(depth_ + 2, "processor", *chunk.processor);
        artifact(depth_ + 2, "writer", chunk.writer);
        if (chunk.checkpoint_algorithm) artifact(depth_ + 2, "checkpoint-algorithm", *chunk.checkpoint_algorithm);
        filter("skippable", chunk.skippable);
        filter("retryable", chunk.retryable);
        filter("no-rollback", chunk.no_rollback);
    }

    static std::string checkpoint(const ResolvedChunk& chunk) {
        if (chunk.policy == CheckpointPolicy::custom) return "when the checkpoint-algorithm says so";
        auto every = fmt::format("every {} item{}", chunk.item_count, chunk.item_count == 1 ? "" : "s");
        if (chunk.time_limit.count() > 0) every += fmt::format(" or {} s", chunk.time_limit.count());
        return every;
    }

    void filter(std::string_view name, const ResolvedExceptionFilter& filter) {
        for (const auto& entry : filter.include) line(depth_ + 2, "{}: {}", name, printable(entry.name));
        for (const auto& entry : filter.exclude) line(depth_ + 2, "{}: not {}", name, printable(entry.name));
    }

    void transition(int depth, const ResolvedTransition& transition) {
        using Kind = TransitionDefinition::Kind;
        std::string what = fmt::format("next {}", quoted(transition.to));
        if (transition.kind == Kind::end) what = "end";
        if (transition.kind == Kind::fail) what = "fail";
        if (transition.kind == Kind::stop) what = "stop";
        if (transition.pause) what = pause(transition);
        if (transition.exit_status) what += fmt::format(", exit status {}", quoted(*transition.exit_status));
        if (transition.restart) what += fmt::format(", restart at {}", quoted(*transition.restart));
        line(depth, "on {}: {}", quoted(transition.on), what);
    }

    [[nodiscard]] std::string pause(const ResolvedTransition& transition) const {
        const PauseRequest& pause = *transition.pause;
        std::string what = fmt::format("pause at {}", quoted(pause.point));
        if (pause.signals > 1) what += fmt::format(" for {} signals", pause.signals);
        if (pause.timeout) what += fmt::format(", {} after {}", to_string(pause.on_timeout), to_human(*pause.timeout));
        if (!pause.message.empty()) what += fmt::format(", message {}", quoted(pause.message));
        if (pause.notify) what += fmt::format(", notify {}", quoted(*pause.notify));
        return what +
               (transition.to.empty() ? ", then as without it" : fmt::format(", then next {}", quoted(transition.to)));
    }

    void artifact(int depth, std::string_view kind, const ResolvedArtifact& artifact) {
        line(depth, "{} {}", kind, quoted(artifact.ref));
        properties(depth + 1, artifact.properties);
    }

    void properties(int depth, const ResolvedProperties& properties) {
        for (const auto& property : properties) {
            line(depth, "property {} = {}", printable(property.name), quoted(property.value.str()));
        }
    }

    template <class... Args>
    void line(int depth, fmt::format_string<Args...> format, Args&&... args) {
        text.append(2 * static_cast<std::size_t>(depth), ' ');
        fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
        text += '\n';
    }

    const Shown& shown_;
    int depth_ = 1;  ///< of the step being described
};

}  // namespace

std::string describe(const ResolvedJob& job, const Shown& shown) {
    Description description(shown);
    description.job(job);
    return std::move(description.text);
}

}  // namespace fermata
