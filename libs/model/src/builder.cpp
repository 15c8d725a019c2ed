#include <fermata/model/builder.hpp>

#include <fermata/base/error.hpp>

#include <fmt/format.h>

namespace fermata {

ChunkDefinition& StepBuilder::chunk(std::string_view word) {
    if (auto* chunk = std::get_if<ChunkDefinition>(&step_.work)) return *chunk;
    throw Error(ErrorKind::invalid, fmt::format("step \"{}\" is a batchlet step: it has no {}", step_.id, word),
                "begin it with chunk_step");
}

Template StepBuilder::value(std::string_view text) { return Template::parse(text, {}, {}, diagnostics_); }

ArtifactDefinition StepBuilder::artifact(std::string_view ref, const PropertyList& properties) {
    ArtifactDefinition artifact{.ref = value(ref), .properties = {}, .at = {}};
    for (const auto& [name, text] : properties) artifact.properties.push_back({name, value(text), {}});
    return artifact;
}

void StepBuilder::classes(ExceptionFilterDefinition& filter, const std::vector<std::string>& exceptions) {
    for (const auto& name : exceptions) filter.include.push_back({value(name), {}});
}

StepBuilder& StepBuilder::reader(std::string_view ref, const PropertyList& properties) {
    chunk("reader").reader = artifact(ref, properties);
    return *this;
}

StepBuilder& StepBuilder::processor(std::string_view ref, const PropertyList& properties) {
    chunk("processor").processor = artifact(ref, properties);
    return *this;
}

StepBuilder& StepBuilder::writer(std::string_view ref, const PropertyList& properties) {
    chunk("writer").writer = artifact(ref, properties);
    return *this;
}

StepBuilder& StepBuilder::skip(const std::vector<std::string>& exceptions, std::int64_t limit) {
    ChunkDefinition& definition = chunk("skip limit");
    definition.skip_limit = Template::literal(std::to_string(limit));
    classes(definition.skippable, exceptions);
    return *this;
}

StepBuilder& StepBuilder::retry(const std::vector<std::string>& exceptions, std::int64_t limit) {
    ChunkDefinition& definition = chunk("retry limit");
    definition.retry_limit = Template::literal(std::to_string(limit));
    classes(definition.retryable, exceptions);
    return *this;
}

StepBuilder& StepBuilder::listener(std::string_view ref, const PropertyList& properties) {
    step_.listeners.push_back(artifact(ref, properties));
    return *this;
}

StepBuilder& StepBuilder::property(std::string_view name, std::string_view text) {
    step_.properties.push_back({std::string(name), value(text), {}});
    return *this;
}

StepBuilder& StepBuilder::next(std::string_view step) {
    step_.next = value(step);
    return *this;
}

StepBuilder& StepBuilder::on(std::string_view on, std::string_view next_step) {
    TransitionDefinition transition;
    transition.on = value(on);
    transition.to = value(next_step);
    step_.transitions.push_back(std::move(transition));
    return *this;
}

StepBuilder chunk_step(std::string_view id, std::int64_t item_count) {
    StepBuilder builder;
    builder.step_.id = id;
    ChunkDefinition chunk;
    chunk.item_count = Template::literal(std::to_string(item_count));
    builder.step_.work = std::move(chunk);
    return builder;
}

StepBuilder batchlet_step(std::string_view id, std::string_view ref, const PropertyList& properties) {
    StepBuilder builder;
    builder.step_.id = id;
    builder.step_.work = BatchletDefinition{builder.artifact(ref, properties)};
    return builder;
}

JobBuilder& JobBuilder::property(std::string_view name, std::string_view value) {
    job_.properties.push_back({std::string(name), Template::parse(value, {}, {}, diagnostics_), {}});
    return *this;
}

JobBuilder& JobBuilder::restartable(bool restartable) {
    job_.restartable = Template::literal(restartable ? "true" : "false");
    return *this;
}

JobBuilder& JobBuilder::step(const StepBuilder& step) {
    diagnostics_.append(step.diagnostics_);
    if (const auto* chunk = std::get_if<ChunkDefinition>(&step.step_.work)) {
        if (chunk->reader.ref.empty())
            diagnostics_.error({}, {}, fmt::format("step \"{}\" has no reader", step.step_.id));
        if (chunk->writer.ref.empty())
            diagnostics_.error({}, {}, fmt::format("step \"{}\" has no writer", step.step_.id));
    }
    job_.steps.push_back(step.step_);
    return *this;
}

JobDefinition JobBuilder::build() const {
    for (const auto& finding : diagnostics_.all())
        if (finding.severity == Diagnostic::Severity::error)
            throw Error(ErrorKind::invalid, fmt::format("job \"{}\": {}", job_.id, finding.message));
    if (job_.steps.empty()) throw Error(ErrorKind::invalid, fmt::format("job \"{}\" has no steps", job_.id));
    return job_;
}

}  // namespace fermata
