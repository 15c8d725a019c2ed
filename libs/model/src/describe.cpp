#include <fermata/base/text.hpp>
#include <fermata/model/resolved_job.hpp>

#include <fmt/format.h>

#include <iterator>

namespace fermata {
namespace {

std::string quoted(std::string_view text) { return fmt::format("\"{}\"", printable(text)); }

std::string or_unlimited(const std::optional<std::int64_t>& limit) {
    return limit ? fmt::format("{}", *limit) : "unlimited";
}

class Description {
public:
    std::string text;

    void job(const ResolvedJob& job) {
        line(0, "job {}", quoted(job.id));
        line(1, "restartable: {}", job.restartable);
        properties(1, job.properties);
        for (const auto& listener : job.listeners) artifact(1, "listener", listener);
        for (const auto& step : job.steps) this->step(step);
    }

private:
    void step(const ResolvedStep& step) {
        line(1, "step {}", quoted(step.id));
        line(2, "start-limit: {}", step.start_limit == 0 ? "unlimited" : fmt::format("{}", step.start_limit));
        line(2, "allow-start-if-complete: {}", step.allow_start_if_complete);
        properties(2, step.properties);
        for (const auto& listener : step.listeners) artifact(2, "listener", listener);
        std::visit([&](const auto& work) { this->work(work); }, step.work);
        for (const auto& transition : step.transitions) this->transition(transition);
        line(2, "{}: {}", step.transitions.empty() ? "then" : "otherwise",
             step.next ? fmt::format("next {}", quoted(*step.next)) : "the job ends");
    }

    void work(const ResolvedBatchlet& work) { artifact(2, "batchlet", work.batchlet); }

    void work(const ResolvedChunk& chunk) {
        line(2, "chunk");
        line(3, "checkpoint: {}", checkpoint(chunk));
        line(3, "skip-limit: {}", or_unlimited(chunk.skip_limit));
        line(3, "retry-limit: {}", or_unlimited(chunk.retry_limit));
        artifact(3, "reader", chunk.reader);
        if (chunk.processor) artifact(3, "processor", *chunk.processor);
        artifact(3, "writer", chunk.writer);
        if (chunk.checkpoint_algorithm) artifact(3, "checkpoint-algorithm", *chunk.checkpoint_algorithm);
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
        for (const auto& entry : filter.include) line(3, "{}: {}", name, printable(entry.name));
        for (const auto& entry : filter.exclude) line(3, "{}: not {}", name, printable(entry.name));
    }

    void transition(const ResolvedTransition& transition) {
        using Kind = TransitionDefinition::Kind;
        std::string what = fmt::format("next {}", quoted(transition.to));
        if (transition.kind == Kind::end) what = "end";
        if (transition.kind == Kind::fail) what = "fail";
        if (transition.kind == Kind::stop) what = "stop";
        if (transition.exit_status) what += fmt::format(", exit status {}", quoted(*transition.exit_status));
        if (transition.restart) what += fmt::format(", restart at {}", quoted(*transition.restart));
        line(2, "on {}: {}", quoted(transition.on), what);
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
};

}  // namespace

std::string describe(const ResolvedJob& job) {
    Description description;
    description.job(job);
    return std::move(description.text);
}

}  // namespace fermata
