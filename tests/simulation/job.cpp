#include "job.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fermata::simulation {
namespace {

PauseRequest any_pause(Chance& chance, const std::string& point) {
    PauseRequest pause{.point = point, .signals = chance.between(1, 3)};
    if (chance.happens(0.2)) {
        pause.timeout = std::chrono::seconds(chance.between(1, 30));
        pause.on_timeout = static_cast<OnTimeout>(chance.below(3));
    }
    return pause;
}

Step any_step(Chance& chance, const std::string& name, double shared) {
    Step step{.name = name, .chunks = chance.between(0, 3)};
    if (chance.happens(0.4)) {
        step.partitions = chance.between(0, 3);
        step.chunks = chance.between(1, 2);
        step.shared = chance.happens(shared);
        if (step.shared) {
            step.partitions = chance.between(0, 4);
            step.chunks = chance.between(1, 4);
        }
    }
    if (step.chunks > 0 && chance.happens(0.2)) step.pause_within = any_pause(chance, "inside " + name);
    if (chance.happens(0.3)) step.pause_after = any_pause(chance, "behind " + name);
    return step;
}

}  // namespace

const Step& Job::step(std::string_view its_name) const { return *std::ranges::find(steps, its_name, &Step::name); }

Job any_job(Chance& chance, const std::string& name, double shared) {
    Job job{.name = name, .steps = {}, .for_workers = chance.happens(shared / 4)};
    const std::int64_t count = chance.between(1, 3);
    for (std::int64_t i = 0; i < count; ++i) job.steps.push_back(any_step(chance, fmt::format("s{}", i + 1), shared));
    return job;
}

}  // namespace fermata::simulation
