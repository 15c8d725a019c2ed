#include <fermata/model/job_definition.hpp>
#include <fermata/model/resolved_job.hpp>

namespace fermata {
namespace {

template <class Step, class Flow, class Split, class Element>
void collect(const std::vector<Element>& elements, std::vector<const Step*>& steps) {
    for (const Element& element : elements) {
        if (const auto* step = std::get_if<Step>(&element.what)) steps.push_back(step);
        if (const auto* flow = std::get_if<Flow>(&element.what)) collect<Step, Flow, Split>(flow->elements, steps);
        if (const auto* split = std::get_if<Split>(&element.what))
            for (const Flow& flow : split->flows) collect<Step, Flow, Split>(flow.elements, steps);
    }
}

template <class Step>
const Step* find_step(const std::vector<const Step*>& steps, std::string_view id) {
    for (const Step* step : steps)
        if (step->id == id) return step;
    return nullptr;
}

}  // namespace

const std::string& ElementDefinition::id() const {
    return std::visit([](const auto& element) -> const std::string& { return element.id; }, what);
}

const std::string& ResolvedElement::id() const {
    return std::visit([](const auto& element) -> const std::string& { return element.id; }, what);
}

std::string_view word_of(const ElementDefinition& element) {
    constexpr std::string_view words[] = {"step", "flow", "split", "decision"};
    return words[element.what.index()];
}

std::vector<const StepDefinition*> steps_of(const std::vector<ElementDefinition>& elements) {
    std::vector<const StepDefinition*> steps;
    collect<StepDefinition, FlowDefinition, SplitDefinition>(elements, steps);
    return steps;
}

std::vector<const ResolvedStep*> steps_of(const std::vector<ResolvedElement>& elements) {
    std::vector<const ResolvedStep*> steps;
    collect<ResolvedStep, ResolvedFlow, ResolvedSplit>(elements, steps);
    return steps;
}

const StepDefinition* JobDefinition::find(std::string_view step_id) const {
    return find_step(steps_of(elements), step_id);
}

const ResolvedStep* ResolvedJob::find(std::string_view step_id) const { return find_step(steps_of(elements), step_id); }

}  // namespace fermata
