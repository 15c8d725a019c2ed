#include "cuts.hpp"

#include <fmt/format.h>
#include <fermata/base/text.hpp>

#include <algorithm>

namespace fermata::cli {

namespace {

std::string line(std::string_view name, const std::string& text) { return fmt::format("  {:<11} {}\n", name, text); }

std::string asked_text(const StepCut& cut) {
    return fmt::format("step {} asked by {} at {}{}", printable(cut.step), printable(cut.by), local_time(cut.at),
                       cut.now ? ", now" : "");
}

std::string line_of(const StepCut& cut, const StepExecution& step) {
    if (cut.after) return line("cut short", cut_text(cut));
    if (!step.ended) return line("stop", asked_text(cut));
    return line("stop", fmt::format("{}: too late, it was {}", asked_text(cut), to_string(step.status)));
}

}  // namespace

std::string cut_text(const StepCut& cut) {
    std::string text = fmt::format("step {} by {} at {}", printable(cut.step), printable(cut.by), local_time(cut.at));
    if (cut.after.value_or(0) > 0) text += fmt::format(", after item {}", with_commas(*cut.after));
    if (!cut.position.empty()) text += fmt::format(" ({})", printable(cut.position));
    return text;
}

std::string cut_lines(const ExecutionView& view) {
    std::string text;
    for (const StepCut& cut : view.cuts) {
        const auto step = std::ranges::find(view.steps, cut.step, &StepExecution::name);
        if (step != view.steps.end() && step->id == cut.step_execution)
            text += line_of(cut, *step);
        else if (step == view.steps.end() && cut.after && cut.execution < view.execution.id)
            text += line("cut short", fmt::format("{}, in execution {}", cut_text(cut), cut.execution.value()));
    }
    return text;
}

std::vector<std::string> cuts_passed_over(Repository& repository, JobInstanceId instance) {
    std::vector<std::string> lines;
    const std::vector<StepCut> cuts = repository.cuts_of(instance);
    if (cuts.empty()) return lines;
    const auto steps = repository.steps_of_instance(instance);
    for (const StepCut& cut : cuts) {
        const auto state = steps.find(cut.step);
        if (!cut.after || state == steps.end() || state->second.last_execution != cut.step_execution) continue;
        lines.push_back(fmt::format("{} was cut short, in execution {}: it counts as COMPLETED", cut_text(cut),
                                    cut.execution.value()));
    }
    return lines;
}

}  // namespace fermata::cli
