#pragma once
// What names a job and its parameters on the command line: the same for every verb that takes one.
#include <optional>
#include <string>
#include <vector>

#include "job_source.hpp"

namespace fermata::cli {

class ParameterArguments {
public:
    void describe(Options& options);
    [[nodiscard]] bool given() const { return file_ || !given_.empty(); }
    /// The file's, then `-p` over them.
    [[nodiscard]] Parameters parameters() const { return parameters_from(file_, given_); }

private:
    std::vector<Assignment> given_;
    std::optional<std::string> file_;
};

class JobArgument {
public:
    void describe(Options& options);
    [[nodiscard]] JobDefinition load(Session& session) const { return load_job(session, job_); }
    [[nodiscard]] const std::string& text() const noexcept { return job_; }

private:
    std::string job_;
};

}  // namespace fermata::cli
