#include <fermata/model/job_definition.hpp>
#include <fermata/model/resolved_job.hpp>

#include <algorithm>

namespace fermata {
namespace {

template <class Steps>
auto find_step(const Steps& steps, std::string_view id) -> decltype(steps.data()) {
    const auto found = std::ranges::find_if(steps, [&](const auto& step) { return step.id == id; });
    return found == steps.end() ? nullptr : &*found;
}

}  // namespace

const StepDefinition* JobDefinition::find(std::string_view step_id) const { return find_step(steps, step_id); }

const ResolvedStep* ResolvedJob::find(std::string_view step_id) const { return find_step(steps, step_id); }

}  // namespace fermata
