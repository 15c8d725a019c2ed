#include "pipe_processor.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

namespace fermata {
namespace {

constexpr std::array own_properties{"timeout", "grace", "max-line"};
constexpr std::int64_t default_max_line = 16 << 20;
constexpr Duration default_grace = std::chrono::seconds{30};

/// Those that are meant for the child.
ResolvedProperties childs(const Properties& properties) {
    ResolvedProperties result;
    for (const ResolvedProperty& property : properties.all()) {
        const bool own = CommandSpec::is_own(property.name) ||
                         std::ranges::find(own_properties, property.name) != own_properties.end();
        if (own) continue;
        if (!is_utf8(property.value.str())) throw properties.wrong(property.name, "is not UTF-8");
        result.push_back(property);
    }
    return result;
}

std::size_t max_line_of(const Properties& properties) {
    const auto max_line = properties.get<std::int64_t>("max-line", default_max_line);
    if (max_line < 1) throw properties.wrong("max-line", fmt::format("{} is not a number of bytes", max_line));
    return static_cast<std::size_t>(max_line);
}

}  // namespace

PipeProcessor::PipeProcessor(const ArtifactContext& context)
    : step_(*context.step),
      spec_(context.properties),
      limits_(read_limits(context.properties)),
      hello_(pipe_hello(childs(context.properties), context.step->signals())),
      reply_(spec_.program()) {}

void PipeProcessor::open() {
    child_.reset();
    sequence_ = 0;
}

void PipeProcessor::process(std::span<Record> items, ChunkVerdicts<Record>& verdicts) {
    request_.encode(sequence_ + 1, items);
    if (request_.sent() == 0) {
        for (const std::exception_ptr& refusal : request_.refusals()) verdicts.fail(refusal);
        return;
    }
    try {
        exchange(items, verdicts);
    } catch (...) {
        open();
        throw;
    }
}

void PipeProcessor::exchange(std::span<Record> items, ChunkVerdicts<Record>& verdicts) {
    if (!child_) child_ = std::make_unique<PipeChild>(spec_.plan(step_), step_, limits_, hello_);
    const std::string_view line = child_->exchange(request_.line(), reply_padding);
    reply_.apply(line, ++sequence_, request_, items, verdicts);
}

void PipeProcessor::close() {
    const auto child = std::exchange(child_, nullptr);
    if (child) child->finish();
}

PipeLimits PipeProcessor::read_limits(const Properties& properties) {
    return {.timeout = properties.find<Duration>("timeout"),
            .grace = properties.get<Duration>("grace", default_grace),
            .max_line = max_line_of(properties)};
}

std::vector<PropertyRule> PipeProcessor::rules() {
    std::vector<PropertyRule> rules = CommandSpec::rules();
    rules.insert(rules.end(), {max_line_of, reads_as<Duration>("timeout"), reads_as<Duration>("grace"), childs});
    return rules;
}

ArtifactInfo PipeProcessor::info() {
    ArtifactInfo info;
    info.about =
        "Sends each chunk to a child process as a JSON line and takes its results (docs/pipe-protocol.md); "
        "properties that are not listed are for the child";
    info.closed = false;
    info.properties = CommandSpec::property_infos();
    info.properties.push_back({.name = "timeout", .type = "duration", .about = "Longest wait for one reply"});
    info.properties.push_back({.name = "grace",
                               .type = "duration",
                               .default_value = "30s",
                               .about = "Time to end by itself once its input has ended"});
    info.properties.push_back({.name = "max-line",
                               .type = "number",
                               .default_value = std::to_string(default_max_line),
                               .about = "Longest reply, in bytes"});
    info.example = R"(<processor ref="pipe">
  <properties>
    <property name="command" value="python3 normalise.py"/>
    <property name="timeout" value="30s"/>
  </properties>
</processor>)";
    return info;
}

}  // namespace fermata
