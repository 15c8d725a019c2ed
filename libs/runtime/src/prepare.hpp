#pragma once
// A definition with its parameters to what can run, or every finding at once.
#include "assemble.hpp"

#include <fermata/runtime/exceptions.hpp>

#include <fmt/format.h>

namespace fermata {

template <class Exception = JobStartException>
[[noreturn]] void refuse(const JobDefinition& job, ErrorKind kind, Diagnostics diagnostics) {
    std::size_t errors = 0;
    std::string first;
    for (const Diagnostic& found : diagnostics.all())
        if (found.severity == Diagnostic::Severity::error && errors++ == 0) first = to_string(found);
    std::string message =
        errors == 1 ? first : fmt::format("job \"{}\" has {} errors; the first: {}", job.id, errors, first);
    // What a program has built is in no file that could be validated.
    const char* remedy = job.file.empty() ? "diagnostics() of this exception has every finding" : "fermata validate";
    throw Exception(kind, message, remedy, std::move(diagnostics));
}

/// resolve and assemble.
template <class Exception = JobStartException>
[[nodiscard]] RunnableJob prepare(const JobDefinition& job, const Registry& registry, const Parameters& parameters,
                                  const Parameters& system, ErrorKind kind = ErrorKind::invalid) {
    Resolution resolution = resolve(job, parameters, system);
    if (!resolution.job) refuse<Exception>(job, kind, std::move(resolution.diagnostics));
    Assembly assembly = assemble(std::move(*resolution.job), registry, parameters);
    if (!assembly.job) refuse<Exception>(job, kind, std::move(assembly.diagnostics));
    return std::move(*assembly.job);
}

/// What becomes of an execution whose owner has died: it goes on, unless the job says "fail".
[[nodiscard]] inline bool ends_when_lost(const RunnableJob& job) {
    for (const ResolvedProperty& property : job.job->properties)
        if (property.name == "fermata.on-owner-loss") return property.value.str() == "fail";
    return false;
}

}  // namespace fermata
