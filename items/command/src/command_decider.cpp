#include "command_decider.hpp"

#include "command_batchlet.hpp"

#include <stop_token>

namespace fermata {
namespace {

/// What the command may want to know, in its environment.
Properties with_facts(const Properties& properties, const StepExecution& last) {
    ResolvedProperties all = properties.all();
    const auto add = [&](const std::string& name, const std::string& value) {
        all.push_back({"env." + name, Text(value), {}});
    };
    add("FERMATA_DECIDED_STEP", last.name);
    add("FERMATA_DECIDED_STATUS", std::string(to_string(last.status)));
    add("FERMATA_DECIDED_EXIT_STATUS", last.exit_status.value_or(""));
    add("FERMATA_DECIDED_READ", std::to_string(last.metrics.read));
    add("FERMATA_DECIDED_WRITTEN", std::to_string(last.metrics.written));
    add("FERMATA_DECIDED_SKIPS",
        std::to_string(last.metrics.read_skips + last.metrics.process_skips + last.metrics.write_skips));
    return {"decider \"command\"", "", std::move(all)};
}

}  // namespace

CommandDecider::CommandDecider(const ArtifactContext& context) : properties_(context.properties), step_(*context.step) {
    for (const PropertyRule& rule : CommandBatchlet::rules()) rule(properties_);
}

std::string CommandDecider::decide(std::span<const StepExecution> steps) {
    const Properties properties = steps.empty() ? properties_ : with_facts(properties_, steps.back());
    CommandBatchlet command({properties, &step_, *step_.job});
    const std::stop_callback on_stop(step_.stop != nullptr ? step_.stop->token() : std::stop_token(),
                                     [&command] { command.stop(); });
    std::string answer = command.process();
    if (step_.stop_requested()) throw ChildError("the command was stopped before it had decided");
    return answer;
}

ArtifactInfo CommandDecider::info() {
    ArtifactInfo info = CommandBatchlet::info();
    info.about =
        "Runs a command; what exit-codes says about its exit code is the answer. It finds the step before the decision "
        "in "
        "FERMATA_DECIDED_STEP, _STATUS, _EXIT_STATUS, _READ, _WRITTEN, _SKIPS";
    // A decision has no step that could be entered again: its pause elements wait behind it.
    std::erase_if(info.properties, [](const PropertyInfo& property) { return property.name == "pause-exit-codes"; });
    info.example = R"(<decision id="complete" ref="command">
  <properties>
    <property name="command" value="all-files-there.sh '#{jobParameters['day']}'"/>
    <property name="exit-codes" value="0=YES,1=NO"/>
  </properties>
  <next on="YES" to="import"/>
  <stop on="NO" restart="collect"/>
</decision>)";
    return info;
}

}  // namespace fermata
