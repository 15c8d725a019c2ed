#include "expression_decider.hpp"

#include <fermata/batch/record.hpp>

#include <fmt/format.h>

namespace fermata::record {
namespace {

constexpr std::string_view prefix = "when.";

int weight(BatchStatus status) { return status == BatchStatus::failed ? 2 : status == BatchStatus::stopped ? 1 : 0; }

/// What conditions see: several steps (after a split) count together, and the worst status counts.
struct Facts {
    std::string steps;
    std::string exit_status;
    BatchStatus status = BatchStatus::completed;
    Metrics metrics;
};

Facts facts_of(std::span<const StepExecution> steps) {
    Facts facts;
    for (const StepExecution& step : steps) {
        facts.steps += fmt::format("{}{}", facts.steps.empty() ? "" : ",", step.name);
        facts.exit_status = step.exit_status.value_or("");
        if (weight(step.status) > weight(facts.status)) facts.status = step.status;
        for (const auto count :
             {&Metrics::read, &Metrics::written, &Metrics::filtered, &Metrics::read_skips, &Metrics::process_skips,
              &Metrics::write_skips, &Metrics::commits, &Metrics::rollbacks})
            facts.metrics.*count += step.metrics.*count;
    }
    return facts;
}

const ColumnsPtr& fact_columns() {
    static const ColumnsPtr columns = std::make_shared<Columns>(
        std::vector<std::string>{"step", "status", "exit_status", "read", "written", "filtered", "skips", "read_skips",
                                 "process_skips", "write_skips", "commits", "rollbacks"});
    return columns;
}

void fill(Record& record, const Facts& facts) {
    const Metrics& m = facts.metrics;
    const std::span<Value> cells = record.reset(fact_columns());
    const Value values[] = {std::string_view(facts.steps),
                            to_string(facts.status),
                            std::string_view(facts.exit_status),
                            m.read,
                            m.written,
                            m.filtered,
                            m.read_skips + m.process_skips + m.write_skips,
                            m.read_skips,
                            m.process_skips,
                            m.write_skips,
                            m.commits,
                            m.rollbacks};
    std::ranges::copy(values, cells.begin());
}

}  // namespace

ExpressionDecider::ExpressionDecider(const ArtifactContext& context)
    : rules_(rules_of(context.properties)), otherwise_(context.properties.find<std::string>("otherwise")) {}

std::string ExpressionDecider::decide(std::span<const StepExecution> steps) {
    const Facts facts = facts_of(steps);
    RecordBatch batch;
    batch.ensure_rows(1);
    Record record(&batch, 0);
    fill(record, facts);
    for (const Rule& rule : rules_)
        if (rule.when->test(record) == true) return rule.answer;
    return otherwise_.value_or(facts.exit_status);
}

std::vector<ExpressionDecider::Rule> ExpressionDecider::rules_of(const Properties& properties) {
    std::vector<Rule> rules;
    for (const ResolvedProperty& property : properties.all()) {
        if (!property.name.starts_with(prefix)) continue;
        try {
            rules.push_back({property.name.substr(prefix.size()), parse_condition(property.value.str())});
        } catch (const ConditionError& error) {
            throw properties.wrong(property.name, error.what());
        }
    }
    return rules;
}

void ExpressionDecider::check(const Properties& properties) { (void)rules_of(properties); }

ArtifactInfo ExpressionDecider::info() {
    return {.about =
                "Answers with the name of the first condition that is true about the step before the decision. "
                "Conditions are those of `filter` over step, status, exit_status, read, written, filtered, skips, "
                "read_skips, process_skips, write_skips, commits, rollbacks; after a split the counters of its flows' "
                "last steps together",
            .properties = {{.name = "when.*",
                            .type = "condition",
                            .required = true,
                            .about = "when.ANSWER: gives ANSWER if it is true; the first in the file counts"},
                           {.name = "otherwise",
                            .type = "text",
                            .about = "the answer if none is true; default: the step's exit status"}},
            .example = R"xml(<decision id="enough" ref="expression">
  <properties>
    <property name="when.DIRTY" value="skips > 100 or status = 'FAILED'"/>
    <property name="when.EMPTY" value="written = 0"/>
    <property name="otherwise" value="GOOD"/>
  </properties>
  <fail on="DIRTY"/>
  <end on="EMPTY"/>
  <next on="GOOD" to="publish"/>
</decision>)xml"};
}

}  // namespace fermata::record
