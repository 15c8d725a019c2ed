#pragma once
// What every artifact of the suite keeps of its context, and how it reads properties: an empty value is an absent one
// (the job XML hands over job parameters that a scenario does not give).
#include <fermata/batch/registry.hpp>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace fermata::tck {

class Artifact {
protected:
    explicit Artifact(const ArtifactContext& context)
        : properties_(context.properties), step_(context.step), job_(context.job) {}

    [[nodiscard]] std::optional<std::string> find(std::string_view name) const;
    [[nodiscard]] std::string text(std::string_view name, std::string otherwise = "") const;
    [[nodiscard]] std::int64_t number(std::string_view name, std::int64_t otherwise) const;
    /// "1,3,5"; none if absent.
    [[nodiscard]] std::vector<std::int64_t> numbers(std::string_view name) const;
    [[nodiscard]] bool flag(std::string_view name) const { return text(name) == "true"; }

    /// As Java concatenates: an unset exit status is "null".
    void append_to_job_exit_status(std::string_view text);
    void set_job_exit_status(std::string text) { job_.exit_status = std::move(text); }
    [[nodiscard]] StepContext& step() const { return *step_; }
    [[nodiscard]] JobContext& job() const { return job_; }

private:
    Properties properties_;
    StepContext* step_;
    JobContext& job_;
};

/// What an artifact found to be other than the scenario promises. Fails its step, with the message in the report.
struct Unexpected : std::runtime_error {
    using std::runtime_error::runtime_error;
};
template <class A, class B>
void require_equal(std::string_view what, const A& is, const B& should) {
    if (is != should)
        throw Unexpected(std::string(what) + " is " + std::to_string(is) + " instead of " + std::to_string(should));
}
bool contains(const std::vector<std::int64_t>& list, std::int64_t number);

/// The exceptions the job XML names, by their Java names.
struct MyParentError : std::runtime_error {
    using std::runtime_error::runtime_error;
};
struct MyChildError : MyParentError {
    using MyParentError::MyParentError;
};
struct MyGrandchildError : MyChildError {
    using MyChildError::MyChildError;
};

}  // namespace fermata::tck
