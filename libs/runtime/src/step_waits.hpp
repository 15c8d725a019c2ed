#pragma once
// What an entry of a step may know about waiting.
#include "step_scope.hpp"

namespace fermata {

class StepWaits final : public Waits {
public:
    StepWaits(const JobScope& job, const StepState& state)
        : job_(job), source_{.own = state.own_pause, .outside = state.outside_pause} {}

    [[nodiscard]] bool pause_requested() const noexcept override { return job_.pause.asked(); }
    [[nodiscard]] std::vector<Signal> signals() const override {
        if (source_.empty()) return {};
        return job_.repository.signals_for(job_.claim.execution, source_);
    }
    [[nodiscard]] std::int64_t signal_count() const override {
        return source_.empty() ? 0 : job_.repository.count_signals_for(job_.claim.execution, source_);
    }

private:
    const JobScope& job_;
    SignalSource source_;
};

/// What a step asks for, as its progress keeps it: behind the pause it had before. Once it got what it asked for it has
/// a newer one, so that a sink's copy of the progress, which is not written then, says no more than it should.
[[nodiscard]] inline std::string kept(const StepPause& asked, const StepState& entered) {
    return std::to_string(entered.own_pause) + " " + encode(asked);
}
[[nodiscard]] inline StepPause asked_in(const std::string& kept) {
    return decode_step_pause(std::string_view(kept).substr(kept.find(' ') + 1));
}
/// What it asked for and has not got yet.
[[nodiscard]] inline std::optional<StepPause> unserved(const Progress& progress, const StepState& entered) {
    if (!progress.pause) return std::nullopt;
    if (!progress.pause->starts_with(std::to_string(entered.own_pause) + " ")) return std::nullopt;
    return asked_in(*progress.pause);
}
/// It is to be entered again, as soon as it rests.
[[nodiscard]] inline bool wants_to_rest(const StepContext& context) {
    return context.pause_asked && !context.pause_asked->after;
}
/// How it rests: with its own pause, if it asked for one that belongs here.
[[nodiscard]] inline StepRest rest_of(const StepContext& context, Progress progress) {
    StepRest rest{.progress = std::move(progress), .pause = {}};
    if (wants_to_rest(context)) rest.pause = context.pause_asked->what;
    return rest;
}

}  // namespace fermata
