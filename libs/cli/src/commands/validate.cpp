#include "../command.hpp"
#include "../job_arguments.hpp"
#include "../json_text.hpp"

#include <fmt/format.h>
#include <fermata/base/text.hpp>
#include <fermata/jobxml/jobxml.hpp>

#include <nlohmann/json.hpp>
#include <set>

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"(Tells everything that can be told without starting: XML, references, artifacts and their properties, item types that
do not fit, unreachable steps. With -p or --params, expressions too, as a start would resolve them.
Exit code 9 if there are errors; warnings alone are none.
)";

class ValidateCommand final : public Command {
public:
    void describe(Options& options) override {
        options.positional("FILE", files_, "Job XML files").require().complete(Completes::file);
        parameters_.describe(options);
    }
    ExitCode run(Session& session) override;

private:
    [[nodiscard]] static Diagnostics findings_of(Session& session, const std::string& file,
                                                 const std::optional<Parameters>& parameters);
    std::vector<std::string> files_;
    ParameterArguments parameters_;
};

/// What else is wrong with what could not be understood whole. Warnings, and errors where one is already, or of what is
/// not written, may come from what is missing.
void add_more(Diagnostics& found, const Diagnostics& more) {
    std::set<int> lines{0};
    for (const Diagnostic& finding : found.all())
        if (finding.severity == Diagnostic::Severity::error) lines.insert(finding.at.line);
    for (const Diagnostic& finding : more.all())
        if (finding.severity == Diagnostic::Severity::error && !lines.contains(finding.at.line))
            found.error(finding.file, finding.at, finding.message);
}

Diagnostics ValidateCommand::findings_of(Session& session, const std::string& file,
                                         const std::optional<Parameters>& parameters) {
    ParsedJob parsed = parse_job_file(file);
    const auto judged = [&](const JobDefinition& job) {
        return fermata::validate(job, session.registry(), parameters, session.system_properties());
    };
    if (parsed.sketch) add_more(parsed.diagnostics, judged(*parsed.sketch));
    if (parsed.job) parsed.diagnostics.append(judged(*parsed.job));
    parsed.diagnostics.sort();
    return parsed.diagnostics;
}

std::string object_of(const Diagnostic& finding) {
    const nlohmann::ordered_json object{
        {"file", finding.file},
        {"line", finding.at.line},
        {"column", finding.at.column},
        {"severity", finding.severity == Diagnostic::Severity::error ? "error" : "warning"},
        {"message", finding.message}};
    return json_text(object);
}

/// A file that cannot be read is one more finding: there may be others behind it.
Diagnostics unreadable(const std::string& file, const Error& error) {
    Diagnostics findings;
    std::string message = error.what();
    if (const std::string name = fmt::format("job file \"{}\" ", file); message.starts_with(name))
        message.erase(0, name.size());
    findings.error(file, {}, error.remedy().empty() ? message : message + "; " + error.remedy());
    return findings;
}

ExitCode ValidateCommand::run(Session& session) {
    ExitCode code = ExitCode::ok;
    std::optional<Parameters> parameters;
    if (parameters_.given()) parameters = parameters_.parameters();
    std::vector<Row> rows;
    std::string text;
    for (const auto& file : files_) {
        Diagnostics findings;
        try {
            findings = findings_of(session, file, parameters);
            if (findings.has_errors()) code = worst(code, ExitCode::invalid);
        } catch (const Error& error) {
            if (files_.size() == 1) throw;
            findings = unreadable(file, error);
            code = worst(code, exit_code_of(error.kind()));
        }
        for (const auto& finding : findings.all()) {
            rows.push_back(
                {.cells = {printable(to_string(finding), 2000)}, .object = object_of(finding), .name = file});
            text += rows.back().cells.front() + "\n";
        }
        if (findings.all().empty()) text += fmt::format("{}: ok\n", file);
    }
    if (session.out().format() == Format::table)
        session.out().write(text);
    else
        session.out().rows({{"FINDING"}}, rows);
    return code;
}

}  // namespace

const Descriptor validate_command{.name = "validate",
                                  .group = "Definitions",
                                  .about = "Check job XML: everything wrong with it, with file, line and column",
                                  .help = help,
                                  .formats = all_formats,
                                  .make = make_command<ValidateCommand>};

}  // namespace fermata::cli
