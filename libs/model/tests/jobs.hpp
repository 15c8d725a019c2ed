#pragma once
// Definitions written down by hand, each attribute on a line of its own choice.
#include <fermata/model/resolved_job.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fermata::testing_model {

inline Template text(std::string_view source, Position at = {}) {
    Diagnostics diagnostics;
    auto result = Template::parse(source, at, "job.xml", diagnostics);
    EXPECT_TRUE(diagnostics.all().empty()) << source;
    return result;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

inline std::vector<PropertyDefinition> properties(const Pairs& pairs, int line = 0) {
    std::vector<PropertyDefinition> result;
    for (const auto& [name, value] : pairs) {
        const Position at{line, line == 0 ? 0 : 5};
        result.push_back({name, text(value, line == 0 ? Position{} : Position{line, 30}), at});
        if (line > 0) ++line;
    }
    return result;
}

inline ArtifactDefinition artifact(std::string_view ref, const Pairs& pairs = {}, int line = 0) {
    return {text(ref), properties(pairs, line), {line, 3}};
}

inline StepDefinition batchlet_step(const std::string& id, int line = 0) {
    StepDefinition step{.id = id, .at = {line, 3}};
    step.work = BatchletDefinition{artifact("b")};
    return step;
}

inline StepDefinition chunk_step(const std::string& id, ChunkDefinition chunk = {}, int line = 0) {
    StepDefinition step{.id = id, .at = {line, 3}};
    if (chunk.reader.ref.empty()) chunk.reader = artifact("r");
    if (chunk.writer.ref.empty()) chunk.writer = artifact("w");
    step.work = std::move(chunk);
    return step;
}

inline JobDefinition job_of(std::vector<ElementDefinition> elements) {
    return {.id = "j", .elements = std::move(elements), .file = "job.xml", .at = {1, 1}};
}

inline StepDefinition& step_at(JobDefinition& job, std::size_t index) {
    return std::get<StepDefinition>(job.elements.at(index).what);
}

inline const ResolvedStep& step_at(const ResolvedJob& job, std::size_t index) {
    return std::get<ResolvedStep>(job.elements.at(index).what);
}

inline TransitionDefinition next_on(std::string_view on, std::string_view to, int line = 0) {
    return {.kind = TransitionDefinition::Kind::next, .on = text(on), .to = text(to, {line, 20}), .at = {line, 5}};
}

inline std::vector<std::string> texts_of(const Diagnostics& diagnostics) {
    std::vector<std::string> texts;
    for (const auto& diagnostic : diagnostics.all()) texts.push_back(to_string(diagnostic));
    return texts;
}

inline ResolvedJob resolved(const JobDefinition& job, const Parameters& parameters = {},
                            const Parameters& system = {}) {
    auto resolution = resolve(job, parameters, system);
    for (const auto& diagnostic : texts_of(resolution.diagnostics)) ADD_FAILURE() << diagnostic;
    return resolution.job.value_or(ResolvedJob{});
}

/// The diagnostics of a resolution, which has a job exactly if none of them is an error.
inline std::vector<std::string> told(const JobDefinition& job, const Parameters& parameters = {},
                                     const Parameters& system = {}) {
    const auto resolution = resolve(job, parameters, system);
    EXPECT_NE(resolution.job.has_value(), resolution.diagnostics.has_errors());
    return texts_of(resolution.diagnostics);
}

}  // namespace fermata::testing_model
