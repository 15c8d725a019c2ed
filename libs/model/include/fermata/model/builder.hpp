#pragma once
// A JobDefinition written in C++ instead of job XML; both meet there, so each word means the same in both. Values may
// hold expressions, #{jobParameters['date']}.
//
//     const JobDefinition job =
//         fermata::job("import")
//             .step(fermata::chunk_step("load", 1000)
//                       .reader("orderReader", {{"file", "#{jobParameters['file']}"}})
//                       .writer("orderWriter")
//                       .next("report"))
//             .step(fermata::batchlet_step("report", "reportBatchlet"))
//             .build();
#include <fermata/model/job_definition.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fermata {

/// Name and value, in order.
using PropertyList = std::vector<std::pair<std::string, std::string>>;

class StepBuilder {
public:
    // Of chunk steps only; they throw Error(invalid) on a batchlet step.
    StepBuilder& reader(std::string_view ref, const PropertyList& properties = {});
    StepBuilder& processor(std::string_view ref, const PropertyList& properties = {});
    StepBuilder& writer(std::string_view ref, const PropertyList& properties = {});
    /// Without a call: unlimited, as the specification says. `exceptions` are registered names.
    StepBuilder& skip(const std::vector<std::string>& exceptions, std::int64_t limit);
    StepBuilder& retry(const std::vector<std::string>& exceptions, std::int64_t limit);
    // Of every step.
    StepBuilder& listener(std::string_view ref, const PropertyList& properties = {});
    StepBuilder& property(std::string_view name, std::string_view value);
    /// Where to go when it is COMPLETED; without, the job ends.
    StepBuilder& next(std::string_view step);
    /// Where to go when its exit status matches `on`.
    StepBuilder& on(std::string_view on, std::string_view next_step);

private:
    friend class JobBuilder;
    friend StepBuilder chunk_step(std::string_view, std::int64_t);
    friend StepBuilder batchlet_step(std::string_view, std::string_view, const PropertyList&);
    ChunkDefinition& chunk(std::string_view word);
    Template value(std::string_view text);
    ArtifactDefinition artifact(std::string_view ref, const PropertyList& properties);
    void classes(ExceptionFilterDefinition& filter, const std::vector<std::string>& exceptions);
    StepDefinition step_;
    Diagnostics diagnostics_;
};

[[nodiscard]] StepBuilder chunk_step(std::string_view id, std::int64_t item_count = 10);
[[nodiscard]] StepBuilder batchlet_step(std::string_view id, std::string_view ref, const PropertyList& properties = {});

class JobBuilder {
public:
    explicit JobBuilder(std::string_view id) { job_.id = id; }
    JobBuilder& property(std::string_view name, std::string_view value);
    JobBuilder& restartable(bool restartable);
    /// In the order they are entered first; the first one begins.
    JobBuilder& step(const StepBuilder& step);
    /// Throws Error(invalid) for a malformed expression, a chunk step without reader or writer, a job without steps.
    /// What only a start can tell (names, targets, types) is told by `validate` and JobOperator::start.
    [[nodiscard]] JobDefinition build() const;

private:
    JobDefinition job_;
    Diagnostics diagnostics_;
};

[[nodiscard]] inline JobBuilder job(std::string_view id) { return JobBuilder(id); }

}  // namespace fermata
