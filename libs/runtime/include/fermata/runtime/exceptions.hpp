#pragma once
// The exceptions of Jakarta Batch's JobOperator (§10.9.11) under our Error, so that each also has its exit code.
#include <fermata/base/error.hpp>
#include <fermata/model/diagnostic.hpp>

namespace fermata {

/// start(): the job or its parameters are wrong, an artifact is unknown. `diagnostics()` has every finding.
class JobStartException : public Error {
public:
    JobStartException(ErrorKind kind, const std::string& message, std::string remedy = {}, Diagnostics diagnostics = {})
        : Error(kind, message, std::move(remedy)), diagnostics_(std::move(diagnostics)) {}
    [[nodiscard]] const Diagnostics& diagnostics() const noexcept { return diagnostics_; }

private:
    Diagnostics diagnostics_;
};
struct JobRestartException : JobStartException {
    using JobStartException::JobStartException;
};
struct JobExecutionAlreadyCompleteException : Error {
    using Error::Error;
};
struct JobExecutionNotMostRecentException : Error {
    using Error::Error;
};
struct JobExecutionNotRunningException : Error {
    using Error::Error;
};
struct JobExecutionIsRunningException : Error {
    using Error::Error;
};
/// resume(): somebody else was first, or there is nothing to resume.
struct ConcurrentResume : Error {
    using Error::Error;
};
struct NoSuchJobException : Error {
    using Error::Error;
};
struct NoSuchJobExecutionException : Error {
    using Error::Error;
};
struct NoSuchJobInstanceException : Error {
    using Error::Error;
};

}  // namespace fermata
