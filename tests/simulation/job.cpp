#include "job.hpp"

#include <fmt/format.h>

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

Step any_step(Chance& chance, const std::string& name) {
    Step step{.name = name, .chunks = chance.between(0, 3)};
    if (chance.happens(0.35)) {
        step.partitions = chance.between(0, 3);
        step.chunks = chance.between(1, 2);
    }
    if (step.chunks > 0 && chance.happens(0.2)) step.pause_within = any_pause(chance, "inside " + name);
    if (chance.happens(0.3)) step.pause_after = any_pause(chance, "behind " + name);
    return step;
}

}  // namespace

Job any_job(Chance& chance, const std::string& name) {
    Job job{.name = name, .steps = {}};
    const std::int64_t count = chance.between(1, 3);
    for (std::int64_t i = 0; i < count; ++i) job.steps.push_back(any_step(chance, fmt::format("s{}", i + 1)));
    return job;
}

}  // namespace fermata::simulation
