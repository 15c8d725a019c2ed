#include "error_report.hpp"

#include <fmt/format.h>
#include <fermata/base/no_permission.hpp>
#include <fermata/base/text.hpp>
#include <fermata/runtime/exceptions.hpp>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <system_error>

#include "job_source.hpp"
#include "json_text.hpp"
#include "output.hpp"

namespace fermata::cli {

namespace {

const Diagnostics* diagnostics_of(const std::exception& error) {
    if (const auto* invalid = dynamic_cast<const InvalidJob*>(&error)) return &invalid->diagnostics();
    if (const auto* start = dynamic_cast<const JobStartException*>(&error)) return &start->diagnostics();
    return nullptr;
}

/// A list of findings comes before; the message of a refused start repeats the first of them.
std::string message_of(const std::exception& error, const Diagnostics* diagnostics) {
    if (dynamic_cast<const JobStartException*>(&error) == nullptr || diagnostics->all().empty()) return error.what();
    const auto errors = std::ranges::count(diagnostics->all(), Diagnostic::Severity::error, &Diagnostic::severity);
    return fmt::format("nothing was started: {} error{}", errors, errors == 1 ? "" : "s");
}

void print_text(const std::exception& error, const std::string& remedy, const Diagnostics* diagnostics) {
    if (diagnostics != nullptr)
        for (const auto& finding : diagnostics->all()) Output::note(to_string(finding));
    Output::note(fmt::format("fermata: {}", printable(message_of(error, diagnostics), 2000)));
    for (const auto& line : split(remedy, '\n'))
        if (!line.empty()) Output::note(fmt::format("  {}", printable(line, 2000)));
}

void print_json(const std::exception& error, ErrorKind kind, const std::string& remedy,
                const Diagnostics* diagnostics) {
    nlohmann::ordered_json object{{"code", to_string(kind)}, {"message", error.what()}, {"remedy", remedy}};
    if (diagnostics != nullptr) {
        object["diagnostics"] = nlohmann::ordered_json::array();
        for (const auto& finding : diagnostics->all()) object["diagnostics"].push_back(to_string(finding));
    }
    const nlohmann::ordered_json whole{{"error", object}};
    Output::note_raw(json_text(whole));
}

ErrorKind kind_of(const std::exception& error) {
    if (dynamic_cast<const NoPermission*>(&error) != nullptr) return ErrorKind::forbidden;
    if (const auto* known = dynamic_cast<const Error*>(&error)) return known->kind();
    // What the standard library could not do with a file.
    const auto* failed = dynamic_cast<const std::system_error*>(&error);
    return failed != nullptr && is_no_permission(failed->code().value()) ? ErrorKind::forbidden : ErrorKind::failed;
}

}  // namespace

ExitCode report_error(const std::exception& error, bool as_json) {
    const auto* known = dynamic_cast<const Error*>(&error);
    const ErrorKind kind = kind_of(error);
    const Diagnostics* diagnostics = diagnostics_of(error);
    const bool told = diagnostics != nullptr && !diagnostics->all().empty();  // all that `validate` would tell
    const bool refused = told && dynamic_cast<const JobStartException*>(&error) != nullptr;
    const std::string remedy = known != nullptr && !refused ? known->remedy() : std::string{};
    if (as_json)
        print_json(error, kind, remedy, diagnostics);
    else
        print_text(error, remedy, diagnostics);
    return exit_code_of(kind);
}

}  // namespace fermata::cli
